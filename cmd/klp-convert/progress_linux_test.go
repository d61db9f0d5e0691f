// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/klp-convert/klp-convert/klpreloc/loader"
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
	require.NoError(t, unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)}))
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

// slow is a source that takes its time.
type slow struct{ time.Duration }

func (s slow) String() string { return "slow" }
func (s slow) Scan(func(*sympos.Entry)) (sympos.Facts, error) {
	time.Sleep(s.Duration)
	return sympos.Facts{Kind: sympos.SystemMap}, nil
}

func readSlowly(t *testing.T, stderr *os.File, o *options, name string, sources ...sympos.Source) {
	t.Helper()
	k := sympos.NewKernel(name, sources...)
	showProgress(k, nth(1, 5), stderr, o)
	_, err := k.Read(sympos.Names("x"))
	require.NoError(t, err)
}

// On a terminal a line says what takes so long, once, and is gone when it is done.
func TestProgressOnATerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	tty, shown := terminal(t, 80)
	readSlowly(t, tty, &options{}, "6.1", slow{patience + 3*tick})
	text := shown()
	assert.Contains(t, text, "\rreading 6.1 (2 of 5): 0 s\x1b[K")
	assert.True(t, strings.HasSuffix(text, "\r\x1b[K"), "%q", text)
	assert.NotContains(t, text, "\n")
}

// Of many files it says how many are read.
func TestProgressCountsFiles(t *testing.T) {
	t.Setenv("TERM", "xterm")
	sources := []sympos.Source{slow{patience + 3*tick}}
	for range 30 {
		sources = append(sources, slow{})
	}
	tty, shown := terminal(t, 80)
	readSlowly(t, tty, &options{}, "6.1", sources...)
	assert.Regexp(t, `reading 6\.1 \(2 of 5\): (30|0) of 31 files, 0 s`, shown())
}

// A line that the terminal would break could not be erased.
func TestProgressFitsTheTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	tty, shown := terminal(t, 20)
	readSlowly(t, tty, &options{}, strings.Repeat("long", 20), slow{patience + 3*tick})
	for _, line := range strings.Split(shown(), "\r") {
		assert.Less(t, len(strings.TrimSuffix(line, "\x1b[K")), 20, "%q", line)
	}
}

// What is quick says nothing, nor does a terminal that can't erase, nor -q.
func TestNoProgress(t *testing.T) {
	long := slow{patience + 2*tick}
	for _, c := range []struct {
		term    string
		options options
		source  slow
	}{{"xterm", options{}, slow{}}, {"dumb", options{}, long}, {"", options{}, long}, {"xterm", options{quiet: true}, long}} {
		t.Setenv("TERM", c.term)
		tty, shown := terminal(t, 80)
		readSlowly(t, tty, &c.options, "6.1", c.source)
		assert.Empty(t, shown(), "%+v", c)
	}
}

// Files and pipes have nothing of it.
func TestNoProgressInFiles(t *testing.T) {
	t.Setenv("TERM", "xterm")
	f, err := os.Create(t.TempDir() + "/log")
	require.NoError(t, err)
	defer f.Close()
	readSlowly(t, f, &options{}, "6.1", slow{patience + 2*tick})
	info, err := f.Stat()
	require.NoError(t, err)
	assert.Zero(t, info.Size())

	k := sympos.NewKernel("6.1")
	showProgress(k, "", new(bytes.Buffer), &options{})
	assert.Nil(t, k.Progress)
}

// On a terminal a verdict has one line; into a file it goes whole.
func TestVerdictsFitTheTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	long := verdict{label: "6.1", Report: &loader.Report{Findings: []loader.Finding{{Severity: loader.Problem, Cause: strings.Repeat("x", 100)}}}}
	tty, shown := terminal(t, 40)
	var file bytes.Buffer
	c := &checking{options: &options{}}
	require.NoError(t, c.print(tty, "a.ko", []verdict{long}))
	require.NoError(t, c.print(&file, "a.ko", []verdict{long}))
	table, _, _ := strings.Cut(shown(), "\r\n\r\n")
	assert.Contains(t, table, "x…")
	for _, line := range strings.Split(table, "\r\n") {
		assert.LessOrEqual(t, len([]rune(line)), 40, line)
	}
	assert.Contains(t, file.String(), "  6.1     no message: "+strings.Repeat("x", 100)+"\n")
}
