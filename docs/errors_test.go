// SPDX-License-Identifier: GPL-2.0-or-later

package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/explain"
)

// The list of messages has each of the kernel's that explain knows, with an anchor and a
// link to its section of messages.md.
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

// What check predicts, explain explains. The formats are in the sources of loader.
func TestPredictedMessagesAreExplained(t *testing.T) {
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

// explained reports whether explain knows a message of the format, with names, numbers and
// parts of words in the place of %s.
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
