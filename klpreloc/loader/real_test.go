// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/scripts/need"
	"github.com/klp-convert/klp-convert/sympos"
)

// A kernel loads its own modules: with the kernel in KLP_CHECK_KERNEL (a folder with its image
// and modules), some of them have nothing said against them.
func TestOwnModulesLoad(t *testing.T) {
	k, err := sympos.FindKernel(need.Variable(t, "KLP_CHECK_KERNEL", "make corpus"), nil)
	require.NoError(t, err)
	all := k.Modules()
	require.Greater(t, len(all), 100)
	var names []string
	var modules []*loader.Module
	for i := 7; i < len(all); i += len(all) / 200 {
		b, _, err := k.ModuleFile(all[i])
		require.NoError(t, err)
		names, modules = append(names, all[i]), append(modules, loader.Open(b))
	}
	reports, err := loader.CheckAll(modules, loader.Options{Kernel: k})
	require.NoError(t, err)
	for i, r := range reports {
		assert.Zero(t, r.Problems(), "%s: %+v", names[i], r.First())
	}
}
