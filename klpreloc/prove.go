// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"bytes"
	"debug/elf"
	"fmt"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Prove compares a module with what became of it, both as parsed from their
// bytes, and returns an error unless
//
//   - after is a sound ELF file (elfrw.Verify) and holds no annotation;
//   - its sections are those of before without the annotations, unchanged but
//     for relocations, symbols and strings, and behind them klp relocation
//     sections as the kernel wants them;
//   - its symbols are those of before in their order, annotated ones as klp
//     symbols, without those that only the annotations needed;
//   - each relocation of a loaded section is where it was, of the same type,
//     addend and symbol, in the same order: against an annotated symbol in the
//     klp relocation section of its object, against any other symbol among the
//     ordinary ones. So no klp symbol is left in an ordinary relocation, where
//     the kernel would use the address 0 (klp_resolve_symbols never sees it),
//     and no klp relocation was invented, lost, doubled or changed.
//
// It starts from the two files alone and shares none of Plan's decisions, only
// its reading of annotations.
func Prove(before, after *elfrw.File) error {
	if err := after.Verify(); err != nil {
		return err
	}
	in, _ := Read(before)
	p := &prover{before: before, after: after, annotated: map[*elfrw.Symbol]*Annotation{}, gone: map[*elfrw.Section]bool{},
		section: map[*elfrw.Section]*elfrw.Section{}, symbol: map[*elfrw.Symbol]*elfrw.Symbol{}}
	for i := range in.Annotations {
		a := &in.Annotations[i]
		a.LPObject, a.Object = dashes(a.LPObject), dashes(a.Object)
		p.annotated[a.Symbol] = a
	}
	for _, s := range in.Sections {
		p.gone[s] = true
	}
	if left, _ := Read(after); left.Annotated() {
		return fmt.Errorf("annotations are left")
	}
	for _, step := range []func() error{p.sections, p.symbols, p.klpSections, p.relocations} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func dashes(object string) string {
	return string(bytes.ReplaceAll([]byte(object), []byte("-"), []byte("_")))
}

type prover struct {
	before, after *elfrw.File
	annotated     map[*elfrw.Symbol]*Annotation
	gone          map[*elfrw.Section]bool
	section       map[*elfrw.Section]*elfrw.Section // of before → of after
	symbol        map[*elfrw.Symbol]*elfrw.Symbol   // of before → of after; missing: removed
	klp           map[klpKey][]*elfrw.Section
}

// klpKey names the klp relocations of one section for one object.
type klpKey struct {
	target *elfrw.Section // of after
	object string
}

// sections pairs the sections up and compares headers and contents.
func (p *prover) sections() error {
	rest := p.after.Sections
	for _, s := range p.before.Sections {
		if p.gone[s] || s.HasRelocs() && p.gone[s.Target] {
			continue
		}
		if len(rest) == 0 {
			return fmt.Errorf("section %s is lost", s)
		}
		t := rest[0]
		rest = rest[1:]
		p.section[s] = t
		if s.Name != t.Name || s.Type != t.Type || s.Flags != t.Flags || s.Addr != t.Addr || s.Align != t.Align || s.EntSize != t.EntSize {
			return fmt.Errorf("section %s became %s, or its header changed", s, t)
		}
		if s.Alloc() && !s.HasRelocs() && (s.Size() != t.Size() || !bytes.Equal(s.Data, t.Data)) {
			return fmt.Errorf("contents of %s changed", s)
		}
	}
	for s, t := range p.section {
		if p.section[s.Link] != t.Link || p.section[s.Target] != t.Target {
			return fmt.Errorf("links of section %s changed", s)
		}
	}
	p.klp = map[klpKey][]*elfrw.Section{}
	for _, t := range rest {
		if t.Type == elf.SHT_SYMTAB_SHNDX {
			continue
		}
		object, ok := SectionObject(t.Name)
		if !ok {
			return fmt.Errorf("section %s came from nowhere", t)
		}
		k := klpKey{t.Target, object}
		p.klp[k] = append(p.klp[k], t)
	}
	return nil
}

// symbols pairs the symbols up.
func (p *prover) symbols() error {
	rest := p.after.Symbols
	klp := map[string]*elfrw.Symbol{}
	for _, y := range p.before.Symbols {
		if y.Section != nil && p.gone[y.Section] {
			continue
		}
		a := p.annotated[y]
		if a != nil && klp[a.klpName()] != nil {
			p.symbol[y] = klp[a.klpName()]
			continue
		}
		if len(rest) == 0 || a != nil && rest[0].Name != a.klpName() {
			if a != nil {
				continue // unused; relocations will tell if not
			}
			return fmt.Errorf("symbol %s is lost", y)
		}
		z := rest[0]
		rest = rest[1:]
		p.symbol[y] = z
		if a != nil {
			klp[z.Name] = z
			if !isKlpSymbol(z) || z.Value != 0 || z.Info != y.Info {
				return fmt.Errorf("symbol %s did not become a klp symbol", y)
			}
			if _, _, _, err := ParseSymbolName(z.Name); err != nil {
				return err
			}
			continue
		}
		if y.Name != z.Name || y.Value != z.Value || y.Size != z.Size || y.Info != z.Info || y.Other != z.Other ||
			y.Index != z.Index || p.section[y.Section] != z.Section {
			return fmt.Errorf("symbol %s changed", y)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("symbol %s came from nowhere", rest[0])
	}
	return nil
}

// klpSections checks the headers of the new sections and that their names are
// unique.
func (p *prover) klpSections() error {
	names := map[string]bool{}
	for _, s := range p.after.Sections {
		if !s.Alloc() {
			continue
		}
		if isKlpSection(s) {
			if names[s.Name] {
				return fmt.Errorf("two sections are called %s", s)
			}
			if s.Type != elf.SHT_RELA || s.Flags != klpSectionFlags || s.Addr != 0 || !s.HasRelocs() || s.Target == nil || !s.Target.Alloc() {
				return fmt.Errorf("header of %s is not that of a klp relocation section", s)
			}
			names[s.Name] = true
		}
	}
	return nil
}

// relocations walks each relocation section of before next to what became of
// it.
func (p *prover) relocations() error {
	for _, s := range p.before.Sections {
		if !s.HasRelocs() || p.section[s] == nil || s.Target == nil || !s.Target.Alloc() {
			continue
		}
		if err := p.walk(s); err != nil {
			return err
		}
	}
	for k, left := range p.klp {
		if len(left) > 0 {
			return fmt.Errorf("section %s, for %s, came from nowhere", left[0], k.object)
		}
	}
	return nil
}

// gateOf is the object whose klp relocations a's belong to, since 5.8.
func gateOf(a *Annotation) string {
	if a.Object == vmlinux {
		return vmlinux
	}
	return a.LPObject
}

func (p *prover) walk(s *elfrw.Section) error {
	ordinary := p.section[s]
	target := ordinary.Target
	next := 0
	used := map[klpKey]int{}
	for i, n := 0, s.NumRelocs(); i < n; i++ {
		r := s.Reloc(i)
		into, at := ordinary, next
		if a := p.annotated[r.Sym]; a != nil {
			k := klpKey{target, gateOf(a)}
			if len(p.klp[k]) == 0 {
				return fmt.Errorf("%s+%#x: no klp relocations for %s", s, r.Offset, k.object)
			}
			into, at = p.klp[k][0], used[k]
			used[k]++
		} else {
			next++
		}
		if at >= into.NumRelocs() {
			return fmt.Errorf("%s+%#x: relocation against %s is lost", s, r.Offset, r.Sym)
		}
		q := into.Reloc(at)
		if q.Offset != r.Offset || q.Type != r.Type || q.Addend != r.Addend || q.Sym != p.symbol[r.Sym] || q.Sym == nil && r.Sym != nil {
			return fmt.Errorf("%s+%#x: relocation against %s became one at %s+%#x against %s", s, r.Offset, r.Sym, into, q.Offset, q.Sym)
		}
	}
	if next != ordinary.NumRelocs() {
		return fmt.Errorf("%s holds %d relocations more than before", ordinary, ordinary.NumRelocs()-next)
	}
	for k, n := range used {
		if first := p.klp[k][0]; first.NumRelocs() != n {
			return fmt.Errorf("%s holds %d relocations, want %d", first, first.NumRelocs(), n)
		}
		p.klp[k] = p.klp[k][1:]
	}
	return nil
}
