// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"debug/elf"
	"encoding/binary"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
)

// What the tests of this package work with: the modules of testdata, edited.

var (
	parse        = testmodule.Parse
	encode       = testmodule.Bytes
	reread       = testmodule.Reread
	section      = testmodule.Section
	symbol       = testmodule.Symbol
	hasSymbol    = testmodule.HasSymbol
	word         = testmodule.PointerType
	addLoaded    = testmodule.AddSection
	addUndefined = testmodule.AddUndefined
)

const testdata = "../testdata"

var arches = []string{"x86_64", "s390x", "ppc64le", "aarch64", "ppc32"}

// modules returns the names below testdata of the modules in its directories.
func modules(t testing.TB, dirs ...string) []string {
	t.Helper()
	var all []string
	for _, dir := range dirs {
		names, err := filepath.Glob(filepath.Join(testdata, dir, "*.ko"))
		require.NoError(t, err)
		require.NotEmpty(t, names, "no modules in %s", dir)
		for _, name := range names {
			all = append(all, filepath.Join(dir, filepath.Base(name)))
		}
	}
	return all
}

// good returns the names of all modules that convert or pass through.
func good(t testing.TB) []string { return modules(t, append(slices.Clone(arches), "odd")...) }

func eachGood(t *testing.T, test func(t *testing.T, name string)) {
	for _, name := range good(t) {
		t.Run(name, func(t *testing.T) { test(t, name) })
	}
}

func contents(t testing.TB, name string) []byte {
	t.Helper()
	return testmodule.Read(t, filepath.Join(testdata, name))
}

func open(t testing.TB, name string) *elfrw.File { return parse(t, contents(t, name)) }

// bare returns an arch's module of RFC records without its annotations: vm_call,
// extra0 and others are used and undefined.
func bare(t testing.TB, arch string) *elfrw.File {
	t.Helper()
	f := open(t, arch+"/records-rfc.ko")
	var gone []*elfrw.Section
	for _, s := range f.Sections {
		if strings.HasPrefix(s.Name, ".klp.module_relocs") {
			gone = append(gone, s)
		}
	}
	require.NoError(t, f.Remove(gone, nil))
	return reread(t, f)
}

// record is a pointer's relocation and a position's place.
type record struct {
	offset uint64
	name   string
	posAt  int // where the position is in the section
	pos    uint32
}

// addRecords adds an annotation section of size bytes.
func addRecords(t testing.TB, f *elfrw.File, object string, size int, records ...record,
) (data, relocs *elfrw.Section) {
	t.Helper()
	var order binary.ByteOrder = binary.LittleEndian
	if f.BigEndian() {
		order = binary.BigEndian
	}
	data = &elfrw.Section{Name: ".klp.module_relocs." + object, Type: elf.SHT_PROGBITS, Flags: 3,
		Align: 4, Data: make([]byte, size)}
	relocs = &elfrw.Section{Name: ".rela" + data.Name, Type: elf.SHT_RELA, Flags: 0x40, Align: 8,
		Link: f.Symtab, Target: data}
	f.AddSection(data)
	f.AddSection(relocs)
	for _, r := range records {
		f.AddReloc(relocs, elfrw.Rela{Offset: r.offset, Sym: symbol(t, f, r.name), Type: word(f)})
		if r.posAt < size {
			order.PutUint32(data.Data[r.posAt:], r.pos)
		}
	}
	return data, relocs
}

// addArray adds the symbol of an array of records.
func addArray(f *elfrw.File, s *elfrw.Section, name string, value, size uint64) {
	f.AddSymbol(&elfrw.Symbol{Name: name, Section: s, Value: value, Size: size,
		Info: byte(elf.STB_GLOBAL)<<4 | byte(elf.STT_OBJECT)})
}

// use makes one word of loaded data refer to y.
func use(f *elfrw.File, y *elfrw.Symbol) {
	addLoaded(f, ".data.use", elf.SHF_WRITE, make([]byte, 16),
		elfrw.Rela{Offset: 8, Sym: y, Type: word(f)})
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
