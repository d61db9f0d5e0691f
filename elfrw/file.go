// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"debug/elf"
	"fmt"
	"strconv"
)

// File is a relocatable ELF file, ready to be edited.
//
// The slices and what they point to belong to the caller after Parse returns.
// Contents alias the input of Parse, which must not change while the File is in
// use.
type File struct {
	Name     string // for messages
	Header   Header
	Sections []*Section // in header order, section 0 left out
	Symbols  []*Symbol  // in table order, symbol 0 left out
	Symtab   *Section   // the section that holds Symbols; nil when the file has none
	Trailer  []byte     // the bytes after everything that ELF describes; aliases the input

	format
	shstrtab  *Section
	shndx     *Section   // SHT_SYMTAB_SHNDX, if any
	order     []*Section // by place in the file
	null      shdr       // section 0, whose fields hold escaped numbers
	parsed    []Symbol   // the table as read; raw relocations hold numbers of it
	raw       []byte     // the input
	shoff     uint64     // e_shoff of the input
	rawEhdr   []byte     // the ELF header of the input
	irregular error      // why the file can't be laid out again; nil when it can
	nonLinker bool       // its offsets are not those of a linker, but it can be laid out again
	trailing  int        // length of Trailer in the input
}

// Header holds the fields of the ELF header that are not derived from the
// rest of the file. All of them are written as they are.
type Header struct {
	Class      elf.Class
	Data       elf.Data
	OSABI      elf.OSABI
	ABIVersion byte
	Pad        [7]byte // e_ident after EI_ABIVERSION
	Machine    elf.Machine
	Version    uint32
	Entry      uint64
	Flags      uint32 // e_flags, e.g. the ABI version of ppc64le
}

// Section is one section with its header.
//
// What sh_link and sh_info mean depends on the type (gABI, "sh_link and sh_info
// Interpretation"); here each meaning has a field of its own.
type Section struct {
	Name    string
	Type    elf.SectionType
	Flags   uint64 // sh_flags; unknown bits are kept
	Addr    uint64
	Align   uint64 // sh_addralign: 0 or a power of two
	EntSize uint64

	// Link is sh_link: the symbol table of relocations and groups, the
	// string table of symbols, the section that SHF_LINK_ORDER follows.
	Link *Section
	// Target is sh_info where that is a section: the one that relocations
	// apply to, or with SHF_INFO_LINK any.
	Target *Section
	// Signature is sh_info of SHT_GROUP.
	Signature *Symbol
	// Info is sh_info of all other sections. Write derives that of
	// SHT_SYMTAB.
	Info uint32

	// Data is the contents. It aliases the input of Parse or belongs to
	// whoever set it; replace it, do not write into it. It is nil for
	// SHT_NOBITS, and not used for symbol tables, relocations, groups
	// and extended section indexes, which have a form of their own.
	Data []byte
	// Members are the sections of a SHT_GROUP, in its order.
	Members []*Section

	nobits    uint64 // sh_size of SHT_NOBITS
	groupFlag uint32 // first word of SHT_GROUP
	nameOff   uint32 // of origName in .shstrtab
	origName  string
	file      *File // nil until added
	num       int   // header number: in the input, and after numbering in the output
	offset    uint64
	placement placement
	gap       uint64 // distance from what precedes it, with placedAfterGap
	relocs    []Rela
	pieces    [][]byte
	encoding  relocEncoding
}

// relocEncoding is where and how the relocations of a section are kept.
type relocEncoding byte

const (
	notRelocs     relocEncoding = iota // no relocations against File.Symbols
	rawRelocs                          // in Data, numbered by File.parsed
	pieceRelocs                        // in pieces, otherwise the same
	decodedRelocs                      // in Data, and also in relocs, unchanged
	newRelocs                          // in relocs
)

// placement is where the offset of a section comes from. All sections but
// SHT_NOBITS are placedAligned: see layout.go.
type placement byte

const (
	placedAligned  placement = iota // at the next multiple of Align
	placedAfterGap                  // gap bytes after the contents before it
	placedFixed                     // always at the same offset
)

// Size returns the size of the section in memory, in bytes.
func (s *Section) Size() uint64 {
	switch {
	case s.Type == elf.SHT_NOBITS:
		return s.nobits
	case s.encoding == pieceRelocs:
		return uint64(s.piecesSize())
	case s.encoding == newRelocs && s.file != nil:
		return uint64(len(s.relocs)) * uint64(s.file.relocSize(s.Type))
	case s.Type == elf.SHT_GROUP:
		return 4 * uint64(1+len(s.Members))
	case s.file != nil && s == s.file.Symtab:
		return uint64(1+len(s.file.Symbols)) * uint64(s.file.symSize())
	case s.file != nil && s == s.file.shndx:
		return uint64(1+len(s.file.Symbols)) * 4
	}
	return uint64(len(s.Data))
}

// Alloc reports whether the section occupies memory at run time (SHF_ALLOC).
func (s *Section) Alloc() bool { return s.Flags&flagAlloc != 0 }

// HasRelocs reports whether the section holds relocations against the symbols of
// its file.
func (s *Section) HasRelocs() bool { return s.encoding != notRelocs }

// String returns the section's name, quoted when it holds anything but printable
// ASCII, and "section 3" when it is empty.
func (s *Section) String() string {
	if s == nil {
		return "section 0"
	}
	if s.Name == "" {
		return fmt.Sprintf("section %d", s.num)
	}
	return printable(s.Name)
}

// Symbol is one entry of the symbol table.
type Symbol struct {
	Name  string
	Value uint64
	Size  uint64
	Info  byte // binding and type
	Other byte // visibility and, on ppc64le, the local entry point

	// Section is where the symbol is defined; nil when Index alone says where.
	Section *Section
	// Index is a reserved number (SHN_UNDEF, SHN_ABS, SHN_COMMON, or one of
	// the system's own); ignored while Section is set.
	Index elf.SectionIndex

	nameOff  uint32
	slot     uint32 // place in File.parsed, from 1; 0: added
	num      uint32 // place in File.Symbols, from 1, as of the last renumbering
	origName string
	escaped  bool // the input used SHN_XINDEX
}

// Bind returns the symbol's binding.
func (s *Symbol) Bind() elf.SymBind { return elf.ST_BIND(s.Info) }

// Type returns the symbol's type.
func (s *Symbol) Type() elf.SymType { return elf.ST_TYPE(s.Info) }

// Num returns the symbol's number: in the file that Parse read, and after edits
// or Write in the table as it is then. The first of File.Symbols is 1.
func (s *Symbol) Num() int { return int(s.num) }

// Undefined reports whether another file has to define the symbol (SHN_UNDEF).
func (s *Symbol) Undefined() bool { return s.Section == nil && s.Index == elf.SHN_UNDEF }

// String returns the symbol's name or, for a section symbol without a name, that
// of the section.
func (s *Symbol) String() string {
	switch {
	case s == nil:
		return "symbol 0"
	case s.Name == "" && s.Section != nil:
		return s.Section.String()
	}
	return printable(s.Name)
}

// Rela is one relocation. In SHT_REL sections the addend is in the bytes that are
// relocated; here it is 0.
type Rela struct {
	Offset uint64  // in the target section, in bytes
	Sym    *Symbol // nil for symbol 0
	Type   uint32  // a number of the machine's psABI
	Addend int64
}

// numberSections sets num of each section to its number in the header table.
func (f *File) numberSections() {
	for i, s := range f.Sections {
		s.num = i + 1
	}
}

// hasSection reports whether s, not nil, is one of f.Sections, which must be
// numbered.
func (f *File) hasSection(s *Section) bool {
	return s.num > 0 && s.num <= len(f.Sections) && f.Sections[s.num-1] == s
}

// numberSymbols sets num of each symbol to its place in f.Symbols, from 1.
func (f *File) numberSymbols() {
	for i, y := range f.Symbols {
		y.num = uint32(i + 1)
	}
}

// hasSymbol reports whether y, not nil, is one of f.Symbols, which must be
// numbered.
func (f *File) hasSymbol(y *Symbol) bool {
	i := uint64(y.num) - 1
	return i < uint64(len(f.Symbols)) && f.Symbols[i] == y
}

// Section returns the first section of that name, or nil.
func (f *File) Section(name string) *Section {
	for _, s := range f.Sections {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// The methods below decode contents in the file's byte order.

// Uint16 decodes the first two bytes of b in the file's byte order.
func (f *File) Uint16(b []byte) uint16 { return f.u16(b) }

// Uint32 decodes the first four bytes of b in the file's byte order.
func (f *File) Uint32(b []byte) uint32 { return f.u32(b) }

// Uint64 decodes the first eight bytes of b in the file's byte order.
func (f *File) Uint64(b []byte) uint64 { return f.u64(b) }

// PointerSize returns the width of an address, in bytes.
func (f *File) PointerSize() int { return pick(f.wide, 8, 4) }

// BigEndian reports whether the file stores the most significant byte first.
func (f *File) BigEndian() bool { return f.big }

// printable returns s, quoted when it is empty or holds a space or anything that
// is not printable ASCII.
func printable(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return strconv.Quote(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}
