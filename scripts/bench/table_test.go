// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNumber(t *testing.T) {
	for value, want := range map[float64]string{0: "0", 0.05: "0.05", 0.124: "0.12", 1: "1",
		1.004: "1", 1.06: "1.06", 9.5: "9.5", 10: "10", 12.34: "12.3", 100: "100", 1234.5: "1234",
		-3.21: "-3.21"} {
		assert.Equal(t, want, number(value))
	}
}

func TestTimes(t *testing.T) {
	assert.Equal(t, "3.61 / 2.4 ms", times(0.00361, 0.0024))
	assert.Equal(t, "1.5 s", times(1.5))
	assert.Equal(t, "900 / 1200 ms", times(0.9, 1.2), "one unit for both")
}

func TestCells(t *testing.T) {
	line := Line{"convert", "ours", "objcopy", []Limit{cpuTimes(0.6), megabytes(5), files(6)}}
	a := &Answer{Line: line, Against: "objcopy", Ours: [][]Usage{runs(1, 9, 2)},
		Theirs: [][]Usage{runs(4, 36, 8)}, Input: 500_000}
	assert.Equal(t, []string{"convert", "objcopy", "0.25 × (2 / 8 s)", "0.25 × (4 / 16 s)",
		"2 / 8 MB", "-", "0.6 × CPU, 5 MB, 6 × file in memory", "yes: 0.25, yes: 2, yes: 4"},
		cells(a))
	a.Floor = 3e6
	assert.Equal(t, "≤ 3 / 8 MB", cells(a)[4], "what this process had itself is not known")

	a.Line.Asked = []Limit{cpuTimes(0.2)}
	assert.Equal(t, "no: 0.25", cells(a)[7])
	a.Line.Asked = []Limit{cpuTimes(0.2499)}
	assert.Equal(t, "no: 0.25", cells(a)[7])
	a.Line.Asked, a.Ours = []Limit{megabytes(100)}, [][]Usage{runs(100.1234, 100.1234, 100.1234)}
	assert.Equal(t, "no: 100.123", cells(a)[7], "which is more than 100")
	a.Line.Asked = []Limit{cpuTimes(0.2)}

	a.NotRun = "no kernel"
	assert.Equal(t, []string{"convert", "objcopy", "-", "-", "-", "-", "0.2 × CPU",
		"not run: no kernel"}, cells(a))

	alone := &Answer{Line: Line{Question: "explain"}, Sizes: []int{10, 100},
		Ours: [][]Usage{runs(1), runs(10)}, Theirs: [][]Usage{nil, nil}}
	assert.Equal(t, []string{"explain", "-", "10 s", "20 s", "10 MB", "1.00, at the end 1.00",
		"-", "-"}, cells(alone))
	alone.Line.Theirs, alone.Theirs = "cp", [][]Usage{runs(1), runs(1)}
	assert.Equal(t, "1.00, at the end 1.00 (its 0.00, 0.00)", cells(alone)[5])
}

func TestLimits(t *testing.T) {
	a := &Answer{Ours: [][]Usage{runs(1), runs(2), runs(3, 4, 5)},
		Theirs: [][]Usage{runs(1), runs(1), runs(1, 2, 5)}, Input: 2e6}
	for _, c := range []struct {
		limit Limit
		value float64
	}{
		{cpuTimes(1), 2},
		{cpuSeconds(1), 4},
		{wallMilliseconds(1), 8000},
		{moreMilliseconds(1), 2000},
		{shared(1), 4 * float64(runtime.NumCPU())},
		{megabytes(1), 4},
		{files(1), 2},
		{constant(1), 2},
	} {
		value, kept := c.limit.Reached(a)
		assert.InDelta(t, c.value, value, 1e-9, c.limit.String())
		assert.False(t, kept, c.limit.String())
		c.limit.Most = c.value
		_, kept = c.limit.Reached(a)
		assert.True(t, kept, "%s: at most includes it", &c.limit)
	}
}

// The table is read as it is: each cell begins below its heading.
func TestTableIsAligned(t *testing.T) {
	lines := strings.Split(table([]Answer{
		{Line: Line{Question: "short"}, NotRun: "no kernel"},
		{Line: Line{Question: "a long question"}, Against: "×", Ours: [][]Usage{runs(1)},
			Theirs: [][]Usage{nil}},
	}), "\n")
	require.Len(t, lines, 5)
	assert.Empty(t, lines[4])
	for _, l := range lines[:4] {
		assert.Equal(t, len(columns)+1, strings.Count(l, "|"), l)
		assert.Equal(t, utf8.RuneCountInString(lines[0]), utf8.RuneCountInString(l), l)
	}
	assert.Contains(t, lines[2], "| short           | - ")
}

func TestNotReached(t *testing.T) {
	line := Line{"convert", "ours", "cp", []Limit{cpuTimes(0.6), megabytes(1)}}
	slow := Answer{Line: line, Against: "cp", Ours: [][]Usage{runs(2)}, Theirs: [][]Usage{runs(2)}}
	quick := Answer{Line: line, Against: "cp", Ours: [][]Usage{runs(1)}, Theirs: [][]Usage{runs(2)}}
	absent := Answer{Line: line, NotRun: "no kernel"}
	assert.Equal(t, "Not reached:\n\n- convert: 1 × CPU, asked at most 0.6\n"+
		"- convert: 2 MB, asked at most 1\n",
		notReached([]Answer{quick, slow, absent}))
	assert.Equal(t, "All that is asked and was run is reached.\n", notReached([]Answer{quick, absent}))
}

// The list is prose of a document, below 100 columns.
func TestNotReachedIsNarrow(t *testing.T) {
	var answers []Answer
	for _, c := range contests() {
		for _, l := range c.Lines {
			for i := range l.Asked {
				l.Asked[i].value = func(*Answer) float64 { return 98765 }
			}
			answers = append(answers, Answer{Line: l})
		}
	}
	lines := strings.Split(notReached(answers), "\n")
	require.Greater(t, len(lines), 10)
	for _, l := range lines {
		assert.Less(t, utf8.RuneCountInString(l), 100, l)
	}
}
