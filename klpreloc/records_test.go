// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"debug/elf"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// readIn returns what Read finds in f: annotations in short, and the ids of diagnostics.
func readIn(t *testing.T, f *elfrw.File) (annotations []string, ids []diag.ID) {
	t.Helper()
	in, found := annotation.Read(reread(t, f))
	for _, a := range in.Annotations {
		annotations = append(annotations, fmt.Sprintf("%s,%d %s", a.Name, a.Pos, a.Dialect))
	}
	for _, d := range found {
		ids = append(ids, d.ID)
	}
	return annotations, ids
}

func TestRecordsOf64Bits(t *testing.T) {
	for _, arch := range []string{"x86_64", "s390x", "ppc64le", "aarch64"} { // either byte order
		f := bare(t, arch)
		addRecords(t, f, "vmlinux", 0x50,
			record{4, "extra0", 12, 0}, record{16, "extra1", 24, 1}, record{0x40, "extra2", 0x48,
				0x01020304})
		got, ids := readIn(t, f)
		assert.Empty(t, ids, arch)
		assert.Equal(t, []string{"extra0,0 record", "extra1,1 record", "extra2,16909060 record"}, got,
			arch)
	}
}

func TestRecordsAreReadByOffsetNotByOrder(t *testing.T) {
	f := bare(t, "x86_64")
	addRecords(t, f, "vmlinux", 36, record{24, "extra2", 32, 3}, record{0, "extra0", 8, 1},
		record{12, "extra1", 20, 2})
	got, ids := readIn(t, f)
	assert.Empty(t, ids)
	assert.Equal(t, []string{"extra0,1 record", "extra1,2 record", "extra2,3 record"}, got)
}

func TestRecordsOf32Bits(t *testing.T) {
	type array struct{ value, size uint64 }
	const rfc, v7 = "record (RFC)", "record (v7)"
	for _, x := range []struct {
		name    string
		size    int
		arrays  []array
		records []record
		want    []string // dialects; empty: refused
	}{
		{"RFC array", 16, []array{{0, 16}}, []record{{0, "extra0", 4, 1}, {8, "extra1", 12, 2}},
			[]string{rfc, rfc}},
		{"v7 array", 24, []array{{0, 24}}, []record{{0, "extra0", 8, 1}, {12, "extra1", 20, 2}},
			[]string{v7, v7}},
		{"v7 array, pointers in the second half", 24, []array{{0, 24}},
			[]record{{4, "extra0", 8, 1}, {16, "extra1", 20, 2}}, []string{v7, v7}},
		{"single RFC", 8, []array{{0, 8}}, []record{{0, "extra0", 4, 1}}, []string{rfc}},
		{"single v7", 12, []array{{0, 12}}, []record{{0, "extra0", 8, 1}}, []string{v7}},
		{"single v7, second half", 12, []array{{0, 12}}, []record{{4, "extra0", 8, 1}}, []string{v7}},
		{"both, with a gap", 0x30, []array{{0, 8}, {0x20, 12}},
			[]record{{0, "extra0", 4, 1}, {0x20, "extra1", 0x28, 2}}, []string{rfc, v7}},
		{"array symbol within another", 16, []array{{0, 16}, {0, 8}},
			[]record{{0, "extra0", 4, 1}, {8, "extra1", 12, 2}}, []string{rfc, rfc}},
		{"without symbols, RFC", 24, nil, []record{{0, "extra0", 4, 1}, {8, "extra1", 12, 2},
			{16, "extra2", 20, 3}}, []string{rfc, rfc, rfc}},
		{"without symbols, v7", 24, nil, []record{{0, "extra0", 8, 1}, {12, "extra1", 20, 2}},
			[]string{v7, v7}},
		{"without symbols, v7 with padding after", 32, nil,
			[]record{{0, "extra0", 8, 1}, {12, "extra1", 20, 2}}, []string{v7, v7}},
		{"without symbols, v7, second half", 24, nil,
			[]record{{4, "extra0", 8, 1}, {16, "extra1", 20, 2}}, []string{v7, v7}},
		{"without symbols, v7, second half, padding after", 32, nil,
			[]record{{4, "extra0", 8, 1}, {16, "extra1", 20, 2}}, []string{v7, v7}},
		{"without symbol, single RFC", 8, nil, []record{{0, "extra0", 4, 1}}, []string{rfc}},
		{"without symbol, single v7", 12, nil, []record{{0, "extra0", 8, 1}}, []string{v7}},
		// the same position
		{"without symbol, single v7, second half", 12, nil, []record{{4, "extra0", 8, 1}}, []string{rfc}},
		{"one with a symbol after one without", 20, []array{{12, 8}},
			[]record{{0, "extra0", 8, 1}, {12, "extra1", 16, 2}}, []string{v7, rfc}},
		{"one with a symbol in front of two without", 32, []array{{0, 8}}, []record{{0, "extra0", 4, 1},
			{12, "extra1", 16, 2}, {24, "extra2", 28, 3}}, []string{rfc, v7, v7}},

		{"array of neither", 20, []array{{0, 20}}, []record{{0, "extra0", 4, 1}, {8, "extra1", 12, 2}},
			nil},
		{"array with an empty record", 16, []array{{0, 16}}, []record{{0, "extra0", 4, 1}}, nil},
		{"array of the right size, relocations elsewhere", 16, []array{{0, 16}},
			[]record{{0, "extra0", 4, 1}, {12, "extra1", 8, 2}}, nil},
		{"pointer in neither half of its slot", 12, []array{{0, 12}}, []record{{2, "extra0", 8, 1}}, nil},
		{"without symbols, 16 apart", 32, nil, []record{{0, "extra0", 4, 1}, {16, "extra1", 20, 2}}, nil},
		{"without symbols, uneven", 32, nil, []record{{0, "extra0", 4, 1}, {8, "extra1", 12, 2},
			{20, "extra2", 24, 3}}, nil},
		{"without symbol, single with padding", 16, nil, []record{{0, "extra0", 4, 1}}, nil},
		{"without symbols, either half", 40, nil, []record{{8, "extra0", 12, 1}, {20, "extra1", 24, 2}},
			nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			f := bare(t, "ppc32")
			data, _ := addRecords(t, f, "vmlinux", x.size, x.records...)
			for i, a := range x.arrays {
				addArray(f, data, fmt.Sprint("array", i), a.value, a.size)
			}
			got, ids := readIn(t, f)
			if x.want == nil {
				assert.Contains(t, ids, diag.UnknownStride)
				return
			}
			assert.Empty(t, ids)
			var want []string
			for i, dialect := range x.want {
				want = append(want, fmt.Sprintf("extra%d,%d %s", i, i+1, dialect))
			}
			assert.Equal(t, want, got)
		})
	}
}

func TestStaticArraysOf32BitsWithoutSymbolsConvert(t *testing.T) {
	f := open(t, "ppc32/records-v7.ko")
	var arrays []*elfrw.Symbol
	for _, y := range f.Symbols {
		if y.Section != nil && y.Type() == elf.STT_OBJECT && y.Section.Name == ".klp.module_relocs.ext4" {
			arrays = append(arrays, y)
		}
	}
	require.NotEmpty(t, arrays)
	require.NoError(t, f.Remove(nil, arrays))
	want, got := convert(t, contents(t, "ppc32/records-v7.ko")), convert(t, encode(t, f))
	assert.Equal(t, oracleOf(t, want), oracleOf(t, got))
}

func TestUnreadableRecords(t *testing.T) {
	for _, x := range []struct {
		name string
		size int
		edit func(f *elfrw.File, data, relocs *elfrw.Section)
		want diag.ID
	}{
		{"overlap", 32, func(f *elfrw.File, data, relocs *elfrw.Section) {
			relocs.SetRelocs(at(relocs, 0, 8))
		}, diag.BadRecord},
		{"twice at one place", 32, func(f *elfrw.File, data, relocs *elfrw.Section) {
			relocs.SetRelocs(at(relocs, 0, 0))
		}, diag.BadRecord},
		{"past the end", 16, func(f *elfrw.File, data, relocs *elfrw.Section) {
			relocs.SetRelocs(at(relocs, 0, 12))
		}, diag.BadRecord},
		{"offset of 64 bits", 32, func(f *elfrw.File, data, relocs *elfrw.Section) {
			relocs.SetRelocs(at(relocs, 0, 1<<64-4))
		}, diag.BadRecord},
		{"no contents", 32, func(f *elfrw.File, data, relocs *elfrw.Section) {
			data.Type, data.Data = elf.SHT_NOBITS, nil
		}, diag.BadRecord},
		{"wrong type", 32, func(f *elfrw.File, data, relocs *elfrw.Section) {
			change(relocs, func(r *elfrw.Rela) { r.Type = 2 })
		}, diag.BadRecord},
		{"addend", 32, func(f *elfrw.File, data, relocs *elfrw.Section) {
			change(relocs, func(r *elfrw.Rela) { r.Addend = 4 })
		}, diag.BadRecord},
		{"symbol 0", 32, func(f *elfrw.File, data, relocs *elfrw.Section) {
			change(relocs, func(r *elfrw.Rela) { r.Sym = nil })
		}, diag.BadRecord},
		{"a label", 32, func(f *elfrw.File, data, relocs *elfrw.Section) {
			change(relocs, func(r *elfrw.Rela) { r.Sym.Name = ".klp.sym.rela.vmlinux.vmlinux.foo.0" })
		}, diag.BadRecord},
		{"section symbol", 32, func(f *elfrw.File, data, relocs *elfrw.Section) {
			change(relocs, func(r *elfrw.Rela) { r.Sym = f.Symbols[0] })
		}, diag.AnnotatedDefined},
		{"absolute", 32, func(f *elfrw.File, data, relocs *elfrw.Section) {
			change(relocs, func(r *elfrw.Rela) { r.Sym.Index = elf.SHN_ABS })
		}, diag.AnnotatedDefined},
		{"SHT_REL", 32, func(f *elfrw.File, data, relocs *elfrw.Section) {
			relocs.Type, relocs.EntSize = elf.SHT_REL, 16
		}, diag.RelSection},
		{"no relocations", 32, func(f *elfrw.File, data, relocs *elfrw.Section) {
			relocs.SetRelocs(nil)
		}, diag.NoRecords},
		{"NONE only", 32, func(f *elfrw.File, data, relocs *elfrw.Section) {
			change(relocs, func(r *elfrw.Rela) { r.Type = 0 })
		}, diag.NoRecords},
		{"byte in front", 32, func(f *elfrw.File, data, relocs *elfrw.Section) {
			relocs.SetRelocs(at(relocs, 4, 16))
			data.Data[0] = 1
		}, diag.StrayBytes},
		{"byte after", 32, func(f *elfrw.File, data, relocs *elfrw.Section) {
			data.Data[31] = 1
		}, diag.StrayBytes},
		{"byte between", 48, func(f *elfrw.File, data, relocs *elfrw.Section) {
			relocs.SetRelocs(at(relocs, 0, 32))
			data.Data[20] = 1
		}, diag.StrayBytes},
	} {
		t.Run(x.name, func(t *testing.T) {
			f := bare(t, "x86_64")
			data, relocs := addRecords(t, f, "vmlinux", x.size, record{0, "extra0", 8, 1},
				record{12, "extra1", 20, 0})
			x.edit(f, data, relocs)
			_, found := readIn(t, f)
			assert.Contains(t, found, x.want)
			assert.NotEmpty(t, ids(t, f, diag.Error), "and nothing is converted")
		})
	}
}

// at returns the section's relocations with other offsets.
func at(s *elfrw.Section, offsets ...uint64) []elfrw.Rela {
	r := slices.Clone(s.Relocs())
	for i, off := range offsets {
		r[i].Offset = off
	}
	return r
}

// change edits the section's first relocations.
func change(s *elfrw.Section, edit func(*elfrw.Rela)) {
	r := slices.Clone(s.Relocs())
	for i := range r {
		edit(&r[i])
	}
	s.SetRelocs(r)
}

func TestStrayByteInTheUnusedHalfOfASlot(t *testing.T) {
	f := bare(t, "ppc32")
	data, _ := addRecords(t, f, "vmlinux", 12, record{0, "extra0", 8, 1})
	addArray(f, data, "array", 0, 12)
	data.Data[4] = 1
	_, ids := readIn(t, f)
	assert.Equal(t, []diag.ID{diag.StrayBytes}, ids)
}

func TestEmptyAnnotationSectionGoes(t *testing.T) {
	f := bare(t, "x86_64")
	addRecords(t, f, "vmlinux", 0)
	after := converted(t, f)
	assert.Nil(t, after.Section(".klp.module_relocs.vmlinux"))
}

func TestRelocationsOfOneArrayInTwoSections(t *testing.T) {
	f := bare(t, "x86_64")
	data, relocs := addRecords(t, f, "vmlinux", 24, record{12, "extra1", 20, 2})
	second := &elfrw.Section{Name: relocs.Name, Type: elf.SHT_RELA, Flags: 0x40, Align: 8,
		Link: f.Symtab, Target: data}
	f.AddSection(second)
	f.AddReloc(second, elfrw.Rela{Offset: 0, Sym: symbol(t, f, "extra0"), Type: 1})
	got, ids := readIn(t, f)
	assert.Empty(t, ids)
	assert.Equal(t, []string{"extra0,0 record", "extra1,2 record"}, got)
}

func TestRecordSaidTwiceIsOne(t *testing.T) {
	f := bare(t, "x86_64")
	addRecords(t, f, "vmlinux", 24, record{0, "extra0", 8, 1}, record{12, "extra0", 20, 1})
	after := converted(t, f)
	assert.True(t, hasSymbol(after, ".klp.sym.vmlinux.extra0,1"))
}

func TestFilesOwnSectionsAreNoAnnotations(t *testing.T) {
	f := bare(t, "x86_64")
	f.Symtab.Link.Name = ".klp.module_relocs.vmlinux" // the string table
	plan, found := klpreloc.NewPlan(reread(t, f), klpreloc.Options{})
	require.NotNil(t, plan, "%v", found)
	assert.True(t, plan.Empty())
}
