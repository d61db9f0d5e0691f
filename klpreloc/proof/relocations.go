// SPDX-License-Identifier: GPL-2.0-or-later

package proof

import (
	"fmt"

	"github.com/klp-convert/klp-convert/elfrw"
)

// relocReader reads a relocation section and knows where it is.
type relocReader struct {
	*elfrw.RelocReader
	s *elfrw.Section
}

func readerOf(s *elfrw.Section) *relocReader { return &relocReader{s.ReadRelocs(), s} }

// expect reads the next relocation, which must be want, against sym. from is where the
// relocation was.
func (q *relocReader) expect(from *elfrw.Section, want *elfrw.Rela, sym *elfrw.Symbol) error {
	x := q.Next()
	switch {
	case x == nil:
		return fmt.Errorf("%s+%#x: relocation against %s is lost", from, want.Offset, want.Sym)
	case x.Offset != want.Offset || x.Type != want.Type || x.Addend != want.Addend || x.Sym != sym:
		return fmt.Errorf("%s+%#x: relocation against %s became one at %s+%#x against %s",
			from, want.Offset, want.Sym, q.s, x.Offset, x.Sym)
	}
	return nil
}

// end checks that nothing is left to read.
func (q *relocReader) end() error {
	if x := q.Next(); x != nil {
		return fmt.Errorf("%s+%#x: relocation against %s came from nowhere", q.s, x.Offset, x.Sym)
	}
	return nil
}

// outcome is what becomes of the relocations against a symbol of before.
type outcome struct {
	sym   *elfrw.Symbol // of after
	notes []*note       // nil: an ordinary symbol
	// note and gate are what every use means and needs, where constant is set.
	note     *note
	gate     string
	constant bool
}

// outcomes returns the outcome of each symbol by its number: there may be a million
// relocations to ask it for.
func outcomes(before *elfrw.File, m *meanings, symbols symbolPairs) []outcome {
	all := make([]outcome, len(before.Symbols)+1)
	for i, y := range before.Symbols {
		o := outcome{sym: symbols.after[y], notes: m.notes[y]}
		if len(o.notes) > 0 {
			o.note, o.gate, o.constant = m.gates.constant(o.notes)
		}
		all[i+1] = o
	}
	return all
}

// of returns the outcome for y, which may be nil.
func of(all []outcome, y *elfrw.Symbol) *outcome {
	if y == nil {
		return &all[0]
	}
	return &all[y.Num()]
}

// compareRelocations goes through each relocation section of before and through what became
// of it, and makes sure that all relocations of after were seen.
func compareRelocations(before, after *elfrw.File, m *meanings, sections sectionPairs,
	symbols symbolPairs, edits map[*elfrw.Section]*tableEdit, archs map[archKey]*archSection,
	klp map[klpKey][]*elfrw.Section) error {
	w := &walker{
		meanings: m, outcomes: outcomes(before, m, symbols),
		klpSymbols: symbols.klp, unused: symbols.unused,
		edits: edits, archs: archs, klp: klp, seen: map[*elfrw.Section]bool{},
	}
	for _, s := range before.Sections {
		if !s.HasRelocs() || sections.after[s] == nil {
			continue
		}
		walk := w.loaded
		if s.Target == nil || s.Target.Flags&flagAlloc == 0 {
			walk = w.unloaded
		}
		w.seen[sections.after[s]] = true
		if err := walk(s, sections.after[s]); err != nil {
			return err
		}
	}
	for _, a := range archs {
		w.seen[a.relocs.s] = true
		if err := a.relocs.end(); err != nil {
			return err
		}
	}
	for _, t := range after.Sections {
		if t.HasRelocs() && !w.seen[t] {
			return fmt.Errorf("the relocations of %s came from nowhere", t)
		}
	}
	for y := range w.unused {
		return fmt.Errorf("klp symbol %s is used by nothing", y)
	}
	return nil
}

// walker compares relocations, section by section.
type walker struct {
	*meanings
	outcomes   []outcome
	klpSymbols map[string]*elfrw.Symbol
	unused     map[*elfrw.Symbol]bool // klp symbols that no relocation has used so far
	edits      map[*elfrw.Section]*tableEdit
	archs      map[archKey]*archSection
	klp        map[klpKey][]*elfrw.Section // that were not read so far
	seen       map[*elfrw.Section]bool     // relocation sections of after
}

// loaded compares the relocations s of a loaded section with those in t and in klp relocation
// sections.
func (w *walker) loaded(s, t *elfrw.Section) error {
	ordinary := readerOf(t)
	klp := map[string]*relocReader{} // by object
	edit := w.edits[s.Target]
	for in := s.ReadRelocs(); ; {
		r := in.Next()
		if r == nil {
			break
		}
		x, into := *r, ordinary
		var arch *archSection
		if edit != nil {
			var stays bool
			if arch, stays = w.follow(edit, s.Target, &x); !stays {
				continue
			}
		}
		o := of(w.outcomes, r.Sym)
		sym := o.sym
		if len(o.notes) > 0 {
			var err error
			if into, sym, err = w.klpPlace(s, t, r, o, klp); err != nil {
				return err
			}
			if arch != nil && !w.claims.Unsafe {
				return fmt.Errorf("%s+%#x: klp relocation in an entry that leaves", s, r.Offset)
			}
		}
		if arch != nil {
			into = arch.relocs
		}
		if sym == nil && r.Sym != nil {
			return fmt.Errorf("%s+%#x: symbol %s is lost", s, r.Offset, r.Sym)
		}
		if err := into.expect(s, &x, sym); err != nil {
			return err
		}
	}
	for _, q := range klp {
		if err := q.end(); err != nil {
			return err
		}
	}
	return ordinary.end()
}

// klpPlace returns the reader of the klp relocation section that r, of s, has to be in, and
// the klp symbol that it is against. klp are the readers so far, by object.
func (w *walker) klpPlace(s, t *elfrw.Section, r *elfrw.Rela, o *outcome,
	klp map[string]*relocReader) (into *relocReader, sym *elfrw.Symbol, err error) {
	note, object, sym := o.note, o.gate, o.sym
	if !o.constant {
		note, object = w.gates.choose(o.notes, s.Target, r.Offset)
	}
	if len(o.notes) > 1 {
		sym = w.klpSymbols[klpName(note)]
	}
	// Since 5.8 the kernel refuses vmlinux's symbols in sections of modules, and applies
	// vmlinux's sections when no module need be there (kernel/livepatch/core.c,
	// klp_resolve_symbols; ca376a937486).
	if appliesEarly(w.claims) && (object == vmlinux) != (note.Object == vmlinux) {
		return nil, nil, fmt.Errorf("%s+%#x: symbol %s of %s is applied with %s",
			s, r.Offset, note.Name, note.Object, object)
	}
	if into = klp[object]; into == nil {
		k := klpKey{t.Target, object}
		if len(w.klp[k]) == 0 {
			return nil, nil, fmt.Errorf("%s+%#x: no klp relocations for %s", s, r.Offset, object)
		}
		into = readerOf(w.klp[k][0])
		klp[object], w.klp[k] = into, w.klp[k][1:]
		w.seen[into.s] = true
	}
	delete(w.unused, sym)
	return into, sym, nil
}

// follow moves r, of a table that lost entries, to where it has to be. It returns the
// .klp.arch section that it is in, nil when it is in none, and whether it is anywhere.
func (w *walker) follow(edit *tableEdit, table *elfrw.Section, r *elfrw.Rela) (
	arch *archSection, stays bool) {
	before, e := edit.at(r.Offset)
	switch {
	case e == nil:
		r.Offset -= before
		return nil, true
	case e.object == "":
		return nil, false
	}
	arch = w.archs[archKey{e.object, table.Name}]
	r.Offset = arch.at[archEntry{table, e.offset}] + r.Offset - e.offset
	return arch, true
}

// unloaded compares the relocations s of debug information and the like with t.
func (w *walker) unloaded(s, t *elfrw.Section) error {
	out := readerOf(t)
	for in := s.ReadRelocs(); ; {
		r := in.Next()
		if r == nil {
			return out.end()
		}
		if r.Sym != nil && w.removed[r.Sym.Section] {
			continue
		}
		o := of(w.outcomes, r.Sym)
		want := o.sym
		if len(o.notes) > 0 {
			want = nil
		}
		if err := out.expect(s, r, want); err != nil {
			return err
		}
	}
}
