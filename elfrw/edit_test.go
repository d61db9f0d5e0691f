// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"
)

// edited writes f, reads it again and lets every oracle check it.
func edited(t *testing.T, f *File) *File {
	t.Helper()
	b := written(t, f)
	g := parse(t, b)
	require.NoError(t, g.Verify())
	require.NoError(t, g.Editable())
	require.NoError(t, roundTrip(b, true))
	assertAsDebugELF(t, b)
	assertReadelfSilent(t, b)
	return g
}

// symbolNames returns the names of the symbols that the relocations of s refer to.
func symbolNames(s *Section) string {
	var names []string
	for _, r := range s.Relocs() {
		names = append(names, r.Sym.String())
	}
	return strings.Join(names, " ")
}

func TestAddSection(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := parse(t, module(k).bytes())
		before := sectionNames(f)
		f.AddSection(&Section{Name: ".note.mine", Type: elf.SHT_PROGBITS, Flags: flagAlloc,
			Align: 16, Data: []byte("mine")})
		g := edited(t, f)
		assert.Equal(t, before+" .note.mine", sectionNames(g))
		s := g.Sections[len(g.Sections)-1]
		assert.Equal(t, "mine", string(s.Data))
		assert.True(t, s.Alloc())
		assert.Zero(t, s.offset%16)
		assert.Equal(t, f.Trailer, g.Trailer)
		assert.Equal(t, "outside data outside symbol 0",
			strings.Replace(symbolNames(g.Section(".rela.text")), "<nil>", "symbol 0", 1))
	})
}

func TestAddSymbolGlobalRenumbersNothing(t *testing.T) {
	f := parse(t, module(kind64LE).bytes())
	n := len(f.Symbols)
	was := bytes.Clone(section(t, f, ".rela.text").Data)
	f.AddSymbol(&Symbol{Name: "added", Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC), Value: 4,
		Size: 5, Other: 2, Section: f.Section(".text")})
	g := edited(t, f)
	require.Len(t, g.Symbols, n+1)
	y := g.Symbols[n]
	assert.Equal(t, "added", y.Name)
	assert.Equal(t, []any{uint64(4), uint64(5), byte(2), g.Section(".text")},
		[]any{y.Value, y.Size, y.Other, y.Section})
	assert.Equal(t, was, section(t, g, ".rela.text").Data)
}

func TestAddSymbolLocalRenumbersEverywhere(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := parse(t, module(k).bytes())
		f.AddSymbol(&Symbol{Name: "static", Info: elf.ST_INFO(elf.STB_LOCAL, elf.STT_OBJECT),
			Section: f.Section(".data")})
		g := edited(t, f)
		assert.Equal(t, "static", g.Symbols[5].Name, "after the local ones")
		assert.EqualValues(t, 7, g.Symtab.Info, "sh_info")
		assert.Equal(t, "outside data outside symbol 0", symbolNames(g.Section(".rela.text")),
			"undecoded relocations")
		assert.Equal(t, "helper", symbolNames(g.Section(".rela.text.grouped")))
		assert.Equal(t, "data", symbolNames(g.Section(".rel.debug")), "SHT_REL")
		assert.Equal(t, "grouped", g.Section(".group").Signature.Name)
		assert.Equal(t, []byte{2, 5, 8}, g.Section(".llvm_addrsig").Data,
			"of 2, 5, 7: global was 7")
	})
}

func TestAddRelocs(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := parse(t, module(k).bytes())
		local := symbol(t, f, "local")
		f.AddReloc(f.Section(".rela.text"), Rela{40, local, 3, -9})
		klp := &Section{Name: ".klp.rela.vmlinux..text", Type: elf.SHT_RELA,
			Flags: flagAlloc | 0x100020, Align: 8, Link: f.Symtab, Target: f.Section(".text")}
		f.AddSection(klp)
		assert.True(t, klp.HasRelocs())
		f.AddReloc(klp, Rela{44, nil, 5, 6})
		f.AddReloc(klp, Rela{48, symbol(t, f, "outside"), 7, -8})
		assert.Equal(t, 2*klp.EntSize, klp.Size())
		g := edited(t, f)
		assert.Equal(t, Rela{40, symbol(t, g, "local"), 3, -9}, g.Section(".rela.text").Relocs()[4])
		assert.Equal(t, []Rela{{44, nil, 5, 6}, {48, symbol(t, g, "outside"), 7, -8}},
			section(t, g, klp.Name).Relocs())
		assert.Equal(t, g.Section(".text"), section(t, g, klp.Name).Target)
	})
}

func TestAddRelocTakesLinearWork(t *testing.T) {
	const n = 100_000
	f := parse(t, module(kind64LE).bytes())
	s := f.Section(".rela.text")
	used := allocated(func() {
		for i := range n {
			f.AddReloc(s, Rela{Offset: uint64(i % 8)})
		}
	})
	assert.Equal(t, n+4, s.NumRelocs())
	assert.Less(t, used, uint64(20*32*n), "bytes allocated")
}

func TestAddRelocLeavesAGivenSliceAlone(t *testing.T) {
	f := parse(t, module(kind64LE).bytes())
	mine := []Rela{{Offset: 1}, {Offset: 2}, {Offset: 3}}
	s := f.Section(".rela.text")
	s.SetRelocs(mine[:1])
	f.AddReloc(s, Rela{Offset: 9})
	assert.Equal(t, []Rela{{Offset: 1}, {Offset: 2}, {Offset: 3}}, mine)
	assert.Equal(t, []Rela{{Offset: 1}, {Offset: 9}}, s.Relocs())
}

// all returns the indices of all relocations of s.
func all(s *Section) []int {
	which := make([]int, s.NumRelocs())
	for i := range which {
		which[i] = i
	}
	return which
}

func TestMoveRelocsAsksOnlyOfThoseNamed(t *testing.T) {
	f := parse(t, module(kind64LE).bytes())
	from := f.Section(".rela.text")
	want := slices.Delete(slices.Clone(from.Relocs()), 1, 2)
	f.MoveRelocs(from, []int{1, 2}, func(i int, r *Rela) *Section {
		if i == 1 {
			return nil
		}
		return from
	})
	assert.Equal(t, want, from.Relocs())
}

func TestMoveRelocs(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := parse(t, module(k).bytes())
		outside := symbol(t, f, "outside")
		klp := &Section{Name: ".klp.rela.vmlinux..text", Type: elf.SHT_RELA, Align: 8,
			Link: f.Symtab, Target: f.Section(".text")}
		f.AddSection(klp)
		asked := 0
		from := f.Section(".rela.text")
		f.MoveRelocs(from, all(from), func(i int, r *Rela) *Section {
			assert.Equal(t, asked, i)
			asked++
			if r.Sym == outside {
				return klp
			}
			return from
		})
		assert.Equal(t, 4, asked, "once for each")
		g := edited(t, f)
		outside = symbol(t, g, "outside")
		assert.Equal(t, []Rela{{4, outside, 2, -4}, {20, outside, 4, -4}},
			section(t, g, klp.Name).Relocs())
		assert.Equal(t, []Rela{{12, symbol(t, g, "data"), 1, 8}, {28, nil, 1, 7}},
			g.Section(".rela.text").Relocs())
	})
}

func TestMoveRelocsOfNothingLeavesBothUntouched(t *testing.T) {
	b := module(kind64LE).bytes()
	f := parse(t, b)
	from, into := f.Section(".rela.text"), f.Section(".rela.data")
	data := from.Data
	f.MoveRelocs(from, all(from), func(int, *Rela) *Section { return from })
	assert.Same(t, &data[0], &from.Data[0], "a copy")
	assert.Equal(t, rawRelocs, into.encoding)
	assert.Equal(t, b, written(t, f))
}

// The source and the destination may be bytes or decoded values, and the symbol may
// be one that only values can refer to.
func TestMoveRelocsInAnyForm(t *testing.T) {
	for _, form := range []string{"raw", "decoded", "set", "into decoded", "new symbol"} {
		eachKind(t, func(t *testing.T, k kind) {
			f := parse(t, module(k).bytes())
			outside, data := symbol(t, f, "outside"), symbol(t, f, "data")
			from, into := f.Section(".rela.text"), f.Section(".rela.data")
			before := slices.Clone(into.Relocs())
			if form != "into decoded" {
				into.becomeRaw()
			}
			switch form {
			case "decoded":
				from.Relocs()
			case "set":
				from.SetRelocs(from.Relocs())
			case "new symbol":
				data = &Symbol{Name: "added", Info: byte(elf.STB_GLOBAL) << 4}
				f.AddSymbol(data)
			}
			f.MoveRelocs(from, all(from), func(i int, r *Rela) *Section {
				switch {
				case r.Sym == outside && i == 0:
					return into // moved
				case r.Sym == outside:
					return nil // dropped
				case r.Sym == nil:
					r.Sym = data // changed
				}
				return from
			})
			name := data.Name
			g := edited(t, f)
			outside, data = symbol(t, g, "outside"), symbol(t, g, name)
			got := g.Section(".rela.data").Relocs()
			assert.Len(t, got, len(before)+1, form)
			assert.Equal(t, Rela{4, outside, 2, -4}, got[len(before)], form)
			assert.Equal(t, []Rela{{12, symbol(t, g, "data"), 1, 8}, {28, data, 1, 7}},
				g.Section(".rela.text").Relocs(), form)
		})
	}
}

func TestRemoveSectionTakesItsSymbolsAndRelocations(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := parse(t, module(k).bytes())
		require.NoError(t, f.Remove([]*Section{f.Section(".klp.annotation")}, nil))
		g := edited(t, f)
		assert.NotContains(t, sectionNames(g), "annotation")
		for _, y := range g.Symbols {
			assert.NotEqual(t, "annotation", y.Name)
		}
		assert.EqualValues(t, 5, g.Symtab.Info)
		assert.Equal(t, "outside data outside symbol 0", symbolNames(g.Section(".rela.text")))
		assert.Equal(t, "local global", symbolNames(g.Section(".rela.data")))
		assert.Equal(t, "grouped", g.Section(".group").Signature.Name)
		assert.Equal(t, []*Section{g.Section(".text.grouped"), g.Section(".rela.text.grouped")},
			g.Section(".group").Members)
		assert.Equal(t, g.Section(".text"), g.Section("__patchable").Link)
		assert.Equal(t, []byte{4, 6}, g.Section(".llvm_addrsig").Data,
			"of 2, 5, 7: annotation was 2")
	})
}

func TestRemoveTrimsGroup(t *testing.T) {
	m := module(kind64LE)
	m.sec(".group").members = []string{".note", ".text.grouped", ".rela.text.grouped"}
	f := parse(t, m.bytes())
	require.NoError(t, f.Remove([]*Section{f.Section(".note")}, nil))
	g := edited(t, f)
	assert.Equal(t, []*Section{g.Section(".text.grouped"), g.Section(".rela.text.grouped")},
		g.Section(".group").Members)
	assert.EqualValues(t, 12, g.Section(".group").Size())
}

func TestRemoveTakesEmptiedGroup(t *testing.T) {
	f := parse(t, module(kind64LE).bytes())
	require.NoError(t, f.Remove([]*Section{f.Section(".text.grouped")}, nil))
	g := edited(t, f)
	assert.NotContains(t, sectionNames(g), "group",
		"nor the relocations, which were the group's last member")
}

func TestRemoveKeepsGroupThatWasEmpty(t *testing.T) {
	m := bare(kind64LE)
	m.add(&tsec{name: ".g", typ: elf.SHT_GROUP, align: 4, entsize: 4, link: ".symtab",
		info: "local"})
	f := parse(t, m.bytes())
	require.NoError(t, f.Remove([]*Section{f.Section(".data")}, nil))
	assert.Contains(t, sectionNames(edited(t, f)), ".g")
}

func TestRemoveGroupFreesItsMembers(t *testing.T) {
	f := parse(t, module(kind64LE).bytes())
	require.NoError(t, f.Remove([]*Section{f.Section(".group")}, nil))
	g := edited(t, f)
	assert.EqualValues(t, code, g.Section(".text.grouped").Flags, "without SHF_GROUP")
}

func TestRemoveSymbols(t *testing.T) {
	f := parse(t, module(kind64BE).bytes())
	require.NoError(t, f.Remove(nil, []*Symbol{symbol(t, f, "mod.c"), symbol(t, f, "common"), nil}))
	g := edited(t, f)
	assert.EqualValues(t, 5, g.Symtab.Info)
	assert.Equal(t, "outside data outside symbol 0", symbolNames(g.Section(".rela.text")))
	assert.Equal(t, elf.SectionIndex(0xff20), symbol(t, g, ".klp.sym.vmlinux.done,0").Index)
}

func TestRemoveSymbolTableWithAllThatNeedsIt(t *testing.T) {
	f := parse(t, bare(kind64LE).shndx().bytes())
	require.NoError(t, f.Remove([]*Section{f.Symtab, f.Section(".symtab_shndx"),
		f.Section(".strtab")}, nil))
	g := parse(t, written(t, f))
	assert.Equal(t, ".text .data .shstrtab", sectionNames(g))
	assert.Nil(t, g.Symtab)
	assert.Empty(t, f.Symbols)
}

func TestRemoveNamesTheReferrer(t *testing.T) {
	for _, c := range []struct{ name, section, symbol, want string }{
		{"relocation", "", "outside",
			`test.ko: .symtab: symbol outside: still referred to by .rela.text+0x4`},
		{"relocation to a symbol of the section", ".data", "",
			`test.ko: .symtab: symbol data: still referred to by .rela.text+0xc`},
		{"SHT_REL", "", "data",
			`test.ko: .symtab: symbol data: still referred to by .rela.text+0xc`},
		{"link order", ".text", "", `test.ko: .text: still referred to by sh_link of __patchable`},
		{"signature", "", "grouped",
			`test.ko: .symtab: symbol grouped: still referred to as the signature of section group .group`},
		{"string table", ".strtab", "",
			`test.ko: .strtab: still referred to by sh_link of .symtab`},
		{"symbol table", ".symtab", "", `test.ko: .symtab: still referred to by sh_link of .group`},
		{"section names", ".shstrtab", "", `test.ko: .shstrtab: still referred to by e_shstrndx`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := module(kind64LE).bytes()
			f := parse(t, b)
			var sections []*Section
			var symbols []*Symbol
			if c.section != "" {
				sections = append(sections, section(t, f, c.section))
			} else {
				symbols = append(symbols, symbol(t, f, c.symbol))
			}
			err := f.Remove(sections, symbols)
			require.ErrorIs(t, err, ErrReferred)
			assert.EqualError(t, err, c.want)
			assert.Equal(t, b, written(t, f), "nothing is changed")
		})
	}
}

func TestRemoveNamesReferrerBySHInfo(t *testing.T) {
	m := bare(kind64LE)
	m.add(&tsec{name: "i", typ: elf.SHT_PROGBITS, flags: elf.SHF_INFO_LINK, info: ".text"})
	f := parse(t, m.bytes())
	err := f.Remove([]*Section{f.Section(".text")}, nil)
	assert.ErrorIs(t, err, ErrReferred)
	assert.EqualError(t, err, "test.ko: .text: still referred to by sh_info of i")
}

func TestRemoveSeesDecodedRelocations(t *testing.T) {
	f := parse(t, module(kind64LE).bytes())
	outside := symbol(t, f, "outside")
	for _, s := range []string{".rela.text", ".rela.klp.annotation"} {
		keep := section(t, f, s).Relocs()[:0:0]
		f.Section(s).SetRelocs(keep)
	}
	require.NoError(t, f.Remove(nil, []*Symbol{outside}), "no relocation is left")

	f = parse(t, module(kind64LE).bytes())
	f.Section(".rela.text").Relocs()
	assert.ErrorIs(t, f.Remove(nil, []*Symbol{symbol(t, f, "outside")}), ErrReferred)
}

func TestRenameSymbolOnlyAppendsToStrings(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := parse(t, module(k).bytes())
		strtab, shstrtab := f.Symtab.Link.Data, f.Section(".shstrtab").Data
		outside := symbol(t, f, "outside")
		outside.Name, outside.Section, outside.Index = ".klp.sym.vmlinux.outside,1", nil, 0xff20
		g := edited(t, f)
		y := symbol(t, g, ".klp.sym.vmlinux.outside,1")
		assert.Equal(t, elf.SectionIndex(0xff20), y.Index)
		assert.Equal(t, append(bytes.Clone(strtab), ".klp.sym.vmlinux.outside,1\x00"...),
			g.Symtab.Link.Data)
		assert.Equal(t, shstrtab, g.Section(".shstrtab").Data)
		assert.Equal(t, ".klp.sym.vmlinux.outside,1 data .klp.sym.vmlinux.outside,1 symbol 0",
			symbolNames(g.Section(".rela.text")))
		for i, y := range g.Symbols {
			if old := f.parsed[i]; y.Name == old.origName {
				assert.Equal(t, old.nameOff, y.nameOff, y)
			}
		}
	})
}

func TestRenameToNothing(t *testing.T) {
	f := parse(t, module(kind64LE).bytes())
	symbol(t, f, "local").Name = ""
	strtab := f.Symtab.Link.Data
	g := edited(t, f)
	assert.Zero(t, g.Symbols[2].nameOff)
	assert.Equal(t, strtab, g.Symtab.Link.Data)
}

func TestNewNamesAreSharedWithinATable(t *testing.T) {
	m := bare(kind64LE)
	m.secs = m.secs[:4] // .strtab is the section name table too
	f := parse(t, m.bytes())
	f.AddSection(&Section{Name: "both", Type: elf.SHT_PROGBITS})
	symbol(t, f, "global").Name = "both"
	symbol(t, f, "local").Name = "both"
	g := edited(t, f)
	assert.Equal(t, 1, bytes.Count(g.Section(".strtab").Data, []byte("both")))
	assert.Equal(t, "both", g.Symbols[0].Name)
	assert.Equal(t, "both", g.Sections[4].Name)
}

func TestEmptyStringTableTakesNames(t *testing.T) {
	m := bare(kind32BE)
	m.syms = []tsym{{typ: elf.STT_SECTION, sec: ".text"}}
	m.sec(".strtab").data = []byte{}
	f := parse(t, m.bytes())
	f.Symbols[0].Name = "named"
	g := edited(t, f)
	assert.Equal(t, "\x00named\x00", string(g.Symtab.Link.Data))
}

func TestContentsMoveAndKeepTheirOrderAndAlignment(t *testing.T) {
	m := module(kind64LE)
	f := parse(t, m.bytes())
	f.Section(".text").Data = make([]byte, 1000)
	g := edited(t, f)
	var last uint64
	for _, name := range append(m.order, ".rela.text", ".shstrtab") {
		s := section(t, g, name)
		assert.GreaterOrEqual(t, s.offset, last, name)
		assert.Zero(t, s.offset%s.Align, name)
		last = s.offset
	}
	assert.EqualValues(t, 1000, g.Section(".text").Size())
}

// ld.lld gives SHT_NOBITS the offset where the contents before it end.
func TestUnalignedNOBITSStaysAfterItsPredecessor(t *testing.T) {
	m := bare(kind32LE)
	m.sec(".text").data = make([]byte, 61)
	m.order = []string{".text", ".bss", ".data"}
	m.add(&tsec{name: ".bss", typ: elf.SHT_NOBITS, align: 32, at: 64 + 61, size: 100})
	f := parse(t, m.bytes())
	f.Section(".text").Data = make([]byte, 31)
	g := edited(t, f)
	assert.EqualValues(t, 64+31, g.Section(".bss").offset)
	assert.EqualValues(t, 100, g.Section(".bss").Size())
	assert.EqualValues(t, 64+32, g.Section(".data").offset)
}

func TestNOBITSWithinContentsKeepsItsOffset(t *testing.T) {
	m := bare(kind32LE)
	m.sec(".text").data = make([]byte, 200)
	m.order = []string{".text", ".bss", ".data"}
	m.add(&tsec{name: ".bss", typ: elf.SHT_NOBITS, align: 32, at: 66, size: 100})
	f := parse(t, m.bytes())
	f.Section(".text").Data = []byte{1}
	assert.EqualValues(t, 66, edited(t, f).Section(".bss").offset, "and not one below 0")
}

func TestNOBITSInARowStayAligned(t *testing.T) {
	m := bare(kind64LE)
	m.add(&tsec{name: ".bss", typ: elf.SHT_NOBITS, align: 4096, size: 100},
		&tsec{name: ".sbss", typ: elf.SHT_NOBITS, align: 1, at: 4096, size: 100},
		&tsec{name: "a", typ: elf.SHT_PROGBITS, align: 1, at: 4096, data: []byte("zz")})
	f := parse(t, m.bytes())
	require.NoError(t, f.Editable())
	f.Section(".text").Data = make([]byte, 8000)
	g := edited(t, f)
	for _, name := range []string{".bss", ".sbss", "a"} {
		assert.EqualValues(t, 3*4096, g.Section(name).offset, name)
	}
}

func TestAddressOfTheLastSymbolGoesWithIt(t *testing.T) {
	m := bare(kind64LE)
	m.add(&tsec{name: ".llvm_addrsig", typ: 0x6fff4c03, align: 1, link: ".symtab",
		data: []byte{1, 2}})
	f := parse(t, m.bytes())
	require.NoError(t, f.Remove(nil, []*Symbol{symbol(t, f, "global")}))
	assert.Equal(t, []byte{1}, edited(t, f).Section(".llvm_addrsig").Data)
}

func TestCallGraphProfileIsRenumbered(t *testing.T) {
	for _, k := range []kind{kind64LE, kind64BE} {
		m := module(k)
		entry := func(from, to uint32) []byte { return k.u64(k.u32(k.u32(nil, from), to), 77) }
		m.add(&tsec{name: ".llvm.call-graph-profile", typ: 0x6fff4c02, flags: 0x80000000, align: 1,
			link: ".symtab",
			data: bytes.Join([][]byte{entry(5, 7), entry(2, 3), entry(0, 7), entry(3, 1)}, nil)})
		f := parse(t, m.bytes())
		require.NoError(t, f.Remove([]*Section{f.Section(".klp.annotation")}, nil)) // symbol 2
		g := edited(t, f)
		assert.Equal(t, bytes.Join([][]byte{entry(4, 6), entry(0, 6), entry(2, 1)}, nil),
			g.Section(".llvm.call-graph-profile").Data)
	}
}

func TestHiddenNumbersThatMakeNoSenseStopARenumbering(t *testing.T) {
	for _, c := range []struct {
		name string
		typ  elf.SectionType
		data []byte
		want string
	}{
		{"number too large", shtLLVMAddrsig, []byte{2, 99},
			"test.ko: hidden+0x1: not a symbol number, and the symbols got new ones"},
		{"number cut off", shtLLVMAddrsig, []byte{2, 3, 0x80},
			"test.ko: hidden+0x2: not a symbol number, and the symbols got new ones"},
		{"number over 64 bits", shtLLVMAddrsig, bytes.Repeat([]byte{0xff}, 20),
			"test.ko: hidden+0x0: not a symbol number, and the symbols got new ones"},
		{"profile too large", shtLLVMCallGraphProfile, bytes.Repeat([]byte{99}, 16),
			"test.ko: hidden+0x0: not a symbol number, and the symbols got new ones"},
		{"profile cut off", shtLLVMCallGraphProfile, make([]byte, 17),
			"test.ko: hidden: size 17 is not a multiple of 16, and the symbols got new numbers"},
		{"compact relocations", shtCREL, []byte{0},
			"test.ko: hidden: compact relocations (SHT_CREL), and the symbols got new numbers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := module(kind64LE).add(&tsec{name: "hidden", typ: c.typ, link: ".symtab",
				data: c.data}).bytes()
			require.NoError(t, roundTrip(b, true))
			f := parse(t, b)
			f.Symbols[1], f.Symbols[2] = f.Symbols[2], f.Symbols[1]
			_, err := f.Bytes()
			assert.EqualError(t, err, c.want)
		})
	}
}

func TestHiddenNumbersOfOtherTablesAreOpaque(t *testing.T) {
	f := parse(t, module(kind64LE).add(&tsec{name: "hidden", typ: shtLLVMAddrsig,
		data: []byte{99}}).bytes())
	f.Symbols[1], f.Symbols[2] = f.Symbols[2], f.Symbols[1]
	assert.Equal(t, []byte{99}, edited(t, f).Section("hidden").Data)
}

func TestReorderedSymbolsAreRenumbered(t *testing.T) {
	f := parse(t, module(kindMIPS).bytes())
	f.Symbols[2], f.Symbols[3] = f.Symbols[3], f.Symbols[2]
	g := edited(t, f)
	assert.Equal(t, "local global", symbolNames(g.Section(".rela.data")))
	assert.Equal(t, "data", g.Symbols[2].Name)
}

func TestSectionsBeyondTheReservedNumbers(t *testing.T) {
	// Sections: n empty ones, then .text .data .symtab .strtab .shstrtab.
	for _, n := range []int{0xff00 - 3, 0xff00 - 2, 0xff00 - 1} {
		m := many(kind64LE, n)
		m.secs = append(m.secs[:n-1:n-1], m.secs[n:]...) // one less
		if n == 0xff00-1 {
			m.shndx()
		}
		f := parse(t, m.bytes())
		f.Sections[0].Data = []byte("x")
		s := &Section{Name: "added", Type: elf.SHT_PROGBITS, Align: 1, Data: []byte("in it")}
		f.AddSection(s)
		f.AddSymbol(&Symbol{Name: "high", Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_OBJECT),
			Section: s})
		b := written(t, f)
		g := parse(t, b)
		require.NoError(t, g.Verify())
		assert.Equal(t, "added", symbol(t, g, "high").Section.Name)
		assert.Equal(t, ".data", symbol(t, g, "global").Section.Name)
		require.NotNil(t, g.shndx, "created when the number crosses")
		assert.Equal(t, ".symtab_shndx", g.shndx.Name)
		require.NoError(t, roundTrip(b, true))
		shnum := binary.LittleEndian.Uint16(b[60:])
		assert.Zero(t, shnum, "e_shnum is escaped")
		assert.EqualValues(t, len(g.Sections)+1, g.null.size)
	}
}

func TestNumberJustBelowTheReservedOnesIsPlain(t *testing.T) {
	in := many(kind64LE, 0xff00-7).bytes() // with added: 0xff00 less one
	assert.EqualValues(t, 0xfeff, binary.LittleEndian.Uint16(in[60:]))
	f := parse(t, in)
	s := &Section{Name: "added", Type: elf.SHT_PROGBITS}
	f.AddSection(s)
	f.AddSymbol(&Symbol{Name: "high", Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_OBJECT),
		Section: s})
	b := written(t, f)
	g := parse(t, b)
	assert.Nil(t, g.shndx)
	assert.Equal(t, "added", symbol(t, g, "high").Section.Name)
	assert.Equal(t, 0xfeff, symbol(t, g, "high").Section.num)
	assert.Zero(t, binary.LittleEndian.Uint16(b[60:]), "section 0 makes one more")
}

func TestSectionNameTableBeyondTheReservedNumbers(t *testing.T) {
	m := many(kind32BE, 0xff00)
	f := parse(t, m.shndx().bytes())
	assert.EqualValues(t, f.shstrtab.num, f.null.link)
	require.NoError(t, f.Remove(f.Sections[:100:100], nil))
	g := parse(t, written(t, f))
	assert.Equal(t, ".shstrtab", g.shstrtab.Name)
	assert.Less(t, g.shstrtab.num, 0xff00)
	assert.Equal(t, ".data", symbol(t, g, "global").Section.Name)
}

func TestRemovingExtendedIndexesThatAreNotNeeded(t *testing.T) {
	m := bare(kind64LE).shndx()
	m.xindex = true
	f := parse(t, m.bytes())
	require.NoError(t, f.Remove([]*Section{f.Section(".symtab_shndx")}, nil))
	g := edited(t, f)
	assert.Equal(t, ".text", symbol(t, g, "local").Section.Name)
}

// changes are edits of every kind, to a bare image with an empty last section.
func changes(t *testing.T) map[string]func(f *File) {
	return map[string]func(f *File){
		"rename":    func(f *File) { symbol(t, f, "local").Name = "a longer name" },
		"same size": func(f *File) { symbol(t, f, "local").Value++ },
		"contents": func(f *File) {
			f.Sections[0].Data = bytes.Repeat([]byte{1},
				len(f.Sections[0].Data))
		},
		"add section": func(f *File) {
			f.AddSection(&Section{Type: elf.SHT_PROGBITS,
				Data: []byte("x")})
		},
		"add many": func(f *File) { f.Sections = append(f.Sections, make64(f, 1000)...) },
		"remove symbols": func(f *File) {
			require.NoError(t,
				f.Remove(nil, []*Symbol{symbol(t, f, "local")}))
		},
		"last section": func(f *File) { f.Sections = f.Sections[:len(f.Sections)-1] },
		"trailer":      func(f *File) { f.Trailer = []byte("x") },
		"header":       func(f *File) { f.Header.Flags++ },
	}
}

// fronted returns the image that changes are for, with its headers first.
func fronted(k kind) []byte {
	m := bare(k)
	m.front = true
	return m.add(&tsec{name: "last", typ: elf.SHT_PROGBITS, align: 1, data: []byte{}}).bytes()
}

// junk puts a byte between two sections, where it belongs to nothing.
func junk(t *testing.T, b []byte) []byte {
	t.Helper()
	for i := range b {
		if b[i] != 0 {
			continue
		}
		b[i] = 1
		if f, err := Parse("", b); err == nil && f.Editable() != nil {
			return b
		}
		b[i] = 0
	}
	require.Fail(t, "no gap")
	return nil
}

// Files with their headers first, or with offsets that are not aligned, as libelf
// leaves them, are written as they were read, and in a linker's layout after an
// edit.
func TestFilesThatNoLinkerLaidOutAreLaidOutWhenEdited(t *testing.T) {
	for name, edit := range changes(t) {
		if name == "add many" || name == "last section" {
			continue // past AddSection and Remove: Verify reports it
		}
		t.Run(name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, k kind) {
				in := fronted(k)
				f := parse(t, in)
				require.True(t, f.nonLinker)
				require.NoError(t, f.Editable())
				assert.Equal(t, in, written(t, f))
				was := f.Section(".text").Data
				edit(f)
				b := written(t, f)
				require.NotEqual(t, in, b)
				g := parse(t, b)
				require.NoError(t, g.Verify())
				assert.Equal(t, len(b) == len(in) && len(f.Trailer) == 0, g.nonLinker,
					"offsets change only with sizes")
				assert.Len(t, g.Sections, len(f.Sections))
				if name != "contents" {
					assert.Equal(t, was, g.Section(".text").Data)
				}
				require.NoError(t, roundTrip(b, true))
				assertAsDebugELF(t, b)
				assertReadelfSilent(t, b)
			})
		})
	}
}

func TestAlignmentsThatWouldBlowAFileUpAreIrregular(t *testing.T) {
	for align, editable := range map[uint64]bool{1 << 12: true, 1 << 30: false, 1 << 63: false} {
		for _, typ := range []elf.SectionType{elf.SHT_PROGBITS, elf.SHT_NOBITS} {
			m := bare(kind64LE)
			m.front = true
			m.add(&tsec{name: "z", typ: typ, align: 1, data: []byte("z")})
			b := m.bytes()
			m.sh("z", "sh_addralign", align)(m.kind, b)
			assert.Equal(t, editable, parse(t, b).Editable() == nil, "%v %#x", typ, align)
		}
	}
}

func TestIrregularFilesRefuseEdits(t *testing.T) {
	for name, edit := range changes(t) {
		t.Run(name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, k kind) {
				f := parse(t, junk(t, fronted(k)))
				edit(f)
				_, err := f.Bytes()
				assert.ErrorIs(t, err, ErrIrregular)
				assert.ErrorIs(t, f.Editable(), ErrIrregular)
			})
		})
	}
}

func make64(f *File, n int) []*Section {
	s := make([]*Section, n)
	for i := range s {
		s[i] = &Section{file: f}
	}
	return s
}

func TestIrregularFileWithoutHeadersRefusesSections(t *testing.T) {
	f := parse(t, append(headerOnly(kind64LE), 1))
	f.AddSection(&Section{Type: elf.SHT_PROGBITS, Data: make([]byte, 100)})
	_, err := f.Bytes()
	assert.ErrorIs(t, err, ErrIrregular)
	assert.EqualError(t, err, "test.ko: irregular layout: the file has no section headers: it "+
		"can be copied, not edited")
}

func TestHeaderOnlyFileTakesSections(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := parse(t, headerOnly(k))
		f.AddSection(&Section{Type: elf.SHT_PROGBITS, Align: 4, Data: []byte("x")})
		g := parse(t, written(t, f))
		require.Len(t, g.Sections, 1)
		assert.Equal(t, "x", string(g.Sections[0].Data))
	})
}

func TestWithoutSectionNamesThereIsNowhereToPutOne(t *testing.T) {
	f := parse(t, (&image{kind: kind64LE}).add(&tsec{typ: elf.SHT_PROGBITS}).bytes())
	f.AddSection(&Section{Name: "named", Type: elf.SHT_PROGBITS})
	_, err := f.Bytes()
	assert.EqualError(t, err, "test.ko: named: the file has no section name table to put the "+
		"name into")
	assert.EqualError(t, f.Verify(), err.Error())
}

func TestWriteRefusesWhatELF32CannotSay(t *testing.T) {
	outside := func(f *File) *Symbol { return symbol(t, f, "outside") }
	for _, c := range []struct {
		name string
		edit func(f *File)
		want string
	}{
		{"offset", func(f *File) {
			f.AddReloc(f.Section(".rela.text"),
				Rela{1 << 32, outside(f), 1, 0})
		},
			"relocation offset 0x100000000 does not fit into ELF32"},
		{"type", func(f *File) { f.AddReloc(f.Section(".rela.text"), Rela{1, outside(f), 256, 0}) },
			"relocation type 256 does not fit into ELF32"},
		{"addend", func(f *File) {
			f.AddReloc(f.Section(".rela.text"),
				Rela{1, outside(f), 1, 1 << 31})
		}, "addend 0x80000000 does not fit into ELF32"},
		{"value", func(f *File) { outside(f).Value = 1 << 32 },
			"value or size does not fit into ELF32"},
		{"header", func(f *File) { f.Section(".text").Addr = 1 << 32 },
			".text: header field does not fit into ELF32"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := parse(t, module(kind32LE).bytes())
			c.edit(f)
			_, err := f.Bytes()
			assert.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, f.Verify(), c.want)
		})
	}
}

func TestSHTRelTakesNoAddend(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := parse(t, module(k).bytes())
		f.AddReloc(f.Section(".rel.debug"), Rela{Offset: 1, Addend: 3})
		_, err := f.Bytes()
		assert.EqualError(t, err, "test.ko: .rel.debug+0x1: addend 3 in an SHT_REL section, "+
			"which has no room for it")
		assert.EqualError(t, f.Verify(), err.Error())
	})
}

func TestWriteRefusesRelocationAgainstSymbolOutsideTheFile(t *testing.T) {
	stranger := &Symbol{Name: "stranger", num: 3}
	f := parse(t, module(kind64LE).bytes())
	f.AddReloc(f.Section(".rela.text"), Rela{1, stranger, 1, 0})
	_, err := f.Bytes()
	assert.EqualError(t, err, "test.ko: .rela.text+0x1: relocation against stranger, which is "+
		"not in the file")

	f = parse(t, module(kind64LE).bytes())
	f.Symbols = f.Symbols[1:] // past Remove
	f.Symbols = append(f.Symbols[:6], f.Symbols[7:]...)
	_, err = f.Bytes()
	assert.EqualError(t, err, "test.ko: .rela.text+0x4: relocation against outside, which is not "+
		"in the file", "undecoded")
}

func TestRefersVisitsBothEncodings(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		for _, decode := range []bool{false, true} {
			f := parse(t, module(k).bytes())
			if decode {
				f.Section(".rela.text").Relocs()
			}
			type seen struct {
				s   *Section
				i   int
				off uint64
				y   *Symbol
			}
			var got []seen
			data, outside := symbol(t, f, "data"), symbol(t, f, "outside")
			f.Refers(func(y *Symbol) bool { return y == data || y == outside },
				func(r Reference) bool {
					assert.Equal(t, r.Section.Reloc(r.Index), r.Rela)
					got = append(got, seen{r.Section, r.Index, r.Offset, r.Sym})
					return len(got) < 5
				})
			text, note, dbg := f.Section(".rela.text"), f.Section(".rela.klp.annotation"), f.Section(".rel.debug")
			assert.Equal(t, []seen{{text, 0, 4, outside}, {text, 1, 12, data},
				{text, 2, 20, outside}, {note, 0, 0, outside}, {dbg, 0, 1, data}}, got)
		}
	})
}

func TestRefersStopsWhenTold(t *testing.T) {
	for _, decode := range []bool{false, true} {
		f := parse(t, module(kind64LE).bytes())
		if decode {
			f.Section(".rela.text").Relocs()
		}
		n := 0
		f.Refers(func(*Symbol) bool { return true }, func(Reference) bool { n++; return false })
		assert.Equal(t, 1, n)
	}
}

func TestSymbolsNeedATable(t *testing.T) {
	f := parse(t, headerOnly(kind64LE))
	f.AddSymbol(&Symbol{Name: "lonely"})
	_, err := f.Bytes()
	assert.EqualError(t, err, "test.ko: 1 symbols, but no symbol table")
	assert.EqualError(t, f.Verify(), err.Error())

	f = parse(t, bare(kind64LE).bytes())
	f.Symtab.Link = nil
	_, err = f.Bytes()
	assert.EqualError(t, err, "test.ko: .symtab: symbol table without a string table")
}

// failingWriter accepts n bytes and then fails.
type failingWriter int

func (w *failingWriter) Write(b []byte) (int, error) {
	if *w -= failingWriter(len(b)); *w < 0 {
		return 0, assert.AnError
	}
	return len(b), nil
}

func TestWriteHandsOnTheErrorOfItsWriter(t *testing.T) {
	for _, decode := range []bool{false, true} {
		m := parse(t, large(20_000)) // several chunks of everything
		if decode {
			s := m.Section(".rela.large")
			s.SetRelocs(s.Relocs())
		}
		all := written(t, m)
		for n := 0; n < len(all); n += 10_000 {
			w := failingWriter(n)
			assert.ErrorIs(t, m.Write(&w), assert.AnError, "after %d bytes", n)
		}
	}
}

func TestAppenderEndsAt32Bits(t *testing.T) {
	a := newStringAppender(1<<32 - 4)
	off, ok := a.offset("abc")
	assert.False(t, ok, "no room for its NUL")
	assert.Zero(t, off)
	off, ok = a.offset("ab")
	assert.True(t, ok)
	assert.EqualValues(t, 1<<32-4, off)
	_, ok = a.offset("c")
	assert.False(t, ok)
	off, ok = a.offset("ab")
	assert.True(t, ok, "it is there already")
	assert.EqualValues(t, 1<<32-4, off)
}

func TestOffsetsThatOverflowAreRefused(t *testing.T) {
	f := parse(t, module(kind64LE).bytes())
	f.AddSection(&Section{Name: "a", Type: elf.SHT_PROGBITS, Align: 1 << 63})
	f.AddSection(&Section{Name: "b", Type: elf.SHT_NOBITS, Align: 1})
	f.AddSection(&Section{Name: "c", Type: elf.SHT_PROGBITS, Align: 1, Data: []byte{1}})
	f.AddSection(&Section{Name: "d", Type: elf.SHT_PROGBITS, Align: 1 << 63})
	_, err := f.Bytes()
	assert.EqualError(t, err, "test.ko: the file would need offsets of more than 64 bits")

	f = parse(t, module(kind32LE).bytes())
	f.AddSection(&Section{Name: "a", Type: elf.SHT_PROGBITS, Align: 1 << 31})
	f.AddSection(&Section{Name: "c", Type: elf.SHT_PROGBITS, Align: 1, Data: []byte{1}})
	f.AddSection(&Section{Name: "d", Type: elf.SHT_PROGBITS, Align: 1 << 31, Data: []byte{1}})
	_, err = f.Bytes()
	assert.EqualError(t, err, "test.ko: the file is too large for ELF32")
}
