// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"debug/elf"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// relocate returns an edit of relocation i of a table.
func relocate(name string, i int, how func(f *elfrw.File, r *elfrw.Rela),
) func(t *testing.T, f *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		edit(t, f, name, func(r []elfrw.Rela) []elfrw.Rela {
			how(f, &r[i])
			return r
		})
	}
}

// drop returns an edit that takes relocation i of a table away.
func drop(name string, i int) func(t *testing.T, f *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		edit(t, f, name, func(r []elfrw.Rela) []elfrw.Rela { return slices.Delete(r, i, i+1) })
	}
}

// insert returns an edit that adds relocation r to a table.
func insert(name string, i int, r elfrw.Rela) func(t *testing.T, f *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		edit(t, f, name, func(all []elfrw.Rela) []elfrw.Rela { return slices.Insert(all, i, r) })
	}
}

// header returns an edit of a section's header or contents.
func header(name string, how func(s *elfrw.Section)) func(t *testing.T, f *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) { how(section(t, f, name)) }
}

// into returns an edit that makes relocation i of a table lead to another section
// that is added for it.
func into(name string, i int, s elfrw.Section) func(t *testing.T, f *elfrw.File) {
	return relocate(name, i, func(f *elfrw.File, r *elfrw.Rela) {
		f.AddSection(&s)
		y := &elfrw.Symbol{Name: "elsewhere", Section: &s}
		f.AddSymbol(y)
		r.Sym = y
	})
}

const (
	alloc = uint64(elf.SHF_ALLOC)
	text  = uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR)
)

// One edit of a good file for each way of being none. left is how many entries
// the table has in front of the problem.
func TestProblems(t *testing.T) {
	undefined := func(_ *elfrw.File, r *elfrw.Rela) { r.Sym = &elfrw.Symbol{Name: "elsewhere"} }
	for name, c := range map[string]struct {
		file   string
		break_ func(t *testing.T, f *elfrw.File)
		want   string
		left   int
	}{
		"not loaded": {"x86_64-6.1", header("__jump_table", func(s *elfrw.Section) { s.Flags &^= alloc }),
			"__jump_table: is not loaded (SHF_ALLOC)", 0},
		"type": {"x86_64-6.1", header("__jump_table", func(s *elfrw.Section) { s.Type = elf.SHT_NOTE }),
			"__jump_table: is of type SHT_NOTE", 0},
		"REL": {"x86_64-6.1", header(".rela__jump_table", func(s *elfrw.Section) {
			s.Relocs()
			s.Type = elf.SHT_REL
		}),
			"__jump_table: has relocations without addends (.rela__jump_table)", 0},
		"no relocations": {"x86_64-6.1", header(".rela__jump_table", func(s *elfrw.Section) {
			s.SetRelocs(nil)
		}),
			"__jump_table: has no relocations", 0},
		"relocations of an empty table": {"x86_64-6.1", header("__jump_table", func(s *elfrw.Section) {
			s.Data = nil
		}),
			"__jump_table+0x0: relocation past the end of the section (0x0 bytes)", 0},
		"size": {"x86_64-6.1", header(".altinstructions", func(s *elfrw.Section) {
			s.Data = s.Data[:23]
		}),
			".altinstructions: size 23, not a multiple of the 12 or 13 or 14 bytes of an entry", 0},
		"size of paravirt": {"x86_64-4.19", header(".parainstructions", func(s *elfrw.Section) {
			s.Data = s.Data[:27]
		}),
			".parainstructions: size 27, not a multiple of the 16 bytes of an entry", 0},
		"sh_entsize": {"x86_64-6.1", header("__jump_table", func(s *elfrw.Section) { s.EntSize = 8 }),
			"__jump_table: sh_entsize is 8, an entry has 16 or 24 bytes", 0},
		"sh_entsize of another kernel": {"x86_64-6.1", header(".altinstructions", func(s *elfrw.Section) {
			s.EntSize = 13
		}),
			".altinstructions: size 24, not a multiple of the 12 or 13 or 14 bytes of an entry", 0},

		"first field": {"x86_64-6.1", drop("__jump_table", 0),
			"__jump_table+0x0: code of the jump label has no relocation", 0},
		"field in the middle": {"x86_64-6.1", drop("__jump_table", 4),
			"__jump_table+0x14: target of the jump label has no relocation", 1},
		"last field": {"x86_64-6.1", drop("__jump_table", 14),
			"__jump_table+0x48: key of the jump label has no relocation", 4},
		"last entry": {"x86_64-4.19", drop(".parainstructions", 1),
			".parainstructions+0x10: instruction of the paravirt site has no relocation", 1},
		"twice": {"x86_64-6.1",
			insert("__jump_table", 4, elfrw.Rela{Offset: 0x10, Type: uint32(elf.R_X86_64_PC32)}),
			"__jump_table+0x10: code of the jump label has two relocations", 1},
		"twice, the second time at the end": {"x86_64-6.1",
			insert("__jump_table", 15, elfrw.Rela{Offset: 0x10, Type: uint32(elf.R_X86_64_PC32)}),
			"__jump_table+0x10: code of the jump label has two relocations", 1},
		"last field twice": {"x86_64-6.1",
			insert("__jump_table", 6, elfrw.Rela{Offset: 0x18, Type: uint32(elf.R_X86_64_PC64)}),
			"__jump_table+0x18: key of the jump label has two relocations", 1},
		"no field": {"x86_64-6.1",
			insert(".altinstructions", 4, elfrw.Rela{Offset: 20, Type: uint32(elf.R_X86_64_PC32)}),
			".altinstructions+0x14: relocation outside of the fields of an entry of 12 bytes", 1},
		"type of relocation": {"x86_64-6.1",
			relocate("__jump_table", 5, func(_ *elfrw.File, r *elfrw.Rela) {
				r.Type = uint32(elf.R_X86_64_64)
			}),
			"__jump_table+0x18: key of the jump label has a relocation of type R_X86_64_64", 1},
		"symbol 0": {"x86_64-6.1", relocate("__jump_table", 5, func(_ *elfrw.File, r *elfrw.Rela) {
			r.Sym = nil
		}),
			"__jump_table+0x18: key of the jump label has a relocation without a symbol", 1},
		"past the end": {"x86_64-6.1",
			insert("__jump_table", 15, elfrw.Rela{Offset: 80, Type: uint32(elf.R_X86_64_PC32)}),
			"__jump_table+0x50: relocation past the end of the section (0x50 bytes)", 5},

		"site of another module": {"x86_64-6.1", relocate(".return_sites", 0, undefined),
			".return_sites+0x0: instruction is elsewhere, outside of the module", 0},
		"site at an address": {"x86_64-6.1",
			relocate(".altinstructions", 2, func(_ *elfrw.File, r *elfrw.Rela) {
				r.Sym = &elfrw.Symbol{Name: "fixed", Index: elf.SHN_ABS}
			}),
			".altinstructions+0xc: instruction is fixed, outside of the module", 1},
		"site not loaded": {"x86_64-6.1", into(".altinstructions", 2,
			elfrw.Section{Name: ".comment", Type: elf.SHT_PROGBITS, Data: make([]byte, 99)}),
			".altinstructions+0xc: instruction is in .comment, which is not loaded", 1},
		"site in .bss": {"x86_64-6.1",
			into(".altinstructions", 2, elfrw.Section{Name: ".bss", Type: elf.SHT_NOBITS, Flags: alloc}),
			".altinstructions+0xc: instruction is in .bss, which holds no code", 1},
		"site past the end": {"x86_64-6.1",
			relocate("__jump_table", 3, func(_ *elfrw.File, r *elfrw.Rela) {
				r.Addend = 0x3c
			}),
			"__jump_table+0x10: code, size 1 at .text+0x3c, is outside of that section (0x3c bytes)", 1},
		"site in front of the start": {"x86_64-6.1",
			relocate("__jump_table", 3, func(_ *elfrw.File, r *elfrw.Rela) { r.Addend = -1 }),
			"__jump_table+0x10: code, size 1 at .text-0x1, is outside of that section (0x3c bytes)", 1},
		"site across the end": {"x86_64-6.1",
			relocate("__jump_table", 3, func(_ *elfrw.File, r *elfrw.Rela) {
				r.Addend = 0x3b
			}),
			"__jump_table+0x10: code, size 5 at .text+0x3b, is outside of that section (0x3c bytes)", 1},
		"length across the end": {"x86_64-6.1", into(".altinstructions", 2,
			elfrw.Section{Name: ".text.short", Type: elf.SHT_PROGBITS, Flags: text, Data: make([]byte, 5)}),
			".altinstructions+0xc: instruction, size 6 at .text.short+0x0, is outside of that section (0x5 bytes)",

			1},
		"replacement at an address": {"x86_64-6.1",
			relocate(".altinstructions", 3, func(_ *elfrw.File, r *elfrw.Rela) {
				r.Sym = &elfrw.Symbol{Name: "fixed", Index: elf.SHN_ABS}
			}),
			".altinstructions+0x10: replacement is fixed, outside of the module", 1},
		"replacement within an import": {"x86_64-5.14",
			relocate(".altinstructions", 3, func(_ *elfrw.File, r *elfrw.Rela) { r.Addend = 2 }),
			".altinstructions+0x10: replacement is __x86_indirect_alt_call_rax, outside of the module", 1},
		"replacement without a name": {"x86_64-5.14",
			relocate(".altinstructions", 3, func(_ *elfrw.File, r *elfrw.Rela) { r.Sym = &elfrw.Symbol{} }),
			".altinstructions+0x10: replacement is \"\", outside of the module", 1},
		"longer replacement in the kernel": {"x86_64-5.14", func(t *testing.T, f *elfrw.File) {
			poke(t, f, ".altinstructions", 22, 5, 6)
		},
			".altinstructions+0xc: replacement of 6 bytes for 5", 1},
		"replacement across the end": {"x86_64-6.1",
			relocate(".altinstructions", 3, func(_ *elfrw.File, r *elfrw.Rela) { r.Addend = 1 }),
			".altinstructions+0x10: replacement, size 5 at .altinstr_replacement+0x1, is outside of that section (0x5 bytes)",

			1},
		"longer replacement": {"x86_64-6.1", func(t *testing.T, f *elfrw.File) {
			poke(t, f, ".altinstructions", 22, 4, 5)
		},
			".altinstructions+0xc: replacement of 5 bytes for 4", 1},
		"target of another module": {"x86_64-6.1", relocate("__jump_table", 4, undefined),
			"__jump_table+0x14: target is elsewhere, outside of the module", 1},
		"target past the end": {"x86_64-6.1",
			relocate("__jump_table", 4, func(_ *elfrw.File, r *elfrw.Rela) {
				r.Addend = 0x3d
			}),
			"__jump_table+0x14: target, size 0 at .text+0x3d, is outside of that section (0x3c bytes)", 1},
		"key past the end": {"x86_64-6.1",
			relocate("__jump_table", 14, func(_ *elfrw.File, r *elfrw.Rela) {
				r.Addend = 0x23
			}),
			"__jump_table+0x48: key, at .data+0x20, is outside of that section (0x20 bytes)", 4},
		"key in front of the start": {"x86_64-6.1",
			relocate("__jump_table", 14, func(_ *elfrw.File, r *elfrw.Rela) { r.Addend = -8 }),
			"__jump_table+0x48: key, at .data-0x8, is outside of that section (0x20 bytes)", 4},
		"key of a static call": {"x86_64-6.1", into(".static_call_sites", 3,
			elfrw.Section{Name: ".empty", Type: elf.SHT_PROGBITS, Flags: alloc}),
			".static_call_sites+0xc: key, at .empty+0x0, is outside of that section (0x0 bytes)", 1},

		"backwards": {"ppc64le", relocate("__ftr_fixup", 5, func(_ *elfrw.File, r *elfrw.Rela) {
			r.Addend -= 8
		}),
			"__ftr_fixup+0x48: end is before its start, or in another section", 1},
		"start and end apart": {"ppc64le",
			into("__ftr_fixup", 3, elfrw.Section{Name: "__ftr_alt_2", Type: elf.SHT_PROGBITS, Flags: text,
				Data: make([]byte, 99)}),
			"__ftr_fixup+0x28: end of the alternative is before its start, or in another section", 0},
		"feature section across the end": {"ppc64le",
			relocate("__ftr_fixup", 1, func(_ *elfrw.File, r *elfrw.Rela) { r.Addend += 8 }),
			"__ftr_fixup+0x10: start, size 16 at .text+0x8, is outside of that section (0x14 bytes)", 0},
		"longer alternative": {"ppc64le", func(t *testing.T, f *elfrw.File) {
			relocate("__ftr_fixup", 6, func(_ *elfrw.File, r *elfrw.Rela) { r.Addend -= 4 })(t, f)
			relocate("__ftr_fixup", 7, func(_ *elfrw.File, r *elfrw.Rela) { r.Addend += 4 })(t, f)
		},
			"__ftr_fixup+0x30: replacement of 8 bytes for 4", 1},
		"alternative across the end": {"ppc64le",
			relocate("__ftr_fixup", 3, func(_ *elfrw.File, r *elfrw.Rela) {
				r.Addend += 4
			}),
			"__ftr_fixup+0x20: start of the alternative, size 8 at __ftr_alt_1+0x4, is outside of that section (0x8 bytes)",

			0},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t, c.file)
			before := read(t, f)
			c.break_(t, f)
			tables, problems := Read(f)
			require.Len(t, problems, 1)
			assert.Equal(t, c.want, problems[0].String())
			bad := tables.Table(problems[0].Section)
			assert.Equal(t, c.left, bad.Len())
			for _, x := range tables.All {
				if x != bad {
					assert.Equal(t, before.Table(x.Section).Len(), x.Len(), "%s is as it was", x.Section)
				}
			}
			assert.Nil(t, tables.In(bad.Section, uint64(c.left)*bad.Stride), "no entry from there on")
			for _, s := range []index{tables.sites, tables.replacements} {
				for _, list := range s {
					for _, x := range *list {
						assert.Less(t, int(x.what.entry), tables.All[x.what.table].Len())
					}
				}
			}
		})
	}
}

// rows makes a table of n entries of one name in an otherwise empty module: struct
// static_call_site, all about code+at(i).
func rows(t testing.TB, n int, at func(i int) int64) *elfrw.File {
	t.Helper()
	f := open(t, "x86_64-6.12")
	code := &elfrw.Section{Name: ".text.code", Type: elf.SHT_PROGBITS, Flags: text,
		Data: make([]byte, 8*n+8)}
	start := &elfrw.Symbol{Name: "code", Section: code, Size: uint64(len(code.Data)),
		Info: byte(elf.STT_FUNC)}
	key := &elfrw.Symbol{Name: "__SCK__key", Info: byte(elf.STB_GLOBAL) << 4}
	data := &elfrw.Section{Name: ".static_call_sites", Type: elf.SHT_PROGBITS, Flags: alloc,
		Data: make([]byte, 8*n)}
	relocs := &elfrw.Section{Name: ".rela.static_call_sites", Type: elf.SHT_RELA, Flags: 0x40,
		Align: 8, Link: f.Symtab, Target: data}
	f.AddSection(code)
	f.AddSection(data)
	f.AddSection(relocs)
	f.AddSymbol(start)
	f.AddSymbol(key)
	var all []elfrw.Rela
	for i := range n {
		all = append(all,
			elfrw.Rela{Offset: uint64(8 * i), Sym: start, Type: uint32(elf.R_X86_64_PC32), Addend: at(i)},
			elfrw.Rela{Offset: uint64(8*i + 4), Sym: key, Type: uint32(elf.R_X86_64_PC32)})
	}
	relocs.SetRelocs(all)
	return f
}

// TestCrowd: as many entries at one place as may be, and one more.
func TestCrowd(t *testing.T) {
	f := rows(t, maxCover, func(int) int64 { return 3 })
	assert.Len(t, read(t, f).Sites(section(t, f, ".text.code"), 4, 1), maxCover)

	// The last is at the place that has maxCover; those after it are not.
	f = rows(t, maxCover+10, func(i int) int64 {
		if i > maxCover {
			return int64(8 * i)
		}
		return 3
	})
	tables, problems := Read(f)
	require.Len(t, problems, 1)
	assert.Equal(t,
		".static_call_sites+0x800: more than 256 entries are about the same code", problems[0].String())
	assert.Equal(t, maxCover, table(t, tables, ".static_call_sites").Len())
	assert.Len(t, tables.Sites(section(t, f, ".text.code"), 4, 1), maxCover)
	assert.Empty(t, tables.Sites(section(t, f, ".text.code"), 8*maxCover+8, 8))
	assert.Equal(t, 13, table(t, tables, ".altinstructions").Len(), "another table")
}
