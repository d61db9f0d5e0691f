// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

func TestWhoseExportsAreKnown(t *testing.T) {
	const (
		built   = "0x00000000\tf\tvmlinux\tEXPORT_SYMBOL\tNS\n0x00000000\tg\tfs/ext4\tEXPORT_SYMBOL\t\n"
		vmlinux = "0x00000000\tf\tvmlinux\tEXPORT_SYMBOL\t\n"
		own     = "0x00000000\tg\t/build/own\tEXPORT_SYMBOL\tOWN\n0x00000000\th\t/build/more\tEXPORT_SYMBOL\t\n"
		noData  = "ffffffff81000000 T _text\nffffffff81000100 T f\nffffffff82000000 B " +
			"_end\nffffffffc0000000 t g\t[ext4]\n"
		all    = noData + "ffffffffc0000010 r __ksymtab_g\t[own]\n"
		kernel = "ffffffff81000000 T _text\nffffffff81000100 r __ksymtab_f\nffffffff82000000 B " +
			"_end\nffffffffc0000000 t g\t[ext4]\nffffffffc0000010 d __this_module\t[ext4]\n"
	)
	module := string(moduleWithoutExports("m").bytes())
	for name, test := range map[string]struct {
		texts  []string
		known  []string
		not    []string
		listed bool
		spaces []string
	}{
		"of the kernel's build": {[]string{built}, []string{"vmlinux", "ext4"},
			[]string{"own"}, true, []string{"NS"}},
		"of vmlinux only": {[]string{vmlinux}, []string{"vmlinux"}, []string{"ext4"},
			false, nil},
		"of another build": {[]string{own}, []string{"own", "more"},
			[]string{"vmlinux", "ext4"}, false, []string{"OWN"}},
		"of both": {[]string{built, own},
			[]string{"vmlinux", "ext4", "own", "more"}, nil, true, []string{"NS", "OWN"}},
		"no data symbols": {[]string{noData}, nil, []string{"vmlinux", "ext4"}, false,
			nil},
		"an export of a module": {[]string{all}, []string{"own"},
			[]string{"vmlinux", "ext4"}, false, nil},
		"an export of vmlinux": {[]string{kernel}, []string{"vmlinux", "ext4"},
			[]string{"own"}, false, nil},
		"an export of vmlinux, cut": {[]string{kernel[:len(kernel)-5]}, []string{"vmlinux"},
			[]string{"ext4"}, false, nil},
		"a kernel that was cut": {[]string{kernel[:60]}, nil, []string{"vmlinux"}, false,
			nil},
		"of the kernel's build, cut": {[]string{built[:len(built)-3]}, nil,
			[]string{"vmlinux", "ext4"}, false, []string{"NS"}},
		"a module's file": {[]string{module}, []string{"m"}, []string{"vmlinux"},
			false, nil},
		"a module's file and a kernel": {[]string{module, built}, []string{"m", "vmlinux", "ext4"},
			[]string{"own"}, true, []string{"NS"}},
	} {
		t.Run(name, func(t *testing.T) {
			var sources []Source
			for _, text := range test.texts {
				sources = append(sources, source(t, "s", []byte(text)))
			}
			table, err := Read(Names("nothing"), sources...)
			require.NoError(t, err)
			for _, o := range test.known {
				assert.True(t, table.KnowsExports(o), o)
			}
			for _, o := range test.not {
				assert.False(t, table.KnowsExports(o), o)
			}
			assert.Equal(t, test.listed, table.ListsModules())
			for _, ns := range []string{"NS", "OWN"} {
				assert.Equal(t, slices.Contains(test.spaces, ns), table.KnowsNamespace(ns), ns)
			}
		})
	}
}

// moduleWithoutExports is a module of that name.
func moduleWithoutExports(name string) tinyELF {
	return tinyModule("name="+name+"\x00", tinySymbol{"init_module", global | fn, 1, 0, 0})
}

// An entry of __ksymtab has its name when the symbols are stripped: with pointers of 4
// bytes and of 8, with namespaces and without.
func TestExportsOfStrippedModules(t *testing.T) {
	for name, test := range map[string]struct {
		pointer uint64
		fields  uint64
		spaces  bool
	}{
		"PREL32":              {4, 3, true},
		"pointers":            {8, 3, true},
		"PREL32 before 5.4":   {4, 2, false},
		"pointers before 5.4": {8, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := elfrw.Parse("m.ko", moduleWithoutExports("m").bytes())
			require.NoError(t, err)
			text := &elfrw.Section{Name: "__ksymtab_strings", Type: elf.SHT_PROGBITS,
				Flags: uint64(elf.SHF_ALLOC), Align: 1, Data: []byte("one\x00\x00two\x00NS\x00")}
			table := &elfrw.Section{Name: "__ksymtab_gpl", Type: elf.SHT_PROGBITS,
				Flags: uint64(elf.SHF_ALLOC), Align: 8,
				Data: make([]byte, 2*test.pointer*test.fields)}
			relocs := &elfrw.Section{Name: ".rela__ksymtab_gpl", Type: elf.SHT_RELA, Flags: 0x40,
				Align: 8, Link: f.Symtab, Target: table}
			for _, s := range []*elfrw.Section{text, table, relocs} {
				f.AddSection(s)
			}
			here := &elfrw.Symbol{Section: text, Info: byte(elf.STT_SECTION)}
			f.AddSymbol(here)
			var function *elfrw.Symbol
			for _, y := range f.Symbols {
				if y.Name == "init_module" {
					function = y
				}
			}
			at := func(entry, field uint64) uint64 { return (entry*test.fields + field) * test.pointer }
			strings := [][2]int64{{5, 9}, {0, 4}}
			for i := range strings { // not in the order of their places
				entry := uint64(1 - i)
				if test.spaces {
					f.AddReloc(relocs, elfrw.Rela{Offset: at(entry, 2), Sym: here, Type: 2,
						Addend: strings[i][1]})
				}
				f.AddReloc(relocs, elfrw.Rela{Offset: at(entry, 1), Sym: here, Type: 2,
					Addend: strings[i][0]})
				f.AddReloc(relocs, elfrw.Rela{Offset: at(entry, 0), Sym: function, Type: 2})
			}
			b, err := f.Bytes()
			require.NoError(t, err)
			found, err := Read(Names("one", "two", "NS", ""), source(t, "m.ko", b))
			require.NoError(t, err)
			space := ""
			if test.spaces {
				space = "NS"
			}
			assert.Equal(t, []Export{{Object: "m", Name: "one", Source: "m.ko"}},
				found.Exports("one"))
			assert.Equal(t, []Export{{Object: "m", Name: "two", Namespace: space, Source: "m.ko"}},
				found.Exports("two"))
			assert.Empty(t, found.Exports("NS"))
			assert.Empty(t, found.Exports(""))
			assert.Equal(t, test.spaces, found.KnowsNamespace("NS"))
		})
	}
}

// Modules that were named are read whatever is asked for; those of a directory too, and
// they may be broken.
func TestNamedModulesAreRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, b, 0o644))
		return path
	}
	exporting := func(name string) []byte {
		m := moduleWithoutExports(name)
		m.symbols = append(m.symbols, tinySymbol{name: "__ksymtab_f", info: global, shndx: 1})
		return m.bytes()
	}
	one := write("one.ko", exporting("one"))
	write("more/two.ko", exporting("two"))
	write("more/broken.ko", []byte("\x7fELF"))
	k := NewKernel("k", source(t, "s", []byte(tinySymvers)))
	require.NoError(t, k.AddModules(one))
	require.NoError(t, k.AddModules(filepath.Join(dir, "more")))
	for name, read := range map[string]func(Want, ...string) (*Table, error){"Read": k.Read,
		"ReadAll": k.ReadAll, "ReadExports": k.ReadExports} {
		table, err := read(Names("f"), "two")
		require.NoError(t, err, name)
		var objects []string
		for _, e := range table.Exports("f") {
			objects = append(objects, e.Object)
		}
		assert.Subset(t, objects, []string{"one", "two"}, name)
		assert.Len(t, table.Warnings, 1, name)
	}
}
