// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"debug/elf"

	"github.com/klp-convert/klp-convert/elfrw"
)

// klpSectionFlags are what the kernel and its sizing passes want of a klp
// relocation section. SHF_ALLOC keeps it in the module's memory, where late
// application reads it.
const klpSectionFlags = uint64(elf.SHF_ALLOC) | uint64(elf.SHF_INFO_LINK) | flagRelaLivepatch

// Apply carries the plan out on the file it was made for, which it changes.
// Nothing is written anywhere. An error means that the file is not as it was
// when the plan was made, or a defect; the file is of no use then.
func (p *Plan) Apply() error {
	f := p.file
	same := map[*elfrw.Symbol]*elfrw.Symbol{}
	for _, c := range p.Symbols {
		c.Symbol.Name, c.Symbol.Section, c.Symbol.Index, c.Symbol.Value = c.Name, nil, indexLivepatch, 0
		for _, y := range c.Others {
			same[y] = c.Symbol
		}
	}
	p.move(same)
	for _, d := range p.Detach {
		d.apply()
	}
	if p.DropTrailer {
		f.Trailer = nil
	}
	return f.Remove(p.Drop, p.DropSymbols)
}

// move makes the klp relocation sections. Moves of one relocation section
// follow each other.
func (p *Plan) move(same map[*elfrw.Symbol]*elfrw.Symbol) {
	for n := 0; n < len(p.Moves); {
		from := p.Moves[n].From
		relocs := from.Relocs()
		taken := make([]bool, len(relocs))
		count := 0
		for ; n < len(p.Moves) && p.Moves[n].From == from; n++ {
			m := &p.Moves[n]
			into := &elfrw.Section{
				Name: m.Name, Type: elf.SHT_RELA, Flags: klpSectionFlags,
				Align: uint64(p.file.PointerSize()), Link: p.file.Symtab, Target: from.Target,
			}
			p.file.AddSection(into)
			moved := make([]elfrw.Rela, len(m.Relocs))
			for k, i := range m.Relocs {
				moved[k] = relocs[i]
				if y := same[moved[k].Sym]; y != nil {
					moved[k].Sym = y
				}
				taken[i] = true
			}
			into.SetRelocs(moved)
			count += len(moved)
		}
		stay := make([]elfrw.Rela, 0, len(relocs)-count)
		for i, r := range relocs {
			if !taken[i] {
				stay = append(stay, r)
			}
		}
		from.SetRelocs(stay)
	}
}

func (d *Detach) apply() {
	out := append([]elfrw.Rela(nil), d.From.Relocs()...)
	for _, i := range d.Relocs {
		out[i].Sym = nil
	}
	kept := out[:0]
	drop := d.Drop
	for i, r := range out {
		if len(drop) > 0 && drop[0] == i {
			drop = drop[1:]
			continue
		}
		kept = append(kept, r)
	}
	d.From.SetRelocs(kept)
}
