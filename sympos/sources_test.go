// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/scripts/need"
)

func source(t *testing.T, name string, b []byte) Source {
	t.Helper()
	s, err := New(name, bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	return s
}

func text1(t *testing.T, name, s string) *Table {
	t.Helper()
	return read(t, source(t, name, []byte(s)))
}

const kallsyms = `0000000000000000 A fixed_percpu_data
0000000000000000 A __per_cpu_start
0000000000001000 A dup
ffffffff81000000 T _text
ffffffff81000100 t dup
ffffffff81000200 t name_show
ffffffff81000200 W name_show
ffffffff81000300 t dup
ffffffffc0002000 t dup	[ext4]
ffffffffc0001000 t dup	[ext4]
ffffffffc0001000 a counter	[ext4]
0000000000000000 U printk	[lp]
ffffffffc0009000 t bpf_prog_1	[bpf]
ffffffffc0009000 t ftrace_trampoline	[__builtin__ftrace]
`

func TestKallsymsText(t *testing.T) {
	table := text1(t, "k", kallsyms)
	assert.Equal(t, []string{"ext4", "vmlinux"}, table.Objects())
	assert.Equal(t, Kallsyms, table.Facts("vmlinux").Kind)
	assert.Equal(t, []uint64{0x1000, 0xffffffff81000100, 0xffffffff81000300},
		addresses(table.Lookup("vmlinux", "dup")))
	assert.EqualValues(t, 0x100, table.Lookup("vmlinux", "dup")[1].Size)
	assert.Equal(t, []uint64{0xffffffffc0002000, 0xffffffffc0001000},
		addresses(table.Lookup("ext4", "dup")))
	assert.Len(t, table.Lookup("ext4", "counter"), 1)
	assert.Equal(t, byte('W'), table.Lookup("vmlinux", "name_show")[1].Type)
	_, err := table.Resolve("vmlinux", "fixed_percpu_data", 0)
	assert.ErrorIs(t, err, ErrAddress0)
}

func TestKallsymsWithoutPermission(t *testing.T) {
	lines := "0000000000000000 T _text\n0000000000000000 t dup\n0000000000000000 t " +
		"b\n0000000000000000 t dup\n"
	table := text1(t, "k", lines)
	f := table.Facts("vmlinux")
	assert.True(t, f.NoAddresses)
	assert.Contains(t, f.Notes[0], "all addresses are 0")
	s, err := table.Resolve("vmlinux", "dup", 2)
	require.NoError(t, err, "positions need no addresses")
	assert.Equal(t, 2, s.Position)

	// Sorted by name, it has no order.
	table = text1(t, "k", "0000000000000000 T a\n0000000000000000 t dup\n0000000000000000 t dup\n")
	_, err = table.Resolve("vmlinux", "dup", 2)
	assert.ErrorIs(t, err, ErrUnordered)
}

func TestKallsymsSortedByNameIsPutRight(t *testing.T) {
	table := text1(t, "k", "ffffffff81000300 t dup\nffffffff81000100 t dup\nffffffffc0000000 t "+
		"m\t[m]\nffffffffc0000000 t m\t[m]\n")
	assert.Equal(t, []uint64{0xffffffff81000100, 0xffffffff81000300},
		addresses(table.Lookup("vmlinux", "dup")))
	assert.Equal(t, ByAddress, table.Facts("vmlinux").Order)
	_, err := table.Resolve("m", "m", 1)
	assert.ErrorIs(t, err, ErrUnordered)
}

func TestSystemMap(t *testing.T) {
	table := text1(t, "s", `0000000000000000 D __per_cpu_start
0000000000001000 A dup
ffffffff81000000 T _text
ffffffff81000010 t dup
ffffffff81000010 t __efistub_dup
ffffffff81000010 a dup
ffffffff81000020 t dup
ffffffff81000020 r __kstrtab_dup
`)
	assert.Equal(t, SystemMap, table.Facts("vmlinux").Kind)
	assert.Equal(t, []uint64{0xffffffff81000010, 0xffffffff81000020},
		addresses(table.Lookup("vmlinux", "dup")), "absolute ones are not in kallsyms")
	assert.Empty(t, table.Lookup("vmlinux", "__efistub_dup"))
	assert.NotEmpty(t, table.Lookup("vmlinux", "__kstrtab_dup"))
}

func TestDebianStub(t *testing.T) {
	stub := "ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n"
	require.Len(t, stub, 83+len("\n")-1)
	_, err := New("System.map", strings.NewReader(stub), int64(len(stub)))
	assert.ErrorIs(t, err, ErrStub)
}

func TestKlpList(t *testing.T) {
	for _, header := range []string{"klp-convert-symbol-data.0.1\n", ""} {
		table := text1(t, "l", header+"*vmlinux\na\ndup\ndup\n*nf-nat\ndup\n")
		assert.Equal(t, []string{"nf_nat", "vmlinux"}, table.Objects())
		assert.Len(t, table.Lookup("vmlinux", "dup"), 2)
		assert.Len(t, table.Lookup("nf_nat", "dup"), 1)
		assert.Equal(t, SymbolList, table.Facts("vmlinux").Kind)
		_, err := table.Resolve("vmlinux", "dup", 1)
		assert.ErrorIs(t, err, ErrUnordered)
	}
}

func TestBadText(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"symbol in no object", "klp-convert-symbol-data.0.1\na\n",
			`x: file+0x1c: line 2: symbol "a" belongs to no object`},
		{"two words", "*vmlinux\na b\n", "neither an object nor a symbol"},
		{"no symbol", "ffffffff81000000 T a\nhello\n",
			"x: file+0x15: line 2: neither a symbol nor the end"},
		{"module without bracket", "ffffffff81000000 T a\nffffffff81000000 T a\t[b\n",
			"neither a symbol"},
		{"endless line", "ffffffff81000000 T a\n" + strings.Repeat("f", maxLine+1),
			"a line of more than"},
		{"endless list line", "*vmlinux\n" + strings.Repeat("f", maxLine+1), "a line of more than"},
	} {
		_, err := source(t, "x", []byte(c.text)).Scan(func(*Entry) {})
		assert.ErrorContains(t, err, c.want, c.name)
	}
	for _, text := range []string{"", "\n", "hello\n", "ffffffff81000000 T \n",
		"fffffffff81000000f T a\n", "*", "\x00"} {
		_, err := New("x", strings.NewReader(text), int64(len(text)))
		assert.ErrorIs(t, err, ErrUnknown, "%q", text)
	}
}

func TestVmlinuxFile(t *testing.T) {
	linked := tinyVmlinux(
		tinySymbol{"b.c", local | file, abs, 0, 0},
		tinySymbol{"dup", local | fn, 1, 0x2000, 7},
		tinySymbol{"c.c", local | file, abs, 0, 0},
		tinySymbol{"dup", local | fn, 1, 0x1000, 5},
		tinySymbol{"dup", local | fn, abs, 0x10, 0},
		tinySymbol{"dup", local | fn, 3, 0x20, 0},
		tinySymbol{"kept", global, 4, 0x4000, 0},
		tinySymbol{".Ldup", local, 1, 0x20, 0},
		tinySymbol{"kallsyms_names", local, 1, 0x20, 0},
		tinySymbol{"dup", global | data_, 2, 0x3000, 8},
		tinySymbol{"dup", global | data_, 0, 0, 0},
		tinySymbol{"w", weak | fn, 1, 0x1000, 0},
		tinySymbol{"w", global | fn, 1, 0x1000, 0},
	)
	linked.sections = append(linked.sections, tinySection{".data_nosave", elf.SHF_WRITE, 0, nil})
	b := linked.bytes()
	table := read(t, source(t, "vmlinux", b))
	assert.Equal(t, []Symbol{
		{"vmlinux", "dup", 1, 1, 0x1000, 5, 't', "c.c", "vmlinux"},
		{"vmlinux", "dup", 2, 2, 0x2000, 7, 't', "b.c", "vmlinux"},
		{"vmlinux", "dup", 3, 3, 0x3000, 8, 'D', "", "vmlinux"},
	}, table.Lookup("vmlinux", "dup"))
	assert.Equal(t, []string{"dup", "kept", "w"}, table.Names("vmlinux"))
	assert.Equal(t, byte('?'), table.Lookup("vmlinux", "kept")[0].Type)
	assert.Equal(t, byte('W'), table.Lookup("vmlinux", "w")[1].Type)
}

// objtool's first version counted in vmlinux.o, which the linker sorts again.
func TestMistakeOfObjtool_OrderOfVmlinuxO(t *testing.T) {
	symbols := []tinySymbol{
		{"first.c", local | file, abs, 0, 0},
		{"dup", local | fn, 1, 0x0, 4},
		{"second.c", local | file, abs, 0, 0},
		{"dup", local | fn, 1, 0x8, 4},
	}
	o := tinyVmlinux(symbols...)
	o.etype = elf.ET_REL
	_, err := Read(All, source(t, "vmlinux.o", o.bytes()))
	require.ErrorIs(t, err, ErrObjectFile)
	assert.ErrorContains(t, err, "vmlinux.o: ")

	// In the linked kernel, same table, the second file came first.
	symbols[1].value, symbols[3].value = 0x1020, 0x1000
	table := read(t, source(t, "vmlinux", tinyVmlinux(symbols...).bytes()))
	s, err := table.Resolve("vmlinux", "dup", 1)
	require.NoError(t, err)
	assert.Equal(t, "second.c", s.File)
}

// kpatch counted by address in modules too, and before that in whatever order
// readelf's lines were put.
func TestMistakeOfKpatch_AddressOrderInModules(t *testing.T) {
	b := tinyModule("license=GPL\x00name=nf_nat\x00",
		tinySymbol{"high.c", local | file, abs, 0, 0},
		tinySymbol{"dup", local | fn, 1, 0x20, 4},
		tinySymbol{"low.c", local | file, abs, 0, 0},
		tinySymbol{"dup", local | fn, 1, 0x10, 4},
		tinySymbol{"dup", global | fn, 1, 0x00, 4},
	).bytes()
	table := read(t, source(t, "anything", b))
	list := table.Lookup("nf_nat", "dup")
	assert.Equal(t, []uint64{0x20, 0x10, 0}, addresses(list))
	s, err := table.Resolve("nf_nat", "dup", 1)
	require.NoError(t, err)
	assert.Equal(t, "high.c", s.File)
	// A global one counts, although kpatch skipped it, and 0 is an offset here.
	s, err = table.Resolve("nf_nat", "dup", 3)
	require.NoError(t, err)
	assert.Empty(t, s.File)
}

func TestModuleSymbolsThatGo(t *testing.T) {
	symbols := []tinySymbol{
		{"f", local | fn, 2, 0, 0},       // .init.text
		{"f", local | fn, 1, 0, 0},       // stays
		{"f", local, abs, 0, 0},          // absolute
		{"f", local, 3, 0, 0},            // not in memory
		{"f", local, 4, 0, 0},            // .modinfo
		{"f", local | data_, 6, 0, 0},    // per CPU
		{"f", global | fn, 0, 0, 0},      // undefined
		{"f", global | fn, 0xfff2, 0, 0}, // common
		{"", local, 1, 0, 0},
	}
	table := read(t, source(t, "m", tinyModule("name=m\x00", symbols...).bytes()))
	var loaded []int
	for i, s := range table.Lookup("m", "f") {
		assert.Equal(t, i+1, s.Position)
		loaded = append(loaded, s.Loaded)
	}
	assert.Equal(t, []int{0, 1, 0, 0, 0, 2, 0}, loaded)

	// A livepatch module keeps them all.
	table = read(t, source(t, "m", tinyModule("name=m\x00livepatch=Y\x00", symbols...).bytes()))
	for _, s := range table.Lookup("m", "f") {
		assert.True(t, s.Steady())
	}
}

func TestModuleWithoutNameIsCalledAsItsFile(t *testing.T) {
	b := tinyModule("license=GPL\x00", tinySymbol{"f", local | fn, 1, 0, 0}).bytes()
	assert.Equal(t, []string{"nf_nat"}, read(t, source(t, "/lib/nf-nat.ko.xz", b)).Objects())
}

func TestCompressedFiles(t *testing.T) {
	b := tinyModule("name=m\x00", tinySymbol{"f", local | fn, 1, 0x10, 0}).bytes()
	for name, pack := range map[string]func(io.Writer) (io.WriteCloser, error){
		"gz":  func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		"xz":  func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
		"zst": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
	} {
		t.Run(name, func(t *testing.T) {
			var packed bytes.Buffer
			w, err := pack(&packed)
			require.NoError(t, err)
			_, err = w.Write(b)
			require.NoError(t, err)
			require.NoError(t, w.Close())
			table := read(t, source(t, "m."+name, packed.Bytes()))
			assert.Equal(t, []uint64{0x10}, addresses(table.Lookup("m", "f")))
			for cut := range packed.Len() {
				s, err := New("cut", bytes.NewReader(packed.Bytes()[:cut]), int64(cut))
				// less than that may be the end of the container
				if err == nil && cut < packed.Len()-12-16 {
					_, err = s.Scan(func(*Entry) {})
					assert.Error(t, err, "cut at %d", cut)
				}
			}
		})
	}
}

// Every byte of a good file, changed: an error or not, never a panic.
func TestPokedELF(t *testing.T) {
	for _, e := range []tinyELF{
		tinyVmlinux(tinySymbol{"a.c", local | file, abs, 0, 0},
			tinySymbol{"dup", local | fn, 1, 0x2000, 7}),
		tinyModule("name=m\x00", tinySymbol{"f", local | fn, 1, 0, 0}),
	} {
		good := e.bytes()
		for i := range good {
			for _, v := range []byte{0, 1, 0x7f, 0x80, 0xff} {
				b := bytes.Clone(good)
				b[i] = v
				if s, err := New("x", bytes.NewReader(b), int64(len(b))); err == nil {
					_, _ = s.Scan(func(*Entry) {})
				}
			}
		}
		for n := range good {
			if s, err := New("x", bytes.NewReader(good[:n]), int64(n)); err == nil {
				_, err = s.Scan(func(*Entry) {})
				assert.Error(t, err, "cut at %d", n)
			}
		}
	}
}

func TestBadELF(t *testing.T) {
	le := func(b []byte, off, size int, v uint64) {
		for i := range size {
			b[off+i] = byte(v >> (8 * i))
		}
	}
	base := tinyVmlinux(tinySymbol{"f", local | fn, 1, 0x1000, 0})
	shoff := func(b []byte) int { return int(b[40]) | int(b[41])<<8 }
	for _, c := range []struct {
		name string
		poke func(b []byte)
		want string
	}{
		{"class", func(b []byte) { b[4] = 7 }, "class 7 is unknown"},
		{"byte order", func(b []byte) { b[5] = 7 }, "byte order 7 is unknown"},
		{"type", func(b []byte) { b[16] = byte(elf.ET_CORE) }, "ET_CORE"},
		{"entry size", func(b []byte) { b[58] = 63 }, "section headers of 63 bytes"},
		{"section headers far away", func(b []byte) { le(b, 40, 8, 1<<63) }, "are not in the file"},
		{"section headers just out", func(b []byte) { le(b, 40, 8, uint64(len(b))-63) },
			"are not in the file"},
		{"too many sections", func(b []byte) { le(b, 60, 2, 0); le(b, shoff(b)+32, 8, 1<<40) },
			"too large"},
		{"symbol table out of file", func(b []byte) { le(b, shoff(b)+4*64+32, 8, 1<<30) },
			".symtab: symbol table: 0x40000000 bytes"},
		{"no such string table", func(b []byte) { le(b, shoff(b)+4*64+40, 4, 99) },
			".symtab: sh_link is 99 of 7 sections"},
		{"no such section", func(b []byte) {
			le(b, bytes.Index(b, []byte("\x00f\x00"))-24+6, 2,
				50)
		}, `symbol "f": section 50 of 7`},
	} {
		b := base.bytes()
		c.poke(b)
		s, err := New("x", bytes.NewReader(b), int64(len(b)))
		if err == nil {
			_, err = s.Scan(func(*Entry) {})
		}
		var e *elfrw.Error
		assert.ErrorAs(t, err, &e, c.name)
		assert.ErrorContains(t, err, c.want, c.name)
	}
	stripped := base
	stripped.stripped = true
	_, err := Read(All, source(t, "x", stripped.bytes()))
	assert.ErrorIs(t, err, ErrNoSymbols)
}

// The sample modules, of both classes and byte orders, as debug/elf and elfrw see
// them.
func TestModulesAgreeWithOracle(t *testing.T) {
	paths, err := filepath.Glob("../testdata/*/*.ko")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		s, err := Open(path)
		require.NoError(t, err)
		var got []string
		_, err = s.Scan(func(e *Entry) { got = append(got, string(e.Name)) })
		if f, perr := elfrw.Parse(path, b); perr == nil && f.Section(ThisModule) != nil {
			require.NoError(t, err, path)
		} else {
			require.ErrorIs(t, err, ErrObjectFile, path)
			continue
		}
		f, err := elf.NewFile(bytes.NewReader(b))
		require.NoError(t, err)
		symbols, err := f.Symbols()
		require.NoError(t, err)
		var want []string
		for _, y := range symbols {
			if y.Section != elf.SHN_UNDEF && y.Name != "" {
				want = append(want, y.Name)
			}
		}
		assert.Equal(t, want, got, path)
	}
}

func TestOpenSaysWhatTheSystemSays(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = Open(t.TempDir())
	assert.ErrorContains(t, err, "is a directory")
}

func TestOpenReadsFilesOfProc(t *testing.T) {
	s, err := Open("/proc/kallsyms")
	if err != nil {
		need.Absent(t, "/proc/kallsyms cannot be read: "+err.Error())
	}
	table, err := Read(Names("_text", "_stext"), s)
	require.NoError(t, err)
	assert.Equal(t, Kallsyms.String(), table.Facts(Vmlinux).Kind.String())
}

// A file that is cut short while it is read is an error, however it was read.
func TestFileThatShrinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vmlinux")
	b := tinyVmlinux(manySymbols(100_000)...).bytes()
	require.Greater(t, len(b), mapFrom)
	require.NoError(t, os.WriteFile(path, b, 0o644))
	s, err := Open(path)
	require.NoError(t, err)
	var once sync.Once
	_, err = Read(func([]byte) bool {
		once.Do(func() { require.NoError(t, os.Truncate(path, 4096)) })
		return false
	}, s)
	assert.ErrorIs(t, err, errShrank)
	assert.ErrorContains(t, err, path)
}

func TestLeftOutKnowsEveryNameOfItsLists(t *testing.T) {
	for _, p := range ignoredPrefixes {
		if p != "__kvm_nvhe_" {
			assert.True(t, isLeftOut([]byte(p+"x")), p)
		}
	}
	for _, n := range ignoredNames {
		assert.True(t, isLeftOut([]byte(n)), n)
	}
	for _, p := range ignoredLater {
		assert.True(t, isLeftOutLater([]byte(p+"x")), p)
	}
	for _, n := range []string{"f", "_", "__", "__crc", "__crc32", "_SDA", "kallsyms_lookup_name",
		"__pi_memcpy", "L", "__kvm_nvhe_f", "veneer_f"} {
		assert.False(t, isLeftOut([]byte(n)), n)
	}
}
