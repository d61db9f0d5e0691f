// SPDX-License-Identifier: GPL-2.0-or-later

package gate_test

import (
	"debug/elf"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/gate"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
)

// livepatch is a module without a patch, whose data refers to an undefined symbol.
func livepatch(t *testing.T) (f *elfrw.File, y *elfrw.Symbol) {
	t.Helper()
	f = testmodule.Open(t, "../../testdata/odd/nothing-to-convert.ko")
	y = testmodule.AddUndefined(f, "borrowed", elf.STB_GLOBAL)
	testmodule.AddSection(f, ".data.use", elf.SHF_WRITE, make([]byte, 8),
		elfrw.Rela{Sym: y, Type: testmodule.PointerType(f)})
	return f, y
}

// What the owner and the scheme alone decide.
func TestDecideWithoutAPatch(t *testing.T) {
	for _, x := range []struct {
		lpObject, object string
		scheme           kernel.Scheme
		gate             string
		late             bool
	}{
		{"vmlinux", "vmlinux", kernel.SchemeEarly, "vmlinux", false},
		{"ext4", "vmlinux", kernel.SchemeEarly, "vmlinux", false}, // taken under vmlinux only
		{"vmlinux", "vmlinux", kernel.SchemeLate, "vmlinux", true},
		{"ext4", "ext4", kernel.SchemeEarly, "ext4", true},
	} {
		f, y := livepatch(t)
		a := &annotation.Annotation{
			Dialect: annotation.Records, LPObject: x.lpObject, Object: x.object, Name: y.Name, Symbol: y,
		}
		rules := gate.NewRules(f, klppatch.Declared(f), x.scheme)
		targets, _ := rules.Targets([]*annotation.Annotation{a})
		uses, found := gate.FindUses(f, targets, nil)
		assert.Empty(t, found)
		decided, found := rules.Decide(uses.Loaded, false)
		assert.Empty(t, found)
		if assert.Len(t, decided.Sections, 1) && assert.Len(t, decided.Sections[0].Relocs, 1) {
			d := decided.Sections[0].Relocs[0]
			assert.Equal(t, x.gate, d.Gate)
			assert.Same(t, a, d.Note)
			assert.Equal(t, x.late, rules.Late(d.Gate))
		}
		assert.Empty(t, gate.Unused([]*annotation.Annotation{a}, targets, decided, nil))
	}
}

// A target without a relocation is reported, once.
func TestUnused(t *testing.T) {
	f, _ := livepatch(t)
	y := testmodule.AddUndefined(f, "other", elf.STB_GLOBAL)
	a := &annotation.Annotation{Object: "vmlinux", LPObject: "vmlinux", Name: y.Name, Symbol: y}
	rules := gate.NewRules(f, klppatch.Declared(f), kernel.SchemeEarly)
	targets, _ := rules.Targets([]*annotation.Annotation{a})
	uses, _ := gate.FindUses(f, targets, nil)
	decided, _ := rules.Decide(uses.Loaded, false)
	found := gate.Unused([]*annotation.Annotation{a}, targets, decided, nil)
	if assert.Len(t, found, 1) {
		assert.Equal(t, diag.Unused, found[0].ID)
	}
}
