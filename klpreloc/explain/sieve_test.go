// SPDX-License-Identifier: GPL-2.0-or-later

package explain

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// unfiltered is find, which tries all patterns.
func unfiltered(line string) found {
	if e, names := findOwn(line); e != nil { // see requireSame
		return found{entry: e, names: names}
	}
	var best found
	for _, p := range patterns() {
		if best.pattern != nil && p.literals <= best.pattern.literals {
			continue
		}
		if names, ok := p.match(line); ok {
			best = found{entry: p.entry, pattern: p, names: names}
		}
	}
	return best
}

// requireSame checks that what is asked first of a line changes nothing.
func requireSame(t *testing.T, line string) {
	t.Helper()
	require.Equal(t, unfiltered(line), find(line), "%q", line)
	if aboutLivepatch().MatchString(line) {
		require.True(t, mayBeAbout(line), "%q", line)
	}
	m := ownLine().FindStringSubmatch(line)
	if m == nil {
		m = ownAlone().FindStringSubmatch(line)
	}
	if e, _ := findOwn(line); m != nil {
		require.Same(t, ownEntries()[diag.ID(strings.ToUpper(m[1]))], e, "%q", line)
	} else {
		require.Nil(t, e, "%q", line)
	}
	var want, got []*pattern
	for _, p := range patterns() {
		if strings.Contains(line, p.literal) {
			want = append(want, p)
		}
	}
	allPatterns().with(line, func(p *pattern) { got = append(got, p) })
	require.Equal(t, want, got, "%q", line)
}

// The lines of all documents, of the logs in them, and of the tests of the command.
func TestFilteredLines(t *testing.T) {
	recognised := 0
	for _, glob := range []string{
		"../../docs/*.md", "../../docs/examples/*.txt", "../../cmd/klp-convert/testdata/script/*",
	} {
		files, err := filepath.Glob(glob)
		require.NoError(t, err)
		require.NotEmpty(t, files, glob)
		for _, file := range files {
			b, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, line := range strings.Split(string(b), "\n") {
				requireSame(t, line)
				if find(line).entry != nil {
					recognised++
				}
			}
		}
	}
	assert.Greater(t, recognised, 500)
}

func TestFilteredWords(t *testing.T) {
	for _, line := range []string{
		"", "k", "KLP", "LIVEPATCH", "x LivePatch", "KLP_", "\u212aLP_", "\u212aPATCH", ".klp.", ".\u212alp.",
		"tAINTED: G K ", "help", "patc", "lp", "KLP043", " [klp043] ", "\u212aLP043", "x: y [KLP043]\t",
		"[KLP043] x",
	} {
		requireSame(t, line)
	}
	for _, p := range patterns() {
		for _, line := range []string{p.literal, "x" + p.literal + "y", p.literal[1:], p.form.Text} {
			requireSame(t, line)
		}
	}
}

func FuzzFilter(f *testing.F) {
	f.Add("livepatch: symbol 'f' not found in symbol table")
	for _, p := range patterns() {
		f.Add(p.form.Text)
	}
	f.Fuzz(func(t *testing.T, line string) { requireSame(t, line) })
}
