// SPDX-License-Identifier: GPL-2.0-or-later

package proof

import (
	"debug/elf"
	"fmt"
	"sort"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Entries that leave special tables. Which ones do is found out again from before, by the
// shared rules for late relocations; where they begin and end, and what is left of the tables,
// is found out here.

// entryFormat is one format of a special table's entries, as far as its size and the places
// of its relocations go.
type entryFormat struct {
	size   uint64
	tails  []uint64 // sizes that the last entry may have instead
	fields []entryField
}

// entryField is a field that is relocated.
type entryField struct {
	at       uint64
	width    int  // 4 or 8 bytes
	absolute bool // an address, and not a distance
	optional bool // an alternative by nothing has no replacement (static_cpu_has up to 5.12)
}

// two is what most entries begin with: two distances of 32 bits.
func two(optional bool) []entryField {
	return []entryField{{at: 0, width: 4}, {at: 4, width: 4, optional: optional}}
}

const alternatives = ".altinstructions"

// Formats by the names of sections (arch/x86/include/asm/alternative.h, struct alt_instr:
// 13 bytes in 4.0 to 5.12, 12 in 5.13 to 6.2, 14 since 6.3; arch/s390/include/asm/alternative.h:
// 12, 11 and 13; arm64 and loongarch 12. arch/x86/include/asm/paravirt_types.h, struct
// paravirt_patch_site: 16, the last entry without its padding. include/linux/jump_label.h,
// struct jump_entry, with CONFIG_HAVE_ARCH_JUMP_LABEL_RELATIVE or without.
// include/linux/static_call_types.h, struct static_call_site: 8).
func formatsOf(f *elfrw.File, section string) []entryFormat {
	word := f.PointerSize()
	switch section {
	case alternatives:
		var all []entryFormat
		for _, size := range []uint64{11, 12, 13, 14} {
			all = append(all, entryFormat{size: size, fields: two(true)})
		}
		return all
	case ".parainstructions":
		site := []entryField{{width: 8, absolute: true}}
		return []entryFormat{{size: 16, tails: []uint64{10, 12}, fields: site}}
	case "__jump_table":
		w := uint64(word)
		return []entryFormat{
			{size: 8 + w, fields: append(two(false), entryField{at: 8, width: word})},
			{size: 3 * w, fields: []entryField{
				{width: word, absolute: true},
				{at: w, width: word, absolute: true},
				{at: 2 * w, width: word, absolute: true},
			}},
		}
	case ".static_call_sites":
		return []entryFormat{{size: 8, fields: two(false)}}
	}
	return nil
}

// relocTypes are the numbers of a machine's relocations that fields have: a distance of 32
// and of 64 bits, and an address (the psABIs).
type relocTypes struct {
	near, far, address []uint32
}

var machineTypes = map[elf.Machine]relocTypes{
	// R_X86_64_PC32 and PLT32; PC64; 64
	elf.EM_X86_64: {near: []uint32{2, 4}, far: []uint32{24}, address: []uint32{1}},
	// R_390_PC32; PC64; 64
	elf.EM_S390: {near: []uint32{5}, far: []uint32{23}, address: []uint32{22}},
	// R_PPC64_REL32; REL64; ADDR64
	elf.EM_PPC64: {near: []uint32{26}, far: []uint32{44}, address: []uint32{38}},
	// R_PPC_REL32; ADDR32
	elf.EM_PPC: {near: []uint32{26}, address: []uint32{1}},
	// R_AARCH64_PREL32; PREL64; ABS64
	elf.EM_AARCH64: {near: []uint32{261}, far: []uint32{260}, address: []uint32{257}},
	// R_LARCH_32_PCREL; 64_PCREL; 64
	elf.EM_LOONGARCH: {near: []uint32{99}, far: []uint32{109}, address: []uint32{2}},
}

// takes reports whether a relocation of that type can be the field's.
func (x relocTypes) takes(field entryField, typ uint32) bool {
	switch {
	case field.absolute:
		return slices.Contains(x.address, typ)
	case field.width == 8:
		return slices.Contains(x.far, typ)
	}
	return slices.Contains(x.near, typ)
}

// tableEdit says which entries a special table loses.
type tableEdit struct {
	entries []lostEntry // by place
	sums    []uint64    // bytes of the entries in front of each, and of all
}

// lostEntry is an entry that leaves its table.
type lostEntry struct {
	offset, size uint64
	stride       uint64 // size of the table's other entries
	object       string // whose .klp.arch section it goes to; "": to none
}

// at returns how many bytes of lost entries are in front of an offset, and the one that holds
// it, nil when it stays.
func (t *tableEdit) at(offset uint64) (before uint64, in *lostEntry) {
	i := sort.Search(len(t.entries), func(i int) bool {
		return t.entries[i].offset+t.entries[i].size > offset
	})
	if i < len(t.entries) && t.entries[i].offset <= offset {
		in = &t.entries[i]
	}
	return t.sums[i], in
}

// left returns the contents that the table s keeps.
func (t *tableEdit) left(s *elfrw.Section) []byte {
	var out []byte
	from := uint64(0)
	for _, e := range t.entries {
		out = append(out, s.Data[from:e.offset]...)
		from = e.offset + e.size
	}
	return append(out, s.Data[from:]...)
}

// tableEdits finds out which entries have to leave their tables.
func tableEdits(before *elfrw.File, m *meanings) (map[*elfrw.Section]*tableEdit, error) {
	late := mayBeLate(m)
	annotated := make([]bool, len(before.Symbols)+1) // by number
	for y := range m.notes {
		annotated[y.Num()] = true
	}
	nameOf := func(y *elfrw.Symbol) string {
		if notes := m.notes[y]; len(notes) > 0 {
			return notes[0].Name
		}
		return ""
	}
	rules := newLateRules(before, m.gates, nameOf, m.claims)
	lost := map[*elfrw.Section]map[uint64]string{} // objects by offset of the entry
	for _, rs := range before.Sections {
		s := rs.Target
		if !rs.HasRelocs() || s == nil || s.Flags&flagAlloc == 0 || m.removed[s] ||
			!late && s.Name != alternatives {
			continue
		}
		for in := rs.ReadRelocs(); ; {
			r := in.Next()
			if r == nil {
				break
			}
			if r.Sym == nil || !annotated[r.Sym.Num()] {
				continue
			}
			x := *r
			_, gate := m.gates.choose(m.notes[r.Sym], s, x.Offset)
			leave, works := rules.judge(s, &x, gate)
			if !works && !m.claims.Unsafe {
				return nil, fmt.Errorf("%s+%#x: a klp relocation for %s in what the kernel has patched by then",
					rs, x.Offset, gate)
			}
			for _, c := range leave {
				table := c.Entry.Section
				if lost[table] == nil {
					lost[table] = map[uint64]string{}
				}
				if object, taken := lost[table][c.Entry.Offset]; taken && object != c.Object {
					return nil, fmt.Errorf("%s+%#x is for %s and for %s",
						table, c.Entry.Offset, object, c.Object)
				}
				lost[table][c.Entry.Offset] = c.Object
			}
		}
	}
	edits := map[*elfrw.Section]*tableEdit{}
	for table, entries := range lost {
		edit, err := measure(before, table, entries)
		if err != nil {
			return nil, err
		}
		edits[table] = edit
	}
	return edits, nil
}

// mayBeLate reports whether any klp relocation can be one that waits for its object. All
// others are wrong as a replacement only, which the kernel copies whenever it is resolved.
func mayBeLate(m *meanings) bool {
	for _, notes := range m.notes {
		for _, a := range notes {
			if !appliesEarly(m.claims) || a.Object != vmlinux {
				return true
			}
		}
	}
	return false
}

// measure finds where the entries at these offsets of a table end, by the format of the table
// that this file knows.
func measure(f *elfrw.File, table *elfrw.Section, objects map[uint64]string) (*tableEdit, error) {
	relocs := relocsOf(f, table)
	format, err := formatOf(f, table, relocs)
	if err != nil {
		return nil, err
	}
	edit := &tableEdit{sums: []uint64{0}}
	for offset, object := range objects {
		if offset%format.size != 0 || offset >= uint64(len(table.Data)) {
			return nil, fmt.Errorf("%s+%#x: no entry of %d bytes begins there",
				table, offset, format.size)
		}
		size := min(format.size, uint64(len(table.Data))-offset)
		edit.entries = append(edit.entries, lostEntry{offset, size, format.size, object})
	}
	slices.SortFunc(edit.entries, func(a, b lostEntry) int { return order(a.offset, b.offset) })
	types := machineTypes[f.Header.Machine]
	for _, e := range edit.entries {
		if !format.complete(types, e.offset, relocs) {
			return nil, fmt.Errorf("%s+%#x: not an entry of %d bytes, by its relocations",
				table, e.offset, format.size)
		}
		edit.sums = append(edit.sums, edit.sums[len(edit.sums)-1]+e.size)
	}
	return edit, nil
}

func order(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// relocsOf returns the relocations that apply to s, by place.
func relocsOf(f *elfrw.File, s *elfrw.Section) []elfrw.Rela {
	var all []elfrw.Rela
	for _, rs := range f.Sections {
		if rs.HasRelocs() && rs.Target == s {
			all = append(all, rs.Relocs()...)
		}
	}
	slices.SortStableFunc(all, func(a, b elfrw.Rela) int { return order(a.Offset, b.Offset) })
	return all
}

// formatOf returns the format of a table: of those that its size allows, the one in whose
// fields most relocations are.
func formatOf(f *elfrw.File, table *elfrw.Section, relocs []elfrw.Rela) (*entryFormat, error) {
	var best *entryFormat
	most := -1
	types := machineTypes[f.Header.Machine]
	formats := formatsOf(f, table.Name)
	for i := range formats {
		x := &formats[i]
		rest := uint64(len(table.Data)) % x.size
		if rest != 0 && !slices.Contains(x.tails, rest) ||
			table.EntSize > 1 && table.EntSize != x.size {
			continue
		}
		n := 0
		for k := range relocs {
			if x.fieldOf(types, relocs[k].Offset%x.size, relocs[k].Type) >= 0 {
				n++
			}
		}
		if n > most {
			best, most = x, n
		}
	}
	if best == nil {
		return nil, fmt.Errorf("%s of %#x bytes: no format has entries that fill it",
			table, len(table.Data))
	}
	return best, nil
}

// fieldOf returns which field a relocation is of, at that place of an entry; -1: none.
func (x *entryFormat) fieldOf(types relocTypes, at uint64, typ uint32) int {
	return slices.IndexFunc(x.fields, func(field entryField) bool {
		return field.at == at && types.takes(field, typ)
	})
}

// complete reports whether the entry at offset has a relocation in each field.
func (x *entryFormat) complete(types relocTypes, offset uint64, relocs []elfrw.Rela) bool {
	have := make([]bool, len(x.fields))
	first := sort.Search(len(relocs), func(i int) bool { return relocs[i].Offset >= offset })
	for _, r := range relocs[first:] {
		if r.Offset-offset >= x.size {
			break
		}
		if i := x.fieldOf(types, r.Offset-offset, r.Type); i >= 0 {
			have[i] = true
		}
	}
	for i, field := range x.fields {
		if !have[i] && !field.optional {
			return false
		}
	}
	return true
}
