// SPDX-License-Identifier: GPL-2.0-or-later

package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/docs"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/explain"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
)

// declaredIDs are the ids that a source file declares.
func declaredIDs(t *testing.T, path string) (ids []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) > 0 {
			if l, ok := v.Values[0].(*ast.BasicLit); ok && strings.HasPrefix(l.Value, `"KLP`) {
				s, err := strconv.Unquote(l.Value)
				require.NoError(t, err)
				ids = append(ids, s)
			}
		}
		return true
	})
	return ids
}

// errors.md has a section and an anchor for each id that the program knows, in their
// order, and for no other.
func TestEveryIDHasOneSection(t *testing.T) {
	want := append(declaredIDs(t, "../klpreloc/diag/id.go"), declaredIDs(t, "../klpreloc/loader/finding.go")...)
	require.Greater(t, len(want), 120)
	slices.Sort(want)
	var have []string
	for _, m := range regexp.MustCompile(`(?m)^<a id="(KLP\d+)"></a>\n## (KLP\d+) `).FindAllStringSubmatch(docs.Errors, -1) {
		assert.Equal(t, m[1], m[2])
		have = append(have, m[1])
	}
	assert.Equal(t, want, have)
	assert.Equal(t, len(want), strings.Count(docs.Errors, `<a id="KLP`))
}

// A section's heading is what SARIF calls the rule, and says which severities it has.
func TestSectionsOfCheckHaveTheirTitles(t *testing.T) {
	for _, id := range declaredIDs(t, "../klpreloc/loader/finding.go") {
		title := loader.Title(diag.ID(id))
		require.NotEmpty(t, title, id)
		assert.Regexp(t, `(?m)^## `+id+` `+regexp.QuoteMeta(title)+` \((finding|note|finding, note)\)$`, docs.Errors)
	}
}

// Every section of check says what the kernel says or does, and what mends it.
func TestSectionsOfCheckAreWhole(t *testing.T) {
	for _, s := range strings.Split(docs.Errors, "\n## ")[1:] {
		if strings.HasPrefix(s, "KLP1") {
			assert.Contains(t, s, "\n\nThe kernel ", s)
			assert.Contains(t, s, "\n\nFix: ", s)
		}
	}
}

// The list of messages has each of the kernel's that explain knows, with an anchor, and
// leads to where messages.md explains it.
func TestEveryKernelMessageHasOneAnchor(t *testing.T) {
	text, messages := page(t, "errors.md"), page(t, "messages.md")
	count := 0
	for _, g := range explain.Groups() {
		if !strings.HasPrefix(g.Title, "The kernel: ") {
			continue
		}
		for _, e := range g.Entries {
			for i := range e.Forms {
				anchor := "message-" + e.ID
				if i > 0 {
					anchor += "-" + strconv.Itoa(i+1)
				}
				assert.Equal(t, 1, strings.Count(text, `<a id="`+anchor+`"></a>`), anchor)
				count++
			}
			assert.Contains(t, text, "(messages.md#"+e.ID+")")
			assert.Contains(t, messages, "\n## "+e.ID+"\n")
		}
	}
	assert.Greater(t, count, 100)
	assert.Equal(t, count, strings.Count(text, `<a id="message-`))
}

// What check foretells, explain explains. The formats stand in the sources of loader.
func TestForetoldMessagesAreExplained(t *testing.T) {
	sources, err := filepath.Glob("../klpreloc/loader/*.go")
	require.NoError(t, err)
	count := 0
	for _, path := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); !ok || f.Name != "says" {
				return true
			}
			format := ""
			ast.Inspect(call.Args[0], func(n ast.Node) bool {
				switch x := n.(type) {
				case *ast.BasicLit:
					s, err := strconv.Unquote(x.Value)
					require.NoError(t, err)
					format += s
				case *ast.Ident: // pr_fmt, as far as it varies
					format += "%s"
				}
				return true
			})
			if strings.Trim(format, "%s: ") == "" {
				return true // all of it is a parameter
			}
			count++
			assert.True(t, explained(format), "%s: %s", path, format)
			return true
		})
	}
	assert.Greater(t, count, 40)
}

// explained reports whether a message of the format, in which %s stands for what varies,
// is explained, with names, numbers and parts of words in it.
func explained(format string) bool {
	before, after, more := strings.Cut(format, "%s")
	if !more {
		return len(explain.Text(format)) == 1
	}
	for _, value := range []string{"name", "7", "known", "bad vermagic", "x86/modules: "} {
		if explained(before + value + after) {
			return true
		}
	}
	return false
}
