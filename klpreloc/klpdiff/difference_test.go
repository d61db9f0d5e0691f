// SPDX-License-Identifier: GPL-2.0-or-later

package klpdiff_test

import (
	"bytes"
	"debug/elf"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpdiff"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
)

var reread = testmodule.Reread

func open(t *testing.T, name string) *elfrw.File {
	t.Helper()
	return testmodule.Open(t, filepath.Join("../../testdata", name))
}

// converted returns a module after conversion, and how many relocations moved.
func converted(t *testing.T, name string) (*elfrw.File, int) {
	t.Helper()
	f := open(t, name)
	plan, found := klpreloc.NewPlan(f, klpreloc.Options{})
	require.False(t, found.Failed(), "%v", found)
	n := 0
	for _, m := range plan.Info().Moves {
		n += m.Relocs
	}
	require.NoError(t, plan.Apply())
	return reread(t, f), n
}

var modules = []string{
	"x86_64/labels-dot.ko", "x86_64/records-v7.ko", "x86_64/livepatch-cmdline.ko",
	"s390x/labels-dot.ko", "s390x/records-v7.ko",
	"ppc64le/records-v7.ko", "aarch64/labels-comma.ko", "ppc32/records-rfc.ko",
}

func TestModuleIsLikeItself(t *testing.T) {
	for _, name := range modules {
		assert.True(t, klpdiff.Files(open(t, name), open(t, name), nil).Same(), name)
		a, _ := converted(t, name)
		b, _ := converted(t, name)
		assert.True(t, klpdiff.Files(a, b, nil).Same(), name)
	}
}

// Of a module and its converted form, each annotated relocation has become the klp
// relocation at its place, and no other differs.
func TestConversionIsWhatBecameOfWhat(t *testing.T) {
	for _, name := range modules {
		after, moved := converted(t, name)
		d := klpdiff.Files(open(t, name), after, nil)
		n := 0
		for _, c := range d.Relocations {
			n += c.Count
			assert.Contains(t, c.Was, ", annotated", name)
			assert.Contains(t, c.Is, ", applied with ", name)
			assert.True(t, strings.HasPrefix(c.Is, ".klp.sym."), c.Is)
			assert.NotEmpty(t, c.In)
		}
		assert.Equal(t, moved, n, name)
		assert.Positive(t, n, name)
		assert.NotEmpty(t, d.Symbols)
		assert.NotEmpty(t, d.Annotations)
		assert.Empty(t, d.Patches, name)
	}
}

// Dialects say the same.
func TestSpellingOfLabelsDoesNotMatter(t *testing.T) {
	d := klpdiff.Files(open(t, "x86_64/labels-dot.ko"), open(t, "x86_64/labels-comma.ko"), nil)
	assert.Empty(t, d.Relocations)
	assert.Empty(t, d.Annotations)
}

// Numbers and places in the file are the linker's business.
func TestNumbersDoNotMatter(t *testing.T) {
	a, _ := converted(t, "x86_64/labels-dot.ko")
	b, _ := converted(t, "x86_64/labels-dot.ko")
	b.Sections = append([]*elfrw.Section{}, b.Sections...)
	b.AddSection(&elfrw.Section{Name: ".note.more", Type: elf.SHT_PROGBITS, Align: 64,
		Data: make([]byte, 100)})
	b.AddSymbol(&elfrw.Symbol{Name: "__UNIQUE_ID_more99", Section: b.Section(".text"),
		Info: elf.ST_INFO(elf.STB_LOCAL, elf.STT_NOTYPE)})
	text := b.Section(".klp.rela.vmlinux..text")
	turned := slices.Clone(text.Relocs())
	slices.Reverse(turned)
	text.SetRelocs(turned)
	assert.True(t, klpdiff.Files(a, reread(t, b), nil).Same())
}

// editRelocs changes the relocations of one section of a converted module.
func editRelocs(section string, edit func(f *elfrw.File, r []elfrw.Rela) []elfrw.Rela,
) func(f *elfrw.File) {
	return func(f *elfrw.File) {
		s := f.Section(section)
		s.SetRelocs(edit(f, slices.Clone(s.Relocs())))
	}
}

func symbol(f *elfrw.File, name string) *elfrw.Symbol {
	return f.Symbols[slices.IndexFunc(f.Symbols, func(y *elfrw.Symbol) bool { return y.Name == name })]
}

// One thing is changed, and only that is reported.
func TestEveryDifferenceIsFound(t *testing.T) {
	const text = ".klp.rela.vmlinux..text"
	for what, c := range map[string]struct {
		edit func(f *elfrw.File)
		want func(t *testing.T, d *klpdiff.Difference)
	}{
		"type": {
			editRelocs(text, func(_ *elfrw.File, r []elfrw.Rela) []elfrw.Rela {
				r[0].Type = uint32(elf.R_X86_64_PC32)
				return r
			}),
			func(t *testing.T, d *klpdiff.Difference) {
				require.Len(t, d.Relocations, 1)
				assert.Contains(t, d.Relocations[0].Was, "R_X86_64_PLT32 -0x4")
				assert.Contains(t, d.Relocations[0].Is, "R_X86_64_PC32 -0x4")
			},
		},
		"addend": {
			editRelocs(text, func(_ *elfrw.File, r []elfrw.Rela) []elfrw.Rela {
				r[1].Addend += 8
				return r
			}),
			func(t *testing.T, d *klpdiff.Difference) {
				require.Len(t, d.Relocations, 1)
				assert.Contains(t, d.Relocations[0].Is, "+0x10")
				assert.Equal(t, []string{"replaced_show"}, d.Relocations[0].In)
			},
		},
		"symbol": {
			editRelocs(text, func(f *elfrw.File, r []elfrw.Rela) []elfrw.Rela {
				r[0].Sym = symbol(f, ".klp.sym.vmlinux.show,2")
				return r
			}),
			func(t *testing.T, d *klpdiff.Difference) {
				assert.Equal(t, []klpdiff.RelocChange{{
					Was:   ".klp.sym.vmlinux.show,1, applied with vmlinux",
					Is:    ".klp.sym.vmlinux.show,2, applied with vmlinux",
					Count: 1, In: []string{"replaced_show"}, At: []string{"replaced_show+0xc"},
				}}, d.Relocations)
			},
		},
		"offset": {
			editRelocs(text, func(_ *elfrw.File, r []elfrw.Rela) []elfrw.Rela { r[0].Offset++; return r }),
			func(t *testing.T, d *klpdiff.Difference) {
				require.Len(t, d.Relocations, 1)
				assert.Equal(t, d.Relocations[0].Was, d.Relocations[0].Is)
				assert.Equal(t, []string{"replaced_show+0xc → +0xd"}, d.Relocations[0].At)
			},
		},
		"removed": {
			editRelocs(text, func(_ *elfrw.File, r []elfrw.Rela) []elfrw.Rela { return r[1:] }),
			func(t *testing.T, d *klpdiff.Difference) {
				require.Len(t, d.Relocations, 1)
				assert.Empty(t, d.Relocations[0].Is)
			},
		},
		"added": {
			editRelocs(text, func(_ *elfrw.File, r []elfrw.Rela) []elfrw.Rela { return append(r, r[0]) }),
			func(t *testing.T, d *klpdiff.Difference) {
				require.Len(t, d.Relocations, 1)
				assert.Empty(t, d.Relocations[0].Was)
			},
		},
		"object of the section": {
			func(f *elfrw.File) { f.Section(text).Name = ".klp.rela.ext4..text.1" },
			func(t *testing.T, d *klpdiff.Difference) {
				require.NotEmpty(t, d.Relocations)
				assert.Contains(t, d.Relocations[0].Is, "applied with ext4")
			},
		},
		"flags": {
			func(f *elfrw.File) { f.Section(text).Flags &^= uint64(elf.SHF_ALLOC) },
			func(t *testing.T, d *klpdiff.Difference) {
				assert.Equal(t, []klpdiff.Change{{What: "for vmlinux, of .text", Was: "flags 0x100042",
					Is: "flags 0x100040"}}, d.Sections)
			},
		},
		"vermagic": {
			func(f *elfrw.File) {
				f.Section(".modinfo").Data = bytes.Replace(f.Section(".modinfo").Data, []byte("6.1.0-99"),
					[]byte("6.1.0-98"), 1)
			},
			func(t *testing.T, d *klpdiff.Difference) {
				require.Len(t, d.Module, 1)
				assert.Equal(t, "vermagic", d.Module[0].What)
			},
		},
		"livepatch": {
			func(f *elfrw.File) {
				f.Section(".modinfo").Data = bytes.Replace(f.Section(".modinfo").Data, []byte("livepatch=Y"),
					[]byte("lifepatch=Y"), 1)
			},
			func(t *testing.T, d *klpdiff.Difference) {
				assert.Equal(t, klpdiff.Change{What: "livepatch", Was: "Y"}, d.Module[0])
			},
		},
		"undefined": {
			func(f *elfrw.File) { symbol(f, "klp_enable_patch").Name = "klp_register_patch" },
			func(t *testing.T, d *klpdiff.Difference) {
				assert.Equal(t, []klpdiff.Change{{What: "klp_enable_patch", Was: "global"},
					{What: "klp_register_patch", Is: "global"}}, d.Undefined)
			},
		},
		"klp symbol": {
			func(f *elfrw.File) { symbol(f, ".klp.sym.vmlinux.show,1").Name = ".klp.sym.vmlinux.show,3" },
			func(t *testing.T, d *klpdiff.Difference) {
				assert.Equal(t, []klpdiff.Change{{What: ".klp.sym.vmlinux.show,1", Was: klpdiff.There},
					{What: ".klp.sym.vmlinux.show,3", Is: klpdiff.There}}, d.Symbols)
			},
		},
	} {
		t.Run(what, func(t *testing.T) {
			a, _ := converted(t, "x86_64/labels-dot.ko")
			b, _ := converted(t, "x86_64/labels-dot.ko")
			c.edit(b)
			d := klpdiff.Files(a, reread(t, b), nil)
			assert.False(t, d.Same())
			c.want(t, d)
		})
	}
}

// An entry of a table, and an alternative's code, is identified by what it is for.
func TestSpecialSectionsAreToldByTheirSites(t *testing.T) {
	in := func(name string) (all []string) {
		f := open(t, name)
		plan, found := klpreloc.NewPlan(f, klpreloc.Options{})
		require.False(t, found.Failed(), "%v", found)
		require.NoError(t, plan.Apply())
		d := klpdiff.Files(open(t, name), reread(t, f), nil)
		for _, c := range d.Relocations {
			all = append(all, c.In...)
		}
		if strings.Contains(name, "4.19") {
			assert.Contains(t, d.Special, klpdiff.Change{What: ".klp.arch.vmlinux..altinstructions",
				Is: "39 bytes"})
		}
		return all
	}
	assert.Contains(t, in("arch/4.19/alt-vmlinux.ko"), "alternative at livepatch_stat_show+0x8")
	assert.Contains(t, in("arch/6.1/jump-label.ko"), "entry for jump label at livepatch_psi_show+0x5")
}

// A function that grew does not change the identity of what follows it.
func TestGrownFunctionMovesNothingElse(t *testing.T) {
	a, _ := converted(t, "x86_64/labels-dot.ko")
	b, _ := converted(t, "x86_64/labels-dot.ko")
	text := b.Section(".text")
	text.Data = append(make([]byte, 16), text.Data...)
	for _, y := range b.Symbols {
		if y.Section == text && y.Type() != elf.STT_SECTION {
			y.Value += 16
		}
	}
	for _, s := range b.Sections {
		if s.Target == text {
			r := slices.Clone(s.Relocs())
			for i := range r {
				r[i].Offset += 16
			}
			s.SetRelocs(r)
		}
	}
	assert.Empty(t, klpdiff.Files(a, reread(t, b), nil).Relocations)
}

func TestVersionsOfExports(t *testing.T) {
	a, b := open(t, "x86_64/livepatch-cmdline.ko"), open(t, "x86_64/livepatch-cmdline.ko")
	s := b.Section("__versions")
	require.NotNil(t, s)
	data := slices.Clone(s.Data)
	data[0] ^= 1
	s.Data = data
	d := klpdiff.Files(a, reread(t, b), nil)
	require.Len(t, d.Versions, 1)
	assert.NotEqual(t, d.Versions[0].Was, d.Versions[0].Is)
	assert.Regexp(t, "^0x[0-9a-f]+$", d.Versions[0].Is)
}

// What is patched is identified by object, function and position.
func TestPatches(t *testing.T) {
	a, b := open(t, "x86_64/livepatch-cmdline.ko"), open(t, "x86_64/livepatch-cmdline.ko")
	s := b.Section(".rodata.str1.1")
	require.NotNil(t, s)
	require.True(t, bytes.Contains(s.Data, []byte("cmdline_proc_show")))
	s.Data = bytes.Replace(s.Data, []byte("cmdline_proc_show"), []byte("version_proc_show"), 1)
	d := klpdiff.Files(a, reread(t, b), nil)
	assert.Equal(t, []klpdiff.Change{
		{What: "vmlinux: cmdline_proc_show", Was: "livepatch_cmdline_proc_show"},
		{What: "vmlinux: version_proc_show", Is: "livepatch_cmdline_proc_show"},
	}, d.Patches)
}

// What a compiler counts up is not a name.
func TestCompilersNumbersDoNotMatter(t *testing.T) {
	rename := func(name string) *elfrw.File {
		f, _ := converted(t, "x86_64/labels-dot.ko")
		symbol(f, "data_pointers").Name = name
		return reread(t, f)
	}
	for _, pair := range [][2]string{{"table.1234", "table.77"},
		{"__UNIQUE_ID_x281", "__UNIQUE_ID_x9"}, {"f.isra.0", "f.isra.1"}} {
		assert.True(t, klpdiff.Files(rename(pair[0]), rename(pair[1]), nil).Same(), pair)
	}
	assert.NotEmpty(t, klpdiff.Files(rename("table1"), rename("table2"), nil).Relocations)
}

// Position 1 is the function that position 0 is, and yet not the same to every kernel; position
// 2 is another function.
func TestPositionsOfFunctions(t *testing.T) {
	at := func(pos byte) *elfrw.File {
		f := open(t, "x86_64/livepatch-cmdline.ko")
		patches, err := klppatch.Read(f)
		require.NoError(t, err)
		fn := patches[0].Objects[0].Funcs[0].At
		data := slices.Clone(fn.Section.Data)
		data[fn.Offset+16] = pos
		fn.Section.Data = data
		return reread(t, f)
	}
	for _, pos := range []byte{0, 1, 2} {
		assert.True(t, klpdiff.Files(at(pos), at(pos), nil).Same())
		assert.Empty(t, klpdiff.Files(at(pos), at(pos), nil).Remarks)
	}
	const what = "vmlinux: cmdline_proc_show: old_sympos"
	const only, first = "0, the only one of that name", "1, the first of that name"
	d := klpdiff.Files(at(0), at(1), nil)
	assert.False(t, d.Same())
	assert.Equal(t, []klpdiff.Change{{What: what, Was: only, Is: first}}, d.Patches)
	require.Len(t, d.Remarks, 1)
	assert.Contains(t, d.Remarks[0], "can't replace the other (.replace) before "+kernel.FirstIsOnly)
	assert.Equal(t, []klpdiff.Change{{What: what, Was: first, Is: only}}, klpdiff.Files(at(1), at(0), nil).
		Patches)

	d = klpdiff.Files(at(1), at(2), nil)
	assert.Len(t, d.Patches, 2)
	assert.Empty(t, d.Remarks)
}

func TestSignatureIsAFact(t *testing.T) {
	a, b := open(t, "x86_64/livepatch-cmdline.ko"), open(t, "x86_64/livepatch-cmdline.ko")
	b.Trailer = []byte("~Module signature appended~\n")
	assert.Equal(t, []klpdiff.Change{{What: "signature", Is: klpdiff.There}},
		klpdiff.Files(a, reread(t, b), nil).Module)
}
