// SPDX-License-Identifier: GPL-2.0-or-later

package proof_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the proof has in common with what it proves is in shared.go, and is no more than
// these packages.
func TestSharesNoMore(t *testing.T) {
	const module = "github.com/klp-convert/klp-convert/"
	shared := map[string][]string{
		"claims.go": {"klpreloc/kernel"},
		"shared.go": {
			"elfrw", "klpreloc/annotation", "klpreloc/gate", "klpreloc/kernel",
			"klpreloc/klppatch", "klpreloc/latereloc",
		},
	}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	seen := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		seen++
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		require.NoError(t, err)
		may := shared[name]
		if may == nil {
			may = []string{"elfrw"}
		}
		for _, i := range f.Imports {
			path, err := strconv.Unquote(i.Path.Value)
			require.NoError(t, err)
			if own, ok := strings.CutPrefix(path, module); ok {
				assert.Contains(t, may, own, name)
			}
		}
	}
	assert.Greater(t, seen, 5)
}
