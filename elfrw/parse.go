// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"debug/elf"
	"fmt"
)

// Parse reads the relocatable ELF file b; name is used in messages only.
//
// The File's contents alias b, which must not change while the File is in use.
// The error is an *Error; it wraps ErrNotELF or ErrNotRelocatable if that is the
// cause. Time and memory are linear in the length of b.
func Parse(name string, b []byte) (*File, error) {
	p := &parser{File: &File{Name: name, raw: b}}
	for _, step := range []func() error{
		p.parseHeader,
		p.makeSections,
		p.readSectionNames,
		p.resolveLinks,
		p.readSymbols,
		p.resolveGroups,
		p.checkRelocs,
		p.findLayout,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return p.File, nil
}

// parser is a File while Parse reads it.
type parser struct {
	*File
	headers  []shdr // all of them, section 0 first
	shstrndx uint32
}

// parseHeader decodes the ELF header.
func (p *parser) parseHeader() error {
	b := p.raw
	if len(b) < 16 || string(b[:4]) != elf.ELFMAG {
		return p.errorf(nil, -1, "%w", ErrNotELF)
	}
	h := &p.Header
	h.Class, h.Data = elf.Class(b[elf.EI_CLASS]), elf.Data(b[elf.EI_DATA])
	switch h.Class {
	case elf.ELFCLASS32, elf.ELFCLASS64:
	default:
		return p.errorf(nil, int64(elf.EI_CLASS), "unknown ELF class %d", b[elf.EI_CLASS])
	}
	switch h.Data {
	case elf.ELFDATA2LSB, elf.ELFDATA2MSB:
	default:
		return p.errorf(nil, int64(elf.EI_DATA), "unknown byte order %d", b[elf.EI_DATA])
	}
	if v := b[elf.EI_VERSION]; v != byte(elf.EV_CURRENT) {
		return p.errorf(nil, int64(elf.EI_VERSION), "unknown ELF version %d", v)
	}
	p.format = newFormat(h.Class == elf.ELFCLASS64, h.Data == elf.ELFDATA2MSB, false)
	if len(b) < p.ehdrSize() {
		return p.errorf(nil, int64(len(b)), "file ends within the ELF header")
	}
	h.OSABI, h.ABIVersion = elf.OSABI(b[elf.EI_OSABI]), b[elf.EI_ABIVERSION]
	copy(h.Pad[:], b[9:16])
	if t := elf.Type(p.u16(b[16:])); t != elf.ET_REL {
		return p.errorf(nil, 16, "%w: e_type is %v", ErrNotRelocatable, t)
	}
	h.Machine, h.Version = elf.Machine(p.u16(b[18:])), p.u32(b[20:])
	p.format = newFormat(p.wide, p.big, h.Machine == elf.EM_MIPS)

	var tail []byte // from e_flags
	var phoff uint64
	if p.wide {
		h.Entry, phoff, p.shoff, tail = p.u64(b[24:]), p.u64(b[32:]), p.u64(b[40:]), b[48:64]
	} else {
		h.Entry, phoff, p.shoff, tail = uint64(p.u32(b[24:])), uint64(p.u32(b[28:])), uint64(p.u32(b[32:])), b[36:52]
	}
	p.rawEhdr = b[:p.ehdrSize()]
	h.Flags = p.u32(tail)
	ehsize, phnum := p.u16(tail[4:]), p.u16(tail[8:])
	shentsize, shnum, shstrndx := p.u16(tail[10:]), p.u16(tail[12:]), p.u16(tail[14:])
	if int(ehsize) != p.ehdrSize() {
		return p.errorf(nil, int64(p.ehdrSize()-12), "e_ehsize is %d, want %d", ehsize,
			p.ehdrSize())
	}
	if phnum != 0 || phoff != 0 {
		p.irregular = fmt.Errorf("%w: the file has program headers", ErrIrregular)
	}
	if p.shoff == 0 {
		if shnum != 0 {
			return p.errorf(nil, int64(p.ehdrSize()-4),
				"e_shnum is %d without section headers (e_shoff is 0)", shnum)
		}
		return nil
	}
	return p.parseSectionHeaders(shentsize, shnum, shstrndx)
}

// parseSectionHeaders decodes the section headers, with the numbers that did not fit
// into the ELF header (gABI, "ELF Header": e_shnum, e_shstrndx).
func (p *parser) parseSectionHeaders(shentsize, shnum, shstrndx uint16) error {
	b, size := p.raw, uint64(p.shdrSize())
	if uint64(shentsize) != size {
		return p.errorf(nil, int64(p.ehdrSize()-6), "e_shentsize is %d, want %d", shentsize, size)
	}
	if p.shoff > uint64(len(b)) || size > uint64(len(b))-p.shoff {
		return p.errorf(nil, int64(pick(p.wide, 40, 32)),
			"e_shoff %#x is past the end of the file, which has %#x bytes: it was truncated or "+
				"is damaged", p.shoff, len(b))
	}
	p.null = p.shdr(b[p.shoff:])
	if p.null.typ != uint32(elf.SHT_NULL) {
		return p.errorf(nil, int64(p.shoff), "section 0 has type %v, want SHT_NULL",
			elf.SectionType(p.null.typ))
	}
	n := uint64(shnum)
	switch {
	case shnum == 0:
		n = p.null.size
	case shnum >= shnLoReserve:
		return p.errorf(nil, int64(p.ehdrSize()-4), "e_shnum %#x is a reserved number", shnum)
	}
	if n == 0 {
		return p.errorf(nil, int64(p.shoff), "section header table with no entries")
	}
	if n > (uint64(len(b))-p.shoff)/size {
		return p.errorf(nil, int64(p.shoff),
			"%d section headers do not fit into the file, which has %#x bytes: it was truncated "+
				"or is damaged", n, len(b))
	}
	p.shstrndx = uint32(shstrndx)
	switch {
	case shstrndx == shnXIndex:
		p.shstrndx = p.null.link
	case shstrndx >= shnLoReserve:
		return p.errorf(nil, int64(p.ehdrSize()-2), "e_shstrndx %#x is a reserved number", shstrndx)
	}
	if uint64(p.shstrndx) >= n {
		return p.errorf(nil, int64(p.ehdrSize()-2), "e_shstrndx is %d, but there are %d sections",
			p.shstrndx, n)
	}
	p.headers = make([]shdr, n)
	for i := range p.headers {
		p.headers[i] = p.shdr(b[p.shoff+uint64(i)*size:])
	}
	return nil
}

// makeSections makes a Section of each header but the first, and checks that its
// contents are inside the file.
func (p *parser) makeSections() error {
	if len(p.headers) == 0 {
		return nil
	}
	// Many contents that overlap would make a small file cost much more than
	// its length. Contents that a linker wrote do not overlap.
	budget := 2 * uint64(len(p.raw))
	slab := make([]Section, len(p.headers)-1)
	p.Sections = make([]*Section, len(slab))
	for i := range slab {
		h, s := &p.headers[i+1], &slab[i]
		*s = Section{
			Type: elf.SectionType(h.typ), Flags: h.flags, Addr: h.addr, Align: h.addralign, EntSize: h.entsize,
			nameOff: h.name, file: p.File, num: i + 1, offset: h.offset,
		}
		p.Sections[i] = s
		if s.Align&(s.Align-1) != 0 && s.Type != elf.SHT_NULL {
			return p.errorf(s, -1, "sh_addralign %#x is not a power of two", s.Align)
		}
		switch s.Type {
		case elf.SHT_NOBITS:
			s.nobits = h.size
		case elf.SHT_NULL:
			// An inactive header: its other fields mean nothing
			// (gABI, "Section Header"), but a size would need bytes.
			if h.size != 0 {
				return p.errorf(s, -1, "SHT_NULL section with a size of %d", h.size)
			}
		default:
			if h.offset > uint64(len(p.raw)) || h.size > uint64(len(p.raw))-h.offset {
				return p.errorf(s, -1, "contents (%#x bytes at %#x) extend past the end of the "+
					"file (%#x bytes)", h.size, h.offset, len(p.raw))
			}
			if h.size > budget {
				return p.errorf(s, -1, "contents of the sections up to here add up to more than "+
					"twice the length of the file")
			}
			budget -= h.size
			s.Data = p.raw[h.offset : h.offset+h.size : h.offset+h.size]
		}
	}
	return nil
}

// sectionAt returns the section with that number, nil for 0, and false when no
// section has it.
func (p *parser) sectionAt(n uint32) (*Section, bool) {
	if n == 0 {
		return nil, true
	}
	if uint64(n) > uint64(len(p.Sections)) {
		return nil, false
	}
	return p.Sections[n-1], true
}

// readSectionNames sets the names of all sections.
func (p *parser) readSectionNames() error {
	if p.shstrndx == 0 {
		return nil // a file without section names
	}
	s := p.Sections[p.shstrndx-1]
	p.shstrtab = s
	table, err := p.readStringTable(s)
	if err != nil {
		return err
	}
	for _, s := range p.Sections {
		name, ok := table.at(s.nameOff)
		if !ok {
			return p.errorf(s, -1, "sh_name %#x is past the end of the section name table",
				s.nameOff)
		}
		s.Name, s.origName = name, name
	}
	return nil
}

// readStringTable returns the names in s and checks that it is a string table (gABI,
// "String Table").
func (p *parser) readStringTable(s *Section) (stringTable, error) {
	if s.Type != elf.SHT_STRTAB {
		return stringTable{}, p.errorf(s, -1, "used as a string table, but its type is %v", s.Type)
	}
	if n := len(s.Data); n > 0 && s.Data[0] != 0 {
		return stringTable{}, p.errorf(s, 0, "string table does not begin with NUL")
	} else if n > 0 && s.Data[n-1] != 0 {
		return stringTable{}, p.errorf(s, int64(n-1), "string table does not end with NUL")
	}
	if uint64(len(s.Data)) >= 1<<32 {
		return stringTable{}, p.errorf(s, -1,
			"string table of %d bytes is too large for 32-bit offsets", len(s.Data))
	}
	if len(s.Data) == 0 {
		// It can hold the empty name only.
		return newStringTable([]byte{0}), nil
	}
	return newStringTable(s.Data), nil
}

// resolveLinks resolves sh_link, and sh_info where that is a section number.
func (p *parser) resolveLinks() error {
	for i, s := range p.Sections {
		h := &p.headers[i+1]
		if s.Type == elf.SHT_NULL {
			if h.link != 0 || h.info != 0 {
				return p.errorf(s, -1, "SHT_NULL section with a link")
			}
			continue
		}
		var ok bool
		if s.Link, ok = p.sectionAt(h.link); !ok {
			return p.errorf(s, -1, "sh_link is %d, but there are %d sections", h.link,
				len(p.headers))
		}
		if infoIsSection(s) {
			if s.Target, ok = p.sectionAt(h.info); !ok {
				return p.errorf(s, -1, "sh_info is %d, but there are %d sections", h.info,
					len(p.headers))
			}
			continue
		}
		s.Info = h.info // of SYMTAB and GROUP: see readSymbols and resolveGroups
	}
	return nil
}

// infoIsSection reports whether sh_info of s is a section number (gABI,
// "sh_link and sh_info Interpretation" and SHF_INFO_LINK).
func infoIsSection(s *Section) bool {
	switch s.Type {
	case elf.SHT_REL, elf.SHT_RELA:
		return true
	case elf.SHT_SYMTAB, elf.SHT_GROUP:
		return false
	}
	return s.Flags&flagInfoLink != 0
}

// readSymbols decodes the symbol table.
func (p *parser) readSymbols() error {
	if err := p.findSymtab(); err != nil || p.Symtab == nil {
		return err
	}
	s := p.Symtab
	size := p.symSize()
	if s.EntSize != uint64(size) {
		return p.errorf(s, -1, "sh_entsize of the symbol table is %d, want %d", s.EntSize, size)
	}
	if len(s.Data) == 0 || len(s.Data)%size != 0 {
		return p.errorf(s, -1, "size of the symbol table, %d, is not a multiple of %d", len(s.Data),
			size)
	}
	for _, c := range s.Data[:size] {
		if c != 0 {
			return p.errorf(s, 0, "symbol 0 is not all zero")
		}
	}
	if s.Link == nil {
		return p.errorf(s, -1, "symbol table without a string table (sh_link is 0)")
	}
	names, err := p.readStringTable(s.Link)
	if err != nil {
		return err
	}
	n := len(s.Data)/size - 1
	if x := p.shndx; x != nil {
		if len(x.Data) != 4*(n+1) {
			return p.errorf(x, -1, "%d bytes of extended section indexes for %d symbols",
				len(x.Data), n+1)
		}
		if word := p.u32(x.Data); word != 0 {
			return p.errorf(x, 0, "extended section index %d of symbol 0", word)
		}
	}
	if locals := uint64(s.Info); locals == 0 || locals > uint64(n+1) {
		return p.errorf(s, -1, "sh_info says %d local symbols of %d", s.Info, n+1)
	}
	p.parsed = make([]Symbol, n)
	p.Symbols = make([]*Symbol, n)
	for i := range p.parsed {
		off := (i + 1) * size
		if err := p.readSymbol(&p.parsed[i], p.sym(s.Data[off:]), uint32(i+1), int64(off),
			names); err != nil {
			return err
		}
		p.Symbols[i] = &p.parsed[i]
	}
	return nil
}

// readSymbol makes y the symbol with that number, whose entry r is at off.
func (p *parser) readSymbol(y *Symbol, r rawSym, num uint32, off int64, names stringTable) error {
	s := p.Symtab
	name, ok := names.at(r.name)
	if !ok {
		return p.errorf(s, off, "symbol %d: st_name %#x is past the end of the string table", num,
			r.name)
	}
	*y = Symbol{
		Name: name, Value: r.value, Size: r.size, Info: r.info, Other: r.other,
		nameOff: r.name, num: num, slot: num, origName: name,
	}
	if local, want := y.Bind() == elf.STB_LOCAL, num < s.Info; local != want {
		return p.errorf(s, off, "symbol %d (%s) is %v, but sh_info says that the first %d are "+
			"local", num, y, y.Bind(), s.Info)
	}
	var word uint32
	if p.shndx != nil {
		word = p.u32(p.shndx.Data[4*num:])
	}
	index := uint32(r.shndx)
	switch {
	case r.shndx == shnXIndex:
		if p.shndx == nil {
			return p.errorf(s, off, "symbol %d (%s) is in section SHN_XINDEX, but there is no "+
				"SHT_SYMTAB_SHNDX section", num, y)
		}
		y.escaped, index = true, word
		if index == 0 {
			return p.errorf(p.shndx, int64(4*num), "symbol %d (%s): extended section index 0", num,
				y)
		}
	case word != 0:
		return p.errorf(p.shndx, int64(4*num),
			"symbol %d (%s): extended section index %d, but st_shndx is not SHN_XINDEX", num, y,
			word)
	case r.shndx >= shnLoReserve:
		y.Index = elf.SectionIndex(r.shndx)
		return nil
	}
	if y.Section, ok = p.sectionAt(index); !ok {
		return p.errorf(s, off, "symbol %d (%s) is in section %d, but there are %d", num, y, index,
			len(p.headers))
	}
	return nil
}

// findSymtab finds the symbol table and its extension. gABI, "Section Header",
// allows one of each in an object file, and the kernel requires it
// (kernel/module/main.c, elf_validity_cache_index_sym).
func (p *parser) findSymtab() error {
	for _, s := range p.Sections {
		switch s.Type {
		case elf.SHT_SYMTAB:
			if p.Symtab != nil {
				return p.errorf(s, -1, "second symbol table; the first is %s", p.Symtab)
			}
			p.Symtab = s
		case elf.SHT_SYMTAB_SHNDX:
			if p.shndx != nil {
				return p.errorf(s, -1, "second SHT_SYMTAB_SHNDX section; the first is %s", p.shndx)
			}
			p.shndx = s
		}
	}
	if p.shndx != nil && (p.shndx.Link == nil || p.shndx.Link != p.Symtab) {
		return p.errorf(p.shndx, -1,
			"SHT_SYMTAB_SHNDX section is linked to %v, not to the symbol table", p.shndx.Link)
	}
	return nil
}

// symbolAt returns the symbol with that number, nil for 0, and false when no symbol
// has it.
func (p *parser) symbolAt(n uint32) (*Symbol, bool) {
	if n == 0 {
		return nil, true
	}
	if uint64(n) > uint64(len(p.parsed)) {
		return nil, false
	}
	return &p.parsed[n-1], true
}

// resolveGroups resolves the signature and the members of SHT_GROUP (gABI, "Section
// Groups").
func (p *parser) resolveGroups() error {
	for _, s := range p.Sections {
		if s.Type != elf.SHT_GROUP {
			continue
		}
		var ok bool
		if s.Link == nil || s.Link != p.Symtab {
			return p.errorf(s, -1, "section group is linked to %v, not to the symbol table", s.Link)
		}
		if s.Signature, ok = p.symbolAt(s.Info); !ok || s.Signature == nil {
			return p.errorf(s, -1, "signature of the section group is symbol %d, but there are %d",
				s.Info, len(p.parsed)+1)
		}
		s.Info = 0
		if len(s.Data) < 4 || len(s.Data)%4 != 0 {
			return p.errorf(s, -1, "section group of %d bytes, want a multiple of 4", len(s.Data))
		}
		s.groupFlag = p.u32(s.Data)
		s.Members = make([]*Section, 0, len(s.Data)/4-1)
		for off := 4; off < len(s.Data); off += 4 {
			n := p.u32(s.Data[off:])
			m, ok := p.sectionAt(n)
			if !ok || m == nil {
				return p.errorf(s, int64(off),
					"member of the section group is section %d, but there are %d", n,
					len(p.headers))
			}
			s.Members = append(s.Members, m)
		}
	}
	return nil
}

// checkRelocs checks everything that could make decoding fail, so that decoding
// later needs no error.
func (p *parser) checkRelocs() error {
	for _, s := range p.Sections {
		if s.Type != elf.SHT_REL && s.Type != elf.SHT_RELA || s.Link == nil || s.Link != p.Symtab {
			continue
		}
		size := p.relocSize(s.Type)
		if s.EntSize != uint64(size) {
			return p.errorf(s, -1, "sh_entsize of relocations is %d, want %d", s.EntSize, size)
		}
		if len(s.Data)%size != 0 {
			return p.errorf(s, -1, "size of relocations, %d, is not a multiple of %d", len(s.Data),
				size)
		}
		fm, n := p.format, uint32(len(p.parsed))
		for b := s.Data; len(b) > 0; b = b[size:] {
			if sym := fm.relSym(b); sym > n {
				return p.errorf(s, int64(len(s.Data)-len(b)),
					"relocation against symbol %d, but there are %d", sym, n+1)
			}
		}
		s.encoding = rawRelocs
	}
	return nil
}

// findLayout finds the order of the contents, and whether the rule in layout.go
// gives every offset.
func (p *parser) findLayout() error {
	if p.irregular == nil {
		p.irregular = p.checkRegular()
		if p.irregular != nil && p.isDisjoint() {
			p.irregular, p.nonLinker = nil, true
		}
	}
	end := uint64(len(p.rawEhdr))
	if p.shoff != 0 {
		end = max(end, p.shoff+uint64(len(p.headers)*p.shdrSize()))
	}
	for _, s := range p.Sections {
		if s.Type != elf.SHT_NOBITS && s.Type != elf.SHT_NULL {
			end = max(end, s.offset+uint64(len(s.Data)))
		}
	}
	if p.irregular != nil {
		// What program headers cover stays where it is.
		end = uint64(len(p.raw))
	}
	p.Trailer = p.raw[end:]
	p.trailing = len(p.Trailer)
	return nil
}
