// SPDX-License-Identifier: GPL-2.0-or-later

package proof_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
)

// Check finds entries that are in the wrong place, and relocations with them.
func TestCheckOfSpecialSections(t *testing.T) {
	before := contents(t, "arch/4.19/two-objects.ko")
	after, claims := convertWith(t, before, klpreloc.Options{})
	const arch, relocs = ".klp.arch.ext4..altinstructions", ".rela.klp.arch.ext4..altinstructions"
	const paravirt = ".klp.arch.ext4..parainstructions"
	for name, edit := range map[string]func(t *testing.T, g *elfrw.File){
		"entry changed": func(t *testing.T, g *elfrw.File) {
			s := section(t, g, arch)
			s.Data = slices.Clone(s.Data)
			s.Data[8] ^= 1
		},
		"entry lost": func(t *testing.T, g *elfrw.File) {
			s := section(t, g, arch)
			s.Data = s.Data[13:]
		},
		"entry doubled": func(t *testing.T, g *elfrw.File) {
			s := section(t, g, arch)
			s.Data = append(slices.Clone(s.Data), s.Data...)
		},
		"alignment":  func(t *testing.T, g *elfrw.File) { section(t, g, paravirt).Align = 1 },
		"not loaded": func(t *testing.T, g *elfrw.File) { section(t, g, arch).Flags = 0 },
		"another object": func(t *testing.T, g *elfrw.File) {
			section(t, g, arch).Name = ".klp.arch.jbd2..altinstructions"
		},
		"another kind": func(t *testing.T, g *elfrw.File) { section(t, g, arch).Name = paravirt },
		"relocation lost": func(t *testing.T, g *elfrw.File) {
			s := section(t, g, relocs)
			s.SetRelocs(s.Relocs()[1:])
		},
		"relocation shifted": func(t *testing.T, g *elfrw.File) {
			s := section(t, g, relocs)
			r := slices.Clone(s.Relocs())
			r[1].Offset++
			s.SetRelocs(r)
		},
		"relocation twice": func(t *testing.T, g *elfrw.File) {
			s := section(t, g, relocs)
			s.SetRelocs(append(slices.Clone(s.Relocs()), s.Relocs()[0]))
		},
		"table changed": func(t *testing.T, g *elfrw.File) {
			s := section(t, g, ".altinstructions")
			s.Data = slices.Clone(s.Data)
			s.Data[8] ^= 1
		},
		"table relocation": func(t *testing.T, g *elfrw.File) {
			s := section(t, g, ".rela.altinstructions")
			r := slices.Clone(s.Relocs())
			r[0].Addend++
			s.SetRelocs(r)
		},
	} {
		g := parse(t, after)
		edit(t, g)
		assert.Error(t, proof.Check(parse(t, before), parse(t, encode(t, g)), claims, nil), name)
	}
	none := proof.Claims{}
	assert.Error(t, proof.Check(parse(t, before), parse(t, after), none, nil), "as for 6.1")
}
