// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
)

// What the tests of this package work with: testdata/patch.c, compiled for the
// structures of several kernels and for several machines, and edited.

// fixtures returns the modules in testdata that match, by name.
func fixtures(t testing.TB, glob string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", glob))
	require.NoError(t, err)
	require.NotEmpty(t, names, glob)
	return names
}

func contents(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

func parse(t testing.TB, b []byte) *elfrw.File {
	t.Helper()
	f, err := elfrw.Parse("", b)
	require.NoError(t, err)
	return f
}

func open(t testing.TB, name string) *elfrw.File {
	t.Helper()
	return parse(t, contents(t, filepath.Join("testdata", name)))
}

// reread writes f and parses what it wrote, so that what follows sees a file
// and not a model.
func reread(t testing.TB, f *elfrw.File) *elfrw.File {
	t.Helper()
	b, err := f.Bytes()
	require.NoError(t, err)
	return parse(t, b)
}

// one reads the only patch of f.
func one(t testing.TB, f *elfrw.File) *klppatch.Patch {
	t.Helper()
	patches, err := klppatch.Read(f)
	require.NoError(t, err)
	require.Len(t, patches, 1)
	return patches[0]
}

// text is the patch as lines, one for each thing that it declares.
func text(p *klppatch.Patch) string {
	var b strings.Builder
	for _, o := range p.Objects {
		b.WriteString(o.Name + "\n")
		for _, f := range o.Funcs {
			b.WriteString("\t" + f.String() + "\n")
		}
		for _, c := range o.Callbacks {
			b.WriteString("\t" + c.Name + " " + c.String() + "\n")
		}
	}
	return b.String()
}

// word is the relocation that stores an address.
func word(f *elfrw.File) uint32 {
	return map[elf.Machine]uint32{
		elf.EM_X86_64: 1, elf.EM_S390: 22, elf.EM_PPC64: 38, elf.EM_PPC: 1, elf.EM_AARCH64: 257, elf.EM_LOONGARCH: 2,
	}[f.Header.Machine]
}

func symbol(t testing.TB, f *elfrw.File, name string) *elfrw.Symbol {
	t.Helper()
	i := slices.IndexFunc(f.Symbols, func(y *elfrw.Symbol) bool { return y.Name == name })
	require.GreaterOrEqual(t, i, 0, "no symbol %s", name)
	return f.Symbols[i]
}

// relocsOf returns the section of relocations that apply to s.
func relocsOf(t testing.TB, f *elfrw.File, s *elfrw.Section) *elfrw.Section {
	t.Helper()
	for _, rs := range f.Sections {
		if rs.HasRelocs() && rs.Target == s {
			return rs
		}
	}
	require.Fail(t, "no relocations for "+s.String())
	return nil
}

// change edits the relocation at that place.
func change(t testing.TB, f *elfrw.File, s *elfrw.Section, offset uint64, edit func(*elfrw.Rela)) {
	t.Helper()
	rs := relocsOf(t, f, s)
	all := slices.Clone(rs.Relocs())
	i := slices.IndexFunc(all, func(r elfrw.Rela) bool { return r.Offset == offset })
	require.GreaterOrEqual(t, i, 0, "no relocation at %s+%#x", s, offset)
	edit(&all[i])
	rs.SetRelocs(all)
}

// drop removes the relocations of that range.
func drop(t testing.TB, f *elfrw.File, s *elfrw.Section, offset, size uint64) {
	t.Helper()
	rs := relocsOf(t, f, s)
	rs.SetRelocs(slices.DeleteFunc(slices.Clone(rs.Relocs()), func(r elfrw.Rela) bool { return r.Offset-offset < size }))
}

// point adds a pointer.
func point(t testing.TB, f *elfrw.File, s *elfrw.Section, offset uint64, y *elfrw.Symbol, addend int64) {
	t.Helper()
	rs := relocsOf(t, f, s)
	rs.SetRelocs(append(slices.Clone(rs.Relocs()), elfrw.Rela{Offset: offset, Sym: y, Type: word(f), Addend: addend}))
}

// poke changes contents.
func poke(s *elfrw.Section, offset uint64, b ...byte) {
	s.Data = slices.Clone(s.Data)
	copy(s.Data[offset:], b)
}

// add adds a loaded section with room for relocations, and its symbol.
func add(f *elfrw.File, name string, flags elf.SectionFlag, data []byte) (*elfrw.Section, *elfrw.Symbol) {
	s := &elfrw.Section{Name: name, Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_ALLOC | flags), Align: 8, Data: data}
	f.AddSection(s)
	f.AddSection(&elfrw.Section{Name: ".rela" + name, Type: elf.SHT_RELA, Flags: 0x40, Align: 8, Link: f.Symtab, Target: s})
	y := &elfrw.Symbol{Info: byte(elf.STT_SECTION), Section: s}
	f.AddSymbol(y)
	return s, y
}

// names adds a section of strings; the offsets are those of the words in text.
func names(f *elfrw.File, text string) *elfrw.Symbol {
	_, y := add(f, ".rodata.names", 0, append([]byte(strings.ReplaceAll(text, " ", "\x00")), 0))
	return y
}
