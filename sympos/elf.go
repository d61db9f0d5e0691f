// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/klp-convert/klp-convert/elfrw"
)

// maxTable bounds the symbol table and the string table. Those of a kernel with
// 200 000 symbols are 5 MB each.
const maxTable = 256 << 20

func isELF(head []byte) bool {
	return len(head) >= elf.EI_NIDENT && string(head[:4]) == elf.ELFMAG
}

// kindOfELF returns the kind by e_type.
func kindOfELF(head []byte) Kind {
	at := elf.EI_NIDENT
	if len(head) < at+2 {
		return VmlinuxFile
	}
	if elf.Data(head[elf.EI_DATA]) == elf.ELFDATA2MSB {
		at++
	}
	if elf.Type(head[at]) == elf.ET_REL {
		return ModuleFile
	}
	return VmlinuxFile
}

// scanELF visits the symbols of a kernel or a module. It does not read the whole file: a
// kernel with debugging information has 700 MB, of which its symbols are 10.
//
// elfrw is for relocatable files and decodes every symbol; this reads two sections of
// any ELF file and decodes one symbol at a time.
func scanELF(in *input, visit func(*Entry)) (Facts, error) {
	f, err := readELF(in)
	if err != nil {
		return Facts{}, err
	}
	switch f.etype {
	case elf.ET_REL:
		return f.scanModule(visit)
	case elf.ET_EXEC, elf.ET_DYN:
		if i := f.findWrapped(); i >= 0 {
			return f.scanWrapper(i, visit)
		}
		if f.isProgram() {
			return Facts{}, in.errorf("", -1,
				"%w: it is an ELF program or shared library (it has .dynamic and no .init.text)",
				ErrUnknown)
		}
		return f.scanVmlinux(visit)
	}
	return Facts{}, in.errorf("", 0x10, "%s: %w", f.etype, ErrUnknown)
}

// isProgram reports whether the file is a program or a shared library. A kernel may have
// .dynamic as well.
func (f *elfFile) isProgram() bool {
	return f.find(".dynamic") >= 0 && f.find(".init.text") < 0 && len(f.sections) > 0
}

// checkWhole checks that the contents of all sections are in the file.
func (f *elfFile) checkWhole() error {
	for i, s := range f.sections {
		switch elf.SectionType(s.etype) {
		case elf.SHT_NULL, elf.SHT_NOBITS:
			continue
		}
		if size := uint64(f.in.size); s.off > size || s.size > size-s.off {
			return f.in.errorf(f.name(i), -1,
				"%#x bytes at %#x are not in the file, which has %#x: it was cut short", s.size,
				s.off, size)
		}
	}
	return nil
}

// elfFile is an ELF file as far as reading its symbols needs it.
type elfFile struct {
	in       *input
	order    binary.ByteOrder
	is64     bool
	etype    elf.Type
	machine  elf.Machine
	sections []elfSection
	names    []byte // section names
	symtab   []byte
	strtab   []byte
	shndx    []byte // SHT_SYMTAB_SHNDX
}

type elfSection struct {
	name, etype, link, info uint32
	flags, addr, off, size  uint64
}

// readELF reads the header, the section headers and, when there is one, the
// symbol table with its strings.
func readELF(in *input) (*elfFile, error) {
	f := &elfFile{in: in}
	head, err := in.bytes(0, min(64, uint64(max(in.size, 0))), 64)
	if err != nil {
		return nil, in.errorf("", 0, "ELF header: %w", err)
	}
	if len(head) < 52 || !isELF(head) {
		return nil, in.errorf("", 0, "%w", elfrw.ErrNotELF)
	}
	switch elf.Data(head[elf.EI_DATA]) {
	case elf.ELFDATA2LSB:
		f.order = binary.LittleEndian
	case elf.ELFDATA2MSB:
		f.order = binary.BigEndian
	default:
		return nil, in.errorf("", elf.EI_DATA, "byte order %d is unknown", head[elf.EI_DATA])
	}
	u16 := func(off int) uint64 { return uint64(f.order.Uint16(head[off:])) }
	var shoff, shentsize, shnum, shstrndx, want uint64
	f.etype, f.machine = elf.Type(u16(16)), elf.Machine(u16(18))
	switch elf.Class(head[elf.EI_CLASS]) {
	case elf.ELFCLASS64:
		if len(head) < 64 {
			return nil, in.errorf("", 0, "ELF header is cut short")
		}
		f.is64, want = true, 64
		shoff, shentsize, shnum, shstrndx = f.order.Uint64(head[40:]), u16(58), u16(60), u16(62)
	case elf.ELFCLASS32:
		want = 40
		shoff, shentsize, shnum, shstrndx = uint64(f.order.Uint32(head[32:])), u16(46), u16(48), u16(50)
	default:
		return nil, in.errorf("", elf.EI_CLASS, "class %d is unknown", head[elf.EI_CLASS])
	}
	if shoff == 0 {
		return f, nil
	}
	if shentsize != want {
		return nil, in.errorf("", 0, "section headers of %d bytes", shentsize)
	}
	if shnum == 0 || shstrndx == uint64(elf.SHN_XINDEX) { // gABI, "Section Header", escapes
		b, err := in.bytes(shoff, want, want)
		if err != nil {
			return nil, in.errorf("", int64(shoff&math.MaxInt64), "section header 0: %w", err)
		}
		zero := f.section(b)
		if shnum == 0 {
			shnum = zero.size
		}
		if shstrndx == uint64(elf.SHN_XINDEX) {
			shstrndx = uint64(zero.link)
		}
	}
	if shnum > maxTable/want {
		return nil, in.errorf("", 0, "%d sections: %w", shnum, ErrTooLarge)
	}
	b, err := in.bytes(shoff, shnum*want, maxTable)
	if err != nil {
		return nil, in.errorf("", int64(shoff&math.MaxInt64), "section headers: %w", err)
	}
	f.sections = make([]elfSection, shnum)
	symtab := -1
	for i := range f.sections {
		f.sections[i] = f.section(b[uint64(i)*want:])
		if elf.SectionType(f.sections[i].etype) == elf.SHT_SYMTAB && symtab < 0 {
			symtab = i
		}
	}
	if shstrndx < shnum {
		if f.names, err = f.contents(int(shstrndx), "section names"); err != nil {
			return nil, err
		}
	}
	if symtab < 0 {
		return f, f.checkWhole()
	}
	if f.symtab, err = f.contents(symtab, "symbol table"); err != nil {
		return nil, err
	}
	link := f.sections[symtab].link
	if uint64(link) >= shnum {
		return nil, in.errorf(f.name(symtab), -1, "sh_link is %d of %d sections", link, shnum)
	}
	if f.strtab, err = f.contents(int(link), "symbol names"); err != nil {
		return nil, err
	}
	for i, s := range f.sections {
		if elf.SectionType(s.etype) == elf.SHT_SYMTAB_SHNDX && int(s.link) == symtab {
			if f.shndx, err = f.contents(i, "section indexes"); err != nil {
				return nil, err
			}
		}
	}
	return f, f.checkWhole()
}

// section decodes a section header.
func (f *elfFile) section(b []byte) elfSection {
	o := f.order
	if f.is64 {
		return elfSection{o.Uint32(b), o.Uint32(b[4:]), o.Uint32(b[40:]), o.Uint32(b[44:]),
			o.Uint64(b[8:]), o.Uint64(b[16:]), o.Uint64(b[24:]), o.Uint64(b[32:])}
	}
	u := func(off int) uint64 { return uint64(o.Uint32(b[off:])) }
	return elfSection{o.Uint32(b), o.Uint32(b[4:]), o.Uint32(b[24:]), o.Uint32(b[28:]), u(8), u(12),
		u(16), u(20)}
}

// contents returns the contents of section i; what names them in errors.
func (f *elfFile) contents(i int, what string) ([]byte, error) {
	s := f.sections[i]
	if elf.SectionType(s.etype) == elf.SHT_NOBITS {
		return nil, f.in.errorf(f.name(i), -1, "%s: no contents", what)
	}
	b, err := f.in.bytes(s.off, s.size, maxTable)
	if err != nil {
		return nil, f.in.errorf(f.name(i), -1, "%s: %w", what, err)
	}
	return b, nil
}

func (f *elfFile) name(i int) string { return string(cString(f.names, f.sections[i].name)) }

// find returns the index of the section of that name, or -1.
func (f *elfFile) find(name string) int {
	for i, s := range f.sections {
		if string(cString(f.names, s.name)) == name {
			return i
		}
	}
	return -1
}

// cString returns the string at off, without its end; empty when there is none.
func cString(table []byte, off uint32) []byte {
	if uint64(off) >= uint64(len(table)) {
		return nil
	}
	b := table[off:]
	if end := bytes.IndexByte(b, 0); end >= 0 {
		return b[:end]
	}
	return nil
}

// An elfSymbol is an entry of the symbol table, valid during a visit.
type elfSymbol struct {
	name    []byte
	info    byte
	shndx   uint32      // 0xff00 and up with section nil: reserved
	section *elfSection // nil when there is none
	index   int         // of section
	value   uint64
	size    uint64
	file    []byte // of the STT_FILE before it, for local symbols
	block   int    // the number of that STT_FILE, from 1; else 0
}

func (y *elfSymbol) bind() elf.SymBind { return elf.ST_BIND(y.info) }
func (y *elfSymbol) typ() elf.SymType  { return elf.ST_TYPE(y.info) }

// symbols visits all entries of the symbol table but entry 0, in its order.
func (f *elfFile) symbols(visit func(y *elfSymbol) error) error {
	entry := 24
	if !f.is64 {
		entry = 16
	}
	var (
		y     elfSymbol
		file  []byte
		block int
	)
	// This runs for each symbol of a kernel, so it makes no calls through f.order.
	swap := f.order == binary.ByteOrder(binary.BigEndian)
	u16 := func(b []byte) uint32 {
		v := binary.LittleEndian.Uint16(b)
		if swap {
			v = bits.ReverseBytes16(v)
		}
		return uint32(v)
	}
	u32 := func(b []byte) uint32 {
		v := binary.LittleEndian.Uint32(b)
		if swap {
			v = bits.ReverseBytes32(v)
		}
		return v
	}
	u64 := func(b []byte) uint64 {
		v := binary.LittleEndian.Uint64(b)
		if swap {
			v = bits.ReverseBytes64(v)
		}
		return v
	}
	for i := 1; i < len(f.symtab)/entry; i++ {
		b := f.symtab[i*entry : i*entry+entry]
		y.name = cString(f.strtab, u32(b))
		if f.is64 {
			y.info, y.shndx = b[4], u16(b[6:])
			y.value, y.size = u64(b[8:]), u64(b[16:])
		} else {
			y.info, y.shndx = b[12], u16(b[14:])
			y.value, y.size = uint64(u32(b[4:])), uint64(u32(b[8:]))
		}
		if elf.SectionIndex(y.shndx) == elf.SHN_XINDEX && (i+1)*4 <= len(f.shndx) {
			y.shndx = f.order.Uint32(f.shndx[i*4:])
			y.section, y.index = f.sectionAt(y.shndx)
		} else if elf.SectionIndex(y.shndx) < elf.SHN_LORESERVE {
			y.section, y.index = f.sectionAt(y.shndx)
		} else {
			y.section, y.index = nil, 0
		}
		if y.section == nil && y.shndx != 0 && elf.SectionIndex(y.shndx) < elf.SHN_LORESERVE {
			return f.in.errorf(".symtab", int64(i*entry), "symbol %q: section %d of %d", y.name,
				y.shndx, len(f.sections))
		}
		if y.typ() == elf.STT_FILE {
			file = y.name
			block++
		}
		// Global symbols come last, after the block of some file that need not be theirs.
		y.file, y.block = nil, 0
		if y.bind() == elf.STB_LOCAL {
			y.file, y.block = file, block
		}
		if err := visit(&y); err != nil {
			return err
		}
	}
	return nil
}

// sectionAt returns the section with that number, nil for 0 and for numbers that no section
// has.
func (f *elfFile) sectionAt(i uint32) (*elfSection, int) {
	if i == 0 || uint64(i) >= uint64(len(f.sections)) {
		return nil, 0
	}
	return &f.sections[i], int(i)
}

// nmLetter returns the symbol's type as nm prints it, in lower case. The kernel prints
// the same (scripts/kallsyms.c reads nm's output; kernel/module/kallsyms.c, elf_type, is
// "as per nm").
func (y *elfSymbol) nmLetter() byte {
	const (
		write = uint64(elf.SHF_WRITE)
		exec  = uint64(elf.SHF_EXECINSTR)
	)
	switch {
	case y.bind() == elf.STB_WEAK && y.typ() == elf.STT_OBJECT:
		return 'v'
	case y.bind() == elf.STB_WEAK:
		return 'w'
	case y.shndx == uint32(elf.SHN_UNDEF):
		return 'u'
	case y.section == nil && elf.SectionIndex(y.shndx) == elf.SHN_ABS:
		return 'a'
	case y.section == nil:
		return '?'
	case y.section.flags&exec != 0:
		return 't'
	case elf.SectionType(y.section.etype) == elf.SHT_NOBITS:
		return 'b'
	case y.section.flags&uint64(elf.SHF_ALLOC) == 0:
		return 'n'
	case y.section.flags&write == 0:
		return 'r'
	}
	return 'd'
}
