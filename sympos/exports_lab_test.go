// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

package sympos_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/lab"
	"github.com/klp-convert/klp-convert/scripts/need"
	"github.com/klp-convert/klp-convert/sympos"
)

// The exports that Module.symvers lists are those that image and modules have,
// namespaces included.
func TestExportsOfImageAndModulesAreThoseOfSymvers(t *testing.T) {
	t.Parallel()
	kernel, err := lab.Fetch(openCache(t), say)
	if err != nil {
		need.Lab(t, "the kernel lab has no kernel: "+err.Error())
	}
	path := filepath.Join(kernel.Headers, "Module.symvers")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	type export struct{ object, name, namespace string }
	listed := map[export]bool{}
	names := map[string]bool{}
	spaces := 0
	for _, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		f := strings.Split(line, "\t")
		require.Len(t, f, 5, line)
		object := strings.ReplaceAll(filepath.Base(f[2]), "-", "_")
		listed[export{object, f[1], f[4]}] = true
		names[f[1]] = true
		if f[4] != "" {
			spaces++
		}
	}
	require.Greater(t, len(listed), 10_000)
	require.Greater(t, spaces, 100)

	image, err := sympos.Open(kernel.Image)
	require.NoError(t, err)
	built := sympos.NewKernel("files", image)
	require.NoError(t, built.AddModules(kernel.Modules))
	symvers, err := sympos.Open(path)
	require.NoError(t, err)
	for _, k := range []*sympos.Kernel{built, sympos.NewKernel("symvers", symvers)} {
		table, err := k.ReadAll(func(name []byte) bool {
			return names[string(name)] ||
				strings.HasPrefix(string(name), "__ksymtab_")
		})
		require.NoError(t, err)
		found := map[export]bool{}
		for name := range names {
			for _, e := range table.Exports(name) {
				found[export{e.Object, e.Name, e.Namespace}] = true
			}
		}
		assert.Equal(t, listed, found, k.Name)
		if k == built {
			// And none beside those.
			for _, object := range table.Objects() {
				for _, name := range table.Names(object) {
					if of, ok := strings.CutPrefix(name, "__ksymtab_"); ok {
						assert.True(t, names[of], "%s: %s", object, name)
					}
				}
			}
		}
		t.Logf("%s: %d exports of %d names, %d of them in namespaces", k.Name, len(found),
			len(names), spaces)
	}
}
