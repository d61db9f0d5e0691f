// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// What the tests of this package work with: the modules of testdata, edited.

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
	b, err := os.ReadFile(filepath.Join(testdata, name))
	require.NoError(t, err)
	return b
}

func parse(t testing.TB, b []byte) *elfrw.File {
	t.Helper()
	f, err := elfrw.Parse("", b)
	require.NoError(t, err)
	return f
}

func open(t testing.TB, name string) *elfrw.File { return parse(t, contents(t, name)) }

func encode(t testing.TB, f *elfrw.File) []byte {
	t.Helper()
	b, err := f.Bytes()
	require.NoError(t, err)
	return b
}

// reread writes f and parses what it wrote, so that what follows sees a file
// and not a model.
func reread(t testing.TB, f *elfrw.File) *elfrw.File { return parse(t, encode(t, f)) }

func section(t testing.TB, f *elfrw.File, name string) *elfrw.Section {
	t.Helper()
	s := f.Section(name)
	require.NotNil(t, s, "section %s", name)
	return s
}

func symbol(t testing.TB, f *elfrw.File, name string) *elfrw.Symbol {
	t.Helper()
	for _, y := range f.Symbols {
		if y.Name == name {
			return y
		}
	}
	require.Fail(t, "no symbol "+name)
	return nil
}

func hasSymbol(f *elfrw.File, name string) bool {
	return slices.ContainsFunc(f.Symbols, func(y *elfrw.Symbol) bool { return y.Name == name })
}

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

// word is the relocation that stores an address.
func word(f *elfrw.File) uint32 {
	return map[elf.Machine]uint32{elf.EM_X86_64: 1, elf.EM_S390: 22, elf.EM_PPC64: 38, elf.EM_PPC: 1, elf.EM_AARCH64: 257, elf.EM_LOONGARCH: 2}[f.Header.Machine]
}

// record is a pointer's relocation and a position's place.
type record struct {
	offset uint64
	name   string
	posAt  int // where the position stands in the section
	pos    uint32
}

// addRecords adds an annotation section of size bytes.
func addRecords(t testing.TB, f *elfrw.File, object string, size int, records ...record) (data, relocs *elfrw.Section) {
	t.Helper()
	var order binary.ByteOrder = binary.LittleEndian
	if f.BigEndian() {
		order = binary.BigEndian
	}
	data = &elfrw.Section{Name: ".klp.module_relocs." + object, Type: elf.SHT_PROGBITS, Flags: 3, Align: 4, Data: make([]byte, size)}
	relocs = &elfrw.Section{Name: ".rela" + data.Name, Type: elf.SHT_RELA, Flags: 0x40, Align: 8, Link: f.Symtab, Target: data}
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
	f.AddSymbol(&elfrw.Symbol{Name: name, Section: s, Value: value, Size: size, Info: byte(elf.STB_GLOBAL)<<4 | byte(elf.STT_OBJECT)})
}

// addUndefined adds an undefined symbol.
func addUndefined(f *elfrw.File, name string, bind elf.SymBind) *elfrw.Symbol {
	y := &elfrw.Symbol{Name: name, Info: byte(bind) << 4}
	f.AddSymbol(y)
	return y
}

// addLoaded adds a section that the kernel loads, with relocations for it.
func addLoaded(f *elfrw.File, name string, flags uint64, data []byte, relocs ...elfrw.Rela) (*elfrw.Section, *elfrw.Section) {
	s := &elfrw.Section{Name: name, Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_ALLOC) | flags, Align: 8, Data: data}
	rs := &elfrw.Section{Name: ".rela" + name, Type: elf.SHT_RELA, Flags: 0x40, Align: 8, Link: f.Symtab, Target: s}
	f.AddSection(s)
	f.AddSection(rs)
	for _, r := range relocs {
		f.AddReloc(rs, r)
	}
	return s, rs
}

// use makes one word of loaded data refer to y.
func use(f *elfrw.File, y *elfrw.Symbol) {
	addLoaded(f, ".data.use", uint64(elf.SHF_WRITE), make([]byte, 16), elfrw.Rela{Offset: 8, Sym: y, Type: word(f)})
}

// fn is a klp_func: the new function, a symbol of the module, for old.
type fn struct{ old, new string }

// declare adds a klp_patch of these objects, as gcc lays it out for 5.5 and later.
// An object's functions follow its name; vmlinux has none in the module.
func declare(t testing.TB, f *elfrw.File, objects []string, funcs map[string][]fn) {
	t.Helper()
	const patch, object, function = 200, 168, 152
	strings := &elfrw.Section{Name: ".rodata.names", Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_ALLOC), Align: 1}
	data := &elfrw.Section{Name: ".data.patch", Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_ALLOC | elf.SHF_WRITE), Align: 32}
	relocs := &elfrw.Section{Name: ".rela.data.patch", Type: elf.SHT_RELA, Flags: 0x40, Align: 8, Link: f.Symtab, Target: data}
	for _, s := range []*elfrw.Section{strings, data, relocs} {
		f.AddSection(s)
	}
	of := func(s *elfrw.Section) *elfrw.Symbol {
		y := &elfrw.Symbol{Section: s, Info: byte(elf.STT_SECTION)}
		f.AddSymbol(y)
		return y
	}
	names, here := of(strings), of(data)
	pointer := func(at int, y *elfrw.Symbol, addend int) {
		f.AddReloc(relocs, elfrw.Rela{Offset: uint64(at), Sym: y, Type: word(f), Addend: int64(addend)})
	}
	text := func(at int, s string) {
		pointer(at, names, len(strings.Data))
		strings.Data = append(append(strings.Data, s...), 0)
	}
	pointer(0, symbol(t, f, "__this_module"), 0)
	pointer(8, here, patch)
	end := patch + (len(objects)+1)*object
	for i, o := range objects {
		at := patch + i*object
		if o != "vmlinux" {
			text(at, o)
		}
		pointer(at+8, here, end)
		for _, x := range funcs[o] {
			text(end, x.old)
			pointer(end+8, symbol(t, f, x.new), 0)
			end += function
		}
		end += function
	}
	data.Data = make([]byte, end)
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
