// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch

import (
	"bytes"
	"cmp"
	"debug/elf"
	"sort"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
)

// image is the module's data with its pointers.
type image struct {
	f       *elfrw.File
	word    uint64 // size of a pointer
	address uint32 // the type of relocation that stores one
	relocs  map[*elfrw.Section][]*elfrw.Section
	tables  map[*elfrw.Section][]elfrw.Rela
	begins  map[elfrw.Place][]*elfrw.Symbol // symbols of functions and data
	marks   map[*elfrw.Section][]uint64
	uses    map[*elfrw.Section][]uint64
	strings map[elfrw.Place]string
}

func newImage(f *elfrw.File) *image {
	m := &image{
		f: f, word: uint64(f.PointerSize()), address: addressType(f),
		relocs: map[*elfrw.Section][]*elfrw.Section{}, tables: map[*elfrw.Section][]elfrw.Rela{},
		begins: map[elfrw.Place][]*elfrw.Symbol{}, strings: map[elfrw.Place]string{},
	}
	for _, s := range f.Sections {
		if s.HasRelocs() && s.Type == elf.SHT_RELA && s.Target != nil && s.Target.Alloc() {
			m.relocs[s.Target] = append(m.relocs[s.Target], s)
		}
	}
	for _, y := range f.Symbols {
		if y.Section != nil && (y.Type() == elf.STT_FUNC || y.Type() == elf.STT_OBJECT) {
			at := elfrw.Place{Section: y.Section, Offset: y.Value}
			m.begins[at] = append(m.begins[at], y)
		}
	}
	return m
}

// addressType returns the relocation that stores an address, 0 where no kernel has
// livepatching.
func addressType(f *elfrw.File) uint32 {
	if m := arch.Machines[f.Header.Machine]; m != nil {
		return m.Word
	}
	return 0
}

// table returns the relocations that apply to s, by offset.
func (m *image) table(s *elfrw.Section) []elfrw.Rela {
	t, ok := m.tables[s]
	if !ok {
		for _, rs := range m.relocs[s] {
			for r := rs.ReadRelocs(); ; {
				x := r.Next()
				if x == nil {
					break
				}
				t = append(t, *x)
			}
		}
		slices.SortStableFunc(t, func(a, b elfrw.Rela) int { return cmp.Compare(a.Offset, b.Offset) })
		m.tables[s] = t
	}
	return t
}

// between returns the relocations of s at offsets from from up to to.
func (m *image) between(s *elfrw.Section, from, to uint64) []elfrw.Rela {
	t := m.table(s)
	t = t[sort.Search(len(t), func(i int) bool { return t[i].Offset >= from }):]
	return t[:sort.Search(len(t), func(i int) bool { return t[i].Offset >= to })]
}

// pointer returns the relocation that stores an address at that place, or nil.
func (m *image) pointer(s *elfrw.Section, offset uint64) *elfrw.Rela {
	t := m.between(s, offset, offset+m.word)
	if len(t) == 1 && t[0].Offset == offset && t[0].Type == m.address {
		return &t[0]
	}
	return nil
}

// target returns where r points to in the module, and false when that is
// nowhere.
func target(r *elfrw.Rela) (elfrw.Place, bool) {
	if r.Sym == nil || r.Sym.Section == nil {
		return elfrw.Place{}, false
	}
	s, offset := r.Sym.Section, r.Sym.Value+uint64(r.Addend)
	return elfrw.Place{Section: s, Offset: offset}, offset <= s.Size()
}

// writable reports whether s is a section for C data that isn't const.
func writable(s *elfrw.Section) bool {
	const kind = uint64(elf.SHF_ALLOC | elf.SHF_WRITE | elf.SHF_EXECINSTR)
	return s.Flags&kind == uint64(elf.SHF_ALLOC|elf.SHF_WRITE) &&
		(s.Type == elf.SHT_PROGBITS || s.Type == elf.SHT_NOBITS)
}

// executable reports whether s is a section for code.
func executable(s *elfrw.Section) bool {
	return s.Flags&uint64(elf.SHF_ALLOC|elf.SHF_EXECINSTR) == uint64(elf.SHF_ALLOC|elf.SHF_EXECINSTR)
}

// readNumber returns the pointer-sized number at that place; 0 in SHT_NOBITS and
// past the end.
func (m *image) readNumber(s *elfrw.Section, offset uint64) uint64 {
	if size := uint64(len(s.Data)); s.Type == elf.SHT_NOBITS || offset > size || m.word > size-offset {
		return 0
	}
	if m.word == 4 {
		return uint64(m.f.Uint32(s.Data[offset:]))
	}
	return m.f.Uint64(s.Data[offset:])
}

// readFlag returns the bool at that place.
func readFlag(s *elfrw.Section, offset uint64) bool {
	return offset < uint64(len(s.Data)) && s.Data[offset] != 0
}

// nameLimit is more than the kernel allows for a name (KSYM_NAME_LEN, 512).
const nameLimit = 1024

// readText returns the string at p, and false where that cannot be a
// name.
func (m *image) readText(p elfrw.Place) (string, bool) {
	if s, ok := m.strings[p]; ok {
		return s, s != ""
	}
	if p.Section.Type != elf.SHT_PROGBITS || !p.Section.Alloc() || executable(p.Section) {
		return "", false
	}
	b := p.Section.Data[p.Offset:]
	b = b[:min(len(b), nameLimit)]
	end := bytes.IndexByte(b, 0)
	if end <= 0 {
		return "", false
	}
	for _, c := range b[:end] {
		if c <= ' ' || c > '~' {
			return "", false
		}
	}
	s := string(b[:end])
	m.strings[p] = s
	return s, true
}

// readName returns the string that r points to.
func (m *image) readName(r *elfrw.Rela) (string, bool) {
	if r == nil {
		return "", false
	}
	p, ok := target(r)
	if !ok {
		return "", false
	}
	return m.readText(p)
}

// readCode returns the function that r points to, and false when that is no code.
func (m *image) readCode(r *elfrw.Rela) (Code, bool) {
	if r.Sym != nil && r.Sym.Undefined() && r.Sym.Name != "" && r.Addend == 0 {
		return Code{Symbol: r.Sym}, true
	}
	p, ok := target(r)
	if !ok || !executable(p.Section) || p.Offset >= p.Section.Size() {
		return Code{}, false
	}
	c := Code{Section: p.Section, Offset: p.Offset}
	if r.Addend == 0 && r.Sym.Type() != elf.STT_SECTION && r.Sym.Name != "" {
		c.Symbol = r.Sym
	}
	if c.Symbol == nil || c.Symbol.Type() != elf.STT_FUNC {
		if y := m.symbol(p, elf.STT_FUNC); y != nil {
			c.Symbol = y
		}
	}
	return c, true
}

// symbol returns the symbol of that type that begins at p, the longest and of
// these the first, or nil.
func (m *image) symbol(p elfrw.Place, t elf.SymType) (found *elfrw.Symbol) {
	for _, y := range m.begins[p] {
		if y.Type() == t && (found == nil || y.Size > found.Size) {
			found = y
		}
	}
	return found
}

// extent returns how many bytes from p on belong to what begins there, and
// whether its symbol says so. Otherwise it ends where the next thing begins
// that has a symbol or is pointed to.
func (m *image) extent(p elfrw.Place) (size uint64, exact bool) {
	all := p.Section.Size() - p.Offset
	if y := m.symbol(p, elf.STT_OBJECT); y != nil && y.Size != 0 {
		return min(y.Size, all), y.Size <= all
	}
	if m.marks == nil {
		m.collectMarks()
	}
	marks := m.marks[p.Section]
	if i := sort.Search(len(marks), func(i int) bool { return marks[i] > p.Offset }); i < len(marks) {
		all = min(all, marks[i]-p.Offset)
	}
	return all, false
}

// collectMarks collects where things begin in writable data.
func (m *image) collectMarks() {
	m.marks = map[*elfrw.Section][]uint64{}
	for at := range m.begins {
		if writable(at.Section) {
			m.marks[at.Section] = append(m.marks[at.Section], at.Offset)
		}
	}
	for s := range m.relocs {
		if !writable(s) {
			continue
		}
		for _, r := range m.table(s) {
			if p, ok := target(&r); ok && r.Type == m.address && writable(p.Section) {
				m.marks[p.Section] = append(m.marks[p.Section], p.Offset)
			}
		}
	}
	for _, marks := range m.marks {
		slices.Sort(marks)
	}
}

// codeRefers reports whether code refers to a place in p, which it may then
// fill in.
func (m *image) codeRefers(p elfrw.Range) bool {
	if m.uses == nil {
		m.collectUses()
	}
	uses := m.uses[p.Section]
	i := sort.Search(len(uses), func(i int) bool { return uses[i] >= p.Offset })
	return i < len(uses) && uses[i]-p.Offset < p.Size
}

// collectUses collects what code refers to in writable data.
func (m *image) collectUses() {
	m.uses = map[*elfrw.Section][]uint64{}
	for s, all := range m.relocs {
		if !executable(s) {
			continue
		}
		for _, rs := range all {
			for r := rs.ReadRelocs(); ; {
				x := r.Next()
				if x == nil {
					break
				}
				if to, offset, ok := arch.Target(m.f, s, x); ok && writable(to) {
					m.uses[to] = append(m.uses[to], offset)
				}
			}
		}
	}
	for _, uses := range m.uses {
		slices.Sort(uses)
	}
}
