// SPDX-License-Identifier: GPL-2.0-or-later

package rewrite

import (
	"strconv"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/gate"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/sympos"
)

// Move takes relocations of one section to a klp relocation section.
type Move struct {
	From   *elfrw.Section // relocation section of a loaded section
	Object string         // livepatched object that gates them
	Name   string         // of the new section
	Relocs []int          // indices into From.Relocs(), ascending

	// other are the klp symbols of relocations whose symbol is several: one name
	// that is annotated for several objects.
	other map[int]*klpSymbol
}

// planMoves makes a move for each section and each gate.
func planMoves(r *diag.Reporter, f *elfrw.File, sections []gate.Section, symbols *klpSymbols,
) []Move {
	var moves []Move
	m := arch.Machines[f.Header.Machine]
	for _, s := range sections {
		byGate := map[string]int{} // index into moves
		first := len(moves)
		for _, d := range s.Relocs {
			k := symbols.of(d.Target, d.Note)
			k.relocs++
			i, ok := byGate[d.Gate]
			if !ok {
				i = len(moves)
				byGate[d.Gate] = i
				moves = append(moves, Move{From: s.Section, Object: d.Gate})
			}
			moves[i].Relocs = append(moves[i].Relocs, d.Index)
			if len(d.Target.Notes) > 1 {
				if moves[i].other == nil {
					moves[i].other = map[int]*klpSymbol{}
				}
				moves[i].other[d.Index] = k
			}
		}
		if m != nil && m.Pairs {
			checkPairs(r, f, s.Section, moves[first:])
		}
	}
	nameSections(moves)
	return moves
}

// nameSections gives each move its section name. Names of loaded sections must
// be unique (the kernel makes a sysfs file of each; since 6.12 a second one is
// refused with EEXIST), but two base sections may share theirs. What is not
// converted yet has no other section with such a name (HalfConverted).
func nameSections(moves []Move) {
	used := map[string]bool{}
	last := map[string]int{} // number given last, by name without it
	for i := range moves {
		m := &moves[i]
		base := klpabi.SectionName(m.Object, m.From.Target.Name)
		m.Name = base
		for used[m.Name] {
			last[base] = max(last[base], 1) + 1
			m.Name = base + "." + strconv.Itoa(last[base])
		}
		used[m.Name] = true
	}
}

// CheckNames finds the klp symbols whose names kernels of that version and scheme cut before
// they read them. unsafe makes a warning of it.
func (p *Plan) CheckNames(v kernel.Version, scheme kernel.Scheme, unsafe bool) diag.List {
	limit := v.StoredLimit(scheme)
	if limit == 0 {
		return nil
	}
	var r diag.Reporter
	report := diag.Errorf
	if unsafe {
		report = diag.Warnf
	}
	reported := map[string]bool{}
	names := map[*elfrw.Symbol]string{}
	for _, c := range p.Symbols {
		names[c.Symbol] = c.Name
		for _, y := range c.Others {
			names[y] = c.Name
		}
	}
	for i := range p.Moves {
		m := &p.Moves[i]
		if scheme.Early() && m.Object == sympos.Vmlinux {
			continue
		}
		for _, n := range m.Relocs {
			x := m.From.Reloc(n)
			name := names[x.Sym]
			if k := m.other[n]; k != nil {
				name = k.name
			}
			if len(name) <= limit || reported[name] {
				continue
			}
			reported[name] = true
			r.Add(report(diag.LongKlpSymbol, diag.At(m.From, x.Offset), diag.SymbolName(x.Sym),
				"klp symbol %s has %d bytes, of which kernels before 5.19 store %d for relocations that are "+
					"applied with %s: the position is cut off",
				diag.Clip(name), len(name), limit, m.Object).
				Hint("reach it by a symbol whose name is shorter; from 5.19 on there is no such limit"))
		}
	}
	return r.List()
}
