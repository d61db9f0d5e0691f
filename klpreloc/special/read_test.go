// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"debug/elf"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// The sources in testdata/src/special say the same in assembly.
var layouts = map[string]string{
	"x86_64-4.19": `
.altinstructions+0x0 13 alternative .text+0x3=patched+0x3 5 by .altinstr_replacement+0x0 5 0 1
.altinstructions+0xd 13 alternative .text.unlikely+0x8=cold+0x8 6 by .altinstr_replacement+0x5 5 2 3
.parainstructions+0x0 16 paravirt site .text.unlikely+0x0=cold+0x0 7 0
.parainstructions+0x10 12 paravirt site .text.unlikely+0xe=cold+0xe 7 1
__jump_table+0x0 24 jump label .text+0x9=patched+0x9 5 key klp_key 0 1 2
__jump_table+0x18 24 jump label .text+0x9=patched+0x9 5 key own_key 3 4 5
`,
	"x86_64-5.4": `
.altinstructions+0x0 13 alternative .text+0x0=patched+0x0 5 by .altinstr_replacement+0x0 5 0 1
.parainstructions+0x0 16 paravirt site .text+0x6=patched+0x6 7 0
.parainstructions+0x10 10 paravirt site .text+0xd=patched+0xd 7 1
__jump_table+0x0 16 jump label .text+0x14=patched+0x14 5 key klp_key 0 1 2
`,
	"x86_64-5.14": `
.altinstructions+0x0 12 alternative .text+0x0=patched+0x0 6 by .altinstr_replacement+0x0 5 0 1
.altinstructions+0xc 12 alternative .text+0x6=patched+0x6 5 by the kernel's __x86_indirect_alt_call_rax 2 3
.altinstructions+0x18 12 alternative .text+0xb=patched+0xb 5 by the kernel's __x86_indirect_alt_jmp_r11 4 5
`,
	"x86_64-6.1": `
.altinstructions+0x0 12 alternative .text+0x0=patched+0x0 6 0 1
.altinstructions+0xc 12 alternative .text+0x0=patched+0x0 6 by .altinstr_replacement+0x0 5 2 3
.parainstructions+0x0 16 paravirt site .text+0x7=patched+0x7 7 0
.retpoline_sites+0x0 4 retpoline .text+0x2c=patched+0x2c 5 0
.retpoline_sites+0x4 4 retpoline .text+0x31=patched+0x31 6 1
.return_sites+0x0 4 return thunk .text+0x37=patched+0x37 5 0
__jump_table+0x0 16 jump label .text+0xe=patched+0xe 2 key klp_key 0 1 2
__jump_table+0x10 16 jump label .text+0x10=patched+0x10 2 key __tracepoint_foo+0x8 inert 3 4 5
__jump_table+0x20 16 jump label .text+0x12=patched+0x12 5 key __dyndbg+0x20 inert 6 7 8
__jump_table+0x30 16 jump label .text+0x17=patched+0x17 5 key __UNIQUE_ID_ddebug123.4+0x20 inert 9 10 11
__jump_table+0x40 16 jump label .text+0x17=patched+0x17 5 key own_key 12 13 14
.static_call_sites+0x0 8 static call .text+0x1c=patched+0x1c 5 key __SCK__foo 0 1
.static_call_sites+0x8 8 static call .text+0x21=patched+0x21 5 key __SCK__tp_func_foo inert 2 3
.static_call_sites+0x10 8 static call .text+0x26=patched+0x26 6 key __SCT__foo 4 5
`,
	"s390x-5.15": `
.altinstructions+0x0 12 alternative .text+0x6=patched+0x6 6 by .altinstr_replacement+0x0 6 0 1
.altinstructions+0xc 12 alternative .text+0x12=patched+0x12 6 by .altinstr_replacement+0x6 6 2 3
__jump_table+0x0 16 jump label .text+0x18=patched+0x18 6 key klp_key 0 1 2
`,
	"s390x-6.1": `
.altinstructions+0x0 11 alternative .text+0x6=patched+0x6 6 by .altinstr_replacement+0x0 6 0 1
.altinstructions+0xb 11 alternative .text+0x12=patched+0x12 6 by .altinstr_replacement+0x6 6 2 3
__jump_table+0x0 16 jump label .text+0x18=patched+0x18 6 key klp_key 0 1 2
`,
	"s390x-6.12": `
.altinstructions+0x0 13 alternative .text+0x6=patched+0x6 6 by .altinstr_replacement+0x0 6 0 1
.altinstructions+0xd 13 alternative .text+0x12=patched+0x12 6 by .altinstr_replacement+0x6 6 2 3
__jump_table+0x0 16 jump label .text+0x18=patched+0x18 6 key klp_key 0 1 2
`,
	"ppc64le": `
__ftr_fixup+0x0 48 feature section .text+0x8=patched+0x8 8 by __ftr_alt_1+0x4 4 0 1 2 3
__ftr_fixup+0x30 48 feature section .text+0x10=patched+0x10 4 4 5 6 7
__jump_table+0x0 16 jump label .text+0x0=patched+0x0 4 key klp_key 0 1 2
`,
	"ppc64le-5.12": `
__jump_table+0x0 24 jump label .text+0x4=patched+0x4 4 key klp_key 0 1 2
__jump_table+0x18 24 jump label .text+0x8=patched+0x8 4 key klp_key 3 4 5
`,
	"ppc32":      "\n__jump_table+0x0 12 jump label .text+0x4=patched+0x4 4 key klp_key 0 1 2\n",
	"ppc32-5.12": "\n__jump_table+0x0 12 jump label .text+0x4=patched+0x4 4 key klp_key 0 1 2\n",
	"aarch64": `
.altinstructions+0x0 12 alternative .text+0x4=patched+0x4 4 by .altinstr_replacement+0x4 4 0 1
.altinstructions+0xc 12 alternative .text+0x8=patched+0x8 4 2 3
__jump_table+0x0 16 jump label .text+0xc=patched+0xc 4 key klp_key 0 1 2
`,
}

func TestLayouts(t *testing.T) {
	for name, want := range layouts {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, strings.TrimPrefix(want, "\n"), dump(read(t, open(t, name))))
		})
	}
}

// TestLoongarch: there is no assembler for it in Debian 12. Its tables are those of
// arm64, with other numbers.
func TestLoongarch(t *testing.T) {
	f := open(t, "aarch64")
	f.Header.Machine = elf.EM_LOONGARCH
	types := map[uint32]uint32{uint32(elf.R_AARCH64_PREL32): 99, uint32(elf.R_AARCH64_PREL64): 109}
	for _, name := range []string{".altinstructions", "__jump_table"} {
		edit(t, f, name, func(r []elfrw.Rela) []elfrw.Rela {
			for i := range r {
				r[i].Type = types[r[i].Type]
			}
			return r
		})
	}
	assert.Equal(t, layouts["aarch64"], "\n"+dump(read(t, f)))
}

// TestStrideFromRelocations: 182 bytes are 13 entries of 14 or 14 of 13, 156 bytes
// 13 of 12 or 12 of 13; only the relocations tell.
func TestStrideFromRelocations(t *testing.T) {
	f := open(t, "x86_64-6.12")
	require.EqualValues(t, 14, section(t, f, ".altinstructions").EntSize)
	for _, entsize := range []uint64{14, 0, 1} {
		section(t, f, ".altinstructions").EntSize = entsize
		x := table(t, read(t, f), ".altinstructions")
		assert.EqualValues(t, 14, x.Stride)
		require.Equal(t, 13, x.Len())
		assert.Equal(t, elfrw.RangeOf(section(t, f, ".text"), 60, 5), x.Entry(12).Site)
	}
}

func TestTablesOfOneName(t *testing.T) {
	f := open(t, "x86_64-unique")
	tables := read(t, f)
	var got []string
	for _, x := range tables.All {
		got = append(got, x.Section.Name)
		require.Len(t, x.Relocs, 1)
		assert.Same(t, x.Section, x.Relocs[0].Target)
		for i := range x.Len() {
			assert.Same(t, x, x.Entry(i).Table)
			assert.Same(t, x.Entry(i), tables.In(x.Section, x.Entry(i).Offset))
			for _, r := range x.Entry(i).relocations() {
				assert.Same(t, x.Relocs[0], r.Section)
			}
		}
		assert.Same(t, x, tables.Table(x.Section))
	}
	assert.Equal(t, []string{".altinstructions", ".altinstructions", "__jump_table", "__jump_table"},
		got)
	assert.Equal(t, 13, tables.All[0].Len())
	assert.Equal(t, 1, tables.All[1].Len())
	assert.Equal(t, ".text.second+0x0", tables.All[1].Entry(0).Site.String())
	assert.Nil(t, tables.Table(section(t, f, ".text.second")))
}

func TestReadNamed(t *testing.T) {
	f := open(t, "x86_64-5.4")
	const name = ".klp.arch.vmlinux..altinstructions"
	section(t, f, ".altinstructions").Name = name
	assert.NotContains(t, dump(read(t, f)), "alternative")
	tables, problems := readNamed(f, func(s *elfrw.Section) string {
		return strings.TrimPrefix(s.Name, ".klp.arch.vmlinux.")
	})
	require.Empty(t, problems)
	assert.Equal(t, 1, table(t, tables, name).Len())
}

// TestOddButValid: what no kernel build does and every kernel takes.
func TestOddButValid(t *testing.T) {
	const file = "x86_64-6.1"
	for name, change := range map[string]func(t *testing.T, f *elfrw.File){
		"relocations in any order": func(t *testing.T, f *elfrw.File) {
			edit(t, f, "__jump_table", func(r []elfrw.Rela) []elfrw.Rela {
				slices.Reverse(r)
				return r
			})
		},
		"relocations that do nothing": func(t *testing.T, f *elfrw.File) {
			edit(t, f, "__jump_table", func(r []elfrw.Rela) []elfrw.Rela {
				return slices.Insert(r, 1, elfrw.Rela{Offset: 1})
			})
		},
		"relocations in two sections": func(t *testing.T, f *elfrw.File) {
			split(t, f)
		},
		"an empty table": func(t *testing.T, f *elfrw.File) {
			f.AddSection(&elfrw.Section{Name: ".altinstructions", Type: elf.SHT_PROGBITS, Flags: 2})
		},
		"sh_entsize": func(t *testing.T, f *elfrw.File) {
			section(t, f, "__jump_table").EntSize = 16
		},
		"PLT32": func(t *testing.T, f *elfrw.File) {
			edit(t, f, ".static_call_sites", func(r []elfrw.Rela) []elfrw.Rela {
				r[1].Type = uint32(elf.R_X86_64_PLT32)
				return r
			})
		},
		"a branch to the end of a section": func(t *testing.T, f *elfrw.File) {
			edit(t, f, "__jump_table", func(r []elfrw.Rela) []elfrw.Rela {
				r[1].Addend = int64(len(section(t, f, ".text").Data))
				return r
			})
		},
		"what no kernel of the machine reads": func(t *testing.T, f *elfrw.File) {
			f.AddSection(&elfrw.Section{Name: "__ftr_fixup", Type: elf.SHT_PROGBITS, Flags: 2,
				Data: make([]byte, 5)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t, file)
			change(t, f)
			good, changed := read(t, open(t, file)), read(t, f)
			for _, x := range good.All {
				y := table(t, changed, x.Section.Name)
				require.Equal(t, x.Len(), y.Len())
				for i := range x.Len() {
					assert.Equal(t, meaning(good, x.Entry(i)), meaning(changed, y.Entry(i)))
				}
			}
		})
	}
}

// split takes the key of the first jump label to a second relocation section, as
// a conversion does.
func split(t testing.TB, f *elfrw.File) (first, second *elfrw.Section) {
	t.Helper()
	first = section(t, f, ".rela__jump_table")
	second = &elfrw.Section{Name: ".klp.rela.vmlinux.__jump_table", Type: elf.SHT_RELA,
		Flags: 0x100042, Align: 8, Link: f.Symtab, Target: first.Target}
	f.AddSection(second)
	r := slices.Clone(first.Relocs())
	f.AddReloc(second, r[2])
	first.SetRelocs(slices.Delete(r, 2, 3))
	return first, second
}

func TestRelocationsOfEntries(t *testing.T) {
	f := open(t, "x86_64-6.1")
	edit(t, f, ".altinstructions", func(r []elfrw.Rela) []elfrw.Rela {
		slices.Reverse(r)
		return r
	})
	first, second := split(t, f)
	tables := read(t, f)
	x := table(t, tables, "__jump_table")
	assert.Equal(t, []*elfrw.Section{first, second}, x.Relocs)
	assert.Equal(t, []Reloc{{first, 0}, {first, 1}, {second, 0}}, x.Entry(0).relocations())
	assert.Equal(t, []Reloc{{first, 2}, {first, 3}, {first, 4}}, x.Entry(1).relocations())
	for _, x := range tables.All {
		for i := range x.Len() {
			e := x.Entry(i)
			for _, r := range e.relocations() {
				offset := r.Section.Relocs()[r.Index].Offset
				assert.True(t, e.Offset <= offset && offset < e.Offset+e.Size,
					"%s: relocation at %#x", e, offset)
			}
		}
	}
}

// TestStrayRelocations: one that does nothing belongs to its entry, wherever it is.
func TestStrayRelocations(t *testing.T) {
	for _, at := range []int{0, 3, 7, 15} {
		f := open(t, "x86_64-6.1")
		edit(t, f, "__jump_table", func(r []elfrw.Rela) []elfrw.Rela {
			return slices.Insert(r, at, elfrw.Rela{Offset: 0x13})
		})
		x := table(t, read(t, f), "__jump_table")
		for i := range x.Len() {
			want := 3
			if i == 1 {
				want = 4
				assert.Contains(t, x.Entry(i).relocations(), Reloc{x.Relocs[0], at})
			}
			assert.Len(t, x.Entry(i).relocations(), want, "inserted at %d: entry %d", at, i)
		}
	}
}

func TestKeys(t *testing.T) {
	f := open(t, "x86_64-6.1")
	entries := table(t, read(t, f), "__jump_table")
	k := entries.Entry(1).Key // __tracepoint_foo + 8 and 2 for the branch
	assert.Equal(t, "__tracepoint_foo", k.Symbol.Name)
	assert.EqualValues(t, 8, k.Addend)
	assert.Nil(t, k.Section)
	assert.Zero(t, k.Offset)
	k = entries.Entry(4).Key // of the module: .data + 16, and 1
	assert.Equal(t, ".data", k.Section.Name)
	assert.EqualValues(t, 16, k.Offset)
	assert.EqualValues(t, 16, int64(k.Symbol.Value)+k.Addend)
}

// TestOtherMachines: no kernel for them has livepatching, or this class.
func TestOtherMachines(t *testing.T) {
	f := open(t, "x86_64-6.1")
	f.Header.Machine = elf.EM_RISCV
	tables := read(t, f)
	assert.Empty(t, tables.All)
	assert.Nil(t, tables.In(f.Section("__jump_table"), 0))
	assert.Empty(t, tables.Sites(f.Section(".text"), 0, 100))
	assert.Equal(t, "patched+0x1", tables.Function(f.Section(".text"), 1))

	f = open(t, "ppc32")
	f.Header.Machine = elf.EM_X86_64
	assert.Empty(t, read(t, f).All)
}
