// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func printed(t *testing.T, whole bool, rows ...[]any) string {
	t.Helper()
	var b bytes.Buffer
	table := newTable(&b)
	table.whole = whole
	table.section("title", "NAME", "N", "LAST")
	for _, r := range rows {
		table.row(r...)
	}
	require.NoError(t, table.flush())
	return b.String()
}

func TestTableIsAligned(t *testing.T) {
	assert.Equal(t, "title\n  NAME  N   LAST\n  a     10  x\n  bär   9   y\n  c\n", printed(t, false, []any{"a", 10, "x"}, []any{"bär", 9, "y"}, []any{"c", "", ""}))
}

// A long name is alone in its line, and the others stay where they are.
func TestLongNamesDoNotPushColumnsOut(t *testing.T) {
	long := strings.Repeat("n", 90)
	assert.Equal(t, "title\n  NAME   N  LAST\n  short  1  x\n  "+long+"\n         2  y\n", printed(t, false, []any{"short", 1, "x"}, []any{long, 2, "y"}))
	assert.Contains(t, printed(t, true, []any{"short", 1, "x"}, []any{long, 2, "y"}), long+"  2  y\n")
}

// What is long in the last column is in nobody's way.
func TestLongLastColumnBreaksNoLines(t *testing.T) {
	long := strings.Repeat("v", 100)
	assert.Equal(t, "title\n  NAME  N  LAST\n  k     1  "+long+"\n", printed(t, false, []any{"k", 1, long}))
}

func TestKernelLabels(t *testing.T) {
	folder := "/a/very/long/path/to/where/somebody/has/unpacked/"
	for _, c := range []struct {
		kernels []namedKernel
		want    []string
	}{
		{[]namedKernel{{folder + "x", "6.1"}, {folder + "y", "6.12"}}, []string{"6.1", "6.12"}},
		{[]namedKernel{{folder + "x", "6.1"}, {folder + "y", "6.1"}}, []string{"x", "y"}},
		{[]namedKernel{{folder + "a/x", "6.1"}, {folder + "b/x", "6.1"}}, []string{folder + "a/x", folder + "b/x"}},
		{[]namedKernel{{folder + "x", "6.1"}, {folder + "x", "6.1"}}, []string{folder + "x", folder + "x"}},
		{[]namedKernel{{"a/vmlinux", ""}}, []string{"a/vmlinux"}},
		{[]namedKernel{{"6.1", "6.1"}}, []string{"6.1"}},
	} {
		assert.Equal(t, c.want, kernelLabels(c.kernels))
	}
}
