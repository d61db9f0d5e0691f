// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/klpreloc/matrix"
	"github.com/klp-convert/klp-convert/sympos"
)

// terminal returns a terminal of so many columns, and what was written to it by the time
// shown is called.
func terminal(t *testing.T, columns int) (tty *os.File, shown func() string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	require.NoError(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ,
		&unix.Winsize{Row: 24, Col: uint16(columns)}))
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { tty.Close() })
	return tty, func() string {
		const end = "END"
		fmt.Fprint(tty, end)
		var all bytes.Buffer
		for b := make([]byte, 4096); !strings.HasSuffix(all.String(), end); {
			n, err := master.Read(b)
			require.NoError(t, err)
			all.Write(b[:n])
		}
		return strings.TrimSuffix(all.String(), end)
	}
}

// slow is a source that takes its time, by the clock of the meter.
type slow struct {
	took  time.Duration
	clock *fakeClock
}

func (s slow) String() string { return "slow" }
func (s slow) Scan(func(*sympos.Entry)) (sympos.Facts, error) {
	if s.took > 0 {
		s.clock.pass(s.took)
	}
	return sympos.Facts{Kind: sympos.SystemMap}, nil
}

// A fakeClock lets time pass when the test says so, and what sleeps by it wakes up then.
type fakeClock struct {
	passed atomic.Int64
	wake   chan struct{}
}

// pass lets d pass, and returns when the meter has looked at the clock since, if it runs.
func (c *fakeClock) pass(d time.Duration) {
	c.passed.Add(int64(d))
	if isRunning() {
		c.wake <- struct{}{}
		c.wake <- struct{}{} // taken after the first one has had its effect
	}
}

func isRunning() bool {
	progress.mu.Lock()
	defer progress.mu.Unlock()
	return progress.running
}

// settle lets the meter notice that all is done.
func (c *fakeClock) settle() {
	for isRunning() {
		select {
		case c.wake <- struct{}{}:
		default:
			runtime.Gosched()
		}
	}
}

// withFakeClock gives the meter a clock of the test's own.
func withFakeClock(t *testing.T) *fakeClock {
	t.Helper()
	c := &fakeClock{wake: make(chan struct{})}
	was := progress.clock
	progress.clock = clock{
		now:   func() time.Time { return time.Unix(0, c.passed.Load()) },
		sleep: func(time.Duration) { <-c.wake },
	}
	t.Cleanup(func() { progress.clock = was })
	return c
}

func readSlowly(t *testing.T, c *fakeClock, stderr *os.File, o *options, name string,
	sources ...sympos.Source) {
	t.Helper()
	k := sympos.NewKernel(name, sources...)
	showProgress(k, nth(1, 5), stderr, o)
	_, err := k.Read(sympos.Names("x"))
	require.NoError(t, err)
	c.settle()
}

// On a terminal a line says what takes so long, once, and is gone when it is done.
func TestProgressOnATerminal(t *testing.T) {
	c := withFakeClock(t)
	t.Setenv("TERM", "xterm")
	tty, shown := terminal(t, 80)
	readSlowly(t, c, tty, &options{}, "6.1", slow{showAfter, c})
	text := shown()
	assert.Contains(t, text, "\rreading 6.1 (2 of 5): 0 s\x1b[K")
	assert.True(t, strings.HasSuffix(text, "\r\x1b[K"), "%q", text)
	assert.NotContains(t, text, "\n")
}

// Of many files it says how many are read.
func TestProgressCountsFiles(t *testing.T) {
	c := withFakeClock(t)
	t.Setenv("TERM", "xterm")
	sources := []sympos.Source{slow{showAfter, c}}
	for range 30 {
		sources = append(sources, slow{})
	}
	tty, shown := terminal(t, 80)
	readSlowly(t, c, tty, &options{}, "6.1", sources...)
	assert.Regexp(t, `reading 6\.1 \(2 of 5\): \d+ of 31 files, 0 s`, shown())
}

// A line that the terminal would break could not be erased.
func TestProgressFitsTheTerminal(t *testing.T) {
	c := withFakeClock(t)
	t.Setenv("TERM", "xterm")
	tty, shown := terminal(t, 20)
	readSlowly(t, c, tty, &options{}, strings.Repeat("long", 20), slow{showAfter, c})
	for _, line := range strings.Split(shown(), "\r") {
		assert.Less(t, len(strings.TrimSuffix(line, "\x1b[K")), 20, "%q", line)
	}
}

// What is quick says nothing, nor does a terminal that can't erase, nor -q.
func TestNoProgress(t *testing.T) {
	c := withFakeClock(t)
	long, short := slow{showAfter, c}, slow{showAfter - 1, c}
	for _, x := range []struct {
		term    string
		options options
		source  slow
	}{{"xterm", options{}, short}, {"dumb", options{}, long}, {"", options{}, long}, {"xterm",
		options{quiet: true}, long}} {
		t.Setenv("TERM", x.term)
		tty, shown := terminal(t, 80)
		readSlowly(t, c, tty, &x.options, "6.1", x.source)
		assert.Empty(t, shown(), "%+v", x)
	}
}

// Files and pipes have nothing of it.
func TestNoProgressInFiles(t *testing.T) {
	c := withFakeClock(t)
	t.Setenv("TERM", "xterm")
	f, err := os.Create(t.TempDir() + "/log")
	require.NoError(t, err)
	defer f.Close()
	readSlowly(t, c, f, &options{}, "6.1", slow{showAfter, c})
	info, err := f.Stat()
	require.NoError(t, err)
	assert.Zero(t, info.Size())

	k := sympos.NewKernel("6.1")
	showProgress(k, "", new(bytes.Buffer), &options{})
	assert.Nil(t, k.Progress)
}

// On a terminal a verdict has one line; in a file it is whole.
func TestVerdictsFitTheTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	long := matrix.New([]matrix.Module{{File: "a.ko", Label: "a.ko"}}, []string{"6.1"},
		[][]*loader.Report{{{Findings: diag.List{{Severity: diag.Error,
			Message: strings.Repeat("x", 100)}}}}})
	tty, shown := terminal(t, 40)
	var file bytes.Buffer
	c := &checking{options: &options{}}
	require.NoError(t, c.print(tty, long))
	require.NoError(t, c.print(&file, long))
	table, _, _ := strings.Cut(shown(), "\r\n\r\n")
	assert.Contains(t, table, "x…")
	for _, line := range strings.Split(table, "\r\n") {
		assert.LessOrEqual(t, len([]rune(line)), 40, line)
	}
	assert.Contains(t, file.String(), "  6.1     no message: "+strings.Repeat("x", 100)+"\n")
}
