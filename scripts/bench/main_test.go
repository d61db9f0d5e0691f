// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// programs builds klp-convert and this program.
func programs(t *testing.T) (tool, bench string) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-o", dir+"/", "../../cmd/klp-convert", ".")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return filepath.Join(dir, "klp-convert"), filepath.Join(dir, "bench")
}

func rowsOf(text string) [][]string {
	var rows [][]string
	for _, l := range strings.Split(text, "\n") {
		if strings.HasPrefix(l, "| ") {
			var row []string
			for _, c := range strings.Split(strings.Trim(l, "|"), "|") {
				row = append(row, strings.TrimSpace(c))
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func TestProgramPrintsATable(t *testing.T) {
	need.Tools(t, "objcopy")
	tool, bench := programs(t)
	cmd := exec.Command(bench, "-tool", tool, "-pairs", "1", "-run", "sample, 260|image of")
	temporary := t.TempDir()
	cmd.Env = append(os.Environ(), "KLP_LAB_CACHE="+t.TempDir(), "TMPDIR="+temporary)
	out, err := cmd.Output()
	require.NoError(t, err)
	rows := rowsOf(string(out))
	require.Len(t, rows, 7, "%s", out)
	assert.Equal(t, columns, rows[0])
	for i, program := range []string{"objcopy", "cp"} {
		row := rows[1+i]
		assert.Equal(t, "convert the sample, 260 KB", row[0])
		assert.Equal(t, program, row[1])
		assert.Regexp(t, `^[0-9.]+ × \([0-9.]+ / [0-9.]+ ms\)$`, row[2])
		assert.Regexp(t, `^[0-9.]+ × \([0-9.]+ / [0-9.]+ ms\)$`, row[3])
		assert.Regexp(t, `^(≤ )?[0-9.]+ / (≤ )?[0-9.]+ MB$`, row[4])
	}
	assert.Equal(t, "1.3 × CPU", rows[1][6])
	assert.Regexp(t, `^(yes|no): [0-9.]+$`, rows[1][7])
	for _, row := range rows[3:] {
		assert.Regexp(t, `^not run: no kernel 6\.\d+ in the lab's cache: .*/klp-lab fetch$`, row[7])
	}
	assert.Contains(t, string(out), "at least 1 pair.")
	assert.Regexp(t, `^Measured on \d{4}-\d\d-\d\d: .*, \d+ processors, .*, load average [\d.]+ before\.`,
		string(out))
	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// Each line is of commands that its contest has: of kernels, as far as they are here.
func TestLinesNameCommands(t *testing.T) {
	need.Long(t, "it makes inputs of all kinds, 250 MB of them")
	need.Tools(t, "objcopy")
	tool, bench := programs(t)
	w, err := newWorkshop(tool)
	require.NoError(t, err)
	w.self = bench
	defer os.RemoveAll(w.Dir)
	seen := map[string]bool{}
	for _, c := range contests() {
		size := 0
		if len(c.Sizes) > 0 {
			size = c.Sizes[0]
		}
		entrants, err := c.Entrants(w, size)
		var absent *NotRunError
		if errors.As(err, &absent) {
			t.Log(absent)
			continue
		}
		require.NoError(t, err)
		for _, l := range c.Lines {
			for _, name := range []string{l.Ours, l.Theirs} {
				assert.True(t, name == "" || slices.ContainsFunc(entrants,
					func(e Entrant) bool { return e.Name == name }), "%s: %q", l.Question, name)
			}
			key := l.Question + " against " + l.Theirs
			assert.False(t, seen[key], "%s: twice", key)
			seen[key] = true
		}
	}
	assert.NotEmpty(t, seen)
}

func TestUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"at least 1":         {"-pairs", "0"},
		"missing closing":    {"-run", "("},
		"has all lines":      {"-doc", "x", "-pairs", "9"},
		"document has all":   {"-doc", "x", "-run", "convert"},
		"no such file":       {"-doc", "no-such-document"},
		"/no-such-tool":      {"-tool", "/no-such-tool"},
		"no such verb":       {"work", "nothing"},
		"no question match":  {"-run", "no such question", "-tool", "/bin/sh"},
		"flag: help request": {"-h"},
	} {
		err := run(args, &bytes.Buffer{}, &bytes.Buffer{})
		assert.ErrorContains(t, err, want, "%q", args)
	}
}

func TestTableGoesIntoADocument(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	page := "# Title\n\n" + beginMarker + "\nold\n\n" + endMarker + "\nafter\n"
	require.NoError(t, os.WriteFile(path, []byte(page), 0o644))
	require.NoError(t, intoDocument(path, ""))
	require.NoError(t, intoDocument(path, "| new |\n"))
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(page, "old", "| new |", 1), string(got))

	for _, wrong := range []string{"", beginMarker, endMarker + beginMarker} {
		require.NoError(t, os.WriteFile(path, []byte(wrong), 0o644))
		assert.ErrorContains(t, intoDocument(path, "text"), "has no")
	}
}

// The document has a place for the table.
func TestDocumentHasMarkers(t *testing.T) {
	assert.NoError(t, intoDocument("../../docs/performance.md", ""))
}
