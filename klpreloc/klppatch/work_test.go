// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch_test

import (
	"debug/elf"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
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

var (
	contents = testmodule.Read
	parse    = testmodule.Parse
	reread   = testmodule.Reread
	word     = testmodule.PointerType
	symbol   = testmodule.Symbol
)

func open(t testing.TB, name string) *elfrw.File {
	t.Helper()
	return testmodule.Open(t, filepath.Join("testdata", name))
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
	rs.SetRelocs(slices.DeleteFunc(slices.Clone(rs.Relocs()), func(r elfrw.Rela) bool {
		return r.Offset-offset < size
	}))
}

// point adds a pointer.
func point(t testing.TB, f *elfrw.File, s *elfrw.Section, offset uint64, y *elfrw.Symbol,
	addend int64,
) {
	t.Helper()
	rs := relocsOf(t, f, s)
	rs.SetRelocs(append(slices.Clone(rs.Relocs()), elfrw.Rela{Offset: offset, Sym: y, Type: word(f),
		Addend: addend}))
}

// poke changes contents.
func poke(s *elfrw.Section, offset uint64, b ...byte) {
	s.Data = slices.Clone(s.Data)
	copy(s.Data[offset:], b)
}

// add adds a loaded section with room for relocations, and its symbol.
func add(f *elfrw.File, name string, flags elf.SectionFlag, data []byte,
) (*elfrw.Section, *elfrw.Symbol) {
	s, _ := testmodule.AddSection(f, name, flags, data)
	return s, testmodule.AddSectionSymbol(f, s)
}

// names adds a section of strings; the offsets are those of the words in text.
func names(f *elfrw.File, text string) *elfrw.Symbol {
	_, y := add(f, ".rodata.names", 0, append([]byte(strings.ReplaceAll(text, " ", "\x00")), 0))
	return y
}
