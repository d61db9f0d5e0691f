// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"
)

const project = "github.com/klp-convert/klp-convert/"

// floors are the packages of the program, from the top down. A package imports packages of
// lower floors, and those of its own floor that sameFloor names.
var floors = []string{
	"cmd/klp-convert",
	"klpreloc/matrix",
	"klpreloc klpreloc/skeleton klpreloc/loader klpreloc/explain klpreloc/klpdiff",
	"klpreloc/resolve klpreloc/gate klpreloc/latereloc klpreloc/rewrite klpreloc/proof " +
		"klpreloc/typecheck",
	"klpreloc/declared klpreloc/cdecl klpreloc/annotation klpreloc/reach klpreloc/special " +
		"klpreloc/klppatch",
	"klpreloc/klpabi klpreloc/kernel klpreloc/arch klpreloc/diag",
	"sympos",
	"sympos/ctypes/frombtf sympos/ctypes/fromdwarf sympos/inlining",
	"elfrw sympos/content sympos/debuginfo sympos/ctypes sympos/lzma sympos/index " +
		"cmd/klp-convert/pages",
}

var sameFloor = map[string]string{
	"klpreloc/klpdiff":   "klpreloc",
	"klpreloc/skeleton":  "klpreloc/loader",
	"klpreloc/latereloc": "klpreloc/gate",
	"klpreloc/rewrite":   "klpreloc/gate klpreloc/latereloc",
	"klpreloc/proof":     "klpreloc/gate klpreloc/latereloc",
	"klpreloc/reach":     "klpreloc/klppatch klpreloc/special",
	"klpreloc/klpabi":    "klpreloc/kernel klpreloc/diag",
}

// never are imports that would make two things one that have to be apart.
var never = map[string]string{
	// The proof has its own numbers, and its own reading of names and tables.
	"klpreloc/proof": "klpreloc/klpabi klpreloc/resolve klpreloc/rewrite klpreloc/arch klpreloc/special",
	// What a file is, and what a place is, knows nothing of kernels.
	"klpreloc/special": "sympos",
}

// alone are packages for tests and for the build, and what they may have of the program.
var alone = map[string]string{
	"klpreloc/loadermodel": "", // it must not be wrong together with the converter
	"sympos/typestest":     "sympos sympos/ctypes sympos/ctypes/frombtf",
	"docs":                 "",
	"docs/generate":        "klpreloc/diag klpreloc/explain",
}

// libraries are those of others, and who may use them. The standard library and
// golang.org/x/exp/slices are for all.
var libraries = map[string]string{
	"github.com/spf13/cobra":              "cmd/klp-convert",
	"golang.org/x/term":                   "cmd/klp-convert",
	"github.com/cilium/ebpf/btf":          "sympos/ctypes/frombtf",
	"github.com/klauspost/compress/zstd":  "cmd/klp-convert sympos sympos/debuginfo",
	"github.com/ulikunitz/xz":             "cmd/klp-convert",
	"github.com/pierrec/lz4/v4":           "sympos",
	"github.com/stretchr/testify/require": "sympos/typestest",
}

type listed struct {
	ImportPath    string
	Standard      bool
	Imports       []string
	ForTest, Name string
}

// TestLayers: which package imports which is drawn in docs/architecture.md.
func TestLayers(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Imports,Name", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	require.NoError(t, err)
	standard := map[string]bool{"C": true, "unsafe": true}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		standard[p.ImportPath] = p.Standard
		all = append(all, p)
	}
	floor := map[string]int{}
	for i, list := range floors {
		for _, name := range strings.Fields(list) {
			floor[name] = i
		}
	}
	has := func(lists map[string]string, key, name string) bool {
		return slices.Contains(strings.Fields(lists[key]), name)
	}
	checked := 0
	for _, p := range all {
		name, own := strings.CutPrefix(p.ImportPath, project)
		if !own || strings.Contains(name, "internal/") || strings.HasPrefix(name, "scripts/") {
			continue
		}
		mine, known := floor[name]
		_, apart := alone[name]
		if !assert.True(t, known || apart, "%s is on no floor", name) {
			continue
		}
		checked++
		for _, path := range p.Imports {
			other, own := strings.CutPrefix(path, project)
			switch {
			case own && apart:
				assert.True(t, has(alone, name, other), "%s imports %s", name, other)
			case own:
				below, ok := floor[other]
				allowed := ok && (below > mine || has(sameFloor, name, other)) && !has(never, name, other)
				assert.True(t, allowed, "%s imports %s", name, other)
			case path == "slices":
				assert.Fail(t, "slices of the standard library", "%s: golang.org/x/exp/slices is this project's", name)
			case !standard[path] && path != "golang.org/x/exp/slices":
				assert.True(t, has(libraries, path, name), "%s imports %s", name, path)
			}
		}
	}
	assert.Equal(t, len(floor)+len(alone), checked, "packages that were found")
}
