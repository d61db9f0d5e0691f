// SPDX-License-Identifier: GPL-2.0-or-later

package proof_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/loadermodel"
)

// fixture is a module that a broken program is tried on.
type fixture struct {
	name    string
	module  []byte
	symbols string // of a kernel; "": none
	target  string // path of a module of a kernel, below testdata; "": none
	list    string // of annotations
	// scenario loads the module by the model of the loader; nil where it has no model of the
	// machine.
	scenario *loadermodel.Scenario
}

// fixtures returns all modules of testdata that convert, and some that have what those lack.
func fixtures(t *testing.T) []fixture {
	var all []fixture
	for _, name := range append(good(t), fileNames(t, "hardening", "entries")...) {
		all = append(all, fixture{name: name, module: contents(t, name)})
	}
	for directory, scheme := range schemes {
		for _, f := range loadermodel.Fixtures {
			s := f.Scenario(scheme)
			name := filepath.Join("arch", directory, f.Name+".ko")
			all = append(all, fixture{name: name, module: contents(t, name), scenario: &s})
		}
		several := severalOfEach(scheme)
		all = append(all,
			fixture{name: "positions-" + directory, module: positions(t, directory), scenario: several},
			fixture{name: "two meanings-" + directory, module: twoMeanings(t, directory),
				scenario: several},
			fixture{name: "another module-" + directory, module: anotherModule(t, directory),
				scenario: plain(scheme)},
		)
	}
	versions := withVersions(t, "arch/6.1/plain.ko", "nr_processes", "ext4_helper")
	versions32 := withVersions(t, "ppc32/records-v7.ko", "vm_call", "mod_call")
	all = append(all,
		fixture{name: "versions", module: versions},
		fixture{name: "versions, 32 bits", module: versions32},
		fixture{name: "versions, twice", module: versionsTwice(t, versions)},
		fixture{name: "depends", module: withDepends(t), symbols: dependsSymbols},
		fixture{name: "unannotated and signed", module: unannotated(t), symbols: dependsSymbols},
		fixture{name: "signed", module: signed(t)},
		fixture{name: "debug information", module: provable(t)},
		fixture{name: "tracepoints", module: tracepoints(t)},
		fixture{name: "spellings", module: spellings(t)},
		fixture{name: "new numbers", module: newNumbers(t)},
		fixture{name: "list", module: contents(t, "odd/strong-undefined.ko"),
			list: "vmlinux:foo\nforgotten=vmlinux:remembered,2   # the second\n"},
		fixture{name: "build", module: contents(t, "x86_64/livepatch-ownmod.ko"),
			target: "x86_64/ownmod.ko"},
	)
	slices.SortFunc(all, func(a, b fixture) int { return strings.Compare(a.name, b.name) })
	return all
}

var schemes = map[string]loadermodel.Scheme{
	"4.19": loadermodel.Linux419,
	"6.1":  loadermodel.Linux61,
}

func fileNames(t testing.TB, directories ...string) (all []string) {
	for _, directory := range directories {
		names, err := filepath.Glob(filepath.Join(testdata, directory, "*.ko"))
		require.NoError(t, err)
		require.NotEmpty(t, names, directory)
		for _, name := range names {
			all = append(all, filepath.Join(directory, filepath.Base(name)))
		}
	}
	return all
}

// plain is the scenario of plain.ko.
func plain(scheme loadermodel.Scheme) *loadermodel.Scenario {
	i := slices.IndexFunc(loadermodel.Fixtures, func(f loadermodel.Fixture) bool {
		return f.Name == "plain"
	})
	s := loadermodel.Fixtures[i].Scenario(scheme)
	return &s
}

// severalOfEach is the scenario of plain.ko on a kernel with three symbols of each name, and
// nr_processes in ext4 too.
func severalOfEach(scheme loadermodel.Scheme) *loadermodel.Scenario {
	s := plain(scheme)
	for object, names := range s.Kernel.Objects {
		for name, at := range names {
			for len(at) < 3 {
				at = append(at, at[len(at)-1]+0x80)
			}
			s.Kernel.Objects[object][name] = at
		}
	}
	ext4 := s.Kernel.Objects["ext4"]
	ext4["nr_processes"] = []uint64{ext4["ext4_helper"][0] + 0x1000}
	return s
}

// positions is plain.ko with positions in its records.
func positions(t testing.TB, directory string) []byte {
	f := open(t, "arch/"+directory+"/plain.ko")
	for object, pos := range map[string]byte{"vmlinux": 2, "ext4": 3} {
		s := section(t, f, ".klp.module_relocs."+object)
		s.Data = append(bytes.Clone(s.Data[:8]), pos, 0, 0, 0)
	}
	return encode(t, f)
}

// twoMeanings is plain.ko with nr_processes annotated for both objects, in whose functions it
// is.
func twoMeanings(t testing.TB, directory string) []byte {
	f := open(t, "arch/"+directory+"/plain.ko")
	s := section(t, f, ".klp.module_relocs.ext4")
	s.Data = append(bytes.Clone(s.Data), make([]byte, 12)...)
	s.Data[8], s.Data[20] = 3, 1
	section(t, f, ".klp.module_relocs.vmlinux").Data = []byte{0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0}
	f.AddReloc(section(t, f, ".rela.klp.module_relocs.ext4"),
		elfrw.Rela{Offset: 12, Sym: symbol(t, f, "nr_processes"), Type: word})
	return encode(t, f)
}

// anotherModule is plain.ko with a symbol of jbd2, which it does not patch, in a function of
// ext4.
func anotherModule(t testing.TB, directory string) []byte {
	f := open(t, "arch/"+directory+"/plain.ko")
	section(t, f, ".klp.module_relocs.ext4").Name = ".klp.module_relocs.jbd2"
	symbol(t, f, "ext4_helper").Name = "jbd2_helper"
	return encode(t, f)
}

// withVersions is a module with both kinds of version table, which have its annotated symbols
// between others.
func withVersions(t testing.TB, name string, annotated ...string) []byte {
	f := open(t, name)
	names := []string{"module_layout"}
	for _, y := range annotated {
		names = append(names, y, y+"1", "other_"+y)
	}
	var entries, list []byte
	crcs := make([]byte, 4*len(names))
	var order binary.ByteOrder = binary.LittleEndian
	if f.BigEndian() {
		order = binary.BigEndian
	}
	for i, y := range names {
		entry := make([]byte, 64)
		order.PutUint32(entry, uint32(0x1000+i))
		copy(entry[f.PointerSize():], y)
		entries = append(entries, entry...)
		order.PutUint32(crcs[4*i:], uint32(0x2000+i))
		list = append(append(list, y...), 0)
	}
	for name, data := range map[string][]byte{
		"__versions": entries, "__version_ext_crcs": crcs, "__version_ext_names": list,
	} {
		s := f.Section(name)
		if s == nil {
			s = addData(f, name, nil)
		}
		s.Data = data
		addVariable(f, "whole"+name, s, uint64(len(data)))
		addVariable(f, "first"+name, s, 4)
	}
	return encode(t, f)
}

// versionsTwice has the sections of version tables a second time, which the kernel does not
// look at, and a relocation in the names, so that they and their checksums can't be edited.
func versionsTwice(t testing.TB, module []byte) []byte {
	f := parse(t, module)
	for _, name := range []string{"__versions", "__version_ext_crcs", "__version_ext_names"} {
		addData(f, name, section(t, f, name).Data)
	}
	rs := &elfrw.Section{Name: ".rela.names", Type: elf.SHT_RELA, Align: 8, Link: f.Symtab}
	rs.Flags, rs.Target = uint64(elf.SHF_INFO_LINK), section(t, f, "__version_ext_names")
	f.AddSection(rs)
	rs.SetRelocs([]elfrw.Rela{{Sym: symbol(t, f, "klp_enable_patch"), Type: 1}})
	return encode(t, f)
}

// dependsSymbols is a kernel whose modules ext4 and jbd2 have exports.
const dependsSymbols = `ffffffff81000000 T _text
ffffffff81000100 T klp_enable_patch
ffffffff81000200 T __fentry__
ffffffff81000300 t nr_processes
ffffffff81001000 r __ksymtab_klp_enable_patch
ffffffff81001010 r __ksymtab___fentry__
ffffffff81002000 B _end
ffffffffc0001000 t ext4_helper	[ext4]
ffffffffc0001100 T ext4_export	[ext4]
ffffffffc0001200 r __ksymtab_ext4_export	[ext4]
ffffffffc0001300 t hidden_in_ext4	[ext4]
ffffffffc0001400 d __this_module	[ext4]
ffffffffc0002000 T jbd2_export	[jbd2]
ffffffffc0002100 r __ksymtab_jbd2_export	[jbd2]
ffffffffc0002200 d __this_module	[jbd2]
`

// withDepends is plain.ko with imports of two modules; that of ext4, which it patches, is
// annotated.
func withDepends(t testing.TB) []byte {
	f := open(t, "arch/6.1/plain.ko")
	patched, other := addUndefined(f, "ext4_export"), addUndefined(f, "jbd2_export")
	addLoaded(f, ".data.imports", elf.SHF_WRITE, make([]byte, 16),
		elfrw.Rela{Sym: patched, Type: word}, elfrw.Rela{Offset: 8, Sym: other, Type: word})
	s := section(t, f, ".klp.module_relocs.ext4")
	s.Data = append(bytes.Clone(s.Data), make([]byte, 12)...)
	f.AddReloc(section(t, f, ".rela.klp.module_relocs.ext4"),
		elfrw.Rela{Offset: 12, Sym: patched, Type: word})
	s = section(t, f, ".modinfo")
	s.Data = bytes.Replace(s.Data, []byte("depends=\x00"), []byte("depends=ext4,jbd2\x00"), 1)
	return encode(t, f)
}

const signature = "signature~Module signature appended~\n"

// unannotated is plain.ko without annotations but the symbols, which a kernel knows, and signed.
func unannotated(t testing.TB) []byte {
	f := open(t, "arch/6.1/plain.ko")
	records := []*elfrw.Section{
		section(t, f, ".klp.module_relocs.vmlinux"), section(t, f, ".klp.module_relocs.ext4"),
	}
	require.NoError(t, f.Remove(records, nil))
	f.Trailer = []byte(signature)
	return encode(t, f)
}

func signed(t testing.TB) []byte {
	f := open(t, "x86_64/labels-dot.ko")
	f.Trailer = []byte(signature)
	return encode(t, f)
}

// tracepoints is a module with jump labels, every second of which is a tracepoint's of ext4
// and has to leave the table.
func tracepoints(t testing.TB) []byte {
	f := open(t, "x86_64/labels-dot.ko")
	nop := []byte{0x0f, 0x1f, 0x44, 0, 0, 0x90, 0x90, 0x90}
	text, _ := addLoaded(f, ".text.traced", elf.SHF_EXECINSTR, bytes.Repeat(nop, 5))
	data, _ := addLoaded(f, ".data.keys", elf.SHF_WRITE, make([]byte, 16))
	code := &elfrw.Symbol{Name: "traced", Section: text, Size: 40}
	code.Info = byte(elf.STB_GLOBAL)<<4 | byte(elf.STT_FUNC)
	f.AddSymbol(code)
	key := addVariable(f, "own_key", data, 16)
	traced := addUndefined(f, ".klp.sym.rela.ext4.ext4.__tracepoint_x.0")
	var relocs []elfrw.Rela
	for i := range uint64(5) {
		k := key
		if i%2 == 1 {
			k = traced
		}
		near, far, at := uint32(elf.R_X86_64_PC32), uint32(elf.R_X86_64_PC64), 16*i
		relocs = append(relocs,
			elfrw.Rela{Offset: at, Sym: code, Type: near, Addend: int64(8 * i)},
			elfrw.Rela{Offset: at + 4, Sym: code, Type: near, Addend: int64(8*i + 5)},
			elfrw.Rela{Offset: at + 8, Sym: k, Type: far})
	}
	addLoaded(f, "__jump_table", elf.SHF_WRITE, make([]byte, 80), relocs...)
	return encode(t, f)
}

// spellings is a module in which one klp symbol has three names, and another one debug
// information that refers to it.
func spellings(t testing.TB) []byte {
	f := open(t, "x86_64/labels-dot.ko")
	var relocs []elfrw.Rela
	for i, format := range []string{"%s,0", "%s.0", `"%s,0"`} {
		y := addUndefined(f, fmt.Sprintf(format, ".klp.sym.rela.ext4.ext4.foo"))
		relocs = append(relocs, elfrw.Rela{Offset: uint64(8 * i), Sym: y, Type: word, Addend: int64(i)})
	}
	addLoaded(f, ".data.spellings", elf.SHF_WRITE, make([]byte, 24), relocs...)
	return encode(t, f)
}

// newNumbers is a module with symbol numbers in contents, as clang writes them, of which a
// symbol goes, and with a section group of which records go.
func newNumbers(t testing.TB) []byte {
	f := open(t, "odd/unused.ko")
	var list []byte
	for i := range f.Symbols {
		list = binary.AppendUvarint(list, uint64(i+1))
	}
	const addrsig = 0x6fff4c03 // SHT_LLVM_ADDRSIG
	s := addData(f, ".llvm_addrsig", list)
	s.Type, s.Flags, s.Link = addrsig, 0, f.Symtab
	a, b := addLoaded(f, ".text.group", elf.SHF_EXECINSTR, make([]byte, 8))
	group := &elfrw.Section{Name: ".group", Type: elf.SHT_GROUP, Align: 4, EntSize: 4, Link: f.Symtab}
	group.Signature = addVariable(f, "group", a, 0)
	group.Members = []*elfrw.Section{a, b, section(t, f, ".klp.module_relocs.vmlinux")}
	f.AddSection(group)
	return encode(t, f)
}
