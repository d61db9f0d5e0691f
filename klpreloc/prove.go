// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// Prove compares a module with what became of it, both as parsed from their
// bytes, and returns an error unless
//
//   - after is a sound ELF file (elfrw.Verify) and holds no annotation;
//   - its sections are those of before without the annotations, unchanged but
//     for relocations, symbols and strings (of contents over 2 MiB that are not
//     loaded both ends are compared), and behind them klp relocation
//     sections as the kernel wants them;
//   - modpost's version table and, for answers.Depends, depends= in .modinfo may
//     be without what is converted, and nothing else of them may change;
//   - tables of alternatives and the like may be without entries, which are in
//     .klp.arch sections of the right object, or nowhere when nobody misses them;
//   - its symbols are those of before in their order, annotated ones as klp
//     symbols, without those that only the annotations needed;
//   - each relocation of a loaded section is where it was, of the same type,
//     addend and symbol, in the same order: against an annotated symbol in the
//     klp relocation section of its object, against any other symbol among the
//     ordinary ones. So no klp symbol is left in an ordinary relocation, where
//     the kernel would use the address 0 (klp_resolve_symbols never sees it),
//     and no klp relocation was invented, lost, doubled or changed;
//   - the relocations of all other sections are as they were, without those
//     against annotations and without the names of annotated symbols.
//
// It starts from the two files and shares none of the plan. What it has in common
// with planning are the reading of annotations and the rules that say for which
// object a place works (gate.go, package reach) and which special entries a late
// relocation concerns (late.go). That those rules are right is shown elsewhere, by a
// model of the loader and by real kernels; here it is shown that the file is what
// they ask for. done, if not nil, is told of stretches of after's contents that will
// not be looked at again.
func Prove(before, after *elfrw.File, answers Answers, done func([]byte)) error {
	if err := after.Verify(); err != nil {
		return err
	}
	in, _ := annotation.Read(before)
	p := &prover{done: done, depends: answers.Depends, gates: newGates(before, answers.Scheme), unsafe: answers.Unsafe, keepInert: answers.KeepInert, edits: map[*elfrw.Section]*shifter{}, archs: map[string]*archProof{}, input: in, before: before, after: after, annotated: map[*elfrw.Symbol][]*annotation.Annotation{}, named: map[string]*elfrw.Symbol{}, gone: before.GoesWith(in.Sections),
		section: map[*elfrw.Section]*elfrw.Section{}, symbol: make(map[*elfrw.Symbol]*elfrw.Symbol, len(before.Symbols)),
		klp: map[klpKey][]*elfrw.Section{}, idle: map[*elfrw.Symbol]bool{}}
	for i := range in.Annotations {
		a := &in.Annotations[i]
		a.LPObject, a.Object = klpabi.ModuleName(a.LPObject), klpabi.ModuleName(a.Object)
		if notes := p.annotated[a.Symbol]; noteFor(notes, a.Object) == nil {
			p.annotated[a.Symbol] = append(notes, a)
		}
	}
	if err := p.answers(answers); err != nil {
		return err
	}
	if left, _ := annotation.Read(after); left.Annotated() {
		return fmt.Errorf("annotations are left")
	}
	for _, step := range []func() error{p.files, p.tables, p.sections, p.symbols, p.klpSections, p.groups, p.relocations} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

type prover struct {
	done          func([]byte)
	depends       []string        // modules that leave depends=
	converted     map[string]bool // names in before of what is a klp symbol in after
	gates         *gates
	keepInert     bool
	unsafe        bool                        // entries stay where they can't work
	edits         map[*elfrw.Section]*shifter // tables of before that lose entries
	archs         map[string]*archProof       // .klp.arch sections, by name
	input         *annotation.Set             // of before
	before, after *elfrw.File
	annotated     map[*elfrw.Symbol][]*annotation.Annotation // for one object each
	named         map[string]*elfrw.Symbol                   // klp symbols of after, by name
	gone          map[*elfrw.Section]bool                    // annotations
	section       map[*elfrw.Section]*elfrw.Section          // of before → of after
	symbol        map[*elfrw.Symbol]*elfrw.Symbol            // of before → of after; missing: removed
	added         []*elfrw.Section                           // sections of after that are new
	klp           map[klpKey][]*elfrw.Section
	idle          map[*elfrw.Symbol]bool // klp symbols of records, until a relocation uses them
	fates         []fate                 // by number of before's symbol; 0: none
}

// answers adds what a kernel's symbols said to the annotations.
func (p *prover) answers(all Answers) error {
	for _, x := range all.Looked {
		if x.Num < 1 || x.Num > len(p.before.Symbols) || !p.before.Symbols[x.Num-1].Undefined() {
			return fmt.Errorf("symbol %d, looked up as %s of %s, is not undefined", x.Num, x.Name, x.Object)
		}
		y := p.before.Symbols[x.Num-1]
		a := noteFor(p.annotated[y], x.Object)
		switch {
		case len(p.annotated[y]) == 0 && y.Name == x.Name:
			a = &annotation.Annotation{Dialect: annotation.Records, LPObject: x.LPObject, Object: x.Object, Name: x.Name, Symbol: y}
			p.annotated[y] = []*annotation.Annotation{a}
		case a == nil || a.Name != x.Name || a.LPObject != x.LPObject || !a.ByFile():
			return fmt.Errorf("symbol %s was looked up as %s of %s, and is annotated as something else", y, x.Name, x.Object)
		}
		a.Pos = x.Pos
	}
	p.converted = map[string]bool{}
	for y := range p.annotated {
		p.converted[y.Name] = true
	}
	return nil
}

// noteFor returns the annotation for the object.
func noteFor(notes []*annotation.Annotation, object string) *annotation.Annotation {
	for _, a := range notes {
		if a.Object == object {
			return a
		}
	}
	return nil
}

// fate is what becomes of the relocations against a symbol. There may be a
// million of them, so it is looked up by number.
type fate struct {
	sym      *elfrw.Symbol            // of after
	notes    []*annotation.Annotation // of the symbol in before
	constant *choice                  // nil when it depends on the place
}

// fateOf says what became of relocations against y.
func (p *prover) fateOf(y *elfrw.Symbol) *fate {
	if y == nil {
		return &p.fates[0]
	}
	return &p.fates[y.Num()]
}

// klpKey names the klp relocations of one section for one object.
type klpKey struct {
	target *elfrw.Section // of after
	object string
}

// files compares what is around the sections.
func (p *prover) files() error {
	if p.before.Header != p.after.Header {
		return fmt.Errorf("the ELF header changed")
	}
	want := p.before.Trailer
	if p.input.Signed && p.input.Annotated() {
		want = nil
	}
	if !bytes.Equal(want, p.after.Trailer) {
		return fmt.Errorf("what is behind the section headers changed")
	}
	return nil
}

// sections pairs the sections up and compares headers and contents.
func (p *prover) sections() error {
	rest := p.after.Sections
	for _, s := range p.before.Sections {
		if p.gone[s] {
			continue
		}
		if len(rest) == 0 {
			return fmt.Errorf("section %s is lost", s)
		}
		t := rest[0]
		rest = rest[1:]
		p.section[s] = t
		if s.Name != t.Name || s.Type != t.Type || s.Flags != t.Flags || s.Addr != t.Addr || s.Align != t.Align || s.EntSize != t.EntSize ||
			s.Info != t.Info && s.Type != elf.SHT_SYMTAB {
			return fmt.Errorf("section %s became %s, or its header changed", s, t)
		}
		if !p.sameContents(s, t) && !p.rewritten(s, t) && !p.edited(s, t) {
			return fmt.Errorf("contents of %s changed", s)
		}
	}
	for _, s := range p.before.Sections {
		if t := p.section[s]; t != nil && (p.section[s.Link] != t.Link || p.section[s.Target] != t.Target) {
			return fmt.Errorf("links of section %s changed", s)
		}
	}
	p.added = rest
	return nil
}

// sameContents compares what has no form of its own, and of string tables what
// was there.
func (p *prover) sameContents(s, t *elfrw.Section) bool {
	switch {
	case s.HasRelocs(), s.Type == elf.SHT_SYMTAB, s.Type == elf.SHT_SYMTAB_SHNDX, s.Type == elf.SHT_GROUP:
		return true // compared elsewhere, by what they mean
	case s.Type == elf.SHT_STRTAB:
		return bytes.HasPrefix(t.Data, s.Data)
	case s.Link != nil && s.Link == p.before.Symtab:
		return true // full of symbol numbers (.llvm_addrsig)
	}
	if s.Size() != t.Size() || len(s.Data) != len(t.Data) {
		return false
	}
	if !s.Alloc() && len(s.Data) > 2*stretch {
		// Handed through as they are, so what can go wrong is their
		// place; half a gigabyte of debug information need not be read
		// a second time for that.
		n := len(s.Data) - stretch
		return bytes.Equal(s.Data[:stretch], t.Data[:stretch]) && bytes.Equal(s.Data[n:], t.Data[n:])
	}
	for a, b := s.Data, t.Data; len(a) > 0; {
		n := min(len(a), stretch)
		if !bytes.Equal(a[:n], b[:n]) {
			return false
		}
		if p.done != nil && n == stretch {
			p.done(b[:n])
		}
		a, b = a[n:], b[n:]
	}
	return true
}

// rewritten reports whether t is one of modpost's tables without what is
// converted.
func (p *prover) rewritten(s, t *elfrw.Section) bool {
	switch {
	case klpabi.IsVersionTable(s.Name):
		b, ok := klpabi.WithoutVersions(p.before, s, p.converted)
		return ok && bytes.Equal(b, t.Data)
	case s.Name != ".modinfo":
		return false // before any search: there may be 100 000 of these
	}
	return s == p.before.Section(".modinfo") && len(p.depends) > 0 && bytes.Equal(klpabi.WithoutDepends(p.before, p.depends), t.Data)
}

// stretch is how many bytes of contents are compared at a time.
const stretch = 1 << 20

// symbols pairs the symbols up.
func (p *prover) symbols() error {
	rest := p.after.Symbols
	for _, y := range p.before.Symbols {
		if y.Section != nil && p.gone[y.Section] {
			continue
		}
		notes := p.annotated[y]
		if len(notes) == 0 {
			if len(rest) == 0 {
				return fmt.Errorf("symbol %s is lost", y)
			}
			z := rest[0]
			rest = rest[1:]
			size := y.Size
			if t := p.section[y.Section]; t != nil && y.Value == 0 && size == y.Section.Size() && p.rewritten(y.Section, t) {
				size = t.Size()
			}
			if y.Name != z.Name || y.Value != z.Value || size != z.Size || y.Info != z.Info || y.Other != z.Other ||
				y.Index != z.Index || p.section[y.Section] != z.Section {
				return fmt.Errorf("symbol %s changed", y)
			}
			p.symbol[y] = z
			continue
		}
		a := notes[0]
		for _, n := range notes[1:] { // of several, the one that it became
			if len(rest) > 0 && rest[0].Name == n.KlpName() {
				a = n
			}
		}
		name := a.KlpName()
		z := p.named[name]
		if z == nil {
			if len(rest) == 0 || rest[0].Name != name || !klpabi.IsKlpSymbol(rest[0]) {
				if a.Dialect.IsLabel() {
					return fmt.Errorf("symbol %s did not become klp symbol %s", y, name)
				}
				continue // unused; relocations will tell if not
			}
			z = rest[0]
			rest = rest[1:]
			if err := p.klpSymbol(z, y, a); err != nil {
				return err
			}
		}
		p.symbol[y] = z
		if a.Dialect.IsLabel() {
			delete(p.idle, z)
		}
	}
	if err := p.addedSymbols(rest); err != nil {
		return err
	}
	p.fates = make([]fate, len(p.before.Symbols)+1)
	for _, y := range p.before.Symbols {
		f := fate{sym: p.symbol[y], notes: p.annotated[y]}
		if len(f.notes) > 0 {
			if c, ok := p.gates.constant(f.notes); ok {
				f.constant = &c
			}
		}
		p.fates[y.Num()] = f
	}
	return nil
}

// klpSymbol checks that z is what a says of y.
func (p *prover) klpSymbol(z, y *elfrw.Symbol, a *annotation.Annotation) error {
	if z.Value != 0 || z.Size != y.Size || z.Info != y.Info || z.Other != y.Other {
		return fmt.Errorf("klp symbol %s is not what %s was", z, y)
	}
	object, base, pos, err := klpabi.ParseSymbolName(z.Name)
	if err != nil || object != a.Object || base != a.Name || pos != uint64(a.Pos) {
		return fmt.Errorf("the kernel would read klp symbol %s as symbol %s of %s at %d (%v)", z, base, object, pos, err)
	}
	p.named[z.Name], p.idle[z] = z, true
	return nil
}

// addedSymbols takes the symbols that are left: klp symbols of names that are
// annotated for several objects, of which one took the name's own place.
func (p *prover) addedSymbols(rest []*elfrw.Symbol) error {
	if len(rest) == 0 {
		return nil
	}
	several := map[string]*annotation.Annotation{}
	for _, y := range p.before.Symbols { // the first of each
		if notes := p.annotated[y]; len(notes) > 1 {
			for _, a := range notes {
				if several[a.KlpName()] == nil {
					several[a.KlpName()] = a
				}
			}
		}
	}
	for _, z := range rest {
		a := several[z.Name]
		if a == nil || p.named[z.Name] != nil || !klpabi.IsKlpSymbol(z) {
			return fmt.Errorf("symbol %s came from nowhere", z)
		}
		if err := p.klpSymbol(z, a.Symbol, a); err != nil {
			return err
		}
	}
	return nil
}

// klpSections checks the headers of the new sections and that their names are
// unique: nothing else is called so.
func (p *prover) klpSections() error {
	names := map[string]bool{}
	for _, s := range p.before.Sections {
		if strings.HasPrefix(s.Name, klpabi.SectionPrefix) {
			names[s.Name] = true
		}
	}
	added, err := p.archSections(p.added)
	if err != nil {
		return err
	}
	for _, t := range added {
		if t.Type == elf.SHT_SYMTAB_SHNDX {
			continue // Verify has looked at it
		}
		object, ok := klpabi.SectionObject(t.Name)
		switch {
		case !ok:
			return fmt.Errorf("section %s came from nowhere", t)
		case names[t.Name]:
			return fmt.Errorf("two sections are called %s", t)
		case t.Type != elf.SHT_RELA || t.Flags != klpabi.SectionFlags || t.Addr != 0 || t.Info != 0 || !t.HasRelocs() ||
			t.Align != uint64(p.after.PointerSize()) || t.Target == nil || !t.Target.Alloc():
			return fmt.Errorf("header of %s is not that of a klp relocation section", t)
		}
		names[t.Name] = true
		k := klpKey{t.Target, object}
		p.klp[k] = append(p.klp[k], t)
	}
	return nil
}

// groups compares the section groups.
func (p *prover) groups() error {
	for _, s := range p.before.Sections {
		t := p.section[s]
		if t == nil || s.Type != elf.SHT_GROUP {
			continue
		}
		rest := t.Members
		for _, m := range s.Members {
			if p.gone[m] {
				continue
			}
			if len(rest) == 0 || p.section[m] != rest[0] {
				return fmt.Errorf("members of section group %s changed", s)
			}
			rest = rest[1:]
		}
		if len(rest) > 0 || p.symbol[s.Signature] != t.Signature || !bytes.Equal(s.Data[:4], t.Data[:4]) {
			return fmt.Errorf("section group %s changed", s)
		}
	}
	return nil
}

// relocations walks each relocation section of before next to what became of
// it.
func (p *prover) relocations() error {
	for _, s := range p.before.Sections {
		if !s.HasRelocs() || p.section[s] == nil {
			continue
		}
		walk := p.walk
		if s.Target == nil || !s.Target.Alloc() {
			walk = p.walkUnloaded
		}
		if err := walk(s); err != nil {
			return err
		}
	}
	for _, a := range p.archs {
		if err := a.relocs.end(); err != nil {
			return err
		}
	}
	for k, left := range p.klp {
		if len(left) > 0 {
			return fmt.Errorf("section %s, for %s, came from nowhere", left[0], k.object)
		}
	}
	for y := range p.idle {
		return fmt.Errorf("klp symbol %s is used by nothing", y)
	}
	return nil
}

// relocReader reads a relocation section and knows how far it is.
type relocReader struct {
	*elfrw.RelocReader
	s *elfrw.Section
}

func readerOf(s *elfrw.Section) *relocReader { return &relocReader{s.ReadRelocs(), s} }

// expect reads the next relocation, which must be r, against sym.
func (q *relocReader) expect(s *elfrw.Section, r *elfrw.Rela, sym *elfrw.Symbol) error {
	x := q.Next()
	switch {
	case x == nil:
		return fmt.Errorf("%s+%#x: relocation against %s is lost", s, r.Offset, r.Sym)
	case x.Offset != r.Offset || x.Type != r.Type || x.Addend != r.Addend || x.Sym != sym:
		return fmt.Errorf("%s+%#x: relocation against %s became one at %s+%#x against %s", s, r.Offset, r.Sym, q.s, x.Offset, x.Sym)
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

// walk compares the relocations of a loaded section.
func (p *prover) walk(s *elfrw.Section) error {
	ordinary := readerOf(p.section[s])
	klp := map[string]*relocReader{} // by object
	for in := s.ReadRelocs(); ; {
		r := in.Next()
		if r == nil {
			break
		}
		x := *r
		moved, stays := p.place(s.Target, &x)
		if !stays {
			continue
		}
		into, fate := ordinary, p.fateOf(r.Sym)
		sym := fate.sym
		if len(fate.notes) > 0 {
			c := fate.constant
			if c == nil {
				here := p.gates.choose(fate.notes, s.Target, r.Offset)
				c = &here
			}
			if len(fate.notes) > 1 {
				sym = p.named[c.note.KlpName()]
			}
			object := c.gate
			if p.gates.scheme.Early() && (object == vmlinux) != (c.note.Object == vmlinux) {
				return fmt.Errorf("%s+%#x: symbol %s of %s is gated by %s", s, r.Offset, c.note.Name, c.note.Object, object)
			}
			if into = klp[object]; into == nil {
				k := klpKey{ordinary.s.Target, object}
				if len(p.klp[k]) == 0 {
					return fmt.Errorf("%s+%#x: no klp relocations for %s", s, r.Offset, object)
				}
				into = readerOf(p.klp[k][0])
				klp[object], p.klp[k] = into, p.klp[k][1:]
			}
			delete(p.idle, sym)
		}
		if moved != nil {
			into = moved
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

// walkUnloaded compares the relocations of debug information and the like.
func (p *prover) walkUnloaded(s *elfrw.Section) error {
	out := readerOf(p.section[s])
	for in := s.ReadRelocs(); ; {
		r := in.Next()
		if r == nil {
			return out.end()
		}
		if r.Sym != nil && p.gone[r.Sym.Section] {
			continue
		}
		fate := p.fateOf(r.Sym)
		want := fate.sym
		if len(fate.notes) > 0 {
			want = nil
		}
		if err := out.expect(s, r, want); err != nil {
			return err
		}
	}
}
