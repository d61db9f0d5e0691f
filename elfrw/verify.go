// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"debug/elf"
	"errors"
	"strings"
)

// Verify checks every invariant of a File and returns all violations joined, each
// an *Error, or nil. Parse checks only what it needs to build the model; Verify
// defines what a sound file is, and checks the result of an edit before it is
// written. It decodes no relocations.
func (f *File) Verify() error {
	v := &verifier{File: f}
	f.numberSections()
	v.check(nil, v.contains(f.shstrtab), "the section name table is not in the file")
	v.checkOrder()
	v.checkSymbols()
	for i, s := range f.Sections {
		v.check(s, s.num == i+1, "has two headers")
		v.checkSection(s)
		v.checkGroup(s)
		v.checkRelocs(s)
	}
	return errors.Join(v.found...)
}

// maxFindings bounds what Verify reports of a file that is wrong everywhere.
const maxFindings = 100

// verifier collects what Verify finds.
type verifier struct {
	known []bool // by number in the input: whether the file still has the symbol; made when needed
	*File
	found []error
}

// check reports a violation about s (nil: about the file) unless ok.
func (v *verifier) check(s *Section, ok bool, format string, args ...any) {
	v.checkAt(s, -1, ok, format, args...)
}

// checkAt is check at an offset.
func (v *verifier) checkAt(s *Section, off int64, ok bool, format string, args ...any) {
	if !ok && len(v.found) < maxFindings {
		v.found = append(v.found, v.errorf(s, off, format, args...))
	}
}

// checkOrder checks that header order and file order are orders of the same
// sections.
func (v *verifier) checkOrder() {
	if v.irregular != nil {
		return // not laid out again, so there may be no file order
	}
	v.check(nil, len(v.order) == len(v.Sections),
		"%d sections have a place in the file, but there are %d headers", len(v.order),
		len(v.Sections))
	seen := make([]bool, len(v.Sections))
	for _, s := range v.order {
		if !v.contains(s) {
			v.check(s, false, "has a place in the file, but no header")
			continue
		}
		v.check(s, !seen[s.num-1], "has two places in the file")
		seen[s.num-1] = true
	}
}

// contains reports whether s is nil or one of the file's sections.
func (v *verifier) contains(s *Section) bool { return s == nil || v.hasSection(s) }

// checkSection checks that what s refers to is in the file and of the right kind
// (gABI, "sh_link and sh_info Interpretation").
func (v *verifier) checkSection(s *Section) {
	v.check(s, s.Align&(s.Align-1) == 0 || s.Type == elf.SHT_NULL,
		"alignment %#x is not a power of two", s.Align)
	v.check(s, v.contains(s.Link), "sh_link: %s is not in the file", s.Link)
	v.check(s, v.contains(s.Target), "sh_info: %s is not in the file", s.Target)
	v.check(s, s.Target == nil || infoIsSection(s),
		"has a target, but its type is %v and SHF_INFO_LINK is not set", s.Type)
	v.check(s, s.Name == s.origName || v.shstrtab != nil,
		"the file has no section name table to put the name into")
	v.check(s, s.Name == s.origName || !strings.Contains(s.Name, "\x00"), "NUL in name %q", s.Name)
	v.check(s, v.wide || (s.Flags|s.Addr|s.Align|s.EntSize|s.Size())>>32 == 0,
		"header field does not fit into ELF32")
	v.check(s, s.Type != elf.SHT_NOBITS || s.Data == nil, "SHT_NOBITS section with contents")
	switch s.Type {
	case elf.SHT_SYMTAB:
		v.check(s, s == v.Symtab, "second symbol table")
		v.check(s, s.Link != nil && s.Link.Type == elf.SHT_STRTAB,
			"sh_link of the symbol table is %s, not a string table", s.Link)
		v.check(s, s.EntSize == uint64(v.symSize()),
			"sh_entsize of the symbol table is %d, want %d", s.EntSize, v.symSize())
	case elf.SHT_SYMTAB_SHNDX:
		v.check(s, s == v.shndx, "second SHT_SYMTAB_SHNDX section")
		v.check(s, s.Link == v.Symtab, "sh_link of SHT_SYMTAB_SHNDX is %s, not the symbol table",
			s.Link)
	case elf.SHT_STRTAB:
		n := len(s.Data)
		v.check(s, n == 0 || s.Data[0] == 0 && s.Data[n-1] == 0,
			"string table does not begin and end with NUL")
	}
	if s.Flags&flagLinkOrder != 0 && s.Link != nil {
		v.check(s, s.Link != s, "SHF_LINK_ORDER section linked to itself")
	}
}

// checkSymbols checks that local symbols come first, and that each is in a section
// of the file or a reserved one, so that none gets a number that the kernel refuses
// (kernel/module/main.c, simplify_symbols: "invalid section index").
func (v *verifier) checkSymbols() {
	v.check(nil, v.Symtab != nil || len(v.Symbols) == 0, "%d symbols, but no symbol table",
		len(v.Symbols))
	if v.Symtab == nil {
		return
	}
	v.check(v.Symtab, v.contains(v.Symtab), "the symbol table is not in the file")
	v.numberSymbols()
	locals := v.locals()
	for i, y := range v.Symbols {
		v.checkSymbol(i+1, y, i >= locals)
	}
}

// checkSymbol reports the first violation of y, the n-th symbol.
func (v *verifier) checkSymbol(n int, y *Symbol, global bool) {
	fail := func(format string, args ...any) { v.check(v.Symtab, false, format, args...) }
	switch {
	case y.num != uint32(n):
		fail("symbol %d (%s) is also symbol %d", n, y, y.num)
	case !v.contains(y.Section):
		fail("symbol %d (%s) is in %s, which is not in the file", n, y, y.Section)
	case global && y.Bind() == elf.STB_LOCAL:
		fail("local symbol %d (%s) after global ones", n, y)
	case y.Section == nil && y.Index != elf.SHN_UNDEF &&
		(y.Index < elf.SHN_LORESERVE || y.Index >= elf.SHN_XINDEX):
		fail("symbol %d (%s) has section index %#x, which is neither a section nor reserved", n, y,
			int(y.Index))
	case y.Name != y.origName && strings.Contains(y.Name, "\x00"):
		fail("symbol %d: NUL in name %q", n, y.Name)
	case !v.wide && (y.Value|y.Size)>>32 != 0:
		fail("symbol %d (%s): value or size does not fit into ELF32", n, y)
	}
}

// checkGroup checks that what a section group refers to is in the file.
func (v *verifier) checkGroup(s *Section) {
	if s.Type != elf.SHT_GROUP {
		return
	}
	v.check(s, s.Link != nil && s.Link == v.Symtab,
		"section group is linked to %s, not to the symbol table", s.Link)
	v.check(s, s.Signature != nil && v.hasSymbol(s.Signature),
		"signature of the section group is not in the file")
	for _, m := range s.Members {
		v.check(s, m != nil && v.contains(m), "member %s of the section group is not in the file",
			m)
	}
}

// checkRelocs checks that each relocation refers to a symbol of the file and is
// inside its target.
func (v *verifier) checkRelocs(s *Section) {
	if !s.HasRelocs() {
		return
	}
	v.check(s, s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA,
		"relocations in a section of type %v", s.Type)
	v.check(s, s.Link == v.Symtab, "relocations are linked to %s, not to the symbol table", s.Link)
	v.check(s, s.EntSize == uint64(v.relocSize(s.Type)), "sh_entsize of relocations is %d, want %d",
		s.EntSize, v.relocSize(s.Type))
	size := ^uint64(0)
	// else offsets are of the unpacked contents
	if s.Target != nil && s.Target.Flags&uint64(elf.SHF_COMPRESSED) == 0 {
		size = s.Target.Size()
	}
	s.joinPieces()
	if s.encoding == rawRelocs {
		v.checkRawRelocs(s, size)
		return
	}
	for i := range s.relocs {
		r := &s.relocs[i]
		known := r.Sym == nil || v.hasSymbol(r.Sym)
		if r.Offset < size && known && v.wide && s.Type == elf.SHT_RELA {
			continue
		}
		v.checkAt(s, int64(r.Offset), known, "relocation against %s, which is not in the file",
			r.Sym)
		v.checkAt(s, int64(r.Offset), inTarget(r.Offset, size, r.Type),
			"relocation past the end of %s (%#x bytes)", s.Target, size)
		if err := v.relocFits(s.Type, *r); err != nil {
			v.checkAt(s, int64(r.Offset), false, "%w", err)
		}
	}
}

// checkRawRelocs is checkRelocs for entries that are not decoded.
func (v *verifier) checkRawRelocs(s *Section, size uint64) {
	if v.known == nil {
		v.known = make([]bool, len(v.parsed)+1)
		v.known[0] = true
		for i := range v.parsed {
			v.known[i+1] = v.hasSymbol(&v.parsed[i])
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
		v.checkAt(s, int64(off), v.known[sym],
			"relocation against symbol %d of the input, which is no longer in the file", sym)
		v.checkAt(s, int64(off), inTarget(off, size, fm.relType(b)),
			"relocation past the end of %s (%#x bytes)", s.Target, size)
	}
}

// inTarget reports whether a relocation may be at that offset of a target of that
// size. One of type 0 (NONE, on every machine) changes nothing and may be anywhere;
// compilers put them at the very end.
func inTarget(off, size uint64, typ uint32) bool { return off < size || typ == 0 }
