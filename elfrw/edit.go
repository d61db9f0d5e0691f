// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"debug/elf"

	"golang.org/x/exp/slices"
)

// AddSection appends s to the sections, last in header order and last in the
// file, so that no other section gets a new number. s belongs to the file
// afterwards; its name is appended to the section name table by Write.
//
// A SHT_REL or SHT_RELA section linked to f.Symtab starts without relocations
// and takes them by SetRelocs; a zero EntSize is filled in for it.
func (f *File) AddSection(s *Section) {
	s.file = f
	if (s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA) && s.Link != nil && s.Link == f.Symtab {
		s.encoding = newRelocs
		if s.EntSize == 0 {
			s.EntSize = uint64(f.relocSize(s.Type))
		}
	}
	f.Sections = append(f.Sections, s)
	f.order = append(f.order, s)
	s.num = len(f.Sections)
}

// AddSymbol puts y behind the other symbols of its kind: a local one behind
// the local ones, any other at the end of the table, which renumbers nothing.
// y belongs to the file afterwards.
func (f *File) AddSymbol(y *Symbol) {
	at := len(f.Symbols)
	if y.Bind() == elf.STB_LOCAL {
		at = f.locals()
	}
	f.Symbols = slices.Insert(f.Symbols, at, y)
	for i, y := range f.Symbols[at:] {
		y.num = uint32(at + i + 1)
	}
}

// locals returns how many of f.Symbols, from the first, are local.
func (f *File) locals() int {
	for i, y := range f.Symbols {
		if y.Bind() != elf.STB_LOCAL {
			return i
		}
	}
	return len(f.Symbols)
}

// AddReloc appends r to the relocations of s, which must have some or have been
// added as a relocation section.
func (f *File) AddReloc(s *Section, r Rela) {
	s.relocs = append(s.Relocs(), r)
	s.encoding = newRelocs
}

// GoesWith returns the sections that Remove would take out with the ones given,
// these among them: the relocations that apply to them, and section groups of
// which nothing else is left.
func (f *File) GoesWith(sections []*Section) map[*Section]bool {
	gone := make(map[*Section]bool, len(sections))
	for _, s := range sections {
		gone[s] = true
	}
	delete(gone, nil) // section 0 and symbol 0 stay
	for _, s := range f.Sections {
		if gone[s.Target] && (s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA) {
			gone[s] = true
		}
	}
	stays := func(s *Section) bool { return !gone[s] }
	for _, s := range f.Sections { // a group stands in front of its members, so only now
		if s.Type == elf.SHT_GROUP && len(s.Members) > 0 && !slices.ContainsFunc(s.Members, stays) {
			gone[s] = true
		}
	}
	return gone
}

// Remove takes sections and symbols out of the file, and with the sections
// what is meaningless without them: the relocations that apply to them, the
// symbols defined in them (all of them with the symbol table), their places in
// section groups, and groups of which nothing else is left. Members of a group
// that goes alone are in no group any more (SHF_GROUP).
//
// When anything that stays refers to what should go (a relocation, sh_link,
// sh_info, a group's signature) nothing is changed and the *Error, which wraps
// ErrReferred, names the first such referrer in header order.
func (f *File) Remove(sections []*Section, symbols []*Symbol) error {
	gone := f.GoesWith(sections)
	lost := make(map[*Symbol]bool, len(symbols))
	for _, y := range symbols {
		lost[y] = true
	}
	delete(lost, nil)
	for _, y := range f.Symbols {
		if gone[y.Section] || gone[f.Symtab] {
			lost[y] = true
		}
	}
	if err := f.unreferred(gone, lost); err != nil {
		return err
	}
	f.drop(gone, lost)
	return nil
}

// unreferred returns an *Error for the first thing that stays and refers to
// what goes.
func (f *File) unreferred(gone map[*Section]bool, lost map[*Symbol]bool) error {
	if gone[f.shstrtab] {
		return f.errorf(f.shstrtab, -1, "%w by e_shstrndx", ErrReferred)
	}
	for _, s := range f.Sections {
		switch {
		case gone[s]:
		case gone[s.Link]:
			return f.errorf(s.Link, -1, "%w by sh_link of %s", ErrReferred, s)
		case gone[s.Target]:
			return f.errorf(s.Target, -1, "%w by sh_info of %s", ErrReferred, s)
		case lost[s.Signature]:
			return f.errorf(f.Symtab, -1, "symbol %s: %w as the signature of section group %s", s.Signature, ErrReferred, s)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	var err error
	f.Refers(func(y *Symbol) bool { return lost[y] }, func(r Reference) bool {
		if !gone[r.Section] {
			err = f.errorf(f.Symtab, -1, "symbol %s: %w by %s+%#x", r.Sym, ErrReferred, r.Section, r.Offset)
		}
		return err == nil
	})
	return err
}

func (f *File) drop(gone map[*Section]bool, lost map[*Symbol]bool) {
	dropSection := func(s *Section) bool { return gone[s] }
	for s := range gone {
		for _, m := range s.Members {
			m.Flags &^= uint64(elf.SHF_GROUP) // which says that a group lists it
		}
	}
	f.Sections = slices.DeleteFunc(f.Sections, dropSection)
	f.order = slices.DeleteFunc(f.order, dropSection)
	for _, s := range f.Sections {
		if s.Type == elf.SHT_GROUP {
			s.Members = slices.DeleteFunc(s.Members, dropSection)
		}
	}
	if gone[f.shndx] {
		f.shndx = nil
	}
	if gone[f.Symtab] {
		f.Symtab = nil
	}
	if len(lost) > 0 {
		f.Symbols = slices.DeleteFunc(f.Symbols, func(y *Symbol) bool { return lost[y] })
		f.numberSymbols()
	}
}
