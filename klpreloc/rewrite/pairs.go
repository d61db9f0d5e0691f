// SPDX-License-Identifier: GPL-2.0-or-later

package rewrite

import (
	"cmp"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// checkPairs refuses to take one of several relocations that build one value:
// loongarch's SOP_* are a stack machine, ADD and SUB add up in place, and the
// loader goes through one section at a time (arch/loongarch/kernel/module.c).
func checkPairs(r *diag.Reporter, f *elfrw.File, s *elfrw.Section, moves []Move) {
	relocs := s.Relocs()
	moved := make([]string, len(relocs)) // where to
	for _, m := range moves {
		for _, i := range m.Relocs {
			moved[i] = m.Object
		}
	}
	byOffset := make([]int, len(relocs))
	for i := range byOffset {
		byOffset[i] = i
	}
	slices.SortStableFunc(byOffset, func(a, b int) int {
		return cmp.Compare(relocs[a].Offset, relocs[b].Offset)
	})
	for k := 1; k < len(byOffset); k++ {
		a, b := byOffset[k-1], byOffset[k]
		if relocs[a].Offset != relocs[b].Offset || moved[a] == moved[b] {
			continue
		}
		if r.AddPlace(diag.SplitPair, diag.SymbolName(relocs[b].Sym), diag.At(s, relocs[a].Offset),
			diag.SymbolName(relocs[b].Sym)) {
			continue
		}
		r.AddFor(diag.SymbolName(relocs[b].Sym), diag.Errorf(diag.SplitPair, diag.At(s, relocs[a].Offset),
			diag.SymbolName(relocs[b].Sym), "%s and %s build one value; they can't be in two sections",
			arch.RelocName(f, relocs[a].Type), arch.RelocName(f, relocs[b].Type)).
			Hint("take the symbol's address in code or in a pointer of its own, without arithmetic"))
	}
}
