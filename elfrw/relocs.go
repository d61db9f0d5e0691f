// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"debug/elf"
	"encoding/binary"
	"fmt"

	"golang.org/x/exp/slices"
)

// Most of a module is relocations (one known section has 133 507), so they are
// decoded section by section, on demand, into values. Sections that are not asked
// for stay bytes; when symbols get other numbers, Write patches r_info.

// NumRelocs returns how many relocations the section holds.
func (s *Section) NumRelocs() int {
	s.joinPieces()
	switch s.encoding {
	case notRelocs:
		return 0
	case rawRelocs:
		return len(s.Data) / s.file.relocSize(s.Type)
	}
	return len(s.relocs)
}

// Relocs returns the section's relocations in their order, nil when it holds
// none. The slice belongs to the section: do not change it, replace it by
// SetRelocs.
func (s *Section) Relocs() []Rela {
	s.joinPieces()
	if s.encoding == rawRelocs {
		s.relocs = s.file.decodeRelocs(s, s.Data)
		s.encoding = decodedRelocs
	}
	return s.relocs
}

// SetRelocs replaces the relocations of a section that HasRelocs. The slice
// belongs to the section afterwards.
func (s *Section) SetRelocs(r []Rela) {
	s.pieces = nil
	s.relocs, s.encoding = slices.Clip(r), newRelocs // clipped: AddReloc appends
}

// Reloc returns the i-th relocation, 0 <= i < NumRelocs(), without decoding the
// others.
func (s *Section) Reloc(i int) Rela {
	s.joinPieces()
	if s.encoding == rawRelocs {
		size := s.file.relocSize(s.Type)
		var r [1]Rela
		s.file.decodeInto(r[:], s.Data[i*size:], s.Type)
		return r[0]
	}
	return s.relocs[i]
}

// decodeRelocs decodes the entries in b, which are of s's type.
func (f *File) decodeRelocs(s *Section, b []byte) []Rela {
	relocs := make([]Rela, len(b)/f.relocSize(s.Type))
	f.decodeInto(relocs, b, s.Type)
	return relocs
}

// decodeInto decodes the first len(relocs) entries in b.
func (f *File) decodeInto(relocs []Rela, b []byte, t elf.SectionType) {
	fm, size, addend := f.format, f.relocSize(t), t == elf.SHT_RELA
	if fm.wide && !fm.big && !fm.mips64el && addend {
		f.decodeRela64LE(relocs, b)
		return
	}
	for i := range relocs {
		r, e := &relocs[i], b[:size]
		b = b[size:]
		r.Type, r.Sym, r.Addend = fm.relType(e), nil, 0
		if sym := fm.relSym(e); sym != 0 {
			r.Sym = &f.parsed[sym-1]
		}
		switch {
		case !fm.wide:
			r.Offset = uint64(fm.u32(e))
			if addend {
				r.Addend = int64(int32(fm.u32(e[8:])))
			}
		case addend:
			r.Offset, r.Addend = fm.u64(e), int64(fm.u64(e[16:]))
		default:
			r.Offset = fm.u64(e)
		}
	}
}

// decodeRela64LE is decodeInto for the form that nearly all modules have.
func (f *File) decodeRela64LE(relocs []Rela, b []byte) {
	for i := range relocs {
		e := b[24*i : 24*i+24]
		var y *Symbol
		if sym := binary.LittleEndian.Uint32(e[12:]); sym != 0 {
			y = &f.parsed[sym-1]
		}
		relocs[i] = Rela{
			Offset: binary.LittleEndian.Uint64(e),
			Sym:    y,
			Type:   binary.LittleEndian.Uint32(e[8:]),
			Addend: int64(binary.LittleEndian.Uint64(e[16:])),
		}
	}
}

// RelocReader reads a section's relocations one after another, a block at a time,
// for callers that look at each once and keep none.
type RelocReader struct {
	s     *Section
	next  int // index of the first one after block
	block []Rela
	buf   []Rela
}

// ReadRelocs returns a reader of s's relocations as they are now.
func (s *Section) ReadRelocs() *RelocReader {
	s.joinPieces()
	r := &RelocReader{s: s}
	if s.encoding != rawRelocs {
		r.block, r.next = s.relocs, len(s.relocs)
	}
	return r
}

// Next returns the next relocation, valid until the next call, or nil after the
// last.
func (r *RelocReader) Next() *Rela {
	if len(r.block) == 0 && !r.fill() {
		return nil
	}
	x := &r.block[0]
	r.block = r.block[1:]
	return x
}

// fill decodes the next block and reports whether there was one.
func (r *RelocReader) fill() bool {
	const most = 256
	n := min(most, r.s.NumRelocs()-r.next)
	if n <= 0 {
		return false
	}
	if r.buf == nil {
		r.buf = make([]Rela, n)
	}
	r.block = r.buf[:n]
	r.s.file.decodeInto(r.block, r.s.Data[r.next*r.s.file.relocSize(r.s.Type):], r.s.Type)
	r.next += n
	return true
}

// putReloc encodes r into b, or returns an error for what does not fit.
func (f *File) putReloc(b []byte, t elf.SectionType, r Rela) error {
	if err := f.relocFits(t, r); err != nil {
		return err
	}
	var sym uint32
	if r.Sym != nil {
		if sym = r.Sym.num; !f.hasSymbol(r.Sym) {
			return fmt.Errorf("relocation against %s, which is not in the file", r.Sym)
		}
	}
	if f.wide {
		f.put64(b, r.Offset)
	} else {
		f.put32(b, uint32(r.Offset))
	}
	f.putRelInfo(b, sym, r.Type)
	switch {
	case t == elf.SHT_REL:
	case f.wide:
		f.put64(b[16:], uint64(r.Addend))
	default:
		f.put32(b[8:], uint32(r.Addend))
	}
	return nil
}

// relocFits returns an error for what of r the section type or class has no room
// for.
func (f *File) relocFits(t elf.SectionType, r Rela) error {
	if t == elf.SHT_REL && r.Addend != 0 {
		return fmt.Errorf("addend %d in an SHT_REL section, which has no room for it", r.Addend)
	}
	if f.wide {
		return nil
	}
	switch {
	case r.Offset>>32 != 0:
		return fmt.Errorf("relocation offset %#x does not fit into ELF32", r.Offset)
	case r.Type > 0xff:
		return fmt.Errorf("relocation type %d does not fit into ELF32", r.Type)
	case r.Addend != int64(int32(r.Addend)):
		return fmt.Errorf("addend %#x does not fit into ELF32", r.Addend)
	case r.Sym != nil && r.Sym.num >= 1<<24:
		return fmt.Errorf("symbol number %d does not fit into ELF32's r_info", r.Sym.num)
	}
	return nil
}

// Reference is a relocation that refers to a symbol.
type Reference struct {
	Section *Section
	Index   int // in Section's relocations
	Rela
}

// Refers calls visit for each relocation against a symbol for which want
// reports true, section by section in header order, until visit returns false.
// It decodes no section that is not decoded yet.
func (f *File) Refers(want func(*Symbol) bool, visit func(Reference) bool) {
	marks := make([]bool, len(f.parsed)+1)
	for i := range f.parsed {
		marks[i+1] = want(&f.parsed[i])
	}
	for _, s := range f.Sections {
		if !f.visitSection(s, marks, want, visit) {
			return
		}
	}
}

// visitSection does what Refers does for one section; marks is want by number in
// the input. It reports whether visit wants more.
func (f *File) visitSection(s *Section, marks []bool, want func(*Symbol) bool,
	visit func(Reference) bool) bool {
	switch s.encoding {
	case rawRelocs:
		return f.visitRaw(s, 0, s.Data, marks, visit)
	case pieceRelocs:
		first := 0
		for _, p := range s.pieces {
			if !f.visitRaw(s, first, p, marks, visit) {
				return false
			}
			first += len(p) / f.relocSize(s.Type)
		}
	case decodedRelocs, newRelocs:
		for i, r := range s.relocs {
			if r.Sym != nil && want(r.Sym) && !visit(Reference{s, i, r}) {
				return false
			}
		}
	}
	return true
}

// visitRaw does what visitSection does for the entries in b, the first of which has
// the index first.
func (f *File) visitRaw(s *Section, first int, b []byte, marks []bool,
	visit func(Reference) bool) bool {
	fm, size := f.format, f.relocSize(s.Type)
	var r [1]Rela
	for i := first; len(b) > 0; i, b = i+1, b[size:] {
		if !marks[fm.relSym(b)] {
			continue
		}
		f.decodeInto(r[:], b, s.Type)
		if !visit(Reference{s, i, r[0]}) {
			return false
		}
	}
	return true
}
