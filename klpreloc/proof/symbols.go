// SPDX-License-Identifier: GPL-2.0-or-later

package proof

import (
	"fmt"

	"github.com/klp-convert/klp-convert/elfrw"
)

// symbolPairs say what became of before's symbols.
type symbolPairs struct {
	after map[*elfrw.Symbol]*elfrw.Symbol // of before → of after; missing: removed
	klp   map[string]*elfrw.Symbol        // klp symbols of after, by name
	// first are the symbols of before that a symbol of after has the place of. Further
	// spellings of a klp symbol have none.
	first map[*elfrw.Symbol]bool
	// unused are klp symbols of records that no relocation is known to use yet. A label is a
	// klp symbol whether it is used or not.
	unused map[*elfrw.Symbol]bool
}

// pairSymbols pairs the symbols up, in their order, and compares them.
func pairSymbols(before, after *elfrw.File, m *meanings, sections sectionPairs) (
	symbolPairs, error) {
	p := symbolPairs{
		after:  make(map[*elfrw.Symbol]*elfrw.Symbol, len(before.Symbols)),
		klp:    map[string]*elfrw.Symbol{},
		first:  map[*elfrw.Symbol]bool{},
		unused: map[*elfrw.Symbol]bool{},
	}
	rest := after.Symbols
	for _, y := range before.Symbols {
		if y.Section != nil && m.removed[y.Section] {
			continue
		}
		notes := m.notes[y]
		if len(notes) == 0 {
			if len(rest) == 0 {
				return p, fmt.Errorf("symbol %s is lost", y)
			}
			if !sameSymbol(y, rest[0], sections) {
				return p, fmt.Errorf("symbol %s changed", y)
			}
			p.after[y] = rest[0]
			rest = rest[1:]
			continue
		}
		a := notes[0]
		for _, n := range notes[1:] { // of several, the one that it became
			if len(rest) > 0 && rest[0].Name == klpName(n) {
				a = n
			}
		}
		z := p.klp[klpName(a)]
		if z == nil {
			if len(rest) == 0 || rest[0].Name != klpName(a) || !isKlpSymbol(rest[0]) {
				if a.Dialect.IsLabel() {
					return p, fmt.Errorf("symbol %s did not become klp symbol %s", y, klpName(a))
				}
				continue // not used, or a relocation will tell
			}
			z = rest[0]
			rest = rest[1:]
			if err := p.take(z, y, a); err != nil {
				return p, err
			}
			p.first[y] = true
		}
		p.after[y] = z
		if a.Dialect.IsLabel() {
			delete(p.unused, z)
		}
	}
	return p, p.takeAdded(rest, before, m)
}

// sameSymbol compares two symbols that are no klp symbols. The symbol that spans a version
// table has the size that the table has.
func sameSymbol(y, z *elfrw.Symbol, sections sectionPairs) bool {
	size, t := y.Size, sections.after[y.Section]
	if t != nil && isVersionTable(t.Name) && y.Value == 0 && size == y.Section.Size() {
		size = t.Size()
	}
	return y.Name == z.Name && y.Value == z.Value && size == z.Size && y.Info == z.Info &&
		y.Other == z.Other && y.Index == z.Index && t == z.Section
}

// take checks that z is the klp symbol that a says y is.
func (p *symbolPairs) take(z, y *elfrw.Symbol, a *note) error {
	if z.Value != 0 || z.Size != y.Size || z.Info != y.Info || z.Other != y.Other {
		return fmt.Errorf("klp symbol %s is not what %s was", z, y)
	}
	read, err := parseSymbolName(z.Name)
	if err != nil {
		return err
	}
	if read != (klpSymbol{a.Object, a.Name, uint64(a.Pos)}) {
		return fmt.Errorf("the kernel would read klp symbol %s as symbol %s of %s at %d",
			z, read.name, read.object, read.pos)
	}
	p.klp[z.Name], p.unused[z] = z, true
	return nil
}

// takeAdded takes the symbols after all others: klp symbols of names that are annotated for
// several objects, of which one took the name's own place.
func (p *symbolPairs) takeAdded(rest []*elfrw.Symbol, before *elfrw.File, m *meanings) error {
	if len(rest) == 0 {
		return nil
	}
	several := map[string]*note{}
	for _, y := range before.Symbols { // the first of each
		if notes := m.notes[y]; len(notes) > 1 {
			for _, a := range notes {
				if several[klpName(a)] == nil {
					several[klpName(a)] = a
				}
			}
		}
	}
	for _, z := range rest {
		a := several[z.Name]
		if a == nil || p.klp[z.Name] != nil || !isKlpSymbol(z) {
			return fmt.Errorf("symbol %s came from nowhere", z)
		}
		if err := p.take(z, a.Symbol, a); err != nil {
			return err
		}
	}
	return nil
}
