// SPDX-License-Identifier: GPL-2.0-or-later

package bigmodule

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../../../testdata/" + name)
	require.NoError(t, err)
	return b
}

func TestGrow(t *testing.T) {
	sample := read(t, "x86_64/livepatch-cmdline.ko")
	growth := Sample(1_000, 10, 4_000)
	growth.Debug = 500
	one, err := Grow(sample, growth)
	require.NoError(t, err)
	two, err := Grow(sample, growth)
	require.NoError(t, err)
	assert.Equal(t, one, two)
	f, err := elfrw.Parse("", one)
	require.NoError(t, err)
	require.NoError(t, f.Verify())
	relocs, annotated := f.Section(".rela.text.grown").Relocs(), 0
	assert.Len(t, relocs, 1_000)
	for _, r := range relocs {
		if r.Sym.Name == "saved_command_line" {
			annotated++
		}
	}
	assert.Equal(t, 100, annotated)
	assert.EqualValues(t, 4*999, relocs[999].Offset)
	assert.EqualValues(t, 4_000, f.Section(".text.grown").Size())
	assert.EqualValues(t, 500, f.Section(".debug_grown").Size())

	growth.Other = "no_such_symbol"
	_, err = Grow(sample, growth)
	require.ErrorContains(t, err, `"no_such_symbol"`)
	_, err = Grow([]byte("no module"), growth)
	require.ErrorIs(t, err, elfrw.ErrNotELF)
}

func TestAddTables(t *testing.T) {
	module := read(t, "special/x86_64-5.4.ko")
	first := func(shuffled bool) int64 {
		large, err := AddTables(module, 100, 50, shuffled)
		require.NoError(t, err)
		f, err := elfrw.Parse("", large)
		require.NoError(t, err)
		require.NoError(t, f.Verify())
		assert.Len(t, f.Sections[len(f.Sections)-1].Relocs(), 2*50)
		for _, s := range f.Sections {
			if s.Target != nil && s.Target.Name == "__jump_table" && len(s.Relocs()) == 3*100 {
				return s.Relocs()[0].Addend
			}
		}
		t.Fatal("no jump labels were added")
		return 0
	}
	assert.Zero(t, first(false))
	assert.NotZero(t, first(true))
	_, err := AddTables([]byte("no module"), 1, 1, false)
	require.ErrorIs(t, err, elfrw.ErrNotELF)
}
