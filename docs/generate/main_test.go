// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPagesAreUpToDate(t *testing.T) {
	pages, err := render("..")
	require.NoError(t, err)
	require.Len(t, pages, 2)
	for name, want := range pages {
		have, err := os.ReadFile(filepath.Join("..", name))
		require.NoError(t, err)
		assert.Equal(t, want, string(have), "go generate ./docs")
	}
}

// What terminals and other tools print, and tables, are as wide as they are.
func TestProseIsBelow100Columns(t *testing.T) {
	pages, err := render("..")
	require.NoError(t, err)
	for name, text := range pages {
		verbatim := false
		for i, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				verbatim = !verbatim
			}
			if !verbatim && !strings.HasPrefix(line, "|") {
				assert.LessOrEqual(t, length(line), columns, "%s:%d", name, i+1)
			}
		}
	}
}

// CONTRIBUTING.md has plainer words for these. Messages are quoted as they are printed.
// Pages that are written by hand keep to them too.
func TestProseIsPlain(t *testing.T) {
	unplain := regexp.MustCompile(`(?i)\b(?:behind|stands? (?:in|at|beside|below)|taken for|anew|at hand|is none|` +
		`namesakes?|folders?|without a word|held against|nobody exports|mends?|foretells?)\b`)
	code := regexp.MustCompile("(?s)```.*?```|`[^`]*`")
	pages, err := render("..")
	require.NoError(t, err)
	written, err := filepath.Glob("../*.md")
	require.NoError(t, err)
	for _, path := range append(written, "../../README.md", "../../SECURITY.md", "../../CHANGELOG.md") {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		pages[filepath.Base(path)] = string(text)
	}
	require.Greater(t, len(pages), 10)
	indented := regexp.MustCompile(`(?m)^(?:    |\t).*$`)
	for name, text := range pages {
		text = indented.ReplaceAllString(code.ReplaceAllString(text, ""), "")
		assert.Empty(t, unplain.FindAllString(text, -1), name)
	}
}

func TestWrap(t *testing.T) {
	long := strings.Repeat("word ", 18) + "last"
	for _, c := range []struct{ name, lead, text, want string }{
		{"short", "", "a  b", "a b\n"},
		{"lead", "1. ", long + " next word", "1. " + long + "\n   next word\n"},
		{"code stays whole", "", long + " `a b`", long + "\n`a b`\n"},
		{"code with a comma", "", long + " `a b`, c", long + "\n`a b`, c\n"},
		{"a number does not begin a line", "", long + " it 5. x", long + " it 5.\nx\n"},
	} {
		assert.Equal(t, c.want, wrap(c.lead, c.text), c.name)
	}
	code := strings.Repeat("abcdefghi ", 12)
	for _, line := range strings.Split(wrap("", "`"+code+"`"), "\n") {
		assert.LessOrEqual(t, length(line), columns)
	}
}

func TestIDsAreLinked(t *testing.T) {
	assert.Equal(t, "see [KLP030](#KLP030), not `KLP030`", linkIDs("see KLP030, not `KLP030`", ""))
	assert.Equal(t, "[KLP077](errors.md#KLP077)", linkIDs("KLP077", "errors.md"))
}
