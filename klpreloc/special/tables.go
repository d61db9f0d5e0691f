// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"fmt"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Tables are the special sections of a module. They describe the file as it was
// when it was read, and are of no use once it was edited.
type Tables struct {
	All []*Table // in header order; empty sections and those with nothing sound in them included

	file         *elfrw.File
	bySection    map[*elfrw.Section]*Table
	sites        index
	replacements index
	functions    map[*elfrw.Section]*spans[*elfrw.Symbol] // made when first asked for
	objects      map[*elfrw.Section]*spans[*elfrw.Symbol]
}

// Table is one special section.
type Table struct {
	Section *elfrw.Section
	Kind    Kind
	Stride  uint64           // bytes from one entry to the next; 0 when it is not known
	Relocs  []*elfrw.Section // that apply to it; mostly one
	Entries []Entry          // in order, without gaps, up to the first Problem

	refs []Reloc // all relocations by offset; nil when Relocs is one and in that order
}

// Padded returns the section's size with the last entry filled up: where the next
// one can be appended.
func (t *Table) Padded() uint64 {
	if t.Stride == 0 {
		return t.Section.Size()
	}
	return (t.Section.Size() + t.Stride - 1) / t.Stride * t.Stride
}

// Entry is one entry of a table.
type Entry struct {
	*Table
	Offset uint64 // in Section
	Size   uint64 // less than Stride where the last entry is cut

	// Site is the code that the kernel rewrites.
	Site Range
	// Replacement is the code that it copies there: of alternatives, and
	// without a Section where the kernel finds out itself.
	Replacement Range
	// Key is what the branch or call depends on: of jump labels and static
	// calls.
	Key Key

	first, relocs uint32 // in refs
}

// String returns the entry's place, ".altinstructions+0x18".
func (e *Entry) String() string { return fmt.Sprintf("%s+%#x", e.Section, e.Offset) }

// Range is a stretch of a section.
type Range struct {
	Section *elfrw.Section // nil: there is none
	Offset  uint64
	Size    uint64 // bytes; may be 0
}

// String returns where r starts, ".text+0x48".
func (r Range) String() string {
	if r.Section == nil {
		return "nothing"
	}
	return fmt.Sprintf("%s+%#x", r.Section, r.Offset)
}

// Key is the place of a static key or static call key. What the low two bits of
// its field say about the branch (jump_entry_is_init, static_call_is_tail) is
// not part of it.
type Key struct {
	Symbol *elfrw.Symbol // that the relocation is against; nil: the entry has no key
	Addend int64         // from Symbol
	Reloc  Reloc         // the relocation

	// Section and Offset say where it is, if it is in the module; Section is
	// nil when Symbol is not defined here.
	Section *elfrw.Section
	Offset  uint64
}

// Reloc is a relocation by its number.
type Reloc struct {
	Section *elfrw.Section
	Index   int // in Section.Relocs()
}

// Relocations returns the relocations of e's bytes, by place.
func (e *Entry) Relocations() []Reloc {
	if e.refs != nil {
		return e.refs[e.first : e.first+e.relocs : e.first+e.relocs]
	}
	r := make([]Reloc, e.relocs)
	for i := range r {
		r[i] = Reloc{e.Table.Relocs[0], int(e.first) + i}
	}
	return r
}

// Table returns the table in section s, or nil when it is none.
func (t *Tables) Table(s *elfrw.Section) *Table { return t.bySection[s] }

// In returns the entry that holds the place, nil when none does.
func (t *Tables) In(s *elfrw.Section, offset uint64) *Entry {
	table := t.bySection[s]
	if table == nil || table.Stride == 0 {
		return nil
	}
	i := offset / table.Stride
	if i >= uint64(len(table.Entries)) || offset%table.Stride >= table.Entries[i].Size {
		return nil
	}
	return &table.Entries[i]
}

// Sites returns the entries whose site has one of the width bytes at offset (0: as
// 1), in the order of the sites. Each of them is a reason why these bytes can't wait for a
// module: tables of ordinary code (.call_sites, .smp_locks, __ex_table,
// __bug_table, ORC) are not read at all. There are at most maxCover for a byte:
// Read sees to that.
func (t *Tables) Sites(s *elfrw.Section, offset, width uint64) []*Entry {
	return t.sites.at(s, offset, width)
}

// Replacements returns the entries whose replacement has one of the width bytes
// at offset, likewise.
func (t *Tables) Replacements(s *elfrw.Section, offset, width uint64) []*Entry {
	return t.replacements.at(s, offset, width)
}

// Problem is why a section that looks like a special one is none.
type Problem struct {
	Section *elfrw.Section
	Offset  int64 // in Section; -1: it is about the section as a whole
	Message string
}

func (p Problem) String() string {
	if p.Offset < 0 {
		return fmt.Sprintf("%s: %s", p.Section, p.Message)
	}
	return fmt.Sprintf("%s+%#x: %s", p.Section, p.Offset, p.Message)
}
