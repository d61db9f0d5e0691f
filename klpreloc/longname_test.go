// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// stored is how much of a klp symbol's name kernels before 5.19 store.
const stored = 127

// nameFor returns a name with which the klp symbol of the object has so many bytes.
func nameFor(object string, bytes int) string {
	return "n" + strings.Repeat("x", bytes-len(klpabi.SymbolName(object, "n", 0)))
}

// longNamed is a livepatch of module a whose function refers to a symbol of the object, and
// whose klp symbol has so many bytes more than those kernels store, 0 for one.
func longNamed(object string, more int) func(t *testing.T) *elfrw.File {
	return func(t *testing.T) *elfrw.File {
		name := nameFor(object, stored+max(more, 1))
		if more < 0 {
			name = nameFor(object, stored+1+more)
		}
		f := patched(t, "a", map[string]string{"a_fn": name})
		record1(t, f, object, name, 0)
		return f
	}
}

// A klp symbol whose name the kernel cuts before it reads it is refused: all of them before
// 5.8, those of modules up to 5.18.
func TestLongKlpSymbols(t *testing.T) {
	for _, c := range []struct {
		major, minor int
		object       string
		more         int // bytes beyond what is stored
		refused      bool
	}{
		{4, 19, "vmlinux", 1, true},
		{4, 19, "vmlinux", -1, false},
		{5, 4, "a", 1, true},
		{5, 4, "a", -1, false},
		{5, 7, "vmlinux", 10, true},
		{5, 8, "vmlinux", 10, false}, // the module loader reads it from the file
		{5, 10, "vmlinux", 1, false},
		{5, 10, "a", 1, true},
		{5, 10, "a", -1, false},
		{5, 15, "a", 1, true},
		{5, 18, "a", 1, true},
		{5, 19, "a", 1, false},
		{6, 1, "a", 300, false},
		{7, 3, "a", 1, false},
	} {
		o := klpreloc.Options{Target: kernel.Version{Major: c.major, Minor: c.minor}}
		_, found := klpreloc.NewPlan(longNamed(c.object, c.more)(t), o)
		failed := found.Failed()
		assert.Equal(t, c.refused, failed, "%d.%d, %s, %d: %v", c.major, c.minor, c.object, c.more, found)
		if c.refused {
			d := the(t, diag.LongKlpSymbol, found)
			assert.Contains(t, d.Message, "of which kernels before 5.19 store 127")
		}
	}
}

// Each of them is told once, however often it is used.
func TestLongKlpSymbolIsToldOnce(t *testing.T) {
	name := nameFor("a", stored+1)
	f := patched(t, "a", map[string]string{"a_fn": name + " " + name})
	record1(t, f, "a", name, 0)
	_, found := klpreloc.NewPlan(f, klpreloc.Options{Target: kernel.Version{Major: 5, Minor: 4}})
	require.True(t, found.Failed())
	the(t, diag.LongKlpSymbol, found)
}
