// SPDX-License-Identifier: GPL-2.0-or-later

package reach

import (
	"debug/elf"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/arch"
)

// visitBranches calls visit for the code in a that refers to other pieces of a
// without a relocation. relocs are the offsets that have one, sorted.
func (g *graph) visitBranches(a *area, relocs []uint64, visit func(from, to int)) {
	decode := arch.Decoder(g.f)
	text := a.section.Data
	if decode == nil || !arch.Executable(a.section) || a.section.Type != elf.SHT_PROGBITS {
		return
	}
	exact := g.f.Header.Machine == elf.EM_X86_64
	for i, start := range a.starts {
		end := uint64(len(text))
		if i+1 < len(a.starts) {
			end = min(end, a.starts[i+1])
		}
		for at := start; at < end; {
			in := decode(text[at:end])
			if in.Size == 0 {
				break // data, or what came after this was written: on to the next symbol
			}
			if in.Refers {
				for len(relocs) > 0 && relocs[0] < at {
					relocs = relocs[1:]
				}
				filled := len(relocs) > 0 && relocs[0] < at+uint64(in.Size)
				to := at + uint64(in.To)
				if !filled && to < uint64(len(text)) && (to < start || to >= end) {
					p := a.piece(to)
					// Where lengths vary, what isn't code may look like it.
					if !exact || a.starts[p-a.first] == to {
						visit(a.first+i, p)
					}
				}
			}
			at += uint64(in.Size)
		}
	}
}

// relocOffsets returns the offsets of the relocations for each piece of code, sorted.
func (w *walk) relocOffsets() map[*area][]uint64 {
	all := map[*area][]uint64{}
	for _, src := range w.relocs {
		if !arch.Executable(src.area.section) {
			continue
		}
		offsets := all[src.area]
		for r := src.relocs.ReadRelocs(); ; {
			x := r.Next()
			if x == nil {
				break
			}
			offsets = append(offsets, x.Offset)
		}
		all[src.area] = offsets
	}
	for _, offsets := range all {
		if !slices.IsSorted(offsets) {
			slices.Sort(offsets)
		}
	}
	return all
}
