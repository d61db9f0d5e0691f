// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"bytes"
	"debug/elf"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// victim is the good file that pokes change.
func victim(k kind) *image { return module(k).shndx() }

// TestParseRefuses changes one field (a few cases need a second one to reach their
// check) for every validation branch. The messages are those for a 64-bit file;
// files of the other kinds must be refused as well.
func TestParseRefuses(t *testing.T) {
	m := victim(kind64LE)
	last := uint64(len(m.secs))
	for _, c := range []struct {
		name string
		poke poke
		want string
	}{
		{"magic", ident(0, 0), "not an ELF file"},
		{"class", ident(elf.EI_CLASS, 3), "file+0x4: unknown ELF class 3"},
		{"byte order", ident(elf.EI_DATA, 0), "file+0x5: unknown byte order 0"},
		{"EI_VERSION", ident(elf.EI_VERSION, 2), "file+0x6: unknown ELF version 2"},
		{"type", ehdr("e_type", 3), "file+0x10: not a relocatable file (ET_REL): e_type is ET_DYN"},
		{"e_ehsize", ehdr("e_ehsize", 63), "file+0x34: e_ehsize is 63, want 64"},
		{"no e_shoff", ehdr("e_shoff", 0),
			"file+0x3c: e_shnum is 20 without section headers (e_shoff is 0)"},
		{"e_shentsize", ehdr("e_shentsize", 65), "file+0x3a: e_shentsize is 65, want 64"},
		{"e_shoff past the end", ehdr("e_shoff", 1<<31),
			"file+0x28: e_shoff 0x80000000 is past the end of the file, which has 0x"},
		{"e_shoff at the end", func(k kind, b []byte) { ehdr("e_shoff", uint64(len(b)-1))(k, b) },
			"file+0x28: e_shoff"},
		{"section 0", shdrN(0, "sh_type", 1), "section 0 has type SHT_PROGBITS, want SHT_NULL"},
		{"e_shnum reserved", ehdr("e_shnum", 0xff00),
			"file+0x3c: e_shnum 0xff00 is a reserved number"},
		{"e_shnum 0", ehdr("e_shnum", 0), "section header table with no entries"},
		{"e_shnum", ehdr("e_shnum", 1000),
			"1000 section headers do not fit into the file, which has 0x"},
		{"escaped e_shnum", chain(ehdr("e_shnum", 0), shdrN(0, "sh_size", 1<<31)),
			"2147483648 section headers do not fit into the file"},
		{"e_shstrndx", ehdr("e_shstrndx", last+1),
			"file+0x3e: e_shstrndx is 20, but there are 20 sections"},
		{"e_shstrndx reserved", ehdr("e_shstrndx", 0xff00),
			"file+0x3e: e_shstrndx 0xff00 is a reserved number"},
		{"escaped e_shstrndx", chain(ehdr("e_shstrndx", 0xffff), shdrN(0, "sh_link", 1<<31)),
			"file+0x3e: e_shstrndx is 2147483648, but there are 20 sections"},

		{"sh_addralign", m.sh(".text", "sh_addralign", 24),
			"section 2: sh_addralign 0x18 is not a power of two"},
		{"size of SHT_NULL", m.sh(".note", "sh_type", 0),
			"section 6: SHT_NULL section with a size of 12"},
		{"sh_offset", m.sh(".text", "sh_offset", 1<<31),
			"section 2: contents (0x3d bytes at 0x80000000) extend past the end of the file"},
		{"sh_size", m.sh(".text", "sh_size", 1<<31),
			"section 2: contents (0x80000000 bytes at 0x50) extend past the end of the file"},
		{"contents three times", func(k kind, b []byte) {
			for _, name := range []string{".text", ".data", ".note"} {
				chain(m.sh(name, "sh_offset", 0), m.sh(name, "sh_size", uint64(len(b))))(k, b)
			}
		}, "section 6: contents of the sections up to here add up to more than twice the length " +
			"of the file"},
		{"sh_name", m.sh(".text", "sh_name", 1<<31),
			": sh_name 0x80000000 is past the end of the section name table"},
		{"section names in a non-table", ehdr("e_shstrndx", 2),
			"section 2: used as a string table, but its type is SHT_PROGBITS"},
		{"first byte of names", m.in(".shstrtab", 0, 'x'),
			"+0x0: string table does not begin with NUL"},
		{"last byte of names", m.in(".shstrtab", -1, 'x'), ": string table does not end with NUL"},

		{"link of SHT_NULL", chain(m.sh(".bss", "sh_type", 0), m.sh(".bss", "sh_size", 0),
			m.sh(".bss", "sh_link", 1)), ".bss: SHT_NULL section with a link"},
		{"info of SHT_NULL", chain(m.sh(".bss", "sh_type", 0), m.sh(".bss", "sh_size", 0),
			m.sh(".bss", "sh_info", 1)), ".bss: SHT_NULL section with a link"},
		{"sh_link", m.sh(".text", "sh_link", last+1),
			".text: sh_link is 20, but there are 20 sections"},
		{"sh_info of RELA", m.sh(".rela.text", "sh_info", last+1),
			".rela.text: sh_info is 20, but there are 20 sections"},
		{"SHF_INFO_LINK", chain(m.sh(".text", "sh_flags", flagInfoLink),
			m.sh(".text", "sh_info", 0xffffffff)),
			".text: sh_info is 4294967295, but there are 20 sections"},

		{"second symbol table", m.sh(".debug", "sh_type", uint64(elf.SHT_SYMTAB)),
			".symtab: second symbol table; the first is .debug"},
		{"second table of indexes", m.sh(".debug", "sh_type", uint64(elf.SHT_SYMTAB_SHNDX)),
			".symtab_shndx: second SHT_SYMTAB_SHNDX section; the first is .debug"},
		{"indexes without a symbol table", m.sh(".symtab_shndx", "sh_link", 0),
			".symtab_shndx: SHT_SYMTAB_SHNDX section is linked to section 0, not to the symbol " +
				"table"},
		{"indexes of something else", m.sh(".symtab_shndx", "sh_link", 2),
			".symtab_shndx: SHT_SYMTAB_SHNDX section is linked to .text, not to the symbol table"},
		{"symbol size", m.sh(".symtab", "sh_entsize", 8),
			".symtab: sh_entsize of the symbol table is 8, want 24"},
		{"symbol table cut", m.sh(".symtab", "sh_size", 241),
			".symtab: size of the symbol table, 241, is not a multiple of 24"},
		{"symbol table empty", m.sh(".symtab", "sh_size", 0),
			".symtab: size of the symbol table, 0, is not a multiple of 24"},
		{"symbol 0", m.in(".symtab", 0, 1), ".symtab+0x0: symbol 0 is not all zero"},
		{"no string table", m.sh(".symtab", "sh_link", 0),
			".symtab: symbol table without a string table (sh_link is 0)"},
		{"symbol names in a non-table", m.sh(".symtab", "sh_link", 2),
			".text: used as a string table, but its type is SHT_PROGBITS"},
		{"first byte of symbol names", m.in(".strtab", 0, 'x'),
			".strtab+0x0: string table does not begin with NUL"},
		{"last byte of symbol names", m.in(".strtab", -1, 'x'),
			": string table does not end with NUL"},
		{"sh_info of the symbol table", m.sh(".symtab", "sh_info", 13),
			".symtab: sh_info says 13 local symbols of 12"},
		{"no locals, not even symbol 0", m.sh(".symtab", "sh_info", 0),
			".symtab: sh_info says 0 local symbols of 12"},
		{"one local too many", m.sh(".symtab", "sh_info", 7),
			".symtab+0x90: symbol 6 (grouped) is STB_WEAK, but sh_info says that the first 7 are " +
				"local"},
		{"one local too few", m.sh(".symtab", "sh_info", 5),
			".symtab+0x78: symbol 5 (helper) is STB_LOCAL, but sh_info says that the first 5 are " +
				"local"},
		{"st_name", m.st(3, "st_name", 1<<31),
			".symtab+0x48: symbol 3: st_name 0x80000000 is past the end of the string table"},
		{"st_shndx", m.st(3, "st_shndx", last+1),
			".symtab+0x48: symbol 3 (local) is in section 20, but there are 20"},
		{"SHN_XINDEX with 0", m.st(3, "st_shndx", 0xffff),
			".symtab_shndx+0xc: symbol 3 (local): extended section index 0"},
		{"SHN_XINDEX too large",
			chain(m.st(3, "st_shndx", 0xffff), m.in32(".symtab_shndx", 12, 1<<31)),
			".symtab+0x48: symbol 3 (local) is in section 2147483648, but there are 20"},
		{"index without SHN_XINDEX", m.in32(".symtab_shndx", 12, 2),
			".symtab_shndx+0xc: symbol 3 (local): extended section index 2, but st_shndx is not " +
				"SHN_XINDEX"},
		{"index of symbol 0", m.in32(".symtab_shndx", 0, 2),
			".symtab_shndx+0x0: extended section index 2 of symbol 0"},
		{"too few indexes", m.sh(".symtab_shndx", "sh_size", 44),
			".symtab_shndx: 44 bytes of extended section indexes for 12 symbols"},
		{"SHN_XINDEX without a table",
			chain(m.sh(".symtab_shndx", "sh_type", 1), m.st(3, "st_shndx", 0xffff)),
			".symtab+0x48: symbol 3 (local) is in section SHN_XINDEX, but there is no " +
				"SHT_SYMTAB_SHNDX section"},

		{"group without a symbol table", m.sh(".group", "sh_link", 0),
			".group: section group is linked to section 0, not to the symbol table"},
		{"group of another table", m.sh(".group", "sh_link", 2),
			".group: section group is linked to .text, not to the symbol table"},
		{"no signature", m.sh(".group", "sh_info", 0),
			".group: signature of the section group is symbol 0, but there are 12"},
		{"signature", m.sh(".group", "sh_info", 12),
			".group: signature of the section group is symbol 12, but there are 12"},
		{"group cut", m.sh(".group", "sh_size", 10),
			".group: section group of 10 bytes, want a multiple of 4"},
		{"group without flags", m.sh(".group", "sh_size", 0),
			".group: section group of 0 bytes, want a multiple of 4"},
		{"member", m.in32(".group", 8, 20),
			".group+0x8: member of the section group is section 20, but there are 20"},
		{"member 0", m.in32(".group", 4, 0),
			".group+0x4: member of the section group is section 0, but there are 20"},

		{"size of RELA", m.sh(".rela.text", "sh_entsize", 0),
			".rela.text: sh_entsize of relocations is 0, want 24"},
		{"size of REL", m.sh(".rel.debug", "sh_entsize", 24),
			".rel.debug: sh_entsize of relocations is 24, want 16"},
		{"relocations cut", m.sh(".rela.text", "sh_size", 95),
			".rela.text: size of relocations, 95, is not a multiple of 24"},
		{"symbol of a relocation", m.relSym(".rela.text", 1, 12),
			".rela.text+0x18: relocation against symbol 12, but there are 12"},
		{"symbol of a relocation, far away", m.relSym(".rel.debug", 0, 1<<24-1),
			".rel.debug+0x0: relocation against symbol 16777215, but there are 12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, k kind) {
				m := victim(k)
				b := m.bytes()
				c.poke(k, b)
				f, err := Parse("hostile.ko", b)
				assert.Nil(t, f)
				var e *Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, "hostile.ko", e.File)
				if k.wide() {
					assert.ErrorContains(t, err, c.want)
				}
			})
		})
	}
}

func TestParseSentinels(t *testing.T) {
	for _, b := range [][]byte{nil, {}, []byte("\x7fELF"), bytes.Repeat([]byte{'x'}, 1000)} {
		_, err := Parse("f", b)
		assert.ErrorIs(t, err, ErrNotELF)
		assert.EqualError(t, err, "f: not an ELF file")
	}
	b := bare(kind64LE).bytes()
	ehdr("e_type", 2)(kind64LE, b)
	_, err := Parse("f", b)
	assert.ErrorIs(t, err, ErrNotRelocatable)
}

// TestParseAcceptsUnusualButValid is the counterpart of each refusal: the nearest
// cases that must pass, and are written as they were read.
func TestParseAcceptsUnusualButValid(t *testing.T) {
	m := victim(kind64LE)
	for name, p := range map[string]poke{
		"nothing poked":  func(kind, []byte) {},
		"OSABI":          ident(elf.EI_OSABI, 200),
		"padding":        ident(15, 1),
		"e_version":      ehdr("e_version", 0),
		"sh_addralign 0": m.sh(".text", "sh_addralign", 0),
		"sh_addralign of SHT_NULL": chain(m.sh(".bss", "sh_type", 0),
			m.sh(".bss", "sh_size", 0), m.sh(".bss", "sh_addralign", 3)),
		"large NOBITS":      m.sh(".bss", "sh_size", 1<<32-1),
		"nameless sections": ehdr("e_shstrndx", 0),
		"escaped e_shstrndx": chain(ehdr("e_shstrndx", 0xffff),
			shdrN(0, "sh_link", uint64(m.num(".shstrtab")))),
		"escaped e_shstrndx 0": ehdr("e_shstrndx", 0xffff),
		"escaped e_shnum": chain(ehdr("e_shnum", 0),
			shdrN(0, "sh_size", uint64(len(m.secs)+1))),
		"last section":                m.sh(".text", "sh_link", uint64(len(m.secs))),
		"sh_info of .text":            m.sh(".text", "sh_info", 99),
		"last symbol as signature":    m.sh(".group", "sh_info", 11),
		"last section as member":      m.in32(".group", 8, uint32(len(m.secs))),
		"last symbol in a relocation": m.relSym(".rela.text", 1, 11),
		"reserved st_shndx":           m.st(3, "st_shndx", 0xfffe),
		"symbol in the last section":  m.st(3, "st_shndx", uint64(len(m.secs))),
		"local undefined symbol":      m.st(3, "st_shndx", 0),
		"SHN_XINDEX of a small number": chain(m.st(3, "st_shndx", 0xffff),
			m.in32(".symtab_shndx", 12, 2)),
		"unknown global bind":      m.st(7, "st_info", 0xf0),
		"relocations of section 0": m.sh(".rela.text", "sh_info", 0),
		"relocations of another table": chain(m.sh(".rela.text", "sh_link", 0),
			m.sh(".rela.text", "sh_entsize", 0)),
		"a second name at one offset":  m.sh(".text", "sh_name", 1),
		"name 0":                       m.sh(".text", "sh_name", 0),
		"a flag of the group":          m.in32(".group", 0, 0xdeadbeef),
		"e_phoff":                      ehdr("e_phoff", 8),
		"contents over the ELF header": m.sh(".debug", "sh_offset", 0),
		"contents at the end": func(k kind, b []byte) {
			chain(m.sh(".debug", "sh_offset", uint64(len(b))), m.sh(".debug", "sh_size", 0))(k, b)
		},
		"contents up to the end": func(k kind,
			b []byte) {
			m.sh(".debug", "sh_offset", uint64(len(b)-5))(k, b)
		},
		"contents twice": func(k kind, b []byte) {
			chain(m.sh(".debug", "sh_offset", 0), m.sh(".debug", "sh_size", uint64(len(b))))(k, b)
		},
		"relocation table of size zero": m.sh(".rela.text", "sh_size", 0),
	} {
		t.Run(name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, k kind) {
				b := victim(k).bytes()
				p(k, b)
				assert.NoError(t, roundTrip(b, false))
				assert.NoError(t, roundTrip(b, true))
			})
		})
	}
}

// TestNoTruncationPanics parses every beginning of a file.
func TestNoTruncationPanics(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		m := victim(k)
		m.trailer = ""
		b := m.bytes()
		for n := range b {
			_, err := Parse("cut", b[:n])
			require.Error(t, err, "%d of %d bytes", n, len(b))
		}
	})
}

// TestNoFlippedBytePanics sets each byte to critical values. What is still an ELF
// file must be written as it was read.
func TestNoFlippedBytePanics(t *testing.T) {
	for _, k := range []kind{kind64LE, kind32BE} {
		b := victim(k).bytes()
		for i := range b {
			was := b[i]
			for _, v := range []byte{0, 1, 0x7f, 0xff, was ^ 0x80, was + 1} {
				b[i] = v
				if f, err := Parse("flipped", b); err == nil {
					_ = f.Verify()
					require.NoError(t, roundTrip(b, true), "byte %#x", i)
				}
			}
			b[i] = was
		}
	}
}

// TestAllocationIsBoundedByTheInput parses files with wrong counts and sizes.
func TestAllocationIsBoundedByTheInput(t *testing.T) {
	const factor, constant = 16, 64 << 10
	for _, k := range []kind{kind64LE, kind32BE} {
		symbols := bare(k)
		for range 50_000 {
			symbols.syms = append(symbols.syms, tsym{bind: elf.STB_GLOBAL})
		}
		groups := bare(k)
		for range 1000 {
			groups.add(&tsec{name: ".g", typ: elf.SHT_GROUP, link: ".symtab", info: "local"})
		}
		group := groups.bytes()
		for i := range 1000 { // all with the same range
			n := 6 + i
			chain(shdrN(n, "sh_offset", 64), shdrN(n, "sh_size", 40_000))(k, group)
		}
		for name, b := range map[string][]byte{
			"symbols":              symbols.bytes(),
			"sections":             many(k, 50_000).bytes(),
			"overlapping groups":   group,
			"e_shnum too large":    poked(k, chain(ehdr("e_shnum", 0), shdrN(0, "sh_size", 1<<31))),
			"NOBITS too large":     poked(k, bareNOBITS(k)),
			"one name of all":      oneLongName(k, 20_000),
			"relocation of 1<<24":  poked(k, victim(k).relSym(".rela.text", 0, 1<<24-1)),
			"alignment beyond all": poked(k, victim(k).sh(".text", "sh_addralign", 1<<31)),
		} {
			t.Run(name, func(t *testing.T) {
				used := allocated(func() {
					if f, err := Parse("hostile", b); err == nil {
						_ = f.Verify()
					}
				})
				assert.LessOrEqual(t, used, uint64(factor*len(b)+constant), "%d bytes of input",
					len(b))
			})
		}
	}
}

func poked(k kind, p poke) []byte {
	b := victim(k).bytes()
	p(k, b)
	return b
}

func bareNOBITS(k kind) poke { return victim(k).sh(".bss", "sh_size", 1<<32-1) }

// oneLongName returns a file with n symbols whose names are in one string of n bytes.
func oneLongName(k kind, n int) []byte {
	m := bare(k)
	name := strings.Repeat("a", n)
	for range n {
		m.syms = append(m.syms, tsym{name: name, bind: elf.STB_GLOBAL})
	}
	return m.bytes()
}

func TestSymbolsOfOneLongNameShareIt(t *testing.T) {
	const n = 20_000
	f := parse(t, oneLongName(kind64LE, n))
	require.Len(t, f.Symbols, n+2)
	assert.Len(t, f.Symbols[n].Name, n)
	assert.NoError(t, roundTrip(oneLongName(kind64LE, n), true))
}

// After one stride the end of a name is looked up, not searched: otherwise a million
// symbols with names in one long string would take a million times its length. A
// changed index shows which of the two is done.
func TestNameLookUpReadsOneStride(t *testing.T) {
	const n = 1 << 20
	b := append([]byte{0}, bytes.Repeat([]byte{'a'}, n)...)
	table := newStringTable(append(b, 0))
	name, ok := table.at(1)
	require.True(t, ok)
	require.Len(t, name, n)
	for i := range table.nul {
		table.nul[i] = 1000
	}
	name, ok = table.at(1)
	require.True(t, ok)
	assert.Len(t, name, 999)
}

func TestNamesEndAtTheirNUL(t *testing.T) {
	var b []byte
	var want []string
	for n := range 600 { // lengths around the stride, at all offsets within it
		b = append(append(b, strings.Repeat("n", n)...), 0)
		want = append(want, strings.Repeat("n", n))
	}
	table := newStringTable(b)
	var off uint32
	for _, w := range want {
		got, ok := table.at(off)
		require.True(t, ok)
		require.Equal(t, w, got)
		if len(w) > 0 {
			got, _ = table.at(off + 1)
			require.Equal(t, w[1:], got)
		}
		off += uint32(len(w)) + 1
	}
	_, ok := table.at(off)
	assert.False(t, ok)
}
