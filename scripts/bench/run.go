// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/exp/slices"
)

// An Entrant is a command that a contest runs.
type Entrant struct {
	Name  string
	Label string // what the table calls it, if that is not Name
	Args  []string
	Env   []string // NAME=value, instead of what this process has
	Stdin string   // a file; "": nothing
	Out   string   // the file that it writes, if it writes one
	Finds bool     // it may exit with 1, which says that it found something
	Input int64    // size of the file that its memory is compared with
}

// A Usage is what one run of a command took.
type Usage struct {
	CPU    time.Duration // user and system
	Wall   time.Duration
	Memory int64 // most bytes resident
}

// dropped are variables that would make the program run as users do not run it.
var dropped = []string{"GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG", "KLP_CACHE", "NO_COLOR"}

// Run runs the command once. What it prints is lost but for the end of stderr, in the error.
func (e *Entrant) Run() (Usage, error) {
	cmd := exec.Command(e.Args[0], e.Args[1:]...)
	cmd.Env = append(environ(), e.Env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if e.Stdin != "" {
		in, err := os.Open(e.Stdin)
		if err != nil {
			return Usage{}, err
		}
		defer in.Close()
		cmd.Stdin = in
	}
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	var exit *exec.ExitError
	if errors.As(err, &exit) && e.Finds && exit.ExitCode() == 1 {
		err = nil
	}
	if err == nil && e.Out != "" {
		err = os.Remove(e.Out) // to replace a file costs ext4 a flush
	}
	if err != nil {
		words := strings.Join(e.Args, " ")
		return Usage{}, fmt.Errorf("%.200s: %w\n%.2000s", words, err, stderr.String())
	}
	state := cmd.ProcessState
	return Usage{
		CPU:  state.UserTime() + state.SystemTime(),
		Wall: wall,
		// Linux has it in KiB (getrusage(2)).
		Memory: state.SysUsage().(*syscall.Rusage).Maxrss << 10,
	}, nil
}

// environ is the environment without what is dropped.
func environ() []string {
	var all []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if !slices.Contains(dropped, name) {
			all = append(all, v)
		}
	}
	return all
}

// memoryFloor is the most memory that this process had. A command begins as a copy of it, so
// Linux does not say when the command itself had less (exec_mmap in fs/exec.c).
func memoryFloor() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Maxrss << 10
}

// A Contest runs its entrants in turns, A B C A B C ..., so that the machine's noise is in all
// of them.
type Contest struct {
	Sizes  []int // of the input; nil: there is one
	Rounds int   // times as many rounds as were asked for, where a round is short; 0 is 1
	// Entrants returns the commands for one size. The error of what the machine does not have
	// is a NotRunError.
	Entrants func(w *Workshop, size int) ([]Entrant, error)
	Lines    []Line
}

// A Line is a line of the table: what an entrant needs, compared with another one, which is ""
// where nothing else does the same.
type Line struct {
	Question     string
	Ours, Theirs string
	Asked        []Limit
}

// A NotRunError says what the machine does not have.
type NotRunError struct{ Why string }

func (e *NotRunError) Error() string { return "not run: " + e.Why }

// An Answer is a line with what was measured.
type Answer struct {
	Line         Line
	Against      string // what the table calls their command; "" where there is none
	NotRun       string // why nothing was measured, or ""
	Sizes        []int  // of the contest; empty: there is one
	Ours, Theirs [][]Usage
	Input        int64 // of our command, for the largest size
	Floor        int64 // memory that is not known exactly: this much and less
}

// Run measures what the lines need, which are of c.Lines. The first round of each size is not
// counted: it fills the page cache and makes the indexes.
func (c *Contest) Run(w *Workshop, lines []Line, rounds int) ([]Answer, error) {
	answers := make([]Answer, len(lines))
	wanted := map[string]bool{}
	for i, l := range lines {
		answers[i] = Answer{Line: l, Against: l.Theirs, Sizes: c.Sizes}
		wanted[l.Ours], wanted[l.Theirs] = true, true
	}
	sizes := c.Sizes
	if len(sizes) == 0 {
		sizes = []int{0}
	}
	for _, size := range sizes {
		entrants, err := c.Entrants(w, size)
		var absent *NotRunError
		if errors.As(err, &absent) {
			for i := range answers {
				answers[i].NotRun = absent.Why
			}
			return answers, nil
		}
		if err != nil {
			return nil, err
		}
		entrants = slices.DeleteFunc(entrants, func(e Entrant) bool { return !wanted[e.Name] })
		took := map[string][]Usage{}
		for round := range 1 + rounds*max(c.Rounds, 1) {
			for _, e := range entrants {
				u, err := e.Run()
				if err != nil {
					return nil, err
				}
				if round > 0 {
					took[e.Name] = append(took[e.Name], u)
				}
			}
		}
		for i := range answers {
			a := &answers[i]
			a.Floor = memoryFloor()
			a.Ours = append(a.Ours, took[a.Line.Ours])
			a.Theirs = append(a.Theirs, took[a.Line.Theirs])
			if last(a.Ours) == nil || a.Line.Theirs != "" && last(a.Theirs) == nil {
				return nil, fmt.Errorf("%s: no such commands: %q, %q", a.Line.Question,
					a.Line.Ours, a.Line.Theirs)
			}
			for _, e := range entrants {
				switch e.Name {
				case a.Line.Ours:
					a.Input = e.Input
				case a.Line.Theirs:
					a.Against = cmp.Or(e.Label, e.Name)
				}
			}
		}
	}
	return answers, nil
}
