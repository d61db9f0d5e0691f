// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"debug/elf"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// filed is what Read makes of f's annotations: object name which dialect.
func filed(t *testing.T, f *elfrw.File) (annotations []string, minds []diag.ID) {
	t.Helper()
	in, found := annotation.Read(reread(t, f))
	for _, a := range in.Annotations {
		which := fmt.Sprint(a.Pos)
		if a.File != "" {
			assert.Zero(t, a.Pos)
			which = a.File
		}
		annotations = append(annotations, fmt.Sprintf("%s/%s %s %s %s", a.LPObject, a.Object, a.Name,
			which, a.Dialect))
	}
	for _, d := range found {
		minds = append(minds, d.ID)
	}
	return annotations, minds
}

// As five compilers, and clang for two of them, leave them.
func TestAnnotationsByFileOfEveryArchitecture(t *testing.T) {
	for _, name := range modules(t, "files") {
		f := open(t, name)
		byPosition := "record"
		if f.PointerSize() == 4 {
			byPosition = "record (v7)"
		}
		want := []string{
			"vmlinux/vmlinux vm_call 0 " + byPosition,
			"vmlinux/vmlinux vm_value drivers/pnp/interface.c file record",
			"vmlinux/vmlinux vm_table drivers/pnp/interface.c file record",
			"vmlinux/vmlinux vm_string cmdline.c file record",
			"ext4/ext4 mod_call fs/ext4/super.c file record",
			"ext4/ext4 mod_value 2 " + byPosition,
		}
		if strings.Contains(name, "-labels") {
			want = []string{
				"vmlinux/vmlinux show drivers/pnp/interface.c file label",
				"vmlinux/vmlinux show arch/x86/mm/pat-rbtree+2.c file label",
				"vmlinux/vmlinux table.isra.0 cmdline.c file label",
				"vmlinux/vmlinux vm_string 3 label",
				"ext4/ext4 show fs/ext4/super.c file label",
				"ext4/jbd2 journal_value fs/jbd2/journal.c file label",
			}
		}
		got, minds := filed(t, f)
		assert.Empty(t, minds, name)
		assert.ElementsMatch(t, want, got, name)

		assert.Equal(t, []diag.ID{diag.NeedsKernel}, ids(t, f, diag.Error), name)
		_, found := klpreloc.NewPlan(f, klpreloc.Options{})
		others := the(t, diag.NeedsKernel, found).Places
		assert.Len(t, others, strings.Count(strings.Join(want, "\n"), "file ")-1,
			"one place for each: %v", others)
	}
}

func TestDescribeShowsTheFile(t *testing.T) {
	d, _ := klpreloc.Describe(open(t, "files/x86_64-labels.ko"))
	files := map[string]string{}
	for _, a := range d.Annotations {
		files[a.Name] = a.File
	}
	assert.Equal(t, "fs/jbd2/journal.c", files["journal_value"])
	assert.Empty(t, files["vm_string"])
}

// addStrings adds a section of these bytes, as compilers make them.
func addStrings(f *elfrw.File, data string) (*elfrw.Section, *elfrw.Symbol) {
	s := &elfrw.Section{Name: ".rodata.str1.1", Type: elf.SHT_PROGBITS,
		Flags: uint64(elf.SHF_ALLOC | elf.SHF_MERGE | elf.SHF_STRINGS),
		Align: 1, EntSize: 1, Data: []byte(data)}
	f.AddSection(s)
	y := &elfrw.Symbol{Section: s, Info: byte(elf.STT_SECTION)}
	f.AddSymbol(y)
	return s, y
}

// pair adds KLP_SYMFILE(extra0, "fs/a.c") as the compiler leaves it, between two
// other strings.
func pair(t *testing.T, f *elfrw.File) (data, relocs, text *elfrw.Section) {
	t.Helper()
	text, y := addStrings(f, "first\x00fs/a.c\x00last\x00")
	data, relocs = addRecords(t, f, "vmlinux", 24, record{0, "extra0", 8, math.MaxUint32},
		record{12, "extra1", 20, math.MaxUint32})
	r := relocs.Relocs()
	relocs.SetRelocs([]elfrw.Rela{r[0], {Offset: 12, Sym: y, Type: r[1].Type, Addend: 6}})
	return data, relocs, text
}

func TestPathsBySymbolAndAddend(t *testing.T) {
	for name, edit := range map[string]func(t *testing.T, f *elfrw.File, relocs, text *elfrw.Section){
		"section symbol": func(*testing.T, *elfrw.File, *elfrw.Section, *elfrw.Section) {},
		"named object": func(t *testing.T, f *elfrw.File, relocs, text *elfrw.Section) {
			y := &elfrw.Symbol{Name: ".LC0", Section: text, Value: 6}
			f.AddSymbol(y)
			second(relocs, func(r *elfrw.Rela) { r.Sym, r.Addend = y, 0 })
		},
		"negative addend": func(t *testing.T, f *elfrw.File, relocs, text *elfrw.Section) {
			y := &elfrw.Symbol{Name: "end", Section: text, Value: uint64(len(text.Data))}
			f.AddSymbol(y)
			second(relocs, func(r *elfrw.Rela) { r.Sym, r.Addend = y, -12 })
		},
		"in another order": func(t *testing.T, f *elfrw.File, relocs, text *elfrw.Section) {
			r := relocs.Relocs()
			relocs.SetRelocs([]elfrw.Rela{r[1], r[0]})
		},
	} {
		for _, arch := range []string{"x86_64", "s390x"} {
			f := bare(t, arch)
			_, relocs, text := pair(t, f)
			edit(t, f, relocs, text)
			got, minds := filed(t, f)
			assert.Empty(t, minds, name)
			assert.Equal(t, []string{"vmlinux/vmlinux extra0 fs/a.c file record"}, got, name)
		}
	}
}

// second edits the second relocation.
func second(relocs *elfrw.Section, edit func(*elfrw.Rela)) {
	r := relocs.Relocs()
	x := r[1]
	edit(&x)
	relocs.SetRelocs([]elfrw.Rela{r[0], x})
}

// Both halves of the slot, without and with an array's symbol.
func TestFileRecordsOf32Bits(t *testing.T) {
	for _, half := range []uint64{0, 4} {
		for _, symbol := range []bool{false, true} {
			f := bare(t, "ppc32")
			_, y := addStrings(f, "fs/a.c\x00")
			data, relocs := addRecords(t, f, "ext4", 36, record{half, "extra0", 8, math.MaxUint32},
				record{12 + half, "extra1", 20, math.MaxUint32}, record{24 + half, "extra2", 32, 5})
			second := relocs.Relocs()
			second[1].Sym = y
			relocs.SetRelocs(second)
			if symbol {
				addArray(f, data, "array", 0, 36)
			}
			got, minds := filed(t, f)
			assert.Empty(t, minds)
			assert.Equal(t,
				[]string{"ext4/ext4 extra0 fs/a.c file record", "ext4/ext4 extra2 5 record (v7)"}, got)
		}
	}
}

func TestUnreadableFileRecords(t *testing.T) {
	type edit = func(f *elfrw.File, data, relocs, text *elfrw.Section)
	contents := func(s string) edit {
		return func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			text.Data = []byte("first\x00" + s)
		}
	}
	for _, x := range []struct {
		name string
		edit edit
		want diag.ID
		says string
	}{
		{"no path", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			relocs.SetRelocs(relocs.Relocs()[:1])
			copy(data.Data[12:], make([]byte, 12))
		}, diag.BadFile, "none does"},
		{"path at another position", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			data.Data[20] = 1
		}, diag.BadFile, "none does"},
		{"first record with a position", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			data.Data[8] = 1
		}, diag.AnnotatedDefined, ""},
		{"two symbols", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			second(relocs, func(r *elfrw.Rela) { r.Sym = relocs.Relocs()[0].Sym })
		}, diag.BadFile, "none does"},
		{"gap", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			data.Data = append(data.Data[:12:12], append(make([]byte, 4), data.Data[12:]...)...)
			second(relocs, func(r *elfrw.Rela) { r.Offset = 16 })
		}, diag.BadFile, "none does"},
		{"overlap", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			second(relocs, func(r *elfrw.Rela) { r.Offset = 8 })
		}, diag.BadRecord, "overlaps"},
		{"path without symbol", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			second(relocs, func(r *elfrw.Rela) { r.Sym = nil })
		}, diag.BadFile, "none does"},
		{"absolute symbol", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			y := addUndefined(f, "abs", elf.STB_GLOBAL)
			y.Index = elf.SHN_ABS
			second(relocs, func(r *elfrw.Rela) { r.Sym = y })
		}, diag.BadFile, "none does"},
		{"alone", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			relocs.SetRelocs(relocs.Relocs()[1:])
			copy(data.Data, make([]byte, 12))
		}, diag.AnnotatedDefined, ""},
		{"wrong type", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			second(relocs, func(r *elfrw.Rela) { r.Type = 2 })
		}, diag.BadFile, "R_X86_64_PC32"},
		{"wrong type of the first", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			change(relocs, func(r *elfrw.Rela) {
				if r.Offset == 0 {
					r.Type = 2
				}
			})
		}, diag.BadRecord, "R_X86_64_PC32"},
		{"addend of the first", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			change(relocs, func(r *elfrw.Rela) { r.Addend += 1 })
		}, diag.BadRecord, "only a symbol itself"},
		{"no contents", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			text.Type, text.Data = elf.SHT_NOBITS, nil
		}, diag.BadFile, "no contents"},
		{"compressed", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			text.Flags = uint64(elf.SHF_COMPRESSED)
		}, diag.BadFile, "no contents"},
		{"past the end", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			second(relocs, func(r *elfrw.Rela) { r.Addend = int64(len(text.Data)) })
		}, diag.BadFile, "past the end"},
		{"in front", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			second(relocs, func(r *elfrw.Rela) { r.Addend = -1 })
		}, diag.BadFile, "past the end"},
		{"far away", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			second(relocs, func(r *elfrw.Rela) { r.Addend = math.MinInt64 })
		}, diag.BadFile, "past the end"},
		{"unterminated", contents("fs/a.c"), diag.BadFile, "does not end"},
		{"empty", contents("\x00"), diag.BadFile, "empty"},
		{"absolute", contents("/fs/a.c\x00"), diag.BadFile, "absolute"},
		{"upwards", contents("fs/../a.c\x00"), diag.BadFile, "upwards"},
		{"control characters", contents("fs/\x1b[31ma.c\x00"), diag.BadFile, "control"},
		{"too long", contents(strings.Repeat("a", 4097) + "\x00"), diag.BadFile, "more than 4096 bytes"},
		{"a label", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			relocs.Relocs()[0].Sym.Name = ".klp.sym.file.vmlinux.vmlinux.foo/fs/a.c"
		}, diag.BadRecord, "label"},
		{"SHT_REL", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			change(relocs, func(r *elfrw.Rela) { r.Addend = 0 })
			relocs.Type, relocs.EntSize = elf.SHT_REL, 16
		}, diag.RelSection, ""},
		{"no relocations", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			relocs.SetRelocs(nil)
		}, diag.NoRecords, ""},
		{"byte after", func(f *elfrw.File, data, relocs, text *elfrw.Section) {
			data.Data = append(data.Data, 1)
		}, diag.StrayBytes, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			f := bare(t, "x86_64")
			data, relocs, text := pair(t, f)
			x.edit(f, data, relocs, text)
			in, found := annotation.Read(reread(t, f))
			reported := false
			for _, d := range found {
				reported = reported || d.ID == x.want && strings.Contains(d.Message, x.says)
			}
			assert.True(t, reported, "%v", found)
			assert.True(t, in.Annotated())
			for _, a := range in.Annotations {
				assert.True(t, x.want == diag.StrayBytes || a.Dialect != annotation.FileRecords)
			}
			assert.NotEmpty(t, ids(t, f, diag.Error), "and nothing is converted")
		})
	}
}

func TestPathLimit(t *testing.T) {
	f := bare(t, "x86_64")
	_, _, text := pair(t, f)
	path := strings.Repeat("a", 4096)
	text.Data = []byte("first\x00" + path + "\x00")
	got, minds := filed(t, f)
	assert.Empty(t, minds)
	assert.Equal(t, []string{"vmlinux/vmlinux extra0 " + path + " file record"}, got)
}

func TestCheckPath(t *testing.T) {
	for _, path := range []string{"a.c", "fs/proc/cmdline.c", "./fs/a.c", "fs//a.c", "..a/b..c",
		"arch/x86/lib/a b.S", "ä.c"} {
		assert.NoError(t, annotation.CheckPath(path), path)
	}
	for _, path := range []string{"", "/", "/a.c", "..", "../a.c", "a/../b.c", "a/..", "a/", ".",
		"a/.", "a\n.c", "a\x7f.c", strings.Repeat("a", 4097)} {
		if err := annotation.CheckPath(path); assert.Error(t, err, "%.40q", path) {
			assert.Less(t, len(err.Error()), 300)
		}
	}
}

// A file that says two things, and one that says the same twice.
func TestConflictsByFile(t *testing.T) {
	for _, x := range []struct {
		pos  uint32
		path string
		want []diag.ID
	}{
		{1, "", []diag.ID{diag.Conflict, diag.NeedsKernel}},
		{math.MaxUint32, "b.c\x00", []diag.ID{diag.Conflict, diag.NeedsKernel}},
		{math.MaxUint32, "fs/a.c\x00", []diag.ID{diag.NeedsKernel}},
	} {
		f := bare(t, "x86_64")
		pair(t, f)
		_, y := addStrings(f, x.path)
		_, relocs := addRecords(t, f, "vmlinux", 24, record{0, "extra0", 8, x.pos},
			record{12, "extra1", 20, x.pos})
		if x.path == "" {
			relocs.SetRelocs(relocs.Relocs()[:1])
			relocs.Target.Data = relocs.Target.Data[:12]
		} else {
			second(relocs, func(r *elfrw.Rela) { r.Sym = y })
		}
		assert.ElementsMatch(t, x.want, ids(t, f, diag.Error), "%d %q", x.pos, x.path)
	}
}

// A module may be called "file" or "rela"; its klp symbols are no labels.
func TestObjectCalledFile(t *testing.T) {
	f := bare(t, "x86_64")
	use(f, addUndefined(f, ".klp.sym.rela.file.file.x.0", elf.STB_GLOBAL))
	after := converted(t, f)
	assert.Equal(t, []string{".klp.sym.file.x,0"}, klpSymbols(after))
	plan, found := klpreloc.NewPlan(after, klpreloc.Options{})
	require.NotNil(t, plan, "%v", found)
	assert.True(t, plan.Empty())

	f = bare(t, "x86_64") // objtool klp diff's, undefined and weak
	use(f, addUndefined(f, ".klp.sym.file.x,0", elf.STB_WEAK))
	f.AddSection(&elfrw.Section{Name: "__klp_relocs.file", Type: elf.SHT_PROGBITS, Flags: 2,
		Data: make([]byte, 24)})
	assert.Empty(t, ids(t, f, diag.Error))

	f = bare(t, "x86_64")
	use(f, addUndefined(f, ".klp.sym.rela.file.file.x.0", elf.STB_GLOBAL))
	use(f, addUndefined(f, ".klp.sym.file.file.file.x/file.c", elf.STB_GLOBAL))
	got, _ := filed(t, f)
	assert.Equal(t, []string{"file/file x 0 label", "file/file x file.c file label"}, got)
}

func TestDefinedFileLabelIsRefused(t *testing.T) {
	f := bare(t, "x86_64")
	y := addUndefined(f, ".klp.sym.file.vmlinux.vmlinux.foo/fs/a.c", elf.STB_GLOBAL)
	y.Index, y.Value = elf.SHN_ABS, 1
	assert.Equal(t, []diag.ID{diag.AnnotatedDefined}, ids(t, f, diag.Error))
}

func TestManyPathsCostNoMore(t *testing.T) {
	const n = 20000
	f := bare(t, "x86_64")
	_, y := addStrings(f, strings.Repeat("a", n)+"\x00")
	data, relocs := addRecords(t, f, "vmlinux", 24*n)
	var all []elfrw.Rela
	extra := symbol(t, f, "extra0")
	for i := range uint64(n) {
		copy(data.Data[24*i+8:], "\xff\xff\xff\xff")
		copy(data.Data[24*i+20:], "\xff\xff\xff\xff")
		all = append(all, elfrw.Rela{Offset: 24 * i, Sym: extra, Type: 1},
			elfrw.Rela{Offset: 24*i + 12, Sym: y, Type: 1, Addend: int64(i)})
	}
	relocs.SetRelocs(all)
	f = reread(t, f)
	var in *annotation.Set
	assert.Less(t, allocated(func() {
		in, _ = annotation.Read(f)
	}), uint64(60<<20), "paths share their bytes")
	assert.Len(t, in.Annotations, 4096, "the shorter ones")
}
