// SPDX-License-Identifier: GPL-2.0-or-later

package reach

import (
	"cmp"
	"debug/elf"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/special"
	"github.com/klp-convert/klp-convert/sympos"
)

// Attribution tells which objects the pieces of a module work for.
type Attribution struct {
	g    *graph
	sets *sets
	of   []int32 // by piece, a set
}

// Attribute follows the relocations of f from what the patches declare. tables are
// the special sections of f, read here when nil. It takes time and memory linear in
// the number of relocations and symbols. Later changes to f are not seen.
func Attribute(f *elfrw.File, tables *special.Tables, patches ...*klppatch.Patch) *Attribution {
	if tables == nil {
		tables, _ = special.Read(f)
	}
	w := &walk{graph: newGraph(f), tables: tables}
	w.declare(patches)
	w.collectSymbols()
	w.read()
	w.seed(patches)
	w.connect()
	return &Attribution{g: w.graph, sets: w.sets, of: w.spread()}
}

// Objects returns the names of the livepatched objects whose functions, or
// whose declaration, lead to that place, sorted. None means that it isn't known
// to work for any. The slice belongs to the Attribution, which serves one goroutine at a time.
func (a *Attribution) Objects(s *elfrw.Section, offset uint64) []string {
	if s == nil || offset >= s.Size() && offset != 0 {
		return nil
	}
	p := a.g.piece(s, offset)
	if p < 0 {
		return nil
	}
	return a.sets.members(a.of[p])
}

// thisModule is the section of struct module, whose pointers the loader follows
// and no function.
const thisModule = sympos.ThisModule

// walk is the state of Attribute.
type walk struct {
	*graph
	tables   *special.Tables
	sets     *sets
	seeds    []int32  // by piece: a set that is final, or none
	declared []bool   // by piece: the seed is all it gets
	relocs   []source // sections of relocations
	heads    []int32  // edges by piece, as indexes into tails
	tails    []int32
}

// source is a section of relocations with what it applies to.
type source struct {
	relocs *elfrw.Section
	area   *area
}

// declare makes pieces of the declarations.
func (w *walk) declare(patches []*klppatch.Patch) {
	force := func(p elfrw.Range) { w.forceCuts(p.Section, p.Offset, p.Size) }
	for _, p := range patches {
		force(p.At)
		for i := range p.Objects {
			o := &p.Objects[i]
			force(o.At)
			force(o.FuncsAt)
			for _, f := range o.Funcs {
				force(f.At)
				w.forceCuts(f.New.Section, f.New.Offset, 0)
			}
			for _, c := range o.Callbacks {
				if o.At.Section == nil {
					force(c.At) // kpatch: in a table of its own
				}
			}
		}
	}
}

// read finds the relocations and cuts the module into pieces.
func (w *walk) read() {
	for _, s := range w.f.Sections {
		a := w.areas[s.Target]
		if !s.HasRelocs() || s.Type != elf.SHT_RELA || s.Target == nil || a == nil {
			continue
		}
		w.relocs = append(w.relocs, source{s, a})
		for r := s.ReadRelocs(); ; {
			x := r.Next()
			if x == nil {
				break
			}
			// Where the jump table begins isn't known before what refers
			// to it is, and code has symbols.
			if to, offset, ok := arch.Target(w.f, s.Target, x); ok && isCutAtMarks(to) {
				w.addMark(to, offset)
			}
		}
	}
	w.cutPieces()
}

// seed gives the pieces that the patches declare their sets.
func (w *walk) seed(patches []*klppatch.Patch) {
	w.sets = newSets(patches)
	w.seeds = make([]int32, w.pieces)
	w.declared = make([]bool, w.pieces)
	own := func(p elfrw.Range, set int32) {
		from, to := w.within(p.Section, p.Offset, p.Size)
		for i := from; i < to; i++ {
			w.declared[i] = true
			w.seeds[i] = w.sets.union(w.seeds[i], set)
		}
	}
	for _, p := range patches {
		own(p.At, 0)
		for i := range p.Objects {
			o := &p.Objects[i]
			set := w.sets.setOf(o.Name)
			own(o.At, set)
			own(o.FuncsAt, set)
			for _, f := range o.Funcs {
				if o.FuncsAt.Section == nil {
					own(f.At, set)
				}
				if f.New.Section == nil {
					continue
				}
				if i := w.piece(f.New.Section, f.New.Offset); i >= 0 {
					w.declared[i] = true
					w.seeds[i] = w.sets.union(w.seeds[i], set)
				}
			}
		}
	}
	// Callbacks last: they are called for their object, but may be called by
	// others too, and one function may be both.
	for _, p := range patches {
		for i := range p.Objects {
			o := &p.Objects[i]
			for _, c := range o.Callbacks {
				set := w.sets.setOf(o.Name)
				if o.At.Section == nil {
					own(c.At, set)
				}
				if c.Section == nil {
					continue
				}
				if i := w.piece(c.Section, c.Offset); i >= 0 {
					w.seeds[i] = w.sets.union(w.seeds[i], set)
				}
			}
		}
	}
	if s := w.f.Section(thisModule); s != nil {
		from, to := w.within(s, 0, s.Size())
		for i := from; i < to; i++ {
			w.declared[i] = true
		}
	}
}

// connect collects the edges between pieces: first how many each has, then
// what they are.
func (w *walk) connect() {
	type pair struct{ from, to int32 }
	var local []pair // found by looking at code, which is done once
	filled := w.relocOffsets()
	for _, a := range w.order {
		w.visitBranches(a, filled[a], func(from, to int) {
			if !w.declared[to] {
				local = append(local, pair{int32(from), int32(to)})
			}
		})
	}
	w.heads = make([]int32, w.pieces+1)
	for _, e := range local {
		w.heads[e.from+1]++
	}
	w.visitEdges(func(from, to int) { w.heads[from+1]++ })
	for i := 1; i <= w.pieces; i++ {
		w.heads[i] += w.heads[i-1]
	}
	w.tails = make([]int32, w.heads[w.pieces])
	next := slices.Clone(w.heads)
	for _, e := range local {
		w.tails[next[e.from]] = e.to
		next[e.from]++
	}
	w.visitEdges(func(from, to int) {
		w.tails[next[from]] = int32(to)
		next[from]++
	})
}

// visitEdges calls visit for each relocation between two pieces.
func (w *walk) visitEdges(visit func(from, to int)) {
	edge := func(from, to int) {
		if from >= 0 && to >= 0 && from != to && !w.declared[to] {
			visit(from, to)
		}
	}
	for _, src := range w.relocs {
		switch t := w.tables.Table(src.area.section); {
		case t != nil:
			continue // below, entry by entry
		case src.area.section.Name == exTable:
			w.visitFixups(src, edge)
			continue
		}
		for r := src.relocs.ReadRelocs(); ; {
			x := r.Next()
			if x == nil {
				break
			}
			from, to := w.ends(src.area, x)
			edge(from, to)
		}
	}
	// An entry is about code, which leads to all that it says. Package special has
	// found out what that is.
	for _, t := range w.tables.All {
		for i := range t.Len() {
			e := t.Entry(i)
			site := w.piece(e.Site.Section, e.Site.Offset)
			if e.Replacement.Section != nil {
				edge(site, w.piece(e.Replacement.Section, e.Replacement.Offset))
			}
			if e.Key.Section != nil {
				edge(site, w.piece(e.Key.Section, e.Key.Offset))
			}
		}
	}
}

// exTable says where code goes on that has faulted: entries of the instruction, the
// place after it and, by architecture and version, more (arch/x86/include/asm/extable.h:
// a handler up to 5.15, a type since; arch/powerpc/include/asm/extable.h: no more).
const exTable = "__ex_table"

// visitFixups calls edge for each entry of an exception table. Its size is told by the
// places of its relocations: each entry has one at its start and one four bytes on.
func (w *walk) visitFixups(src source, edge func(from, to int)) {
	var relocs []elfrw.Rela
	for r := src.relocs.ReadRelocs(); ; {
		x := r.Next()
		if x == nil {
			break
		}
		relocs = append(relocs, *x)
	}
	slices.SortStableFunc(relocs, func(a, b elfrw.Rela) int { return cmp.Compare(a.Offset, b.Offset) })
	stride := exTableStride(src.area.section.Size(), relocs)
	for i := 0; i+1 < len(relocs); i++ {
		insn, fixup := &relocs[i], &relocs[i+1]
		if stride == 0 || insn.Offset%stride != 0 || fixup.Offset != insn.Offset+4 {
			continue
		}
		_, from := w.ends(src.area, insn)
		_, to := w.ends(src.area, fixup)
		edge(from, to)
	}
}

// exTableStride returns the size of the entries of an exception table of that size, 0
// when its relocations, in order, fit none. Entries of 12 bytes with three
// relocations look like such of 8 with two, which only ppc has.
func exTableStride(size uint64, relocs []elfrw.Rela) uint64 {
	for _, stride := range []uint64{12, 16, 8} {
		if size%stride != 0 {
			continue
		}
		starts, seconds, fits := uint64(0), uint64(0), true
		for _, r := range relocs {
			switch r.Offset % stride {
			case 0:
				starts++
			case 4:
				seconds++
			case 8:
			default:
				fits = false
			}
		}
		if fits && starts == size/stride && seconds == starts {
			return stride
		}
	}
	return 0
}

// ends returns the piece that holds x, which applies to a, and the one that it
// leads to; -1 where there is none.
func (w *walk) ends(a *area, x *elfrw.Rela) (from, to int) {
	s := a.section
	from, to = -1, -1
	if x.Offset < s.Size() {
		from = a.piece(x.Offset)
	}
	dest, offset, ok := arch.Target(w.f, s, x)
	if !ok {
		return from, to
	}
	if from >= 0 && x.Sym.Type() == elf.STT_SECTION && arch.Executable(dest) && mayHoldJumpTables(s) &&
		arch.Relative(w.f, x) {
		// An entry of a jump table, relative to where that begins.
		offset -= x.Offset - a.starts[from-a.first]
	}
	return from, w.piece(dest, offset)
}

// mayHoldJumpTables reports whether s is where compilers put jump tables.
func mayHoldJumpTables(s *elfrw.Section) bool {
	return !arch.Executable(s) && strings.HasPrefix(s.Name, ".rodata")
}
