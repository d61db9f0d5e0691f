// SPDX-License-Identifier: GPL-2.0-or-later

package rewrite

import (
	"debug/elf"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// Apply carries the plan out on the file it was made for, which it changes.
// Nothing is written anywhere. An error means that the file is not as it was
// when the plan was made, or a defect; the file is of no use then.
func (p *Plan) Apply() error {
	f := p.file
	same := map[*elfrw.Symbol]*elfrw.Symbol{}
	for _, c := range p.Symbols {
		if c.Like != nil {
			f.AddSymbol(c.Symbol)
			continue
		}
		c.Symbol.Name, c.Symbol.Section, c.Symbol.Index, c.Symbol.Value = c.Name, nil, klpabi.IndexLivepatch, 0
		for _, y := range c.Others {
			same[y] = c.Symbol
		}
	}
	p.move(same)
	for _, d := range p.Detach {
		p.detach(d)
	}
	p.editTables()
	for _, r := range p.Rewrites {
		r.Section.Data = r.Data
		for _, y := range r.Symbols {
			y.Size = uint64(len(r.Data))
		}
	}
	if p.DropTrailer {
		f.Trailer = nil
	}
	return f.Remove(p.Drop, p.DropSymbols)
}

// move makes the klp relocation sections. Moves of one relocation section
// follow each other.
func (p *Plan) move(same map[*elfrw.Symbol]*elfrw.Symbol) {
	type step struct{ index, move int }
	for rest := p.Moves; len(rest) > 0; {
		from := rest[0].From
		n := 0
		for n < len(rest) && rest[n].From == from {
			n++
		}
		moves := rest[:n]
		rest = rest[n:]
		into := make([]*elfrw.Section, n)
		total := 0
		for i, m := range moves {
			into[i] = &elfrw.Section{
				Name: m.Name, Type: elf.SHT_RELA, Flags: klpabi.SectionFlags,
				Align: uint64(p.file.PointerSize()), Link: p.file.Symtab, Target: from.Target,
			}
			p.file.AddSection(into[i])
			total += len(m.Relocs)
		}
		steps := make([]step, 0, total)
		for i, m := range moves {
			for _, index := range m.Relocs {
				steps = append(steps, step{index, i})
			}
		}
		slices.SortFunc(steps, func(a, b step) int { return a.index - b.index })
		which := make([]int, total)
		for i, s := range steps {
			which[i] = s.index
		}
		p.file.MoveRelocs(from, which, func(index int, r *elfrw.Rela) *elfrw.Section {
			if y := same[r.Sym]; y != nil {
				r.Sym = y
			}
			move := steps[0].move
			if k := moves[move].other[index]; k != nil {
				r.Sym = k.symbol // its own symbol is several
			}
			steps = steps[1:]
			return into[move]
		})
	}
}

func (p *Plan) detach(d Detach) {
	which := append(slices.Clone(d.Relocs), d.Drop...)
	slices.Sort(which)
	p.file.MoveRelocs(d.From, which, func(i int, r *elfrw.Rela) *elfrw.Section {
		if takeFirst(&d.Drop, i) {
			return nil
		}
		r.Sym = nil
		return d.From
	})
}

// takeFirst takes i off the front of an ascending list, and reports whether it was
// there.
func takeFirst(list *[]int, i int) bool {
	if len(*list) == 0 || (*list)[0] != i {
		return false
	}
	*list = (*list)[1:]
	return true
}
