// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"bytes"
	"fmt"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Tables are the special sections of a module. They describe the file as it was
// when it was read: entries that have been looked up stay as they are when it is
// edited, others must not be looked up afterwards. Not for use by several goroutines.
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

	formats *formats
	layout  *layout
	data    []byte
	n       int // entries, in order and without gaps, up to the first Problem
	// first relocation of each entry and of what follows; nil when all have as many as fields
	starts []uint32
	refs   []Reloc // all relocations by place; nil when Relocs is one and in that order
	blocks [][]Entry
}

// Entries are made of the section's bytes when they are asked for, some at a time:
// most of a module's special entries have nothing to do with its klp relocations.
const blockLen = 32

// Len returns how many entries t has: all, or those before the first Problem.
func (t *Table) Len() int { return t.n }

// Entry returns entry number i, 0 <= i < t.Len(); each time the same.
func (t *Table) Entry(i int) *Entry {
	if t.blocks == nil {
		t.blocks = make([][]Entry, (t.n+blockLen-1)/blockLen)
	}
	b := &t.blocks[i/blockLen]
	if *b == nil {
		first := i - i%blockLen
		*b = make([]Entry, min(blockLen, t.n-first))
		fields := t.fields()
		for k := range *b {
			t.make(&(*b)[k], first+k, fields)
		}
	}
	return &(*b)[i%blockLen]
}

// make makes e entry number i.
func (t *Table) make(e *Entry, i int, fields []resolvedField) {
	first, end := uint32(i*len(fields)), uint32((i+1)*len(fields))
	if t.starts != nil {
		first, end = t.starts[i], t.starts[i+1]
	}
	*e = t.newEntry(i, first)
	have := 0
	for k := first; k < end; k++ {
		ref := t.ref(k)
		x := ref.Section.Reloc(ref.Index)
		if have < len(fields) && fields[have].takes(&x, e) && fields[have].resolve(&x) {
			have++
		}
		e.relocs++
	}
	if have == len(fields) || t.hasNoReplacement(e, have) {
		t.fillEntry(e, fields)
	}
}

// hasNoReplacement reports whether e, which has relocations of its first fields only, is an
// alternative without code: up to 5.12, static_cpu_has() has one that says ".long 0"
// for its replacement (arch/x86/include/asm/cpufeature.h).
func (t *Table) hasNoReplacement(e *Entry, have int) bool {
	l := t.layout
	if l.kind != Alternative || have != 1 || l.lens.replacement == 0 || e.Size < l.size {
		return false
	}
	b := t.data[e.Offset : e.Offset+e.Size]
	f := l.fields[1]
	return b[l.lens.replacement] == 0 && len(bytes.Trim(b[f.at:f.at+f.width], "\x00")) == 0
}

// newEntry returns entry number i, with its place and its first relocation.
func (t *Table) newEntry(i int, first uint32) Entry {
	start := uint64(i) * t.layout.size
	return Entry{Table: t, Offset: start, Size: min(t.layout.size, uint64(len(t.data))-start),
		first: first}
}

// ref returns relocation number k in the order of places.
func (t *Table) ref(k uint32) Reloc {
	if t.refs != nil {
		return t.refs[k]
	}
	return Reloc{t.Relocs[0], int(k)}
}

// Entry is one entry of a table.
type Entry struct {
	*Table
	Offset uint64 // in Section
	Size   uint64 // less than Stride where the last entry is cut

	// Site is the code that the kernel rewrites.
	Site elfrw.Range
	// Replacement is the code that it copies there: of alternatives, and
	// without a Section where the kernel finds out itself.
	Replacement elfrw.Range
	// Outside is the undefined symbol whose code it copies there, of alternatives that
	// have their replacement in the kernel; nil for all others. The length is known,
	// the bytes are not.
	Outside *elfrw.Symbol
	// Key is what the branch or call depends on: of jump labels and static
	// calls.
	Key Key

	first, relocs uint32 // the relocations, by place
}

// String returns the entry's place, ".altinstructions+0x18".
func (e *Entry) String() string { return fmt.Sprintf("%s+%#x", e.Section, e.Offset) }

// Key is the place of a static key or static call key. What the low two bits of
// its field say about the branch (jump_entry_is_init, static_call_is_tail) is
// not part of it.
type Key struct {
	Symbol *elfrw.Symbol // that the relocation is against; nil: the entry has no key
	Addend int64         // from Symbol

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

// relocations returns the relocations of e's bytes, by place.
func (e *Entry) relocations() []Reloc {
	r := make([]Reloc, e.relocs)
	for i := range r {
		r[i] = e.ref(e.first + uint32(i))
	}
	return r
}

// Table returns the table in section s, or nil where s is not a special section.
func (t *Tables) Table(s *elfrw.Section) *Table { return t.bySection[s] }

// In returns the entry that holds the place, nil when none does.
func (t *Tables) In(s *elfrw.Section, offset uint64) *Entry {
	table := t.bySection[s]
	if table == nil || table.Stride == 0 {
		return nil
	}
	i := offset / table.Stride
	if i >= uint64(table.n) || offset >= uint64(len(table.data)) {
		return nil
	}
	return table.Entry(int(i))
}

// Sites returns the entries whose site has one of the width bytes at offset (0: as
// 1), in the order of the sites. Each of them is a reason why these bytes can't wait for a
// module: tables of ordinary code (.call_sites, .smp_locks, __ex_table,
// __bug_table, ORC) are not read at all. There are at most maxCover for a byte:
// Read sees to that.
func (t *Tables) Sites(s *elfrw.Section, offset, width uint64) []*Entry {
	return t.overlapping(t.sites, s, offset, width)
}

// Replacements returns the entries whose replacement has one of the width bytes
// at offset, likewise.
func (t *Tables) Replacements(s *elfrw.Section, offset, width uint64) []*Entry {
	return t.overlapping(t.replacements, s, offset, width)
}

// Problem is why a section that looks like a special section is not one.
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
