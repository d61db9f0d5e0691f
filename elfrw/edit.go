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
// and gets them from SetRelocs; a zero EntSize is filled in.
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

// AddSymbol adds y after the other symbols of its kind: a local one after the
// local ones, any other at the end of the table, which renumbers nothing.
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

// GoesWith returns the sections that Remove would remove together with the given
// ones, these included: the relocations that apply to them, and section groups
// that would have no members left.
func (f *File) GoesWith(sections []*Section) map[*Section]bool {
	removed := make(map[*Section]bool, len(sections))
	for _, s := range sections {
		removed[s] = true
	}
	delete(removed, nil) // section 0 and symbol 0 stay
	for _, s := range f.Sections {
		if removed[s.Target] && (s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA) {
			removed[s] = true
		}
	}
	stays := func(s *Section) bool { return !removed[s] }
	for _, s := range f.Sections { // a group comes before its members, so only now
		if s.Type == elf.SHT_GROUP && len(s.Members) > 0 && !slices.ContainsFunc(s.Members, stays) {
			removed[s] = true
		}
	}
	return removed
}

// Remove removes sections and symbols from the file, and with the sections
// what is meaningless without them: the relocations that apply to them, the
// symbols defined in them (all symbols with the symbol table), their entries in
// section groups, and groups that have no members left. Members of a group that
// is removed without them lose SHF_GROUP.
//
// When anything that stays refers to what would be removed (a relocation, sh_link,
// sh_info, a group's signature), nothing is changed and the *Error, which wraps
// ErrReferred, names the first such referrer in header order.
func (f *File) Remove(sections []*Section, symbols []*Symbol) error {
	removed := f.GoesWith(sections)
	removedSyms := make(map[*Symbol]bool, len(symbols))
	for _, y := range symbols {
		removedSyms[y] = true
	}
	delete(removedSyms, nil)
	for _, y := range f.Symbols {
		if removed[y.Section] || removed[f.Symtab] {
			removedSyms[y] = true
		}
	}
	if err := f.checkUnreferred(removed, removedSyms); err != nil {
		return err
	}
	f.dropMarked(removed, removedSyms)
	return nil
}

// checkUnreferred returns an *Error for the first thing that stays and refers to
// what is to be removed.
func (f *File) checkUnreferred(removed map[*Section]bool, removedSyms map[*Symbol]bool) error {
	if removed[f.shstrtab] {
		return f.errorf(f.shstrtab, -1, "%w by e_shstrndx", ErrReferred)
	}
	for _, s := range f.Sections {
		switch {
		case removed[s]:
		case removed[s.Link]:
			return f.errorf(s.Link, -1, "%w by sh_link of %s", ErrReferred, s)
		case removed[s.Target]:
			return f.errorf(s.Target, -1, "%w by sh_info of %s", ErrReferred, s)
		case removedSyms[s.Signature]:
			return f.errorf(f.Symtab, -1, "symbol %s: %w as the signature of section group %s",
				s.Signature, ErrReferred, s)
		}
	}
	if len(removedSyms) == 0 {
		return nil
	}
	var err error
	f.Refers(func(y *Symbol) bool { return removedSyms[y] }, func(r Reference) bool {
		if !removed[r.Section] {
			err = f.errorf(f.Symtab, -1, "symbol %s: %w by %s+%#x", r.Sym, ErrReferred, r.Section,
				r.Offset)
		}
		return err == nil
	})
	return err
}

// dropMarked removes the given sections and symbols, to which nothing else refers.
func (f *File) dropMarked(removed map[*Section]bool, removedSyms map[*Symbol]bool) {
	dropSection := func(s *Section) bool { return removed[s] }
	for s := range removed {
		for _, m := range s.Members {
			m.Flags &^= uint64(elf.SHF_GROUP) // the flag says that a group lists it
		}
	}
	f.Sections = slices.DeleteFunc(f.Sections, dropSection)
	f.order = slices.DeleteFunc(f.order, dropSection)
	for _, s := range f.Sections {
		if s.Type == elf.SHT_GROUP {
			s.Members = slices.DeleteFunc(s.Members, dropSection)
		}
	}
	if removed[f.shndx] {
		f.shndx = nil
	}
	if removed[f.Symtab] {
		f.Symtab = nil
	}
	if len(removedSyms) > 0 {
		f.Symbols = slices.DeleteFunc(f.Symbols, func(y *Symbol) bool { return removedSyms[y] })
		f.numberSymbols()
	}
}
