// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"debug/elf"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"
)

// TestVerifyFinds breaks a good model, once for each invariant.
func TestVerifyFinds(t *testing.T) {
	stranger := &Section{Name: "stranger", Type: elf.SHT_PROGBITS, num: 3}
	absent := &Symbol{Name: "absent", num: 3}
	for _, c := range []struct {
		name string
		edit func(f *File)
		want string
	}{
		{"no section name table",
			func(f *File) {
				f.Sections = remove(f.Sections, f.shstrtab)
				f.order = remove(f.order,
					f.shstrtab)
			},
			"test.ko: the section name table is not in the file"},
		{"no place", func(f *File) { f.order = f.order[1:] },
			"test.ko: 18 sections have a place in the file, but there are 19 headers"},
		{"no header", func(f *File) { f.order = append(f.order, stranger) },
			"test.ko: stranger: has a place in the file, but no header"},
		{"two places", func(f *File) { f.order = append(f.order[1:], f.order[1]) },
			"has two places in the file"},
		{"two headers", func(f *File) { f.Sections = append(f.Sections, f.Section(".text")) },
			"test.ko: .text: has two headers"},

		{"alignment", func(f *File) { f.Section(".text").Align = 24 },
			"test.ko: .text: alignment 0x18 is not a power of two"},
		{"link", func(f *File) { f.Section("__patchable").Link = stranger },
			"test.ko: __patchable: sh_link: stranger is not in the file"},
		{"target", func(f *File) { f.Section(".rela.text").Target = stranger },
			"test.ko: .rela.text: sh_info: stranger is not in the file"},
		{"target of no relocations",
			func(f *File) { f.Section(".text").Target = f.Section(".data") },
			"test.ko: .text: has a target, but its type is SHT_PROGBITS and SHF_INFO_LINK is not " +
				"set"},
		{"NUL in a section's name", func(f *File) { f.Section(".text").Name = "a\x00b" },
			`NUL in name "a\x00b"`},
		{"NOBITS with contents", func(f *File) { f.Section(".bss").Data = []byte{1} },
			"test.ko: .bss: SHT_NOBITS section with contents"},
		{"second symbol table", func(f *File) { f.Section(".debug").Type = elf.SHT_SYMTAB },
			"test.ko: .debug: second symbol table"},
		{"strings of the symbol table", func(f *File) { f.Symtab.Link = f.Section(".text") },
			"test.ko: .symtab: sh_link of the symbol table is .text, not a string table"},
		{"no strings of the symbol table", func(f *File) { f.Symtab.Link = nil },
			"test.ko: .symtab: sh_link of the symbol table is section 0, not a string table"},
		{"entries of the symbol table", func(f *File) { f.Symtab.EntSize = 16 },
			"test.ko: .symtab: sh_entsize of the symbol table is 16, want 24"},
		{"second table of indexes",
			func(f *File) { f.Section(".debug").Type = elf.SHT_SYMTAB_SHNDX },
			"test.ko: .debug: second SHT_SYMTAB_SHNDX section"},
		{"link of the indexes", func(f *File) { f.shndx.Link = nil },
			"test.ko: .symtab_shndx: sh_link of SHT_SYMTAB_SHNDX is section 0, not the symbol " +
				"table"},
		{"string table's end", func(f *File) { f.shstrtab.Data = []byte{0, 'a'} },
			"test.ko: .shstrtab: string table does not begin and end with NUL"},
		{"string table's begin", func(f *File) { f.shstrtab.Data = []byte{'a', 0} },
			"test.ko: .shstrtab: string table does not begin and end with NUL"},
		{"link order", func(f *File) { s := f.Section("__patchable"); s.Link = s },
			"test.ko: __patchable: SHF_LINK_ORDER section linked to itself"},

		{"symbols without a table", func(f *File) { f.Symtab = nil },
			"test.ko: 11 symbols, but no symbol table"},
		{"symbol table not in the file",
			func(f *File) { f.Sections = remove(f.Sections, f.Symtab) },
			"test.ko: .symtab: the symbol table is not in the file"},
		{"one symbol twice", func(f *File) { f.Symbols = append(f.Symbols, f.Symbols[7]) },
			"test.ko: .symtab: symbol 8 (outside) is also symbol 12"},
		{"symbol elsewhere", func(f *File) { f.Symbols[2].Section = stranger },
			"test.ko: .symtab: symbol 3 (local) is in stranger, which is not in the file"},
		{"local after global", func(f *File) { f.Symbols[7].Info = 0 },
			"test.ko: .symtab: local symbol 8 (outside) after global ones"},
		{"plain number as index", func(f *File) { f.Symbols[7].Index = 5 },
			"test.ko: .symtab: symbol 8 (outside) has section index 0x5, which is neither a " +
				"section nor reserved"},
		{"SHN_XINDEX as index", func(f *File) { f.Symbols[7].Index = elf.SHN_XINDEX },
			"test.ko: .symtab: symbol 8 (outside) has section index 0xffff, which is neither a " +
				"section nor reserved"},
		{"NUL in a symbol's name", func(f *File) { f.Symbols[7].Name = "a\x00b" },
			`test.ko: .symtab: symbol 8: NUL in name "a\x00b"`},

		{"link of a group", func(f *File) { f.Section(".group").Link = nil },
			"test.ko: .group: section group is linked to section 0, not to the symbol table"},
		{"no signature", func(f *File) { f.Section(".group").Signature = nil },
			"test.ko: .group: signature of the section group is not in the file"},
		{"signature not in the file", func(f *File) { f.Section(".group").Signature = absent },
			"test.ko: .group: signature of the section group is not in the file"},
		{"member", func(f *File) { f.Section(".group").Members[1] = stranger },
			"test.ko: .group: member stranger of the section group is not in the file"},
		{"no member", func(f *File) { f.Section(".group").Members[1] = nil },
			"test.ko: .group: member section 0 of the section group is not in the file"},

		{"relocations of another type", func(f *File) { f.Section(".text").SetRelocs(nil) },
			"test.ko: .text: relocations in a section of type SHT_PROGBITS"},
		{"relocations' link", func(f *File) { f.Section(".rela.text").Link = f.Section(".strtab") },
			"test.ko: .rela.text: relocations are linked to .strtab, not to the symbol table"},
		{"entries of relocations", func(f *File) { f.Section(".rela.text").EntSize = 16 },
			"test.ko: .rela.text: sh_entsize of relocations is 16, want 24"},
		{"symbol not in the file",
			func(f *File) { f.AddReloc(f.Section(".rela.text"), Rela{1, absent, 1, 0}) },
			"test.ko: .rela.text+0x1: relocation against absent, which is not in the file"},
		{"symbol not in the file, undecoded",
			func(f *File) { f.Symbols = slices.Delete(f.Symbols, 7, 8) },
			"test.ko: .rela.text+0x4: relocation against symbol 8 of the input, which is no " +
				"longer in the file"},
		{"past the end", func(f *File) { f.AddReloc(f.Section(".rela.text"), Rela{61, nil, 1, 0}) },
			"test.ko: .rela.text+0x3d: relocation past the end of .text (0x3d bytes)"},
		{"past the end, undecoded", func(f *File) { f.Section(".text").Data = make([]byte, 28) },
			"test.ko: .rela.text+0x1c: relocation past the end of .text (0x1c bytes)"},
		{"addend in SHT_REL",
			func(f *File) { f.AddReloc(f.Section(".rel.debug"), Rela{1, nil, 1, 5}) },
			"test.ko: .rel.debug+0x1: addend 5 in an SHT_REL section, which has no room for it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := parse(t, victim(kind64LE).bytes())
			require.NoError(t, f.Verify())
			c.edit(f)
			err := f.Verify()
			var e *Error
			require.ErrorAs(t, err, &e)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func remove(sections []*Section, s *Section) []*Section {
	return slices.DeleteFunc(slices.Clone(sections), func(x *Section) bool { return x == s })
}

func TestVerifyAllows(t *testing.T) {
	for name, edit := range map[string]func(f *File){
		"relocation NONE at the end": func(f *File) {
			f.AddReloc(f.Section(".rela.text"),
				Rela{61, nil, 0, 0})
		},
		"relocation of the last byte": func(f *File) {
			f.AddReloc(f.Section(".rela.text"),
				Rela{60, nil, 1, 0})
		},
		"relocations without a target": func(f *File) { f.Section(".rela.text").Target = nil },
		"link order of nothing":        func(f *File) { f.Section("__patchable").Link = nil },
		"no symbols": func(f *File) {
			*f = *parse(t,
				(&image{kind: kind64LE}).bytes())
		},
		"every reserved index": func(f *File) {
			f.Symbols[7].Index,
				f.Symbols[8].Index = 0xff00, 0xfffe
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, k kind) {
				f := parse(t, victim(k).bytes())
				edit(f)
				assert.NoError(t, f.Verify())
			})
		})
	}
}

func TestVerifyReportsEverythingUpToALimit(t *testing.T) {
	f := parse(t, victim(kind64LE).bytes())
	f.Section(".text").Align, f.Section(".data").Align = 3, 5
	assert.Len(t, strings.Split(f.Verify().Error(), "\n"), 2)
	for range 200 {
		f.AddReloc(f.Section(".rela.text"), Rela{99, nil, 1, 0})
	}
	assert.Len(t, strings.Split(f.Verify().Error(), "\n"), maxFindings)
}

func TestErrorPrintsWhatIsKnown(t *testing.T) {
	cause := assert.AnError
	for want, e := range map[string]*Error{
		"f.ko: .text+0x10: ": {File: "f.ko", Section: ".text", Offset: 16},
		"f.ko: .text: ":      {File: "f.ko", Section: ".text", Offset: -1},
		"f.ko: file+0x0: ":   {File: "f.ko"},
		"f.ko: ":             {File: "f.ko", Offset: -1},
		".text: ":            {Section: ".text", Offset: -1},
		"":                   {Offset: -1},
	} {
		e.Err = cause
		assert.Equal(t, want+cause.Error(), e.Error())
		assert.ErrorIs(t, e, cause)
	}
}

func TestNamesPrintOnOneLine(t *testing.T) {
	assert.Equal(t, `"a b\n"`, (&Section{Name: "a b\n"}).String())
	assert.Equal(t, "section 3", (&Section{num: 3}).String())
	assert.Equal(t, "section 0", (*Section)(nil).String())
	assert.Equal(t, `""`, (&Symbol{}).String())
	assert.Equal(t, "symbol 0", (*Symbol)(nil).String())
	assert.Equal(t, ".text", (&Symbol{Section: &Section{Name: ".text"}}).String())
	assert.Equal(t, "main", (&Symbol{Name: "main", Section: &Section{Name: ".text"}}).String())
}

func TestFieldsOfContents(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := parse(t, bare(k).bytes())
		assert.Equal(t, uint16(0x1234), f.Uint16(k.u16(nil, 0x1234)))
		assert.Equal(t, uint32(0x12345678), f.Uint32(k.u32(nil, 0x12345678)))
		assert.Equal(t, uint64(0x123456789abcdef0), f.Uint64(k.u64(nil, 0x123456789abcdef0)))
		assert.Equal(t, pick(k.wide(), 8, 4), f.PointerSize())
		assert.Equal(t, k.data == elf.ELFDATA2MSB, f.BigEndian())
		assert.Equal(t, elf.STT_FUNC, f.Symbols[0].Type())
		assert.False(t, f.Symbols[0].Undefined())
		assert.True(t, parse(t, module(k).bytes()).Symbols[7].Undefined())
		assert.Nil(t, f.Section("none"))
	})
}

// Offsets into compressed contents are those of the unpacked contents.
func TestRelocationsOfCompressedSectionsHaveNoBound(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := parse(t, module(k).bytes())
		s := section(t, f, ".rela.text")
		s.SetRelocs([]Rela{{Offset: 1 << 20, Type: 1}})
		assert.Error(t, f.Verify())
		s.Target.Flags |= uint64(elf.SHF_COMPRESSED)
		assert.NoError(t, f.Verify())
		b := written(t, f)
		assert.NoError(t, parse(t, b).Verify(), "undecoded")
	})
}

func TestHeaderFieldsAreWritten(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		f := parse(t, module(k).bytes())
		f.Header.OSABI, f.Header.ABIVersion, f.Header.Entry = 9, 4, 77
		g := parse(t, written(t, f))
		assert.Equal(t, f.Header, g.Header)
	})
}
