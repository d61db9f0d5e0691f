// SPDX-License-Identifier: GPL-2.0-or-later

package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"
)

var (
	fence    = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	code     = regexp.MustCompile("``.*?``|`[^`\n]*`")
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	explicit = regexp.MustCompile(`<a id="([^"]*)"></a>`)
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	linked   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	dropped  = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// pages are the documents that people read on GitHub.
func pages(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("*.md")
	require.NoError(t, err)
	require.Greater(t, len(found), 5)
	return append(found, "../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md",
		"../SECURITY.md", "../testdata/README.md")
}

// README.md stays a page that is read in a minute and in a diff: 120 lines, each below
// 100 columns. It names the two commands that set the tree up.
func TestReadmeIsShort(t *testing.T) {
	text := page(t, "../README.md")
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	assert.LessOrEqual(t, len(lines), 120)
	for i, line := range lines {
		assert.Less(t, utf8.RuneCountInString(line), 100, "line %d", i+1)
	}
	for _, command := range []string{"make demo", "make test", "make quick"} {
		assert.Regexp(t, `(?m)^    `+command+` `, text)
	}
}

// anchors are what a link into the page can name: the ids that it gives, and those that
// GitHub makes of headings: in lower case, without punctuation, a hyphen for each blank,
// and a number where the anchor exists already.
func anchors(text string) []string {
	var all []string
	text = fence.ReplaceAllString(text, "")
	for _, m := range explicit.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	made := map[string]int{}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		slug := linked.ReplaceAllString(m[1], "$1")
		slug = strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(slug), ""), " ", "-")
		n := made[slug]
		made[slug]++
		if n > 0 {
			slug += "-" + strconv.Itoa(n)
		}
		all = append(all, slug)
	}
	return all
}

func page(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

// Of two equal anchors browsers use the first; those that use names compare them in lower
// case.
func TestAnchorsAreUnique(t *testing.T) {
	for _, p := range pages(t) {
		seen := map[string]bool{}
		for _, a := range anchors(page(t, p)) {
			a = strings.ToLower(a)
			assert.False(t, seen[a], "%s: two anchors #%s", p, a)
			seen[a] = true
		}
	}
}

// anchorsOf is anchors of a page, read once.
func anchorsOf(t *testing.T, known map[string][]string, path string) []string {
	t.Helper()
	if known[path] == nil {
		known[path] = anchors(page(t, path))
	}
	return known[path]
}

// The file that a link between documents names exists, and has the anchor.
func TestLinksLeadSomewhere(t *testing.T) {
	count, known := 0, map[string][]string{}
	for _, p := range pages(t) {
		text := code.ReplaceAllString(fence.ReplaceAllString(page(t, p), ""), "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			count++
			file, anchor, _ := strings.Cut(m[1], "#")
			to := p
			if file != "" {
				to = filepath.Join(filepath.Dir(p), file)
			}
			if _, err := os.Stat(to); !assert.NoError(t, err, "%s: %s", p, m[1]) || anchor == "" {
				continue
			}
			assert.True(t, slices.Contains(anchorsOf(t, known, to), anchor), "%s: %s: no such anchor", p, m[1])
		}
	}
	assert.Greater(t, count, 300)
}
