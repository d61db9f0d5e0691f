// SPDX-License-Identifier: GPL-2.0-or-later

package rewrite_test

import (
	"debug/elf"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/gate"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/latereloc"
	"github.com/klp-convert/klp-convert/klpreloc/rewrite"
)

// decided is a module with two sections of one name, each of which refers to the symbol, and
// what the stages before make of it.
func decided(t *testing.T, typ uint32) (f *elfrw.File, targets []*gate.Target, rules *gate.Rules, d *gate.Decisions) {
	t.Helper()
	f = testmodule.Open(t, "../../testdata/odd/nothing-to-convert.ko")
	y := testmodule.AddUndefined(f, "borrowed", elf.STB_GLOBAL)
	for range 2 {
		testmodule.AddSection(f, ".data.use", elf.SHF_WRITE, make([]byte, 8), elfrw.Rela{Sym: y, Type: typ})
	}
	a := &annotation.Annotation{
		Dialect: annotation.Records, LPObject: "vmlinux", Object: "vmlinux", Name: y.Name, Pos: 2, Symbol: y,
	}
	rules = gate.NewRules(f, klppatch.Declared(f), kernel.SchemeEarly)
	targets, _ = rules.Targets([]*annotation.Annotation{a})
	uses, _ := gate.FindUses(f, targets, nil)
	d, _ = rules.Decide(uses.Loaded, false)
	return f, targets, rules, d
}

func TestPlanIsDataUntilItIsApplied(t *testing.T) {
	f, targets, _, d := decided(t, uint32(elf.R_X86_64_64))
	in := testmodule.Bytes(t, f)
	plan, found := rewrite.New(f, &annotation.Set{}, targets, nil, &latereloc.Edits{Sections: d.Sections}, nil, nil, false)
	assert.Empty(t, found)
	require.Len(t, plan.Moves, 2)
	assert.Equal(t, ".klp.rela.vmlinux..data.use", plan.Moves[0].Name)
	assert.Equal(t, ".klp.rela.vmlinux..data.use.2", plan.Moves[1].Name, "the kernel makes a file of each name")
	require.Len(t, plan.Symbols, 1)
	assert.Equal(t, ".klp.sym.vmlinux.borrowed,2", plan.Symbols[0].Name)
	assert.Equal(t, 2, plan.Symbols[0].Relocs)
	assert.Equal(t, in, testmodule.Bytes(t, f), "nothing has changed so far")

	require.NoError(t, plan.Apply())
	g := testmodule.Reread(t, f)
	s := testmodule.Section(t, g, ".klp.rela.vmlinux..data.use")
	require.Equal(t, 1, s.NumRelocs())
	assert.Equal(t, ".klp.sym.vmlinux.borrowed,2", s.Reloc(0).Sym.Name)
	assert.False(t, testmodule.HasSymbol(g, "borrowed"))
}

func TestNothingToPlan(t *testing.T) {
	f := testmodule.Open(t, "../../testdata/odd/nothing-to-convert.ko")
	plan, found := rewrite.New(f, &annotation.Set{Signed: true}, nil, nil, &latereloc.Edits{}, nil, nil, false)
	assert.Empty(t, found)
	assert.True(t, plan.Empty())
	assert.False(t, plan.DropTrailer, "a signature stays valid when nothing changes")
}

// What the loader of the machine does not apply can't be a klp relocation, and is left out.
func TestMovableLeavesOutWhatTheLoaderDoesNotApply(t *testing.T) {
	f, _, rules, d := decided(t, uint32(elf.R_X86_64_GOTPCREL))
	m, err := arch.Of(f)
	require.NoError(t, err)
	sections, found := rewrite.Movable(f, m, rules, d.Sections, false, false)
	require.Len(t, found, 1, "one cause, one diagnostic")
	assert.Equal(t, diag.BadType, found[0].ID)
	assert.Len(t, found[0].Places, 1)
	for _, s := range sections {
		assert.Empty(t, s.Relocs)
	}
}
