// SPDX-License-Identifier: GPL-2.0-or-later

package proof

import (
	"debug/elf"
	"fmt"
	"strconv"

	"github.com/klp-convert/klp-convert/elfrw"
)

// meanings are what before's symbols stand for, by annotations and claims, and what goes
// with the annotations. Nothing here is taken from the plan but the claims.
type meanings struct {
	claims Claims
	gates  *gates

	// notes are what is said of a symbol, one for each object, of objects as the kernel
	// calls them.
	notes map[*elfrw.Symbol][]*note
	// names are those of all symbols in notes.
	names map[string]bool
	// removed are the annotation sections, their relocations, and section groups of nothing
	// else.
	removed map[*elfrw.Section]bool
	// converts is set when anything is to be converted.
	converts bool
}

// readMeanings reads what before says, and adds the claims.
func readMeanings(before *elfrw.File, claims Claims) (*meanings, error) {
	list := readAnnotations(before, claims.Lists)
	if err := compareSpelling(before, claims.Lists, list); err != nil {
		return nil, err
	}
	m := &meanings{
		claims: claims, gates: newGates(before, claims),
		notes:   make(map[*elfrw.Symbol][]*note, len(list)),
		names:   make(map[string]bool, len(list)),
		removed: goesWithRecords(before),
	}
	for i := range list {
		a := &list[i]
		a.LPObject, a.Object = builtName(a.LPObject), builtName(a.Object)
		if noteFor(m.notes[a.Symbol], a.Object) == nil {
			m.notes[a.Symbol] = append(m.notes[a.Symbol], a)
		}
	}
	for _, x := range claims.Looked {
		claim := note{LPObject: x.LPObject, Object: x.Object, Name: x.Name, Pos: x.Pos}
		if err := m.add(before, x.Num, claim); err != nil {
			return nil, err
		}
	}
	for y := range m.notes {
		if y == nil || !y.Undefined() {
			return nil, fmt.Errorf("symbol %s is annotated, and not undefined", y)
		}
		m.names[y.Name] = true
	}
	m.converts = len(m.notes) > 0 || len(m.removed) > 0
	return m, nil
}

// add takes a claim: the position of an annotation that leaves it to be looked up, or all that
// is said of a symbol without annotation.
func (m *meanings) add(before *elfrw.File, num int, claim note) error {
	if num < 1 || num > len(before.Symbols) || !before.Symbols[num-1].Undefined() {
		return fmt.Errorf("symbol %d was looked up, and is not undefined", num)
	}
	y := before.Symbols[num-1]
	notes := m.notes[y]
	if len(notes) == 0 && y.Name == claim.Name {
		claim.Symbol = y
		m.notes[y] = []*note{&claim}
		return nil
	}
	a := noteFor(notes, claim.Object)
	if a == nil || a.Name != claim.Name || a.LPObject != claim.LPObject || a.File == "" {
		return fmt.Errorf("symbol %s was looked up as %s of %s, and is annotated as something else",
			y, claim.Name, claim.Object)
	}
	a.Pos = claim.Pos
	return nil
}

// noteFor returns what is said of the symbol for the object, nil when nothing is.
func noteFor(notes []*note, object string) *note {
	for _, a := range notes {
		if a.Object == object {
			return a
		}
	}
	return nil
}

// klpName is what the kernel reads a as (kernel/livepatch/core.c, klp_resolve_symbols).
func klpName(a *note) string {
	return symbolPrefix + a.Object + "." + a.Name + "," + strconv.FormatUint(uint64(a.Pos), 10)
}

// goesWithRecords returns the sections that no converted module has: records, the relocations
// that apply to them, and section groups that list nothing else.
func goesWithRecords(f *elfrw.File) map[*elfrw.Section]bool {
	removed := map[*elfrw.Section]bool{}
	for _, s := range f.Sections {
		if isRecordSection(s) {
			removed[s] = true
		}
	}
	if len(removed) == 0 {
		return removed
	}
	for _, s := range f.Sections {
		if (s.Type == elf.SHT_RELA || s.Type == elf.SHT_REL) && removed[s.Target] {
			removed[s] = true
		}
	}
	for _, s := range f.Sections {
		left := 0
		for _, member := range s.Members {
			if !removed[member] {
				left++
			}
		}
		if s.Type == elf.SHT_GROUP && len(s.Members) > 0 && left == 0 {
			removed[s] = true
		}
	}
	return removed
}
