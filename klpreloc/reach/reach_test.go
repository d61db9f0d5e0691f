// SPDX-License-Identifier: GPL-2.0-or-later

package reach_test

import (
	"debug/elf"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/reach"
)

const fixtures = "../klppatch/testdata"

var (
	open   = testmodule.Open
	symbol = testmodule.Symbol
)

func attribute(t testing.TB, f *elfrw.File) *reach.Attribution {
	t.Helper()
	patches, err := klppatch.Read(f)
	require.NoError(t, err)
	return reach.Attribute(f, nil, patches...)
}

// of returns the objects of each function and variable of testdata/patch.c that
// the compiler kept, as one word.
func of(f *elfrw.File, a *reach.Attribution) map[string]string {
	all := map[string]string{}
	for _, y := range f.Symbols {
		if y.Section != nil && y.Section.Alloc() && y.Name != "" &&
			(y.Type() == elf.STT_FUNC || y.Type() == elf.STT_OBJECT) {
			all[y.Name] = strings.Join(a.Objects(y.Section, y.Value), " ")
		}
	}
	return all
}

// TestFixtures: one program, all machines, in one section and in many.
func TestFixtures(t *testing.T) {
	want := map[string]string{
		"vm_show": "vmlinux", "vm_read": "vmlinux", "ext4_show": "ext4", "nfs_show": "nfs",
		"both": "ext4 vmlinux", "ext4_helper": "ext4", "ext4_more": "ext4", "ext4_table": "ext4",
		"ext4_count": "ext4",
		"vm_switch":  "vmlinux", "nfs_switch": "nfs", "vm_switch.cold": "vmlinux",
		"nfs_switch.cold": "nfs",
		"nfs_pre":         "nfs", "nfs_post_unpatch": "nfs", "nfs_callback_helper": "nfs",
		"vm_funcs": "vmlinux", "ext4_funcs": "ext4", "nfs_funcs": "nfs", "no_funcs": "xfs", "patch": "",
		"setup": "", "enable": "", "init_module": "", "cleanup_module": "", "__this_module": "",
		"fops": "", "item_ops": "",
	}
	paths, err := filepath.Glob(fixtures + "/*.ko")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f := open(t, path)
			a := attribute(t, f)
			got := of(f, a)
			switch name := filepath.Base(path); {
			case strings.HasPrefix(name, "aarch64") || strings.HasPrefix(name, "ppc32"):
				if !strings.HasSuffix(name, "-sections.ko") {
					got["ext4_count"] = "ext4" // through a section anchor, which doc.go says isn't seen
				}
			}
			for name, objects := range got {
				if expected, ok := want[name]; ok {
					assert.Equal(t, expected, objects, name)
				}
			}
			for _, name := range []string{"both", "ext4_helper", "vm_show", "setup", "patch", "ext4_funcs"} {
				assert.Contains(t, got, name)
			}
		})
	}
}

// add adds a section with relocations and returns it with its symbol.
func add(
	f *elfrw.File, name string, flags elf.SectionFlag, data []byte, relocs ...elfrw.Rela,
) (*elfrw.Section, *elfrw.Symbol) {
	s, _ := testmodule.AddSection(f, name, flags, data, relocs...)
	return s, testmodule.AddSectionSymbol(f, s)
}

func objects(t testing.TB, f *elfrw.File, a *reach.Attribution, name string) string {
	t.Helper()
	y := symbol(t, f, name)
	return strings.Join(a.Objects(y.Section, y.Value), " ")
}

const (
	pc32  = uint32(elf.R_X86_64_PC32)
	plt32 = uint32(elf.R_X86_64_PLT32)
	abs64 = uint32(elf.R_X86_64_64)
)

// TestTables: the code of an entry leads to the rest of it, and to nothing of
// the entry after it.
func TestTables(t *testing.T) {
	f := open(t, fixtures+"/x86_64-505.ko")
	ext4, vm, nfs := symbol(t, f, "ext4_helper"), symbol(t, f, "vm_switch"), symbol(t, f, "nfs_switch")
	call := []byte{0xe8, 0, 0, 0, 0}
	repl, y := add(f, ".altinstr_replacement", elf.SHF_EXECINSTR,
		append(append([]byte{}, call...), call...),
		elfrw.Rela{Offset: 1, Sym: symbol(t, f, "setup"), Type: plt32, Addend: -4})
	entry := append(make([]byte, 12), 5, 5) // five bytes for five
	add(f, ".altinstructions", 0, append(append([]byte{}, entry...), entry...),
		elfrw.Rela{Offset: 0, Sym: ext4, Type: pc32, Addend: 3}, elfrw.Rela{Offset: 4, Sym: y,
			Type: pc32},
		elfrw.Rela{Offset: 14, Sym: vm, Type: pc32, Addend: 3}, elfrw.Rela{Offset: 18, Sym: y,
			Type: pc32, Addend: 5})
	keys, key := add(f, ".data.keys", elf.SHF_WRITE, make([]byte, 48))
	add(f, "__jump_table", elf.SHF_WRITE, make([]byte, 32),
		elfrw.Rela{Offset: 0, Sym: nfs, Type: pc32}, elfrw.Rela{Offset: 4, Sym: nfs, Type: pc32,
			Addend: 8}, elfrw.Rela{Offset: 8, Sym: key, Type: uint32(elf.R_X86_64_PC64), Addend: 16},
		elfrw.Rela{Offset: 16, Sym: vm, Type: pc32}, elfrw.Rela{Offset: 20, Sym: vm, Type: pc32,
			Addend: 8}, elfrw.Rela{Offset: 24, Sym: key, Type: uint32(elf.R_X86_64_PC64), Addend: 32})
	a := attribute(t, f)
	assert.Equal(t, []string{"ext4"}, a.Objects(repl, 0))
	assert.Equal(t, []string{"ext4"}, a.Objects(repl, 4))
	assert.Equal(t, []string{"vmlinux"}, a.Objects(repl, 5))
	assert.Equal(t, "ext4", objects(t, f, a, "setup"), "called by a replacement alone")
	assert.Empty(t, a.Objects(keys, 0))
	assert.Equal(t, []string{"nfs"}, a.Objects(keys, 16))
	assert.Equal(t, []string{"nfs"}, a.Objects(keys, 31))
	assert.Equal(t, []string{"vmlinux"}, a.Objects(keys, 32))
	assert.Empty(t, a.Objects(f.Section("__jump_table"), 0), "entries themselves have no object")

	// Entries whose replacements are relocated elsewhere aren't whole.
	sites := f.Section(".rela.altinstructions")
	whole := sites.Relocs()
	sites.SetRelocs([]elfrw.Rela{whole[0], whole[2]})
	assert.Equal(t, "vmlinux", objects(t, f, attribute(t, f), "vm_switch"))
	sites.SetRelocs(whole)

	// Nor are those whose keys are.
	rs := f.Section(".rela__jump_table")
	for _, keep := range [][]int{{0, 1, 3, 4}, {0, 1, 3}, {3, 4, 0}} {
		all := f.Section(".rela__jump_table").Relocs()
		var left []elfrw.Rela
		for _, i := range keep {
			left = append(left, all[i])
		}
		rs.SetRelocs(left)
		a := attribute(t, f)
		assert.Equal(t, "nfs", objects(t, f, a, "nfs_switch"))
		assert.Equal(t, "vmlinux", objects(t, f, a, "vm_switch"))
		rs.SetRelocs(all)
	}
}

// TestDeclaredIsFinal: a new function belongs to who declares it, even if
// another calls it, and to all who do.
func TestDeclaredIsFinal(t *testing.T) {
	f := open(t, fixtures+"/x86_64-505.ko")
	add(f, ".text.more", elf.SHF_EXECINSTR, make([]byte, 16),
		elfrw.Rela{Offset: 1, Sym: symbol(t, f, "nfs_show"), Type: plt32, Addend: -4})
	more := f.Section(".text.more")
	f.AddSymbol(&elfrw.Symbol{Name: "more", Section: more, Size: 16, Info: byte(elf.STT_FUNC)})
	rs := f.Section(".rela.data")
	all := slices.Clone(rs.Relocs())
	patches, err := klppatch.Read(f)
	require.NoError(t, err)
	at := patches[0].Object(klppatch.Vmlinux).Funcs[0].At.Offset + 8
	i := slices.IndexFunc(all, func(r elfrw.Rela) bool { return r.Offset == at })
	all[i].Sym, all[i].Addend = symbol(t, f, "more"), 0
	rs.SetRelocs(all)
	a := attribute(t, f)
	assert.Equal(t, "vmlinux", objects(t, f, a, "more"))
	assert.Equal(t, "nfs", objects(t, f, a, "nfs_show"))
	assert.Equal(t, "nfs", objects(t, f, a, "nfs_switch"))

	all = slices.Clone(all)
	all[i].Sym, all[i].Addend = symbol(t, f, "nfs_show"), 0
	rs.SetRelocs(all)
	a = attribute(t, f)
	assert.Equal(t, "nfs vmlinux", objects(t, f, a, "nfs_show"))
	assert.Equal(t, "nfs vmlinux", objects(t, f, a, "nfs_switch"))
}

// TestDeclarations: each element of the arrays is its object's, and the patch
// leads nowhere.
func TestDeclarations(t *testing.T) {
	for _, name := range []string{"x86_64-505.ko", "s390x-sections.ko", "ppc32-412.ko"} {
		f := open(t, filepath.Join(fixtures, name))
		patches, err := klppatch.Read(f)
		require.NoError(t, err)
		a := reach.Attribute(f, nil, patches...)
		for _, o := range patches[0].Objects {
			for _, at := range []elfrw.Range{o.At, o.FuncsAt} {
				assert.Equal(t, []string{o.Name}, a.Objects(at.Section, at.Offset))
				assert.Equal(t, []string{o.Name}, a.Objects(at.Section, at.Offset+at.Size-1))
			}
		}
		last := patches[0].Objects[3].At
		assert.Empty(t, a.Objects(last.Section, last.Offset+last.Size), "the end of the array")
		at := patches[0].At
		assert.Empty(t, a.Objects(at.Section, at.Offset))
	}
}

// function adds a function in a section of its own, with a call of each of the
// others.
func function(t testing.TB, f *elfrw.File, name string, calls ...string) *elfrw.Symbol {
	text := make([]byte, 8+8*len(calls))
	var relocs []elfrw.Rela
	for i, c := range calls {
		text[8*i] = 0xe8
		relocs = append(relocs, elfrw.Rela{Offset: uint64(8*i + 1), Sym: symbol(t, f, c), Type: plt32,
			Addend: -4})
	}
	s, _ := add(f, ".text."+name, elf.SHF_EXECINSTR, text, relocs...)
	y := &elfrw.Symbol{Name: name, Section: s, Size: s.Size(), Info: byte(elf.STT_FUNC)}
	f.AddSymbol(y)
	return y
}

// replace makes another the new function of the first of an object's.
func replace(t testing.TB, f *elfrw.File, object string, y *elfrw.Symbol) {
	patches, err := klppatch.Read(f)
	require.NoError(t, err)
	at := patches[0].Object(object).Funcs[0].At.Offset + 8
	rs := f.Section(".rela.data")
	all := slices.Clone(rs.Relocs())
	i := slices.IndexFunc(all, func(r elfrw.Rela) bool { return r.Offset == at })
	all[i].Sym, all[i].Addend = y, 0
	rs.SetRelocs(all)
}

// TestModule: struct module leads to init_module, for no object.
func TestModule(t *testing.T) {
	f := open(t, fixtures+"/x86_64-505.ko")
	replace(t, f, "nfs", function(t, f, "more", "__this_module", "both"))
	a := attribute(t, f)
	assert.Equal(t, "ext4 nfs vmlinux", objects(t, f, a, "both"))
	for _, name := range []string{"__this_module", "init_module", "setup"} {
		assert.Empty(t, objects(t, f, a, name), name)
	}
}

// TestCircle: functions that call each other are reached by all who reach one,
// and so is what any of them leads to.
func TestCircle(t *testing.T) {
	f := open(t, fixtures+"/x86_64-505.ko")
	replace(t, f, "nfs", function(t, f, "more", "ext4_more"))
	a := attribute(t, f)
	assert.Equal(t, "ext4 nfs", objects(t, f, a, "ext4_helper"))
	assert.Equal(t, "ext4 nfs", objects(t, f, a, "ext4_more"))
	s := f.Section(".rodata.str1.1")
	assert.Equal(t, []string{"ext4", "nfs"},
		a.Objects(s, uint64(strings.Index(string(s.Data), "ext4 helper"))))
}

// TestCalls: a call that the assembler resolved counts where it leads to a
// function, and where a relocation fills it in it doesn't.
func TestCalls(t *testing.T) {
	for distance, want := range map[byte]string{16 - 5: "nfs", 20 - 5: ""} {
		f := open(t, fixtures+"/x86_64-505.ko")
		text := make([]byte, 32)
		copy(text, []byte{0xe8, distance, 0, 0, 0})
		s, _ := add(f, ".text.two", elf.SHF_EXECINSTR, text,
			elfrw.Rela{Offset: 17, Sym: symbol(t, f, "setup"), Type: plt32, Addend: -4})
		for i, name := range []string{"first", "second"} {
			f.AddSymbol(&elfrw.Symbol{Name: name, Section: s, Value: uint64(16 * i), Size: 16,
				Info: byte(elf.STB_GLOBAL)<<4 | byte(elf.STT_FUNC)})
		}
		replace(t, f, "nfs", symbol(t, f, "first"))
		assert.Equal(t, want, objects(t, f, attribute(t, f), "setup"))
		rs := f.Section(".rela.text.two")
		rs.SetRelocs(append(slices.Clone(rs.Relocs()), elfrw.Rela{Offset: 1, Sym: symbol(t, f, "printk"),
			Type: plt32, Addend: -4}))
		assert.Empty(t, objects(t, f, attribute(t, f), "setup"))
	}
}

// TestSymbols: labels and mapping marks cut nothing in two, nor do symbols that
// overlap.
func TestSymbols(t *testing.T) {
	f := open(t, fixtures+"/x86_64-505.ko")
	s, _ := add(f, ".text.asm", elf.SHF_EXECINSTR, make([]byte, 64),
		elfrw.Rela{Offset: 33, Sym: symbol(t, f, "setup"), Type: plt32, Addend: -4},
		elfrw.Rela{Offset: 49, Sym: symbol(t, f, "cleanup_module"), Type: plt32, Addend: -4})
	label := func(name string, value, size uint64, kind elf.SymType) *elfrw.Symbol {
		y := &elfrw.Symbol{Name: name, Section: s, Value: value, Size: size,
			Info: byte(elf.STB_GLOBAL)<<4 | byte(kind)}
		f.AddSymbol(y)
		return y
	}
	asm := label("asm", 0, 0, elf.STT_NOTYPE)
	label("$d", 8, 0, elf.STT_NOTYPE)
	label("next", 48, 8, elf.STT_FUNC)
	replace(t, f, "nfs", asm)
	a := attribute(t, f)
	assert.Equal(t, "nfs", objects(t, f, a, "setup"))
	assert.Empty(t, objects(t, f, a, "cleanup_module"))

	asm.Size, asm.Info = 16, byte(elf.STB_GLOBAL)<<4|byte(elf.STT_FUNC)
	assert.Empty(t, objects(t, f, attribute(t, f), "setup"))
	label("inner", 8, 32, elf.STT_NOTYPE)
	assert.Equal(t, "nfs", objects(t, f, attribute(t, f), "setup"))
}

// TestDistances: a jump table of distances from where it begins.
func TestDistances(t *testing.T) {
	f := open(t, fixtures+"/x86_64-505.ko")
	setup := symbol(t, f, "setup")
	section := f.Symbols[slices.IndexFunc(f.Symbols, func(y *elfrw.Symbol) bool {
		return y.Type() == elf.STT_SECTION && y.Section == setup.Section
	})]
	var relocs []elfrw.Rela
	for i := int64(0); i < 8; i++ {
		relocs = append(relocs, elfrw.Rela{Offset: uint64(8 + 4*i), Sym: section, Type: pc32,
			Addend: int64(setup.Value+setup.Size) - 1 + 4*i})
	}
	_, table := add(f, ".rodata.table", 0, make([]byte, 40), relocs...)
	more := function(t, f, "more", "both")
	rs := f.Section(".rela.text.more")
	rs.SetRelocs([]elfrw.Rela{{Offset: 3, Sym: table, Type: uint32(elf.R_X86_64_32S), Addend: 8}})
	replace(t, f, "nfs", more)
	a := attribute(t, f)
	assert.Equal(t, "nfs", objects(t, f, a, "setup"))
	assert.Empty(t, objects(t, f, a, "enable"))
}

// TestNowhere: places that do not exist, and no patch at all.
func TestNowhere(t *testing.T) {
	f := open(t, fixtures+"/x86_64-505.ko")
	a := attribute(t, f)
	s := f.Section(".text")
	assert.Nil(t, a.Objects(nil, 0))
	assert.Nil(t, a.Objects(s, s.Size()))
	assert.Nil(t, a.Objects(s, 1<<63))
	bss := f.Section(".bss") // all of it is xfs's list
	assert.Equal(t, []string{"xfs"}, a.Objects(bss, bss.Size()-1))
	assert.Nil(t, a.Objects(bss, bss.Size()))
	assert.Nil(t, a.Objects(f.Section(".symtab"), 0))
	assert.Nil(t, a.Objects(f.Section(".rela.text"), 0))
	assert.Nil(t, a.Objects(&elfrw.Section{Name: "other"}, 0))

	none := reach.Attribute(f, nil)
	for name, objects := range of(f, none) {
		assert.Empty(t, objects, name)
	}
}

// TestKpatch: the records of a tool lead nowhere, and are their object's.
func TestKpatch(t *testing.T) {
	f := open(t, fixtures+"/x86_64-505.ko")
	_, names := add(f, ".kpatch.strings", 0, []byte("vmlinux\x00ext4\x00old\x00"))
	s, _ := add(f, ".kpatch.funcs", elf.SHF_WRITE, make([]byte, 112),
		elfrw.Rela{Offset: 0, Sym: symbol(t, f, "vm_show"), Type: abs64}, elfrw.Rela{Offset: 40,
			Sym: names, Type: abs64, Addend: 13}, elfrw.Rela{Offset: 48, Sym: names, Type: abs64},
		elfrw.Rela{Offset: 56, Sym: symbol(t, f, "ext4_show"), Type: abs64}, elfrw.Rela{Offset: 96,
			Sym: names, Type: abs64, Addend: 13}, elfrw.Rela{Offset: 104, Sym: names, Type: abs64, Addend: 8})
	c, _ := add(f, ".kpatch.callbacks.pre_patch", elf.SHF_WRITE, make([]byte, 24),
		elfrw.Rela{Offset: 0, Sym: symbol(t, f, "nfs_pre"), Type: abs64}, elfrw.Rela{Offset: 8,
			Sym: names, Type: abs64, Addend: 8})
	patches, err := klppatch.Read(f)
	require.NoError(t, err)
	require.Len(t, patches, 2)
	a := reach.Attribute(f, nil, patches[1])
	assert.Equal(t, []string{"vmlinux"}, a.Objects(s, 0))
	assert.Equal(t, []string{"ext4"}, a.Objects(s, 56))
	assert.Equal(t, []string{"ext4"}, a.Objects(c, 0))
	assert.Equal(t, "vmlinux", objects(t, f, a, "vm_switch"))
	assert.Equal(t, "ext4", objects(t, f, a, "nfs_callback_helper"))
	assert.Equal(t, "ext4 vmlinux", objects(t, f, a, "both"))
	assert.Empty(t, objects(t, f, a, "nfs_show"))
}

// TestStrings: what has no symbols is cut where something refers to it.
func TestStrings(t *testing.T) {
	f := open(t, fixtures+"/x86_64-505.ko")
	a := attribute(t, f)
	s := f.Section(".rodata.str1.1")
	for text, want := range map[string]string{"ext4 helper": "ext4", "vmsix": "vmlinux",
		"nfssix": "nfs", "both %d": "ext4 vmlinux", "setup": ""} {
		i := strings.Index(string(s.Data), text+"\x00")
		require.GreaterOrEqual(t, i, 0, text)
		assert.Equal(t, want, strings.Join(a.Objects(s, uint64(i)), " "), text)
	}
}

// An exception table leads from the code that faults to the code after it, entry by
// entry, whatever else an entry refers to.
func TestExceptionTables(t *testing.T) {
	for name, test := range map[string]struct{ stride, relocs int }{
		"x86 with a type": {12, 2}, "x86 with a handler": {12, 3}, "powerpc": {8, 2}, "s390": {16, 2},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t, fixtures+"/x86_64-505.ko")
			sites := []*elfrw.Symbol{symbol(t, f, "ext4_helper"), symbol(t, f, "vm_switch"),
				symbol(t, f, "nfs_switch"), symbol(t, f, "ext4_helper")}
			fixup, y := add(f, ".text.fixup", elf.SHF_EXECINSTR, make([]byte, 16*len(sites)))
			for i := range sites { // places that nothing but the table refers to
				f.AddSymbol(&elfrw.Symbol{Name: "fixup" + string(rune('a'+i)), Section: fixup,
					Value: uint64(16 * i), Size: 16, Info: byte(elf.STT_FUNC)})
			}
			var relocs []elfrw.Rela
			for i, site := range sites {
				at := uint64(i * test.stride)
				relocs = append(relocs, elfrw.Rela{Offset: at, Sym: site, Type: pc32, Addend: 2},
					elfrw.Rela{Offset: at + 4, Sym: y, Type: pc32, Addend: int64(16 * i)})
				if test.relocs == 3 {
					relocs = append(relocs, elfrw.Rela{Offset: at + 8, Sym: symbol(t, f, "setup"), Type: pc32})
				}
			}
			relocs[0], relocs[len(relocs)-1] = relocs[len(relocs)-1], relocs[0] // in any order
			add(f, "__ex_table", 0, make([]byte, test.stride*len(sites)), relocs...)
			a := attribute(t, f)
			for i, want := range []string{"ext4", "vmlinux", "nfs", "ext4"} {
				assert.Equal(t, []string{want}, a.Objects(fixup, uint64(16*i)), "fixup %d", i)
			}
		})
	}
}
