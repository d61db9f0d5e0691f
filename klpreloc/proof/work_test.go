// SPDX-License-Identifier: GPL-2.0-or-later

package proof_test

import (
	"debug/elf"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
)

const testdata = "../../testdata"

// good returns the names of all modules that convert or pass through.
func good(t testing.TB) []string {
	t.Helper()
	var all []string
	for _, directory := range []string{"x86_64", "s390x", "ppc64le", "aarch64", "ppc32", "odd"} {
		names, err := filepath.Glob(filepath.Join(testdata, directory, "*.ko"))
		require.NoError(t, err)
		require.NotEmpty(t, names, "no modules in %s", directory)
		for _, name := range names {
			all = append(all, filepath.Join(directory, filepath.Base(name)))
		}
	}
	return all
}

func contents(t testing.TB, name string) []byte {
	t.Helper()
	return testmodule.Read(t, filepath.Join(testdata, name))
}

func open(t testing.TB, name string) *elfrw.File { return parse(t, contents(t, name)) }

// What the tests here use most.
var (
	parse   = testmodule.Parse
	encode  = testmodule.Bytes
	section = testmodule.Section
	symbol  = testmodule.Symbol
)

// convert converts a module that must convert, and proves the result.
func convert(t testing.TB, before []byte) []byte {
	t.Helper()
	after, claims := convertWith(t, before, klpreloc.Options{})
	require.NoError(t, proof.Check(parse(t, before), parse(t, after), claims, nil))
	return after
}

// convertWith converts a module that must convert, and returns what the result rests on.
func convertWith(t testing.TB, before []byte, o klpreloc.Options) ([]byte, proof.Claims) {
	t.Helper()
	f := parse(t, before)
	plan, found := klpreloc.NewPlan(f, o)
	require.False(t, found.Failed(), "%v", found)
	require.NoError(t, plan.Apply())
	return encode(t, f), plan.Claims
}

func addUndefined(f *elfrw.File, name string) *elfrw.Symbol {
	return testmodule.AddUndefined(f, name, elf.STB_GLOBAL)
}

// addLoaded adds a section that the kernel loads, with relocations for it.
var addLoaded = testmodule.AddSection

// word is the relocation of an address on x86_64.
const word = uint32(elf.R_X86_64_64)

// addData adds a section that the kernel loads.
func addData(f *elfrw.File, name string, data []byte) *elfrw.Section {
	s := &elfrw.Section{Name: name, Type: elf.SHT_PROGBITS, Align: 8, Data: data}
	s.Flags = uint64(elf.SHF_ALLOC)
	f.AddSection(s)
	return s
}

// addVariable adds a symbol of the first size bytes of s.
func addVariable(f *elfrw.File, name string, s *elfrw.Section, size uint64) *elfrw.Symbol {
	y := &elfrw.Symbol{Name: name, Section: s, Size: size}
	y.Info = byte(elf.STB_GLOBAL)<<4 | byte(elf.STT_OBJECT)
	f.AddSymbol(y)
	return y
}

// changeRelocs edits all relocations of s.
func changeRelocs(s *elfrw.Section, edit func(*elfrw.Rela)) {
	r := slices.Clone(s.Relocs())
	for i := range r {
		edit(&r[i])
	}
	s.SetRelocs(r)
}
