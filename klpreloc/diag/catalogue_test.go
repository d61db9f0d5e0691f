// SPDX-License-Identifier: GPL-2.0-or-later

package diag_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// declaredIDs returns the values of the constants in klpreloc that are ids, sorted.
func declaredIDs(t *testing.T) (ids []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		ast.Inspect(file, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for _, value := range v.Values {
				l, ok := value.(*ast.BasicLit)
				if !ok {
					continue
				}
				if s, err := strconv.Unquote(l.Value); err == nil && idForm.MatchString(s) {
					ids = append(ids, s)
				}
			}
			return true
		})
		return err
	}))
	slices.Sort(ids)
	return ids
}

var idForm = regexp.MustCompile(`^KLP\d{3}$`)

// Each id that the program can report has one entry, and no other id has one.
func TestEveryIDHasOneEntry(t *testing.T) {
	var have []string
	for _, e := range diag.Catalogue() {
		have = append(have, string(e.ID))
		assert.Same(t, e, diag.Lookup(e.ID))
	}
	want := declaredIDs(t)
	assert.Greater(t, len(want), 120)
	assert.Equal(t, want, have)
	assert.Nil(t, diag.Lookup("KLP000"))
	assert.Nil(t, diag.Lookup("KLP999"))
}

// texts returns all texts of an entry.
func texts(e *diag.Entry) []string {
	all := append([]string{e.Title, e.When, e.Kernel, e.Source, e.Fix}, e.Meaning...)
	for _, c := range e.Causes {
		all = append(all, c.Why, c.Fix)
	}
	for _, row := range append(e.Cases.Rows, e.Cases.Columns) {
		all = append(all, row...)
	}
	return all
}

func TestEntriesAreComplete(t *testing.T) {
	for _, e := range diag.Catalogue() {
		assert.NotEmpty(t, e.Severities, e.ID)
		assert.NotEmpty(t, e.Topics, e.ID)
		assert.NotEmpty(t, e.Title, e.ID)
		assert.Regexp(t, `^[^A-Z]|^[A-Z]{2}|^ELF`, e.Title, "%s: lower case", e.ID)
		assert.Regexp(t, `[^.]$`, e.Title, e.ID)
		assert.True(t, e.Kernel != "" || len(e.Meaning) > 0, "%s has no meaning", e.ID)
		if slices.ContainsFunc(e.Severities, func(s diag.Severity) bool { return s != diag.Note }) {
			assert.NotEmpty(t, e.Fix, e.ID)
		}
		if e.FromCheck() {
			assert.Regexp(t, `^The kernel .*[.]$`, e.Kernel, e.ID)
			assert.NotEmpty(t, e.Fix, e.ID)
		} else {
			assert.Empty(t, e.Kernel, e.ID)
		}
		for _, p := range append([]string{e.Fix, e.Source}, e.Meaning...) {
			assert.Regexp(t, `^$|[.:]$`, p, e.ID)
		}
		for _, c := range e.Causes {
			assert.Regexp(t, `^[^a-z].*[.]$`, c.Why, e.ID)
			assert.Regexp(t, `^[^a-z].*[.]$`, c.Fix, e.ID)
		}
		for _, row := range e.Cases.Rows {
			assert.Len(t, row, len(e.Cases.Columns), e.ID)
		}
	}
}

// A text is one paragraph with code in backquotes, and the ids in it exist.
func TestTextsAreInTheNotation(t *testing.T) {
	for _, e := range diag.Catalogue() {
		for _, s := range texts(e) {
			assert.Equal(t, strings.Join(strings.Fields(s), " "), s, "%s: blanks", e.ID)
			assert.Zero(t, strings.Count(s, "`")%2, "%s: backquotes: %s", e.ID, s)
			assert.NotContains(t, s, "](", "%s: a link: %s", e.ID, s)
			for _, id := range regexp.MustCompile(`KLP\d{3}\b`).FindAllString(s, -1) {
				assert.NotNil(t, diag.Lookup(diag.ID(id)), "%s names %s", e.ID, id)
				assert.NotEqual(t, string(e.ID), id)
			}
		}
	}
}

func TestEveryTopicHasEntries(t *testing.T) {
	for _, topic := range diag.Topics() {
		assert.NotEmpty(t, topic.String())
		assert.True(t, slices.ContainsFunc(diag.Catalogue(), func(e *diag.Entry) bool {
			return slices.Contains(e.Topics, topic)
		}), topic.String())
	}
}

func TestSentence(t *testing.T) {
	for title, want := range map[string]string{
		"ambiguous symbol":       "Ambiguous symbol.",
		"klp_patch that is read": "klp_patch that is read.",
		"klp symbol":             "klp symbol.",
		"ELF32 records":          "ELF32 records.",
		".klp.arch section":      ".klp.arch section.",
	} {
		assert.Equal(t, want, (&diag.Entry{Title: title}).Sentence())
	}
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"no code":                  "no code",
		"a `klp_patch`, and `b`":   "a klp_patch, and b",
		"run `ld -r` first":        `run "ld -r" first`,
		"`MODULE_INFO(a, \"Y\");`": `MODULE_INFO(a, "Y");`,
	} {
		assert.Equal(t, want, diag.Plain(text))
	}
}
