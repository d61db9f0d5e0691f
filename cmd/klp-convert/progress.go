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

// Reading a kernel may take a minute. If stderr is a terminal, its last line then shows what
// is read. The line has no newline, is rewritten from time to time, and is erased before
// anything else is printed; nothing is printed while kernels are read.

const (
	showAfter = 500 * time.Millisecond // until the line appears
	interval  = 200 * time.Millisecond // between two updates
	minFiles  = 20                     // with fewer, the number of files is not shown
)

// A meter updates the line.
type meter struct {
	mu      sync.Mutex
	w       *os.File
	jobs    []*job // that have not ended, in the order of their start
	shown   bool
	running bool // a goroutine updates the line
	clock
}

// A clock returns the time and waits. Tests have their own.
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

// progress is the meter of stderr.
var progress = meter{clock: clock{time.Now, time.Sleep}}

// isTerminal is replaced by tests.
var isTerminal = func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// showProgress makes the kernel report to the meter while it is read. more follows its name.
func showProgress(k *sympos.Kernel, more string, stderr io.Writer, o *options) {
	f, ok := stderr.(*os.File)
	if t := os.Getenv("TERM"); !ok || o.quiet || t == "" || t == "dumb" || !isTerminal(f) {
		return
	}
	var j *job
	k.Progress = func(done, total int) {
		if j == nil || done == 0 {
			label := kernelLabels([]namedKernel{{k.Name, k.Release}})[0]
			j = &job{label: label + more, since: progress.now()}
		}
		progress.report(f, j, done, total)
	}
}

// nth returns " (2 of 3)", or nothing if there is only one.
func nth(i, of int) string {
	if of < 2 {
		return ""
	}
	return fmt.Sprintf(" (%d of %d)", i+1, of)
}

// report records how far a job is.
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

// run updates the line while there are jobs.
func (m *meter) run() {
	for {
		m.sleep(interval)
		m.mu.Lock()
		if len(m.jobs) == 0 {
			m.running = false
			m.mu.Unlock()
			return
		}
		j := m.jobs[0]
		if took := m.now().Sub(j.since); took >= showAfter {
			fmt.Fprintf(m.w, "\r%s\x1b[K", truncate(j.line(took), terminalWidth(m.w)-1))
			m.shown = true
		}
		m.mu.Unlock()
	}
}

// terminalWidth returns the number of columns of a terminal, 0 if w is not a terminal.
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

// line returns the text for a job that has taken so long.
func (j *job) line(took time.Duration) string {
	s := "reading " + j.label + ": "
	if j.total >= minFiles {
		s += fmt.Sprintf("%d of %d files, ", j.done, j.total)
	}
	return s + fmt.Sprintf("%d s", int(took.Seconds()))
}

// truncate shortens s to the width of a terminal: a longer line could not be erased.
func truncate(s string, width int) string {
	if r := []rune(s); len(r) > width {
		return string(r[:width])
	}
	return s
}

// erase erases the line. The meter must be locked.
func (m *meter) erase() {
	if m.shown {
		fmt.Fprint(m.w, "\r\x1b[K")
		m.shown = false
	}
}

// end erases the line because the program ends.
func (m *meter) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.jobs = nil
	m.erase()
}
