// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/klpdiff"
)

// 80 columns are enough for all modules; a longer name has its own line.
func TestDiffAndExplainFitAnOrdinaryTerminal(t *testing.T) {
	wide := func(what, text string) {
		require.NotEmpty(t, text, what)
		for _, l := range strings.Split(text, "\n") {
			long := strings.Contains(l, "://") || strings.HasPrefix(l, "---") ||
				strings.HasPrefix(l, "+++") || strings.HasPrefix(l, "           ")
			assert.True(t, long || utf8.RuneCountInString(l) <= 80, "%s: %s", what, l)
		}
	}
	for _, file := range fixtures(t, "arch/*/alt-module.ko") {
		out := filepath.Join(t.TempDir(), "out.ko")
		status, _, stderr := klpConvert("-q", "--unsafe", file, out)
		require.Equal(t, exitDone, status, stderr)
		status, stdout, _ := klpConvert("diff", file, out)
		assert.Equal(t, exitFound, status)
		wide(file, stdout)
	}
	for _, message := range []string{"KLP030", "lp: Unknown symbol foo (err -2)",
		"livepatch: symbol 'foo' not found in symbol table",
		"RIP: 0010:klp_apply_section_relocs+0x5c/0x220"} {
		status, stdout, _ := klpConvert("explain", message)
		assert.Equal(t, exitDone, status)
		wide(message, stdout)
	}
}

// The exit status is that of diff(1) as far as it goes, and what is said first
// says what the files are.
func TestDiffSaysWhatTheFilesAre(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.ko")
	in := "../../testdata/x86_64/labels-dot.ko"
	status, _, stderr := klpConvert("-q", in, out)
	require.Equal(t, exitDone, status, stderr)
	status, stdout, _ := klpConvert("diff", in, out)
	assert.Equal(t, exitFound, status)
	assert.True(t,
		strings.HasPrefix(stdout, "--- "+in+": annotated, not converted\n+++ "+out+": converted\n"),
		stdout)
	status, stdout, stderr = klpConvert("diff", out, out)
	assert.Equal(t, exitDone, status)
	assert.Empty(t, stdout+stderr)
}

// What does not fit a terminal's line is continued on the next, below it.
func TestDifferencesFitTheTerminal(t *testing.T) {
	var b strings.Builder
	long := strings.Repeat("v", 70)
	writeChanges(&b, "module information", []klpdiff.Change{{What: "name", Was: "a", Is: "b"},
		{What: "vermagic", Was: long}})
	assert.Equal(t,
		"\nmodule information\n  - name: a\n  + name: b\n  - vermagic:\n      "+long+"\n",
		b.String())

	b.Reset()
	name := strings.Repeat("n", 60)
	writeRelocChange(&b, klpdiff.RelocChange{Count: 2, Was: name + " of vmlinux, annotated",
		Is: name + " of vmlinux, applied with vmlinux", In: []string{"f"}})
	for _, line := range strings.Split(b.String(), "\n") {
		assert.Less(t, len(line), lineWidth, line)
	}
	assert.Contains(t, b.String(), "  - 2x "+name)
}
