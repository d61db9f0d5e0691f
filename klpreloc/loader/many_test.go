// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/sympos"
)

// Of several modules each is judged as if it were alone: what was read for another one changes
// nothing, be it names, types or modules of the kernel.
func TestModulesAreJudgedAlone(t *testing.T) {
	files, err := filepath.Glob("../../testdata/declared/*.ko")
	require.NoError(t, err)
	more, err := filepath.Glob("../../testdata/x86_64/*.ko")
	require.NoError(t, err)
	files = append(files, more...)
	require.Greater(t, len(files), 10)
	find := func() *sympos.Kernel {
		k, err := sympos.FindKernel("../../testdata/declared/vmlinux-btf", nil)
		require.NoError(t, err)
		return k
	}
	var modules []*loader.Module
	for _, f := range files {
		modules = append(modules, loader.OpenAs(f, testmodule.Read(t, f)))
	}
	together, err := loader.CheckAll(modules, loader.Options{Kernel: find()})
	require.NoError(t, err)
	found := 0
	for i, f := range files {
		alone, err := loader.OpenAs(f, testmodule.Read(t, f)).Check(loader.Options{Kernel: find()})
		require.NoError(t, err)
		assert.Equal(t, alone, together[i], f)
		found += len(alone.Findings)
	}
	assert.Greater(t, found, 20)
}
