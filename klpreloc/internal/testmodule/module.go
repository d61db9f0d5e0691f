// SPDX-License-Identifier: GPL-2.0-or-later

// Package testmodule reads, edits and extends modules for tests: what several packages'
// tests would otherwise each write. A function that takes a test ends it when it fails.
package testmodule

import (
	"debug/elf"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Read returns the contents of a file.
func Read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// Parse parses a module. It aliases b.
func Parse(t testing.TB, b []byte) *elfrw.File {
	t.Helper()
	f, err := elfrw.Parse("", b)
	require.NoError(t, err)
	return f
}

// Open parses the module in a file.
func Open(t testing.TB, path string) *elfrw.File {
	t.Helper()
	return Parse(t, Read(t, path))
}

// Bytes returns the module as it is written.
func Bytes(t testing.TB, f *elfrw.File) []byte {
	t.Helper()
	b, err := f.Bytes()
	require.NoError(t, err)
	return b
}

// Reread writes f and parses what it wrote, so that the test sees a file and not a model.
func Reread(t testing.TB, f *elfrw.File) *elfrw.File {
	t.Helper()
	return Parse(t, Bytes(t, f))
}

// Section returns the first section of that name.
func Section(t testing.TB, f *elfrw.File, name string) *elfrw.Section {
	t.Helper()
	s := f.Section(name)
	require.NotNil(t, s, "no section %s", name)
	return s
}

// Symbol returns the first symbol of that name.
func Symbol(t testing.TB, f *elfrw.File, name string) *elfrw.Symbol {
	t.Helper()
	i := slices.IndexFunc(f.Symbols, func(y *elfrw.Symbol) bool { return y.Name == name })
	require.GreaterOrEqual(t, i, 0, "no symbol %s", name)
	return f.Symbols[i]
}

// HasSymbol reports whether there is a symbol of that name.
func HasSymbol(f *elfrw.File, name string) bool {
	return slices.ContainsFunc(f.Symbols, func(y *elfrw.Symbol) bool { return y.Name == name })
}

// PointerType returns the type of the relocation that stores an address.
func PointerType(f *elfrw.File) uint32 {
	return map[elf.Machine]uint32{
		elf.EM_X86_64:    uint32(elf.R_X86_64_64),
		elf.EM_S390:      uint32(elf.R_390_64),
		elf.EM_PPC64:     uint32(elf.R_PPC64_ADDR64),
		elf.EM_PPC:       uint32(elf.R_PPC_ADDR32),
		elf.EM_AARCH64:   uint32(elf.R_AARCH64_ABS64),
		elf.EM_LOONGARCH: uint32(elf.R_LARCH_64),
	}[f.Header.Machine]
}

// AddSection adds a section that the kernel loads, and the relocations that apply to it.
func AddSection(
	f *elfrw.File, name string, flags elf.SectionFlag, data []byte, relocs ...elfrw.Rela,
) (section, relocations *elfrw.Section) {
	section = &elfrw.Section{
		Name: name, Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_ALLOC | flags), Align: 8,
		Data: data,
	}
	relocations = &elfrw.Section{
		Name: ".rela" + name, Type: elf.SHT_RELA, Flags: uint64(elf.SHF_INFO_LINK), Align: 8,
		Link: f.Symtab, Target: section,
	}
	f.AddSection(section)
	f.AddSection(relocations)
	for _, r := range relocs {
		f.AddReloc(relocations, r)
	}
	return section, relocations
}

// AddSectionSymbol adds the symbol of a section.
func AddSectionSymbol(f *elfrw.File, s *elfrw.Section) *elfrw.Symbol {
	y := &elfrw.Symbol{Info: byte(elf.STT_SECTION), Section: s}
	f.AddSymbol(y)
	return y
}

// AddUndefined adds an undefined symbol.
func AddUndefined(f *elfrw.File, name string, bind elf.SymBind) *elfrw.Symbol {
	y := &elfrw.Symbol{Name: name, Info: byte(bind) << 4}
	f.AddSymbol(y)
	return y
}
