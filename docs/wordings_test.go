// SPDX-License-Identifier: GPL-2.0-or-later

package docs_test

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
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// literals returns the strings of the program's sources, those that are added to one
// another as one. Parts of them that vary are "%".
func literals(t *testing.T) (all []string) {
	t.Helper()
	for _, dir := range []string{"elfrw", "sympos", "klpreloc", "cmd"} {
		read := func(path string, d fs.DirEntry, err error) error {
			base := filepath.Base(path)
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(base, "_test.go") ||
				strings.HasPrefix(base, "catalogue_") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				e, ok := n.(ast.Expr)
				if !ok {
					return true
				}
				if s, ok := joined(e); ok {
					all = append(all, s)
					return false
				}
				return true
			})
			return nil
		}
		require.NoError(t, filepath.WalkDir(filepath.Join("..", dir), read))
	}
	require.Greater(t, len(all), 1000)
	return all
}

var formatVerb = regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z]`)

// joined returns a string literal, or several that are added, false for anything else.
func joined(e ast.Expr) (string, bool) {
	switch x := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(x.Value)
		return formatVerb.ReplaceAllString(s, "%"), x.Kind == token.STRING && err == nil
	case *ast.BinaryExpr:
		a, first := joined(x.X)
		b, second := joined(x.Y)
		if x.Op != token.ADD || !first && !second {
			return "", false
		}
		if !first {
			a = "%"
		}
		if !second {
			b = "%"
		}
		return a + b, true
	}
	return "", false
}

// messageForm returns an expression for the messages that a literal makes, which follow
// the start of the text or the separator; nil for a literal that has few words.
func messageForm(literal, separator string) *regexp.Regexp {
	plain := strings.ReplaceAll(literal, "%", "")
	if len(plain) < 8 || strings.Contains(plain, "\n") || !utf8.ValidString(plain) {
		return nil
	}
	parts := strings.Split(literal, "%")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	value := `\S+(?: \S+){0,2}` // what varies has few words
	if len(plain) >= 20 {
		value = ".+"
	}
	return regexp.MustCompile("(?:^|" + separator + ")" + strings.Join(parts, value) + "$")
}

// Where an example needs more than the source tree, its messages are compared with the
// strings of the program: docs/examples/ID.txt has to be edited when a message changes.
func TestExamplesHaveMessagesOfTheProgram(t *testing.T) {
	all := literals(t)
	after := func(separator string) (forms []*regexp.Regexp) {
		for _, l := range all {
			if f := messageForm(l, separator); f != nil {
				forms = append(forms, f)
			}
		}
		return forms
	}
	usual := after(": ")
	special := after(" ") // whose messages begin with names of places
	line := regexp.MustCompile(`: klp-convert: (.*) \[KLP\d{3}\]$`)
	count := 0
	for _, e := range diag.Catalogue() {
		if e.FromCheck() || e.ID == diag.FileAccess || e.ID == diag.BrokenFile {
			continue // these two are made of several strings, or of the system's
		}
		forms := usual
		if e.ID == diag.SpecialSection {
			forms = special
		}
		path := "examples/" + string(e.ID) + ".txt"
		for _, l := range strings.Split(page(t, path), "\n") {
			if m := line.FindStringSubmatch(l); m != nil {
				count++
				assert.True(t, slices.ContainsFunc(forms, func(f *regexp.Regexp) bool {
					return f.MatchString(m[1])
				}), "%s: the program has no such message: %s", path, m[1])
			}
		}
	}
	assert.Greater(t, count, 100)
}

// The wordings that an entry of the catalogue explains are parts of strings of the
// program, with capitals, "…" and the like for what varies.
func TestWordingsOfTheCatalogueAreThoseOfTheProgram(t *testing.T) {
	all := literals(t)
	quoted := regexp.MustCompile("`([^`]+)`")
	varies := regexp.MustCompile(`…|sym\+N|\b[A-Z]\b|\b\d+\b`)
	count := 0
	for _, e := range diag.Catalogue() {
		switch {
		case len(e.Cases.Columns) == 0 || e.Cases.Columns[0] != "message":
			continue
		case e.ID == diag.FileAccess || e.ID == diag.SpecialSection: // made of several strings
			continue
		}
		for _, row := range e.Cases.Rows {
			for _, q := range quoted.FindAllStringSubmatch(row[0], -1) {
				count++
				pieces := varies.Split(q[1], -1)
				for i := range pieces {
					pieces[i] = regexp.QuoteMeta(pieces[i])
				}
				form := regexp.MustCompile(strings.Join(pieces, `[^|]*`))
				assert.True(t, slices.ContainsFunc(all, form.MatchString),
					"%s: the program has no such message: %s", e.ID, q[1])
			}
		}
	}
	assert.Greater(t, count, 10)
}
