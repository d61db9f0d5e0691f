// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

const (
	vmlinuxFoo = ".klp.sym.rela.vmlinux.vmlinux.foo.0"
	ext4Foo    = ".klp.sym.rela.ext4.ext4.foo.0"
)

const writable, executable = elf.SHF_WRITE, elf.SHF_EXECINSTR

// klpSections returns "name count" of each klp relocation section.
func klpSections(f *elfrw.File) (r []string) {
	for _, s := range f.Sections {
		if strings.HasPrefix(s.Name, ".klp.rela.") {
			r = append(r, fmt.Sprint(s.Name, " ", s.NumRelocs()))
		}
	}
	return r
}

func klpSymbols(f *elfrw.File) (r []string) {
	for _, y := range f.Symbols {
		if y.Section == nil && y.Index == 0xff20 {
			r = append(r, y.Name)
		}
	}
	return r
}

func TestTwoSpellingsAreOneSymbol(t *testing.T) {
	f := bare(t, "x86_64")
	comma := addUndefined(f, ".klp.sym.rela.ext4.ext4.foo,0", elf.STB_GLOBAL)
	dot := addUndefined(f, ext4Foo, elf.STB_GLOBAL)
	quoted := addUndefined(f, `".klp.sym.rela.ext4.ext4.foo,0"`, elf.STB_GLOBAL)
	addLoaded(f, ".data.many", writable, make([]byte, 32),
		elfrw.Rela{Offset: 0, Sym: dot, Type: 1}, elfrw.Rela{Offset: 8, Sym: comma,
			Type: 1}, elfrw.Rela{Offset: 16, Sym: quoted, Type: 1}, elfrw.Rela{Offset: 24, Sym: dot, Type: 1, Addend: -1})
	after := converted(t, f)
	assert.Equal(t, []string{".klp.rela.ext4..data.many 4"}, klpSections(after))
	assert.Equal(t, []string{".klp.sym.ext4.foo,0"}, klpSymbols(after))
	assert.Zero(t, section(t, after, ".rela.data.many").Size(), "stays, empty")
}

func TestRecordAndLabelOfOneSymbolAreOne(t *testing.T) {
	f := bare(t, "x86_64")
	addRecords(t, f, "vmlinux", 12, record{0, "extra0", 8, 3})
	use(f, addUndefined(f, ".klp.sym.rela.vmlinux.vmlinux.extra0.3", elf.STB_GLOBAL))
	after := converted(t, f)
	assert.Equal(t, []string{".klp.sym.vmlinux.extra0,3"}, klpSymbols(after))
	assert.Equal(t, []string{".klp.rela.vmlinux..text 1", ".klp.rela.vmlinux..data.use 1"},
		klpSections(after))
}

func TestObjectsSayWhenAndWhere(t *testing.T) {
	for _, x := range []struct{ lp, sym, section, symbol string }{
		{"vmlinux", "vmlinux", ".klp.rela.vmlinux..data.use", ".klp.sym.vmlinux.foo,0"},
		{"ext4", "ext4", ".klp.rela.ext4..data.use", ".klp.sym.ext4.foo,0"},
		{"ext4", "jbd2", ".klp.rela.ext4..data.use", ".klp.sym.jbd2.foo,0"},
		{"ext4", "vmlinux", ".klp.rela.vmlinux..data.use", ".klp.sym.vmlinux.foo,0"}, // since 5.8
		{"nf-nat", "nf-conntrack", ".klp.rela.nf_nat..data.use", ".klp.sym.nf_conntrack.foo,0"},
		{"rela", "rela", ".klp.rela.rela..data.use", ".klp.sym.rela.foo,0"},
	} {
		f := bare(t, "x86_64")
		use(f, addUndefined(f, fmt.Sprintf(".klp.sym.rela.%s.%s.foo.0", x.lp, x.sym), elf.STB_GLOBAL))
		after := converted(t, f)
		assert.Equal(t, []string{x.section + " 1"}, klpSections(after))
		assert.Equal(t, []string{x.symbol}, klpSymbols(after))
	}
}

func TestOneSymbolOfTwoGates(t *testing.T) {
	f := bare(t, "x86_64")
	a := addUndefined(f, ".klp.sym.rela.ext4.jbd2.foo.0", elf.STB_GLOBAL)
	b := addUndefined(f, ".klp.sym.rela.jbd2.jbd2.foo.0", elf.STB_GLOBAL)
	addLoaded(f, ".data.two", writable, make([]byte, 16), elfrw.Rela{Offset: 0, Sym: a, Type: 1},
		elfrw.Rela{Offset: 8, Sym: b, Type: 1})
	after := converted(t, f)
	assert.Equal(t, []string{".klp.rela.ext4..data.two 1", ".klp.rela.jbd2..data.two 1"},
		klpSections(after))
	assert.Equal(t, []string{".klp.sym.jbd2.foo,0"}, klpSymbols(after))
}

func TestPositionsAndObjectsOfLabelsAreDifferentSymbols(t *testing.T) {
	f := bare(t, "x86_64")
	var relocs []elfrw.Rela
	for i, label := range []string{"vmlinux.vmlinux.foo.0", "vmlinux.vmlinux.foo.1",
		"vmlinux.vmlinux.foo.2", "ext4.ext4.foo.0"} {
		relocs = append(relocs, elfrw.Rela{Offset: uint64(8 * i),
			Sym: addUndefined(f, ".klp.sym.rela."+label, elf.STB_GLOBAL), Type: 1})
	}
	addLoaded(f, ".data.four", writable, make([]byte, 32), relocs...)
	after := converted(t, f)
	assert.Equal(t, []string{".klp.sym.vmlinux.foo,0", ".klp.sym.vmlinux.foo,1",
		".klp.sym.vmlinux.foo,2", ".klp.sym.ext4.foo,0"}, klpSymbols(after))
	assert.Equal(t, []string{".klp.rela.vmlinux..data.four 3", ".klp.rela.ext4..data.four 1"},
		klpSections(after))
}

func TestKlpSectionsOfOneNameAreNumbered(t *testing.T) {
	f := bare(t, "x86_64")
	y := addUndefined(f, vmlinuxFoo, elf.STB_GLOBAL)
	for _, name := range []string{".d.3", ".d", ".d", ".d", ".d.2"} {
		addLoaded(f, name, writable, make([]byte, 8), elfrw.Rela{Sym: y, Type: 1})
	}
	assert.Equal(t, []string{".klp.rela.vmlinux..d.3 1", ".klp.rela.vmlinux..d 1",
		".klp.rela.vmlinux..d.2 1", ".klp.rela.vmlinux..d.4 1", ".klp.rela.vmlinux..d.2.2 1"},
		klpSections(converted(t, f)))
}

func TestManySectionsOfOneNameCostNoMore(t *testing.T) {
	f := bare(t, "x86_64")
	y := addUndefined(f, vmlinuxFoo, elf.STB_GLOBAL)
	name := "." + strings.Repeat("x", 5000)
	for range 10000 {
		addLoaded(f, name, writable, make([]byte, 8), elfrw.Rela{Sym: y, Type: 1})
	}
	b := encode(t, f)
	var after []byte
	assert.Less(t, allocated(func() { after = convert(t, b) }), uint64(100*len(b)))
	assert.Less(t, len(after), 8*len(b), "a shared name is not copied out 10000 times")
}

func TestManyAnnotationSectionsCostNoMore(t *testing.T) {
	f := bare(t, "ppc32")
	for i := range 3000 {
		data, _ := addRecords(t, f, fmt.Sprint("m", i), 8, record{0, "extra0", 4, 0})
		addArray(f, data, fmt.Sprint("a", i), 0, 8)
	}
	size := len(encode(t, f))
	assert.Less(t, allocated(func() {
		klpreloc.NewPlan(f, klpreloc.Options{})
		klpreloc.Describe(f)
	}), uint64(100*size))
}

func TestManyGatesCostNoMore(t *testing.T) {
	const n = 20000
	f := bare(t, "x86_64")
	relocs := make([]elfrw.Rela, n)
	for i := range relocs {
		relocs[i] = elfrw.Rela{Offset: uint64(8 * i),
			Sym: addUndefined(f, fmt.Sprintf(".klp.sym.rela.m%d.m.foo.0", i), elf.STB_GLOBAL), Type: 1}
	}
	addLoaded(f, ".data.many", writable, make([]byte, 8*n), relocs...)
	b := encode(t, f)
	assert.Less(t, allocated(func() {
		assert.Len(t, klpSections(parse(t, convert(t, b))), n)
	}), uint64(100*len(b)))
}

func TestHugeSharedNamesCostNoMore(t *testing.T) {
	f := bare(t, "x86_64")
	huge := strings.Repeat("n", 1<<17)
	for _, prefix := range []string{"", ".klp.sym.rela.", ".klp.sym.rela.vmlinux.vmlinux."} {
		for range 1000 { // the string table holds each once
			use(f, addUndefined(f, prefix+huge, elf.STB_WEAK))
		}
	}
	b := encode(t, f)
	var plan *klpreloc.Plan
	var found diag.List
	assert.Less(t, allocated(func() {
		plan, found = klpreloc.NewPlan(parse(t, b), klpreloc.Options{})
	}), uint64(100*len(b)))
	assert.Nil(t, plan)
	for _, d := range found {
		require.Less(t, len(fmt.Sprint(d.Section, d.Symbol, d.Message, d.Hints)), 2000)
	}
}

func TestUnusedRecordGoesAndUnusedLabelStays(t *testing.T) {
	f := bare(t, "x86_64")
	addUndefined(f, vmlinuxFoo, elf.STB_GLOBAL)
	addUndefined(f, "bar", elf.STB_GLOBAL)
	addRecords(t, f, "vmlinux", 12, record{0, "bar", 8, 0})
	assert.Equal(t, []diag.ID{diag.Unused, diag.Unused}, ids(t, f, diag.Warning))
	after := converted(t, f)
	assert.Equal(t, []string{".klp.sym.vmlinux.foo,0"}, klpSymbols(after))
	assert.False(t, hasSymbol(after, "bar"), "none stays undefined")
}

func TestDebugInformationLosesNamesAndAnnotations(t *testing.T) {
	before, after := open(t, "odd/debug-reference.ko"), parse(t,
		convert(t, contents(t, "odd/debug-reference.ko")))
	was, is := section(t, before, ".rela.debug_addr"), section(t, after, ".rela.debug_addr")
	assert.Equal(t, was.NumRelocs()-1, is.NumRelocs(), "the one at the annotation goes")
	detached := 0
	for _, r := range is.Relocs() {
		if r.Sym == nil {
			detached++
			continue
		}
		assert.False(t, r.Sym.Undefined() || r.Sym.Index == 0xff20, "%s", r.Sym)
	}
	assert.Equal(t, 3, detached)
	assert.Equal(t, section(t, before, ".debug_addr").Data, section(t, after, ".debug_addr").Data)
}

func TestRelocationsOfNoSectionAreDetached(t *testing.T) {
	f := bare(t, "x86_64")
	data, _ := addRecords(t, f, "vmlinux", 12, record{0, "extra0", 8, 0})
	addArray(f, data, "array", 0, 12)
	s := &elfrw.Section{Name: ".rela.nothing", Type: elf.SHT_RELA, Align: 8, Link: f.Symtab}
	f.AddSection(s)
	s.SetRelocs([]elfrw.Rela{{Offset: 1, Sym: symbol(t, f, "extra0"), Type: 1},
		{Offset: 2, Sym: symbol(t, f, "array"), Type: 1}, {Offset: 3,
			Sym: symbol(t, f, "vm_call"), Type: 1}})
	after := section(t, converted(t, f), ".rela.nothing").Relocs()
	require.Len(t, after, 2)
	assert.Nil(t, after[0].Sym)
	assert.Equal(t, "vm_call", after[1].Sym.Name)
}

func TestGroupsLoseAnnotationsAndEmptyGroupsGo(t *testing.T) {
	f := bare(t, "x86_64")
	grouped, relocs := addRecords(t, f, "vmlinux", 12, record{0, "extra0", 8, 0})
	stays, _ := addLoaded(f, ".text.g", executable, make([]byte, 8))
	sig := &elfrw.Symbol{Name: "sig", Section: stays, Info: byte(elf.STB_WEAK) << 4}
	f.AddSymbol(sig)
	f.AddSection(&elfrw.Section{Name: ".group", Type: elf.SHT_GROUP, Align: 4, EntSize: 4,
		Link: f.Symtab, Signature: sig, Members: []*elfrw.Section{grouped, relocs, stays}})
	other, otherRelocs := addRecords(t, f, "ext4", 12, record{0, "extra1", 8, 0})
	f.AddSection(&elfrw.Section{Name: ".group.empty", Type: elf.SHT_GROUP, Align: 4, EntSize: 4,
		Link: f.Symtab, Signature: sig, Members: []*elfrw.Section{otherRelocs, other}})
	after := converted(t, f)
	g := section(t, after, ".group")
	assert.Equal(t, []*elfrw.Section{after.Section(".text.g")}, g.Members)
	assert.Nil(t, after.Section(".group.empty"))
}

// refer edits a file with annotation section data so that something that stays
// refers to what goes.
func TestWhatReferencesAnnotationsIsRefused(t *testing.T) {
	for name, refer := range map[string]func(f *elfrw.File, data *elfrw.Section, array *elfrw.Symbol){
		"code": func(f *elfrw.File, data *elfrw.Section, array *elfrw.Symbol) { use(f, array) },
		"sh_link": func(f *elfrw.File, data *elfrw.Section, array *elfrw.Symbol) {
			s, _ := addLoaded(f, ".ordered", elf.SHF_LINK_ORDER, make([]byte, 8))
			s.Link = data
		},
		"sh_info": func(f *elfrw.File, data *elfrw.Section, array *elfrw.Symbol) {
			s, _ := addLoaded(f, ".about", elf.SHF_INFO_LINK, make([]byte, 8))
			s.Target = data
		},
		"signature": func(f *elfrw.File, data *elfrw.Section, array *elfrw.Symbol) {
			s, _ := addLoaded(f, ".text.g", executable, make([]byte, 8))
			f.AddSection(&elfrw.Section{Name: ".group", Type: elf.SHT_GROUP, Align: 4, EntSize: 4,
				Link: f.Symtab, Signature: array, Members: []*elfrw.Section{s}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := bare(t, "x86_64")
			data, _ := addRecords(t, f, "vmlinux", 12, record{0, "extra0", 8, 0})
			addArray(f, data, "array", 0, 12)
			refer(f, data, symbol(t, f, "array"))
			assert.Equal(t, []diag.ID{diag.AnnotationReferred}, ids(t, f, diag.Error))
		})
	}
}

func TestSignatureIsDropped(t *testing.T) {
	signed := append(contents(t, "x86_64/labels-dot.ko"), "junk~Module signature appended~\n"...)
	f := parse(t, signed)
	assert.Contains(t, ids(t, f, diag.Warning), diag.SignatureDropped)
	assert.Equal(t, convert(t, contents(t, "x86_64/labels-dot.ko")), convert(t, signed))
}

func TestOtherTrailersAndUnconvertedSignaturesStay(t *testing.T) {
	after := convert(t, append(contents(t, "x86_64/labels-dot.ko"), "not a signature"...))
	assert.True(t, bytes.HasSuffix(after, []byte("not a signature")))

	signed := append(contents(t, "x86_64/ownmod.ko"), "junk~Module signature appended~\n"...)
	assert.Empty(t, ids(t, parse(t, signed), diag.Warning))
	assert.Equal(t, signed, convert(t, signed))
}

func TestObjtoolInputIsExempt(t *testing.T) {
	f := bare(t, "x86_64")
	use(f, addUndefined(f, ".klp.sym.vmlinux.foo,0", elf.STB_WEAK))
	assert.Contains(t, ids(t, f, diag.Error), diag.WeakUndefined)
	f.AddSection(&elfrw.Section{Name: "__klp_relocs.vmlinux", Type: elf.SHT_PROGBITS, Flags: 2,
		Data: make([]byte, 24)})
	assert.Empty(t, ids(t, f, diag.Error))
	assert.Equal(t, []diag.ID{diag.NothingToConvert, diag.ObjtoolInput}, ids(t, f, diag.Note))
	b := encode(t, f)
	assert.Equal(t, b, convert(t, b), "left as it is")
}

func TestHalfConvertedIsRefused(t *testing.T) {
	sections := parse(t, convert(t, contents(t, "x86_64/labels-dot.ko")))
	use(sections, addUndefined(sections, vmlinuxFoo, elf.STB_GLOBAL))
	assert.Contains(t, ids(t, sections, diag.Error), diag.HalfConverted)

	symbols := bare(t, "x86_64")
	addUndefined(symbols, ".klp.sym.vmlinux.bar,0", elf.STB_GLOBAL).Index = 0xff20
	use(symbols, addUndefined(symbols, vmlinuxFoo, elf.STB_GLOBAL))
	assert.Contains(t, ids(t, symbols, diag.Error), diag.HalfConverted)

	noFlag := bare(t, "x86_64")
	addLoaded(noFlag, ".klp.rela.vmlinux..text", 0, nil)
	use(noFlag, addUndefined(noFlag, vmlinuxFoo, elf.STB_GLOBAL))
	assert.Contains(t, ids(t, noFlag, diag.Error), diag.HalfConverted, "by its name")
}

func TestTypesByMachine(t *testing.T) {
	for _, x := range []struct {
		arch    string
		machine elf.Machine
		applied []uint32
		not     []uint32
	}{
		{"x86_64", 0, []uint32{0, 1, 2, 4, 10, 11, 24},
			[]uint32{3, 5, 9, 12, 15, 26, 41, 42, 99, 1 << 31}},
		{"s390x", 0, []uint32{0, 1, 8, 13, 19, 20, 22, 26, 36, 57, 59},
			[]uint32{9, 10, 11, 12, 37, 56, 60, 61, 1 << 31}},
		{"ppc64le", 0, []uint32{1, 26, 38, 44, 47, 48, 50, 63, 64, 109, 116, 132, 133},
			[]uint32{0, 2, 11, 51, 118, 250, 252, 21, 1 << 31}},
		{"aarch64", 0, []uint32{0, 256, 257, 262, 275, 276, 280, 282, 283, 286, 293, 299},
			[]uint32{255, 281, 294, 311, 312, 1024, 1 << 31}},
		{"ppc32", 0, []uint32{1, 4, 5, 6, 10, 26}, []uint32{0, 2, 3, 7, 11, 18, 255}},
		{"aarch64", elf.EM_LOONGARCH, []uint32{0, 1, 2, 20, 24, 29, 46, 50, 56, 66, 71, 76, 99, 109},
			[]uint32{3, 25, 30, 31, 38, 49, 52, 64, 67, 70, 77, 100, 102, 1 << 31}},
	} {
		check := func(typ uint32) []diag.ID {
			f := bare(t, x.arch)
			if x.machine != 0 {
				f.Header.Machine = x.machine
			}
			addLoaded(f, ".data.use", writable, make([]byte, 16),
				elfrw.Rela{Sym: addUndefined(f, vmlinuxFoo, elf.STB_GLOBAL), Type: typ})
			return ids(t, f, diag.Error)
		}
		for _, typ := range x.applied {
			assert.Empty(t, check(typ), "%s %v %d", x.arch, x.machine, typ)
		}
		for _, typ := range x.not {
			assert.Equal(t, []diag.ID{diag.BadType}, check(typ), "%s %v %d", x.arch, x.machine, typ)
		}
	}
}

func TestMachinesWithoutLivepatching(t *testing.T) {
	for _, x := range []struct {
		arch    string
		machine elf.Machine
	}{{"x86_64", elf.EM_RISCV}, {"x86_64", elf.EM_NONE}, {"ppc32", elf.EM_ARM}, {"ppc32",
		elf.EM_S390}, {"x86_64", elf.EM_PPC}} {
		f := bare(t, x.arch)
		f.Header.Machine = x.machine
		use(f, addUndefined(f, vmlinuxFoo, elf.STB_GLOBAL))
		assert.Equal(t, []diag.ID{diag.UnknownMachine}, ids(t, f, diag.Error), x.machine)
	}
}

func TestBytesToBeRelocatedOnX86(t *testing.T) {
	for _, x := range []struct {
		typ    uint32
		offset uint64
		byte   int // that is not zero
		want   []diag.ID
	}{
		{1, 4, 4, []diag.ID{diag.NonzeroTarget}}, {1, 4, 11, []diag.ID{diag.NonzeroTarget}}, {1, 4, 3,
			nil}, {1, 4, 12, nil},
		{2, 4, 7, []diag.ID{diag.NonzeroTarget}}, {2, 4, 8, nil}, {24, 4, 11,
			[]diag.ID{diag.NonzeroTarget}}, {0, 4, 4, nil},
		{1, 8, 0, nil}, {1, 9, 0, []diag.ID{diag.BrokenFile}}, {2, 13, 0, []diag.ID{diag.BrokenFile}},
	} {
		f := bare(t, "x86_64")
		data := make([]byte, 16)
		data[x.byte] = 1
		addLoaded(f, ".text.use", executable, data,
			elfrw.Rela{Offset: x.offset, Sym: addUndefined(f, vmlinuxFoo, elf.STB_GLOBAL), Type: x.typ})
		assert.Equal(t, x.want, ids(t, f, diag.Error), "%+v", x)
	}
}

func TestOtherMachinesTakeAnyBytes(t *testing.T) {
	f := bare(t, "s390x")
	addLoaded(f, ".text.use", executable, bytes.Repeat([]byte{1}, 16),
		elfrw.Rela{Sym: addUndefined(f, vmlinuxFoo, elf.STB_GLOBAL), Type: word(f)})
	assert.Empty(t, ids(t, f, diag.Error))
}

func TestCallsOnPPC64(t *testing.T) {
	const call, sibling, nop = "\x01\x00\x00\x48", "\x00\x00\x00\x48", "\x00\x00\x00\x60"
	noNop := []diag.ID{diag.NoNop}
	for _, x := range []struct {
		code string
		typ  uint32
		want []diag.ID
	}{
		{call + nop, 10, nil}, {call + call, 10, noNop}, {call, 10, noNop}, {call + nop[:3], 10,
			noNop}, {sibling + call, 10, nil}, {sibling, 10, nil},
		{call + call, 116, nil}, // REL24_NOTOC restores nothing
		{call[:3], 10, []diag.ID{diag.BrokenFile}},
	} {
		f := bare(t, "ppc64le")
		addLoaded(f, ".text.use", executable, []byte(x.code),
			elfrw.Rela{Sym: addUndefined(f, vmlinuxFoo, elf.STB_GLOBAL), Type: x.typ})
		assert.Equal(t, x.want, ids(t, f, diag.Error), "%q %d", x.code, x.typ)
	}
}

func TestLateStoresIntoReadOnlyMemoryOnPPC64(t *testing.T) {
	for _, x := range []struct {
		label, section string
		flags          elf.SectionFlag
		typ            uint32
		warns          bool
	}{
		{ext4Foo, ".ro", 0, 38, true}, {vmlinuxFoo, ".ro", 0, 38, false},
		{ext4Foo, ".data.rw", writable, 38, false},
		{ext4Foo, ".data..ro_after_init", writable, 38, true},
		{vmlinuxFoo, ".data..ro_after_init", writable, 38, false},
		{ext4Foo, ".text.use", executable, 10, false},
	} {
		f := bare(t, "ppc64le")
		addLoaded(f, x.section, x.flags, make([]byte, 8),
			elfrw.Rela{Sym: addUndefined(f, x.label, elf.STB_GLOBAL), Type: x.typ})
		assert.Equal(t, x.warns, slices.Contains(ids(t, f, diag.Warning), diag.ReadOnlyTarget), "%+v", x)
	}
}

func TestPairsOnLoongarchStayTogether(t *testing.T) {
	const add64, sub64, pcalaHi, pcalaLo = 51, 56, 71, 72
	for _, x := range []struct {
		name   string
		relocs func(klp, other, second *elfrw.Symbol) []elfrw.Rela
		want   []diag.ID
	}{
		{"difference with a local symbol", func(klp, other, _ *elfrw.Symbol) []elfrw.Rela {
			return []elfrw.Rela{{Offset: 0, Sym: klp, Type: add64}, {Offset: 0, Sym: other, Type: sub64}}
		}, []diag.ID{diag.SplitPair}},
		{"not in a row", func(klp, other, _ *elfrw.Symbol) []elfrw.Rela {
			return []elfrw.Rela{{Offset: 8, Sym: other, Type: sub64}, {Offset: 0, Sym: other, Type: add64},
				{Offset: 8, Sym: klp, Type: add64}}
		}, []diag.ID{diag.SplitPair}},
		{"two gates", func(klp, _, second *elfrw.Symbol) []elfrw.Rela {
			return []elfrw.Rela{{Offset: 0, Sym: klp, Type: add64}, {Offset: 0, Sym: second, Type: sub64}}
		}, []diag.ID{diag.SplitPair}},
		{"both annotated", func(klp, _, _ *elfrw.Symbol) []elfrw.Rela {
			return []elfrw.Rela{{Offset: 0, Sym: klp, Type: add64}, {Offset: 0, Sym: klp, Type: sub64}}
		}, nil},
		{"high and low half", func(klp, other, _ *elfrw.Symbol) []elfrw.Rela {
			return []elfrw.Rela{{Offset: 0, Sym: klp, Type: pcalaHi}, {Offset: 4, Sym: klp, Type: pcalaLo},
				{Offset: 8, Sym: other, Type: pcalaHi}}
		}, nil},
	} {
		f := bare(t, "aarch64")
		f.Header.Machine = elf.EM_LOONGARCH
		relocs := x.relocs(addUndefined(f, vmlinuxFoo, elf.STB_GLOBAL), symbol(t, f, "replaced_show"),
			addUndefined(f, ext4Foo, elf.STB_GLOBAL))
		addLoaded(f, ".data.use", writable, make([]byte, 16), relocs...)
		assert.Equal(t, x.want, ids(t, f, diag.Error), x.name)
	}
}

// One relocation is no entry of those that have entries. That is the error then: nothing
// is known of what such a table would do.
func TestSectionsThatTheKernelReadsEarly(t *testing.T) {
	entries := []string{".altinstructions", ".parainstructions", "__jump_table", ".static_call_sites",
		".retpoline_sites", ".return_sites"}
	for _, name := range []string{
		".altinstructions", ".altinstr_replacement", ".parainstructions", "__jump_table",
		".static_call_sites", ".retpoline_sites", ".return_sites", "__ex_table", ".orc_unwind_ip",
		"__mcount_loc", "__patchable_function_entries", "__param", ".init_array", "__ksymtab",
		".gnu.linkonce.this_module",
	} {
		for label, want := range map[string][]diag.ID{vmlinuxFoo: nil, ext4Foo: {diag.SpecialSection}} {
			f := bare(t, "x86_64")
			addLoaded(f, name, 0, make([]byte, 16),
				elfrw.Rela{Sym: addUndefined(f, label, elf.STB_GLOBAL), Type: 2})
			if slices.Contains(entries, name) {
				want = []diag.ID{diag.StrangeTable}
			}
			assert.ElementsMatch(t, want, ids(t, f, diag.Error), "%s in %s", label, name)
		}
	}
}

// What the load of a module would write into belongs to somebody else by that time.
func TestModuleSymbolsStayOutOfInitSections(t *testing.T) {
	for _, name := range []string{".init.text", ".init.data", ".init.rodata"} {
		for label, want := range map[string][]diag.ID{vmlinuxFoo: nil, ext4Foo: {diag.InitSection}} {
			f := bare(t, "x86_64")
			addLoaded(f, name, 0, make([]byte, 16),
				elfrw.Rela{Sym: addUndefined(f, label, elf.STB_GLOBAL), Type: 2})
			assert.Equal(t, want, ids(t, f, diag.Error), "%s in %s", label, name)
		}
	}
}

func TestPerCPUDataIsRefusedWhateverTheGate(t *testing.T) {
	for _, label := range []string{vmlinuxFoo, ext4Foo} {
		f := bare(t, "x86_64")
		addLoaded(f, ".data..percpu", writable, make([]byte, 8),
			elfrw.Rela{Sym: addUndefined(f, label, elf.STB_GLOBAL), Type: 1})
		assert.Equal(t, []diag.ID{diag.PerCPU}, ids(t, f, diag.Error))
	}
}

func TestLeftovers(t *testing.T) {
	for _, x := range []struct {
		arch, name string
		bind       elf.SymBind
		versions   bool
		want       diag.ID
	}{
		{"x86_64", "forgotten", elf.STB_WEAK, false, diag.WeakUndefined},
		{"x86_64", "forgotten", elf.STB_WEAK, true, diag.WeakUndefined},
		{"x86_64", "forgotten", elf.STB_GLOBAL, true, diag.StrongUndefined},
		{"x86_64", "forgotten", elf.STB_GLOBAL, false, ""}, // nothing tells it from an export
		{"x86_64", ".klp.sym.vmlinux.y,1", elf.STB_GLOBAL, false, diag.StrongUndefined},
		{"x86_64", ".klp.sym.vmlinux.y,1", elf.STB_WEAK, false, diag.WeakUndefined},
		{"x86_64", "exported", elf.STB_GLOBAL, true, ""},
		{"x86_64", "exported", elf.STB_WEAK, true, ""},
		{"x86_64", "_GLOBAL_OFFSET_TABLE_", elf.STB_GLOBAL, true, ""},
		{"x86_64", "_savegpr0_14", elf.STB_GLOBAL, true, diag.StrongUndefined},
		{"ppc64le", "_savegpr0_14", elf.STB_GLOBAL, true, ""},
		{"ppc64le", "_restgpr1_14", elf.STB_GLOBAL, true, ""},
		{"ppc64le", "_restvr_20", elf.STB_WEAK, true, ""},
		{"ppc64le", "_savegpr_14", elf.STB_GLOBAL, true, diag.StrongUndefined},
		{"ppc32", "_savegpr_14", elf.STB_GLOBAL, true, ""},
		{"ppc32", "_rest32gpr_14", elf.STB_GLOBAL, true, ""},
		{"s390x", "__s390_indirect_jump_r1", elf.STB_GLOBAL, true, ""},
	} {
		f := open(t, x.arch+"/labels-dot.ko")
		if x.versions {
			var names string
			for _, y := range f.Symbols {
				if y.Undefined() && y.Name != "" {
					names += y.Name + "\x00"
				}
			}
			f.AddSection(&elfrw.Section{Name: "__version_ext_names", Type: elf.SHT_PROGBITS, Flags: 2,
				Data: []byte(names + "exported\x00")})
		}
		addUndefined(f, x.name, x.bind)
		all := append(ids(t, f, diag.Error), ids(t, f, diag.Warning)...)
		all = slices.DeleteFunc(all, func(id diag.ID) bool { return id == diag.ReadOnlyTarget })
		if x.want == "" {
			assert.Empty(t, all, "%+v", x)
			continue
		}
		assert.Equal(t, []diag.ID{x.want}, all, "%+v", x)
	}
}

func TestUnreadableAnnotationIsNotALeftoverToo(t *testing.T) {
	f := bare(t, "x86_64")
	use(f, addUndefined(f, "bar", elf.STB_WEAK))
	addRecords(t, f, "net.core", 12, record{0, "bar", 8, 0})
	assert.Equal(t, []diag.ID{diag.BadObject}, ids(t, f, diag.Error))
}

func TestModulesThatAreNoLivepatchesAreLeftAlone(t *testing.T) {
	f := open(t, "x86_64/ownmod.ko")
	addUndefined(f, "anything", elf.STB_WEAK)
	plan, found := klpreloc.NewPlan(reread(t, f), klpreloc.Options{})
	require.NotNil(t, plan)
	assert.True(t, plan.Empty())
	assert.Len(t, found, 1)
	assert.Equal(t, diag.NothingToConvert, found[0].ID)
}

func TestEverySaysOnceWhatIsWrong(t *testing.T) {
	f := bare(t, "x86_64")
	use(f, addUndefined(f, ".klp.sym.rela.nf-nat.nf-nat.foo.0", elf.STB_GLOBAL))
	use(f, addUndefined(f, ".klp.sym.rela."+strings.Repeat("o", 56)+"."+strings.Repeat("o", 56)+
		".foo.0", elf.STB_GLOBAL))
	assert.Equal(t, []diag.ID{diag.BadObject}, ids(t, f, diag.Error))
	assert.Equal(t, []diag.ID{diag.ObjectDash}, ids(t, f, diag.Note))
}

func TestDescribeCountsUses(t *testing.T) {
	d, _ := klpreloc.Describe(open(t, "x86_64/records-rfc.ko"))
	assert.Equal(t, klpreloc.Unconverted, d.State)
	for _, a := range d.Annotations {
		if a.Name == "vm_table" {
			assert.Equal(t, 4, a.Relocs, "that of the record does not count")
		}
	}
	d, _ = klpreloc.Describe(parse(t, convert(t, contents(t, "x86_64/records-rfc.ko"))))
	assert.Equal(t, klpreloc.Finished, d.State)
	assert.Empty(t, d.Annotations)
	total := 0
	for _, y := range d.KlpSymbols {
		assert.Empty(t, y.Error)
		total += y.Relocs
	}
	for _, s := range d.KlpSections {
		total -= s.Relocs
	}
	assert.Zero(t, total)
}

func TestStates(t *testing.T) {
	half := parse(t, convert(t, contents(t, "x86_64/labels-dot.ko")))
	addUndefined(half, vmlinuxFoo, elf.STB_GLOBAL)
	objtool := bare(t, "x86_64")
	objtool.AddSection(&elfrw.Section{Name: "__klp_relocs", Type: elf.SHT_PROGBITS})
	for want, f := range map[klpreloc.State]*elfrw.File{
		klpreloc.NoLivepatch:   open(t, "x86_64/ownmod.ko"),
		klpreloc.PlainPatch:    open(t, "odd/nothing-to-convert.ko"),
		klpreloc.Unconverted:   open(t, "s390x/mixed.ko"),
		klpreloc.Finished:      parse(t, convert(t, contents(t, "s390x/mixed.ko"))),
		klpreloc.HalfWay:       half,
		klpreloc.ForObjtool:    objtool,
		klpreloc.AnnotatedOnly: open(t, "bad/not-livepatch.ko"),
	} {
		d, _ := klpreloc.Describe(f)
		assert.Equal(t, want, d.State)
	}
}

func TestFilesThatCannotBeEditedAreRefused(t *testing.T) {
	for name, x := range map[string]struct {
		edit func(t *testing.T, f *elfrw.File)
		want diag.ID
	}{
		"compact relocations": {func(t *testing.T, f *elfrw.File) {
			f.AddSection(&elfrw.Section{Name: ".crel.text", Type: 0x40000014, Align: 1, Link: f.Symtab,
				Data: []byte{0}})
		}, diag.Irregular},
		"relocations of no symbol table": {func(t *testing.T, f *elfrw.File) {
			f.AddSection(&elfrw.Section{Name: ".rela.odd", Type: elf.SHT_RELA, Align: 8, EntSize: 24,
				Target: section(t, f, ".text"), Data: make([]byte, 24)})
		}, diag.Irregular},
		"relocations of relocations": {func(t *testing.T, f *elfrw.File) {
			section(t, f, ".rela.init.text").Target = section(t, f, ".rela.text")
		}, diag.Irregular},
		"relocation past the end": {func(t *testing.T, f *elfrw.File) {
			change(section(t, f, ".rela.init.text"), func(r *elfrw.Rela) { r.Offset = 1 << 20 })
		}, diag.BrokenFile},
	} {
		f := open(t, "x86_64/labels-dot.ko")
		x.edit(t, f)
		assert.Contains(t, ids(t, f, diag.Error), x.want, name)
		bareOne := bare(t, "x86_64")
		x.edit(t, bareOne)
		assert.Empty(t, ids(t, bareOne, diag.Error), "%s, but nothing to convert", name)
	}
}

func TestTOCIsNobodysToAnnotate(t *testing.T) {
	f := bare(t, "ppc64le")
	if !hasSymbol(f, ".TOC.") {
		addUndefined(f, ".TOC.", elf.STB_GLOBAL)
	}
	addRecords(t, f, "vmlinux", 12, record{0, ".TOC.", 8, 0})
	assert.Equal(t, []diag.ID{diag.BadName}, ids(t, f, diag.Error))
}

func TestTOCAndEntryRelocationsStay(t *testing.T) {
	before, after := open(t, "ppc64le/records-v7.ko"), parse(t,
		convert(t, contents(t, "ppc64le/records-v7.ko")))
	of := func(f *elfrw.File) (r []string) {
		for _, s := range f.Sections {
			for _, x := range s.Relocs() {
				if x.Sym != nil && x.Sym.Name == ".TOC." || x.Type >= 249 && x.Type <= 252 || x.Type == 118 {
					r = append(r, fmt.Sprint(s.Name, x.Offset, x.Type, x.Addend))
				}
			}
		}
		return r
	}
	assert.NotEmpty(t, of(before))
	assert.Equal(t, of(before), of(after))
}

// A signature stays valid where the file does, and is lost where anything would change.
func TestSignatureOfWhatDoesNotChange(t *testing.T) {
	const signature = "junk~Module signature appended~\n"
	o := klpreloc.Options{Kernel: kernelOf(t, kallsyms+
		"ffffffff81fff000 T exported\nffffffff81fff100 r __ksymtab_exported\n")}
	f := open(t, "odd/nothing-to-convert.ko")
	f.Trailer = []byte(signature)
	plan, found := against(t, f, o)
	require.NotNil(t, plan, "%v", found)
	assert.Empty(t, with(diag.SignatureDropped, found))
	assert.True(t, plan.Empty())
	assert.False(t, plan.DropTrailer)

	// The loader looks up an undefined symbol that nothing uses too (simplify_symbols): it goes.
	f = open(t, "odd/nothing-to-convert.ko")
	addUndefined(f, "once", elf.STB_GLOBAL)
	f.Trailer = []byte(signature)
	after, found := convertedAgainst(t, f, o)
	the(t, diag.SignatureDropped, found)
	assert.False(t, hasSymbol(after, "once"))
	assert.Empty(t, after.Trailer)

	// That a move is refused does not keep the signature.
	f = open(t, "odd/nothing-to-convert.ko")
	addLoaded(f, ".data.use", elf.SHF_WRITE, make([]byte, 8),
		elfrw.Rela{Sym: addUndefined(f, "once", elf.STB_GLOBAL), Type: uint32(elf.R_X86_64_GOTPCREL)})
	f.Trailer = []byte(signature)
	plan, found = against(t, f, o)
	assert.Nil(t, plan)
	assert.NotEmpty(t, with(diag.BadType, found))
	assert.NotEmpty(t, with(diag.SignatureDropped, found))
}
