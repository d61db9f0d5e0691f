// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/sympos"
)

// smallKernel is a kernel of a few symbols.
func smallKernel(t *testing.T) *sympos.Kernel {
	t.Helper()
	path := filepath.Join(t.TempDir(), "System.map")
	const symbols = "ffffffff81000000 T _text\nffffffff81000100 t vsym\nffffffff81000300 T " +
		"klp_enable_patch\n" +
		"ffffffff81000400 r __ksymtab_klp_enable_patch\nffffffff81000500 T _etext\n"
	require.NoError(t, os.WriteFile(path, []byte(symbols), 0o600))
	k, err := sympos.FindKernel(path, nil)
	require.NoError(t, err)
	k.Release = "6.1.0-99"
	return k
}

// A rule finds the same whether it is alone or comes after all others, and a second time:
// rules know nothing of each other, and none changes what it reads.
func TestRulesAreIndependent(t *testing.T) {
	found := 0
	for _, pattern := range []string{"x86_64", "special", "bad"} {
		all, err := filepath.Glob("../../testdata/" + pattern + "/*.ko")
		require.NoError(t, err)
		require.NotEmpty(t, all)
		for _, path := range all {
			found += checkRulesAlone(t, path)
		}
	}
	assert.Greater(t, found, 100)
}

// checkRulesAlone compares what each rule finds in a module, and returns how many findings
// there are.
func checkRulesAlone(t *testing.T, path string) (found int) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	if f, err := elfrw.Parse(path, b); err == nil {
		if plan, found := klpreloc.NewPlan(f, klpreloc.Options{Unsafe: true}); !found.Failed() {
			require.NoError(t, plan.Apply())
			b, err = f.Bytes()
			require.NoError(t, err)
		}
	}
	o := Options{Kernel: smallKernel(t), Loaded: []string{"xfs"}}
	m := Open(b)
	k, err := readKernel(o, m.names(), m.patchedNames(), m.wanted(o.Loaded))
	require.NoError(t, err)
	shared := newView(m, k)
	for _, r := range rules() {
		first, again := r.check(shared, k), r.check(shared, k)
		assert.Equal(t, first, again, "%s: %s", path, r.follows)
		alone := r.check(newView(Open(b), k), k)
		assert.Equal(t, first.unchecked, alone.unchecked, "%s: %s", path, r.follows)
		require.Len(t, alone.found, len(first.found), "%s: %s", path, r.follows)
		for i := range alone.found {
			assert.Equal(t, first.found[i].Diagnostic, alone.found[i].Diagnostic, "%s: %s", path, r.follows)
		}
		if found += len(first.found); first.ends {
			break
		}
	}
	return found
}
