// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/exp/slices"
	"golang.org/x/term"

	"github.com/klp-convert/klp-convert/sympos"
)

// Reading a kernel may take a minute. What is read then stands on the last line of the
// terminal, if stderr is one: a line without an end, written anew from time to time, and
// erased before anything else is printed, which nothing is while kernels are read.

const (
	patience = 500 * time.Millisecond // until the line appears
	tick     = 200 * time.Millisecond
	many     = 20 // files of which it is worth knowing how many were read
)

// A meter keeps the line.
type meter struct {
	mu      sync.Mutex
	w       *os.File
	jobs    []*job // under way, by when they began
	shown   bool
	running bool // somebody looks at the clock
	clock
}

// A clock tells the time and lets it pass. Tests have one of their own.
type clock struct {
	now   func() time.Time
	sleep func(time.Duration)
}

// A job is the reading of one kernel.
type job struct {
	label       string
	done, total int
	since       time.Time
}

// progress is the one that stderr has.
var progress = meter{clock: clock{time.Now, time.Sleep}}

// isTerminal is replaced by tests.
var isTerminal = func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// showProgress lets a kernel say how far its reading is. more stands behind its name.
func showProgress(k *sympos.Kernel, more string, stderr io.Writer, o *options) {
	f, ok := stderr.(*os.File)
	if t := os.Getenv("TERM"); !ok || o.quiet || t == "" || t == "dumb" || !isTerminal(f) {
		return
	}
	var j *job
	k.Progress = func(done, total int) {
		if j == nil || done == 0 {
			j = &job{label: kernelLabels([]namedKernel{{k.Name, k.Release}})[0] + more, since: progress.now()}
		}
		progress.report(f, j, done, total)
	}
}

// nth says which of several it is.
func nth(i, of int) string {
	if of < 2 {
		return ""
	}
	return fmt.Sprintf(" (%d of %d)", i+1, of)
}

// report takes down how far a job is.
func (m *meter) report(w *os.File, j *job, done, total int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.w, j.done, j.total = w, done, total
	switch i := slices.Index(m.jobs, j); {
	case i < 0 && done < total:
		m.jobs = append(m.jobs, j)
	case i >= 0 && done >= total:
		m.jobs = slices.Delete(m.jobs, i, i+1)
	}
	if len(m.jobs) == 0 {
		m.erase()
	} else if !m.running {
		m.running = true
		go m.run()
	}
}

// run writes the line while there are jobs.
func (m *meter) run() {
	for {
		m.sleep(tick)
		m.mu.Lock()
		if len(m.jobs) == 0 {
			m.running = false
			m.mu.Unlock()
			return
		}
		j := m.jobs[0]
		if took := m.now().Sub(j.since); took >= patience {
			fmt.Fprintf(m.w, "\r%s\x1b[K", cut(j.line(took), terminalWidth(m.w)-1))
			m.shown = true
		}
		m.mu.Unlock()
	}
}

// terminalWidth returns how many columns a terminal has, 0 for what is none.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !isTerminal(f) {
		return 0
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 1 {
		return width
	}
	return lineWidth
}

// line is what there is to say after some time.
func (j *job) line(took time.Duration) string {
	s := "reading " + j.label + ": "
	if j.total >= many {
		s += fmt.Sprintf("%d of %d files, ", j.done, j.total)
	}
	return s + fmt.Sprintf("%d s", int(took.Seconds()))
}

// cut leaves what a terminal's line has room for: a longer one can't be erased.
func cut(s string, width int) string {
	if r := []rune(s); len(r) > width {
		return string(r[:width])
	}
	return s
}

// erase takes the line away. The meter is locked.
func (m *meter) erase() {
	if m.shown {
		fmt.Fprint(m.w, "\r\x1b[K")
		m.shown = false
	}
}

// end takes the line away for good: the program ends.
func (m *meter) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.jobs = nil
	m.erase()
}
