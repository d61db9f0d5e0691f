// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"debug/elf"
	"errors"
	"strings"
)

// Verify checks every invariant that a File owes, and returns all violations
// joined, each an *Error, or nil. Parse only checks what it needs to build the
// model; Verify is the statement of what a sound file is, for the result of an
// edit before it is written. It decodes no relocations for it.
func (f *File) Verify() error {
	v := &verifier{File: f}
	f.numberSections()
	v.check(nil, v.in(f.shstrtab), "the section name table is not in the file")
	v.order()
	v.symbols()
	for i, s := range f.Sections {
		v.check(s, s.num == i+1, "has two headers")
		v.section(s)
		v.group(s)
		v.relocations(s)
	}
	return errors.Join(v.found...)
}

// maxFindings bounds what Verify reports of a file that is wrong everywhere.
const maxFindings = 100

type verifier struct {
	known []bool // by number in the input: whether the symbol is still there; made when needed
	*File
	found []error
}

func (v *verifier) check(s *Section, ok bool, format string, args ...any) {
	v.checkAt(s, -1, ok, format, args...)
}

func (v *verifier) checkAt(s *Section, off int64, ok bool, format string, args ...any) {
	if !ok && len(v.found) < maxFindings {
		v.found = append(v.found, v.errorf(s, off, format, args...))
	}
}

// order: header order and file order are two orders of the same sections.
func (v *verifier) order() {
	if v.odd != nil {
		return // not laid out anew, so there may be none
	}
	v.check(nil, len(v.File.order) == len(v.Sections), "%d sections have a place in the file, but there are %d headers", len(v.File.order), len(v.Sections))
	seen := make([]bool, len(v.Sections))
	for _, s := range v.File.order {
		if !v.in(s) {
			v.check(s, false, "has a place in the file, but no header")
			continue
		}
		v.check(s, !seen[s.num-1], "has two places in the file")
		seen[s.num-1] = true
	}
}

func (v *verifier) in(s *Section) bool { return s == nil || v.hasSection(s) }

// section: what it refers to is in the file and of the right kind (gABI,
// "sh_link and sh_info Interpretation").
func (v *verifier) section(s *Section) {
	v.check(s, s.Align&(s.Align-1) == 0 || s.Type == elf.SHT_NULL, "alignment %#x is not a power of two", s.Align)
	v.check(s, v.in(s.Link), "sh_link: %s is not in the file", s.Link)
	v.check(s, v.in(s.Target), "sh_info: %s is not in the file", s.Target)
	v.check(s, s.Target == nil || infoIsSection(s), "has a target, but its type is %v and SHF_INFO_LINK is not set", s.Type)
	v.check(s, s.Name == s.origName || v.shstrtab != nil, "the file has no section name table to put the name into")
	v.check(s, s.Name == s.origName || !strings.Contains(s.Name, "\x00"), "NUL in name %q", s.Name)
	v.check(s, v.wide || (s.Flags|s.Addr|s.Align|s.EntSize|s.Size())>>32 == 0, "header field does not fit into ELF32")
	v.check(s, s.Type != elf.SHT_NOBITS || s.Data == nil, "SHT_NOBITS section with contents")
	switch s.Type {
	case elf.SHT_SYMTAB:
		v.check(s, s == v.Symtab, "second symbol table")
		v.check(s, s.Link != nil && s.Link.Type == elf.SHT_STRTAB, "sh_link of the symbol table is %s, not a string table", s.Link)
		v.check(s, s.EntSize == uint64(v.symSize()), "sh_entsize of the symbol table is %d, want %d", s.EntSize, v.symSize())
	case elf.SHT_SYMTAB_SHNDX:
		v.check(s, s == v.shndx, "second SHT_SYMTAB_SHNDX section")
		v.check(s, s.Link == v.Symtab, "sh_link of SHT_SYMTAB_SHNDX is %s, not the symbol table", s.Link)
	case elf.SHT_STRTAB:
		n := len(s.Data)
		v.check(s, n == 0 || s.Data[0] == 0 && s.Data[n-1] == 0, "string table does not begin and end with NUL")
	}
	if s.Flags&flagLinkOrder != 0 && s.Link != nil {
		v.check(s, s.Link != s, "SHF_LINK_ORDER section linked to itself")
	}
}

// symbols: local ones first, each in a section of the file or in a reserved
// one, so that none comes out with a number the kernel refuses
// (kernel/module/main.c, simplify_symbols: "invalid section index").
func (v *verifier) symbols() {
	v.check(nil, v.Symtab != nil || len(v.Symbols) == 0, "%d symbols, but no symbol table", len(v.Symbols))
	if v.Symtab == nil {
		return
	}
	v.check(v.Symtab, v.in(v.Symtab), "the symbol table is not in the file")
	v.numberSymbols()
	locals := v.locals()
	for i, y := range v.Symbols {
		v.symbol(i+1, y, i >= locals)
	}
}

// symbol reports the first thing wrong with y, of which there are many.
func (v *verifier) symbol(n int, y *Symbol, global bool) {
	fail := func(format string, args ...any) { v.check(v.Symtab, false, format, args...) }
	switch {
	case y.num != uint32(n):
		fail("symbol %d (%s) is also symbol %d", n, y, y.num)
	case !v.in(y.Section):
		fail("symbol %d (%s) is in %s, which is not in the file", n, y, y.Section)
	case global && y.Bind() == elf.STB_LOCAL:
		fail("local symbol %d (%s) behind global ones", n, y)
	case y.Section == nil && y.Index != elf.SHN_UNDEF && (y.Index < elf.SHN_LORESERVE || y.Index >= elf.SHN_XINDEX):
		fail("symbol %d (%s) has section index %#x, which is neither a section nor reserved", n, y, int(y.Index))
	case y.Name != y.origName && strings.Contains(y.Name, "\x00"):
		fail("symbol %d: NUL in name %q", n, y.Name)
	case !v.wide && (y.Value|y.Size)>>32 != 0:
		fail("symbol %d (%s): value or size does not fit into ELF32", n, y)
	}
}

func (v *verifier) group(s *Section) {
	if s.Type != elf.SHT_GROUP {
		return
	}
	v.check(s, s.Link != nil && s.Link == v.Symtab, "section group is linked to %s, not to the symbol table", s.Link)
	v.check(s, s.Signature != nil && v.has(s.Signature), "signature of the section group is not in the file")
	for _, m := range s.Members {
		v.check(s, m != nil && v.in(m), "member %s of the section group is not in the file", m)
	}
}

// relocations: each names a symbol of the file and a place in its target.
func (v *verifier) relocations(s *Section) {
	if !s.HasRelocs() {
		return
	}
	v.check(s, s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA, "relocations in a section of type %v", s.Type)
	v.check(s, s.Link == v.Symtab, "relocations are linked to %s, not to the symbol table", s.Link)
	v.check(s, s.EntSize == uint64(v.relocSize(s.Type)), "sh_entsize of relocations is %d, want %d", s.EntSize, v.relocSize(s.Type))
	size := ^uint64(0)
	if s.Target != nil && s.Target.Flags&uint64(elf.SHF_COMPRESSED) == 0 { // else offsets count bytes that are packed
		size = s.Target.Size()
	}
	s.join()
	if s.encoding == rawRelocs {
		v.rawRelocations(s, size)
		return
	}
	for i := range s.relocs {
		r := &s.relocs[i]
		known := r.Sym == nil || v.has(r.Sym)
		if r.Offset < size && known && v.wide && s.Type == elf.SHT_RELA {
			continue
		}
		v.checkAt(s, int64(r.Offset), known, "relocation against %s, which is not in the file", r.Sym)
		v.checkAt(s, int64(r.Offset), inTarget(r.Offset, size, r.Type), "relocation behind the end of %s (%#x bytes)", s.Target, size)
		if err := v.relocFits(s.Type, *r); err != nil {
			v.checkAt(s, int64(r.Offset), false, "%w", err)
		}
	}
}

func (v *verifier) rawRelocations(s *Section, size uint64) {
	if v.known == nil {
		v.known = make([]bool, len(v.parsed)+1)
		v.known[0] = true
		for i := range v.parsed {
			v.known[i+1] = v.has(&v.parsed[i])
		}
	}
	fm, width := v.format, v.relocSize(s.Type)
	for b := s.Data; len(b) > 0; b = b[width:] {
		off := uint64(fm.u32(b))
		if fm.wide {
			off = fm.u64(b)
		}
		sym := fm.relSym(b)
		if off < size && v.known[sym] {
			continue
		}
		v.checkAt(s, int64(off), v.known[sym], "relocation against symbol %d of the input, which is not in the file any more", sym)
		v.checkAt(s, int64(off), inTarget(off, size, fm.relType(b)), "relocation behind the end of %s (%#x bytes)", s.Target, size)
	}
}

// inTarget: a relocation of type 0 (NONE, on every machine) changes nothing
// and may stand anywhere; compilers put them at the very end.
func inTarget(off, size uint64, typ uint32) bool { return off < size || typ == 0 }
