// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// printTable prints a list of three columns.
func printTable(t *testing.T, rows ...[]any) string {
	t.Helper()
	var b bytes.Buffer
	table := newTable(&b)
	table.section("empty", "NAME")
	table.section("title", "NAME", "N", "LAST")
	for _, r := range rows {
		table.row(r...)
	}
	require.NoError(t, table.flush())
	return b.String()
}

func TestTableIsAligned(t *testing.T) {
	assert.Equal(t, "title\n  NAME  N   LAST\n  a     10  x\n  bär   9   y\n  c\n        1\n",
		printTable(t, []any{"a", 10, "x"}, []any{"bär", 9, "y"}, []any{"c", "", ""}, []any{"", 1}))
	assert.Empty(t, printTable(t))
}

// A name from a file cannot begin a cell or a line, or reach the terminal.
func TestTableCellsAreClean(t *testing.T) {
	assert.Equal(t, "title\n  NAME        N  LAST\n  a?b?c?d?[m  1  x\n",
		printTable(t, []any{"a\tb\nc\fd\x1b[m", 1, "x"}))
}

func TestKernelLabels(t *testing.T) {
	directory := "/a/very/long/path/to/where/somebody/has/unpacked/"
	for _, c := range []struct {
		kernels []namedKernel
		want    []string
	}{
		{[]namedKernel{{directory + "x", "6.1"}, {directory + "y", "6.12"}},
			[]string{"6.1", "6.12"}},
		{[]namedKernel{{directory + "x", "6.1"}, {directory + "y", "6.1"}}, []string{"x", "y"}},
		{[]namedKernel{{directory + "a/x", "6.1"}, {directory + "b/x", "6.1"}},
			[]string{directory + "a/x", directory + "b/x"}},
		{[]namedKernel{{directory + "x", "6.1"}, {directory + "x", "6.1"}},
			[]string{directory + "x", directory + "x"}},
		{[]namedKernel{{"a/vmlinux", ""}}, []string{"a/vmlinux"}},
		{[]namedKernel{{"6.1", "6.1"}}, []string{"6.1"}},
	} {
		assert.Equal(t, c.want, kernelLabels(c.kernels))
	}
}
