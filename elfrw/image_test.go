// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"
)

// kind is the class, byte order and machine, which decide how fields are encoded.
type kind struct {
	class   elf.Class
	data    elf.Data
	machine elf.Machine
}

var (
	kind64LE = kind{elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_X86_64}
	kind64BE = kind{elf.ELFCLASS64, elf.ELFDATA2MSB, elf.EM_S390}
	kind32LE = kind{elf.ELFCLASS32, elf.ELFDATA2LSB, elf.EM_ARM}
	kind32BE = kind{elf.ELFCLASS32, elf.ELFDATA2MSB, elf.EM_PPC}
	kindMIPS = kind{elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_MIPS}

	kinds = map[string]kind{"64LE": kind64LE, "64BE": kind64BE, "32LE": kind32LE, "32BE": kind32BE,
		"mips64el": kindMIPS}
)

func eachKind(t *testing.T, test func(t *testing.T, k kind)) {
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) { test(t, k) })
	}
}

func (k kind) wide() bool { return k.class == elf.ELFCLASS64 }

func (k kind) order() binary.AppendByteOrder {
	if k.data == elf.ELFDATA2MSB {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (k kind) u16(b []byte, v uint16) []byte { return k.order().AppendUint16(b, v) }
func (k kind) u32(b []byte, v uint32) []byte { return k.order().AppendUint32(b, v) }
func (k kind) u64(b []byte, v uint64) []byte { return k.order().AppendUint64(b, v) }

// word appends an address-sized field.
func (k kind) word(b []byte, v uint64) []byte {
	if k.wide() {
		return k.u64(b, v)
	}
	return k.u32(b, uint32(v))
}

// image describes an ELF file to be assembled, so that tests need no compiler.
// It encodes with encoding/binary and shares no code with the package.
type image struct {
	kind
	osabi, abiversion byte
	pad               byte
	flags             uint32
	phnum             uint16

	secs    []*tsec // without section 0
	syms    []tsym  // without symbol 0, local ones first
	order   []string
	front   bool // section headers before the contents
	escape  bool // e_shnum and e_shstrndx in section 0 even when they fit
	xindex  bool // st_shndx in .symtab_shndx even when it fits
	junk    byte // fills gaps
	trailer string
}

// tsec is a section. Its contents are data, or derived for the types whose contents
// have a format of their own.
type tsec struct {
	name    string
	typ     elf.SectionType
	flags   elf.SectionFlag
	addr    uint64
	align   uint64
	entsize uint64
	link    string // name of the section
	info    string // name of the section or, for a group, the symbol
	infoNum uint32
	data    []byte
	size    uint64 // of SHT_NOBITS
	at      uint64 // offset, where it is not that of a linker
	relocs  []trel
	members []string
}

type tsym struct {
	name  string
	sec   string
	index elf.SectionIndex
	bind  elf.SymBind
	typ   elf.SymType
	other byte
	value uint64
	size  uint64
}

type trel struct {
	off    uint64
	sym    string
	typ    uint32
	addend int64
}

func (m *image) sec(name string) *tsec {
	i := slices.IndexFunc(m.secs, func(s *tsec) bool { return s.name == name })
	if i < 0 {
		panic("no section " + name)
	}
	return m.secs[i]
}

func (m *image) add(s ...*tsec) *image {
	m.secs = append(m.secs, s...)
	return m
}

// strings collects names, sharing tails as linkers do.
type tstrings struct {
	tab  []byte
	seen map[string]uint32
}

func (t *tstrings) offset(name string) uint32 {
	if t.tab == nil {
		t.tab, t.seen = []byte{0}, map[string]uint32{"": 0}
	}
	if off, ok := t.seen[name]; ok {
		return off
	}
	i := bytes.Index(t.tab, append([]byte(name), 0))
	if i < 0 {
		i = len(t.tab)
		t.tab = append(append(t.tab, name...), 0)
	}
	t.seen[name] = uint32(i)
	return uint32(i)
}

// bytes assembles the file.
func (m *image) bytes() []byte {
	secNum, symNum := map[string]uint32{"": 0}, map[string]uint32{"": 0}
	for i := len(m.secs); i > 0; i-- {
		secNum[m.secs[i-1].name] = uint32(i)
	}
	var locals uint32 = 1
	for i, y := range m.syms {
		symNum[y.name] = uint32(i + 1)
		if y.bind == elf.STB_LOCAL {
			locals++
		}
	}
	number := func(of map[string]uint32, name string) uint32 {
		n, ok := of[name]
		if !ok {
			panic("nothing named " + name)
		}
		return n
	}

	var names, strs tstrings
	shared := slices.IndexFunc(m.secs, func(s *tsec) bool { return s.name == ".shstrtab" }) < 0
	hasNames := !shared ||
		slices.IndexFunc(m.secs, func(s *tsec) bool { return s.name == ".strtab" }) >= 0
	nameTab := &names
	if shared {
		nameTab = &strs
	}
	for _, s := range m.secs {
		nameTab.offset(s.name)
	}
	// The tables, before anything needs their size.
	symtab, words := make([]byte, pick(m.wide(), 24, 16)), make([]byte, 4)
	for _, y := range m.syms {
		n := number(secNum, y.sec)
		shndx, word := uint16(n), uint32(0)
		switch {
		case y.sec == "":
			shndx = uint16(y.index)
		case n >= 0xff00 || m.xindex:
			shndx, word = 0xffff, n
		}
		info := byte(y.bind)<<4 | byte(y.typ)
		symtab = m.u32(symtab, strs.offset(y.name))
		if m.wide() {
			symtab = m.u16(append(symtab, info, y.other), shndx)
			symtab = m.u64(m.u64(symtab, y.value), y.size)
		} else {
			symtab = m.u32(m.u32(symtab, uint32(y.value)), uint32(y.size))
			symtab = m.u16(append(symtab, info, y.other), shndx)
		}
		words = m.u32(words, word)
	}
	for _, s := range m.secs {
		if s.data != nil {
			continue
		}
		switch {
		case s.typ == elf.SHT_SYMTAB:
			s.data = symtab
		case s.typ == elf.SHT_SYMTAB_SHNDX:
			s.data = words
		case s.name == ".strtab":
			strs.offset("")
			s.data = strs.tab
		case s.name == ".shstrtab":
			s.data = names.tab
		case s.typ == elf.SHT_GROUP:
			s.data = m.u32(nil, 1)
			for _, name := range s.members {
				s.data = m.u32(s.data, number(secNum, name))
			}
		case s.typ == elf.SHT_REL || s.typ == elf.SHT_RELA:
			s.data = []byte{}
			for _, r := range s.relocs {
				n := number(symNum, r.sym)
				s.data = m.word(s.data, r.off)
				switch {
				case !m.wide():
					s.data = m.u32(s.data, n<<8|r.typ)
				case m.kind == kindMIPS:
					s.data = binary.BigEndian.AppendUint32(m.u32(s.data, n), r.typ)
				default:
					s.data = m.u64(s.data, uint64(n)<<32|uint64(r.typ))
				}
				if s.typ == elf.SHT_RELA {
					s.data = m.word(s.data, uint64(r.addend))
				}
			}
		}
	}

	// Offsets.
	ehsize, shsize, wordsize := pick(m.wide(), 64, 52), pick(m.wide(), 64,
		40), uint64(pick(m.wide(), 8, 4))
	up := func(n, align uint64) uint64 {
		return (n + max(align, 1) - 1) / max(align, 1) * max(align,
			1)
	}
	pos, shoff := uint64(ehsize), uint64(0)
	if m.front {
		shoff = pos
		pos += uint64(shsize * (len(m.secs) + 1))
	}
	var inOrder []*tsec
	for _, name := range m.order {
		inOrder = append(inOrder, m.sec(name))
	}
	for _, s := range m.secs {
		if !slices.Contains(m.order, s.name) {
			inOrder = append(inOrder, s)
		}
	}
	offset := map[*tsec]uint64{}
	for _, s := range inOrder {
		if s.at != 0 {
			offset[s] = s.at
			if s.typ != elf.SHT_NOBITS && s.typ != elf.SHT_NULL {
				pos = max(pos, s.at+uint64(len(s.data)))
			}
			continue
		}
		pos = up(pos, s.align)
		offset[s] = pos
		if s.typ != elf.SHT_NOBITS {
			pos += uint64(len(s.data))
		}
	}
	end := pos
	if !m.front {
		shoff = up(pos, wordsize)
		end = shoff + uint64(shsize*(len(m.secs)+1))
	}

	// ELF header.
	b := append([]byte(elf.ELFMAG), byte(m.class), byte(m.data), byte(elf.EV_CURRENT), m.osabi,
		m.abiversion)
	b = append(b, bytes.Repeat([]byte{m.pad}, 7)...)
	b = m.u32(m.u16(m.u16(b, uint16(elf.ET_REL)), uint16(m.machine)), 1)
	var phoff uint64
	if m.phnum != 0 {
		phoff = uint64(ehsize)
	}
	b = m.word(m.word(m.word(b, 0), phoff), shoff)
	b = m.u16(m.u16(m.u16(m.u32(b, m.flags), uint16(ehsize)), 0), m.phnum)
	n, x := len(m.secs)+1, 0
	if hasNames {
		x = int(number(secNum, map[bool]string{true: ".strtab", false: ".shstrtab"}[shared]))
	}
	var null [3]uint32 // size, link, info
	shnum, shstrndx := n, x
	if n >= 0xff00 || m.escape {
		shnum, null[0] = 0, uint32(n)
	}
	if x >= 0xff00 || m.escape {
		shstrndx, null[1] = 0xffff, uint32(x)
	}
	b = m.u16(m.u16(m.u16(b, uint16(shsize)), uint16(shnum)), uint16(shstrndx))

	// Contents and section headers.
	b = append(b, bytes.Repeat([]byte{m.junk}, int(end)-len(b))...)
	var h []byte
	h = m.u32(m.u32(h, 0), 0)
	h = m.word(m.word(m.word(m.word(h, 0), 0), 0), uint64(null[0]))
	h = m.u32(m.u32(h, null[1]), null[2])
	h = m.word(m.word(h, 0), 0)
	for _, s := range m.secs {
		size := uint64(len(s.data))
		switch s.typ {
		case elf.SHT_NOBITS:
			size = s.size
		case elf.SHT_NULL:
		default:
			copy(b[offset[s]:], s.data)
		}
		info := s.infoNum
		switch {
		case s.typ == elf.SHT_SYMTAB && info == 0:
			info = locals
		case s.typ == elf.SHT_GROUP:
			info = number(symNum, s.info)
		case s.info != "":
			info = number(secNum, s.info)
		}
		h = m.u32(m.u32(h, nameTab.offset(s.name)), uint32(s.typ))
		h = m.word(m.word(m.word(m.word(h, uint64(s.flags)), s.addr), offset[s]), size)
		h = m.u32(m.u32(h, number(secNum, s.link)), info)
		h = m.word(m.word(h, s.align), s.entsize)
	}
	copy(b[shoff:], h)
	return append(b, m.trailer...)
}

const (
	alloc = elf.SHF_ALLOC
	code  = elf.SHF_ALLOC | elf.SHF_EXECINSTR
	data  = elf.SHF_ALLOC | elf.SHF_WRITE
)

// bare returns a file with a symbol table and two symbols, in GNU ld's order.
func bare(k kind) *image {
	m := &image{kind: k}
	m.add(
		&tsec{name: ".text", typ: elf.SHT_PROGBITS, flags: code, align: 16, data: make([]byte, 64)},
		&tsec{name: ".data", typ: elf.SHT_PROGBITS, flags: data, align: 8,
			data: []byte("initialised data")},
		&tsec{name: ".symtab", typ: elf.SHT_SYMTAB, align: 8,
			entsize: uint64(pick(k.wide(), 24, 16)), link: ".strtab"},
		&tsec{name: ".strtab", typ: elf.SHT_STRTAB, align: 1},
		&tsec{name: ".shstrtab", typ: elf.SHT_STRTAB, align: 1},
	)
	m.syms = []tsym{
		{name: "local", sec: ".text", typ: elf.STT_FUNC, size: 16},
		{name: "global", sec: ".data", bind: elf.STB_GLOBAL, typ: elf.STT_OBJECT, size: 8},
	}
	return m
}

// rela returns a relocation section.
func (m *image) rela(target string, relocs ...trel) *tsec {
	return &tsec{
		name: ".rela" + target, typ: elf.SHT_RELA, flags: elf.SHF_INFO_LINK, align: uint64(pick(m.wide(), 8, 4)),
		entsize: uint64(pick(m.wide(), 24, 12)), link: ".symtab", info: target, relocs: relocs,
	}
}

func (m *image) rel(target string, relocs ...trel) *tsec {
	s := m.rela(target, relocs...)
	s.name, s.typ, s.entsize = ".rel"+target, elf.SHT_REL, uint64(pick(m.wide(), 16, 8))
	return s
}

// module returns a file with nearly everything that a kernel module can hold.
func module(k kind) *image {
	m := &image{kind: k, flags: 2, trailer: "a signature\n~Module signature appended~\n"}
	m.add(
		&tsec{name: ".group", typ: elf.SHT_GROUP, align: 4, entsize: 4, link: ".symtab",
			info: "grouped", members: []string{".text.grouped", ".rela.text.grouped"}},
		&tsec{name: ".text", typ: elf.SHT_PROGBITS, flags: code, align: 16, data: make([]byte, 61)},
		m.rela(".text", trel{4, "outside", 2, -4}, trel{12, "data", 1, 8},
			trel{20, "outside", 4, -4}, trel{28, "", 1, 7}),
		&tsec{name: ".text.grouped", typ: elf.SHT_PROGBITS, flags: code | elf.SHF_GROUP, align: 16,
			data: make([]byte, 32)},
		m.rela(".text.grouped", trel{8, "helper", 4, -4}),
		&tsec{name: ".note", typ: elf.SHT_NOTE, flags: alloc, align: 4,
			data: k.u32(k.u32(k.u32(nil, 0), 0), 1)},
		&tsec{name: ".data", typ: elf.SHT_PROGBITS, flags: data, align: 8, data: make([]byte, 24)},
		m.rela(".data", trel{0, "local", 1, 0}, trel{8, "global", 1, 3}),
		&tsec{name: "__patchable", typ: elf.SHT_PROGBITS, flags: alloc | elf.SHF_LINK_ORDER,
			align: 8, link: ".text", data: make([]byte, 16)},
		&tsec{name: ".klp.annotation", typ: elf.SHT_PROGBITS, flags: alloc, align: 8,
			data: make([]byte, 16)},
		m.rela(".klp.annotation", trel{0, "outside", 1, 0}),
		&tsec{name: ".bss", typ: elf.SHT_NOBITS, flags: data, align: 32, size: 100},
		&tsec{name: ".llvm_addrsig", typ: 0x6fff4c03, flags: 0x80000000, align: 1, link: ".symtab",
			data: []byte{2, 5, 7}},
		&tsec{name: ".debug", typ: elf.SHT_PROGBITS, align: 1, data: []byte("debug")},
		m.rel(".debug", trel{1, "data", 10, 0}),
		&tsec{name: ".symtab", typ: elf.SHT_SYMTAB, align: 8,
			entsize: uint64(pick(k.wide(), 24, 16)), link: ".strtab"},
		&tsec{name: ".strtab", typ: elf.SHT_STRTAB, align: 1},
		&tsec{name: ".shstrtab", typ: elf.SHT_STRTAB, align: 1},
	)
	m.syms = []tsym{
		{name: "mod.c", typ: elf.STT_FILE, index: elf.SHN_ABS},
		{name: "annotation", sec: ".klp.annotation", typ: elf.STT_OBJECT, size: 16},
		{name: "local", sec: ".text", typ: elf.STT_FUNC, size: 16},
		{name: "data", sec: ".data", typ: elf.STT_OBJECT, value: 8, size: 8},
		{name: "helper", sec: ".text", typ: elf.STT_FUNC, value: 16, size: 8},
		{name: "grouped", sec: ".text.grouped", bind: elf.STB_WEAK, typ: elf.STT_FUNC, size: 32,
			other: 0x62},
		{name: "global", sec: ".text", bind: elf.STB_GLOBAL, typ: elf.STT_FUNC, value: 32, size: 8},
		{name: "outside", bind: elf.STB_GLOBAL},
		{name: "side", bind: elf.STB_GLOBAL}, // the tail of outside
		{name: "common", bind: elf.STB_GLOBAL, index: elf.SHN_COMMON, value: 4, size: 4},
		{name: ".klp.sym.vmlinux.done,0", bind: elf.STB_GLOBAL, index: 0xff20},
	}
	for _, s := range m.secs {
		if s.typ != elf.SHT_REL && s.typ != elf.SHT_RELA && s.name != ".shstrtab" {
			m.order = append(m.order, s.name)
		}
	}
	return m
}

// many returns a file with n empty sections first, whose number does not fit into
// the ELF header when n is large, and a symbol in the last of them.
func many(k kind, n int) *image {
	m := bare(k)
	text := m.secs
	m.secs = nil
	for i := 0; i < n; i++ {
		m.add(&tsec{name: ".x", typ: elf.SHT_PROGBITS, align: 1, data: []byte{}})
	}
	m.add(text...)
	return m
}

// shndx adds the section of extended section indexes.
func (m *image) shndx() *image {
	return m.add(&tsec{name: ".symtab_shndx", typ: elf.SHT_SYMTAB_SHNDX, align: 4, entsize: 4,
		link: ".symtab"})
}

func parse(t testing.TB, b []byte) *File {
	t.Helper()
	f, err := Parse("test.ko", b)
	require.NoError(t, err)
	return f
}

// written returns the output of Write, after Verify found nothing.
func written(t testing.TB, f *File) []byte {
	t.Helper()
	require.NoError(t, f.Verify())
	b, err := f.Bytes()
	require.NoError(t, err)
	return b
}

func symbol(t testing.TB, f *File, name string) *Symbol {
	t.Helper()
	i := slices.IndexFunc(f.Symbols, func(y *Symbol) bool { return y.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return f.Symbols[i]
}

func section(t testing.TB, f *File, name string) *Section {
	t.Helper()
	s := f.Section(name)
	require.NotNil(t, s, name)
	return s
}

func sectionNames(f *File) string {
	var names []string
	for _, s := range f.Sections {
		names = append(names, s.Name)
	}
	return strings.Join(names, " ")
}
