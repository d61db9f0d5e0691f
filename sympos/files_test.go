// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"cmp"
	stddwarf "debug/dwarf"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/scripts/need"
)

// twinFiles are the sources of testdata/src/twins in the order in which they are
// linked. The second is compiled in its own directory, as no kernel is: its name there is twin.c.
var twinFiles = []string{"fs/proc/twin.c", "fs/ext/twin.c", "kernel/other.c", "kernel/main.c"}

// twinPaths returns what Files must say of one name, from the blocks of the symbol
// table.
func twinPaths(t *testing.T, b []byte, name string) []string {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(b))
	require.NoError(t, err)
	symbols, err := f.Symbols()
	require.NoError(t, err)
	type one struct {
		value uint64
		path  string
	}
	var all []one
	block := -1
	for _, y := range symbols {
		switch {
		case elf.ST_TYPE(y.Info) == elf.STT_FILE:
			block++
		case y.Name != name:
		case elf.ST_BIND(y.Info) == elf.STB_LOCAL:
			all = append(all, one{y.Value, twinFiles[block]})
		default:
			all = append(all, one{y.Value,
				map[bool]string{true: "kernel/main.c",
					false: "kernel/other.c"}[name == "init_module"]})
		}
	}
	if f.Type != elf.ET_REL {
		slices.SortStableFunc(all, func(a, b one) int { return cmp.Compare(a.value, b.value) })
	}
	var paths []string
	for _, x := range all {
		paths = append(paths, x.path)
	}
	return paths
}

var twinNames = []string{"twin_call", "twin_slow", "twin_value", "twin_table", "twin_calls.0",
	"twin_call.twin_calls", "use", "init_module"}

// checkTwins compares Files with the symbol table for each name.
func checkTwins(t *testing.T, name string, b []byte) {
	t.Helper()
	src, err := New(name, bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	table, err := Read(Names(twinNames...), src)
	require.NoError(t, err)
	require.Len(t, table.Objects(), 1)
	object := table.Objects()[0]
	require.Contains(t, []string{Vmlinux, "twins"}, object)
	n := 0
	for _, x := range twinNames {
		want := twinPaths(t, b, x)
		got, err := table.Files(object, x)
		require.NoError(t, err)
		assert.Equal(t, want, fileNames(got), "%s: %s", name, x)
		n += len(got)
	}
	assert.GreaterOrEqual(t, n, 14, "%s: all kinds of symbols", name)
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../testdata/twins", name))
	require.NoError(t, err)
	return b
}

func TestPathsOfEveryArchitecture(t *testing.T) {
	for _, arch := range []string{"s390x", "ppc64le", "aarch64", "ppc32"} {
		checkTwins(t, arch+"-vmlinux", fixture(t, arch+"-vmlinux"))
		checkTwins(t, arch+".ko", fixture(t, arch+".ko"))
	}
}

// buildTwins compiles the sources here and links them as a kernel or a module.
func buildTwins(t *testing.T, module bool, compiler string, flags ...string) []byte {
	t.Helper()
	need.Tools(t, compiler, "ld")
	out := t.TempDir()
	src, err := filepath.Abs("../testdata/src/twins")
	require.NoError(t, err)
	run := func(dir string, command ...string) {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir = dir
		msg, err := cmd.CombinedOutput()
		require.NoError(t, err, "%v: %s", command, msg)
	}
	var objects []string
	for i, f := range []struct{ dir, file string }{{"", "fs/proc/twin.c"}, {"fs/ext", "twin.c"},
		{"", "kernel/other.c"}, {"", "kernel/main.c"}} {
		objects = append(objects, filepath.Join(out, fmt.Sprint(i, ".o")))
		run(filepath.Join(src, f.dir),
			append([]string{compiler, "-c", "-ffreestanding", "-fno-pic", "-mcmodel=kernel",
				"-mno-red-zone", "-fdebug-prefix-map=" + src + "=/build/linux",
				"-o", objects[i], f.file}, flags...)...)
	}
	linked := filepath.Join(out, "linked")
	how := []string{"ld", "-e", "0", "-Ttext=0xffffffff81000000", "-z", "max-page-size=0x1000"}
	if module {
		how = []string{"ld", "-r"}
	}
	for _, f := range flags {
		if z, ok := strings.CutPrefix(f, "-gz="); ok {
			how = append(how, "--compress-debug-sections="+z)
		}
	}
	run(out, append(append(how, "-o", linked), objects...)...)
	b, err := os.ReadFile(linked)
	require.NoError(t, err)
	return b
}

// Every way in which compilers write it: versions, 32 and 64 bits, addresses and
// strings by index, packed in three ways.
func TestPathsByCompilerAndVersion(t *testing.T) {
	for _, flags := range []string{
		"gcc -O2 -gdwarf-5", "gcc -O2 -gdwarf-4", "gcc -O2 -gdwarf-3 " +
			"-gstrict-dwarf", "gcc -O0 -gdwarf-5", "gcc -O2 -gdwarf-5 -gdwarf64",
		"gcc -O2 -gdwarf-4 -ffunction-sections -fdata-sections", "gcc -O2 -gdwarf-5 " +
			"-ffunction-sections -fdata-sections",
		"gcc -O2 -gdwarf-5 -gz=zlib", "gcc -O2 -gdwarf-5 -gz=zlib-gnu", "gcc -O2 -gdwarf-4 " +
			"-gz=zstd",
		"clang -O2 -gdwarf-5", "clang -O2 -gdwarf-4", "clang -O0 -gdwarf-5",
		"clang -O2 -gdwarf-5 -ffunction-sections -fdata-sections",
		"clang -O2 -gdwarf-5 -gdwarf64", "clang -O2 -gdwarf-5 -gz=zlib",
	} {
		t.Run(flags, func(t *testing.T) {
			f := strings.Fields(flags)
			if strings.Contains(flags, "zstd") { // the assembler unpacks nothing else of it
				f = slices.DeleteFunc(f, func(s string) bool { return s == "-gz=zstd" })
				checkTwins(t, flags, packDebug(t, buildTwins(t, false, f[0], f[1:]...)))
				checkTwins(t, flags+" -r", packDebug(t, buildTwins(t, true, f[0], f[1:]...)))
				return
			}
			checkTwins(t, flags, buildTwins(t, false, f[0], f[1:]...))
			checkTwins(t, flags+" -r", buildTwins(t, true, f[0], f[1:]...))
		})
	}
}

// packDebug packs debug sections by zstd.
func packDebug(t *testing.T, b []byte) []byte {
	t.Helper()
	name := filepath.Join(t.TempDir(), "packed")
	require.NoError(t, os.WriteFile(name, b, 0o644))
	if out, err := exec.Command("objcopy", "--compress-debug-sections=zstd",
		name).CombinedOutput(); err != nil {
		need.Skip(t, "objcopy does not know zstd: "+string(out))
	}
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	f, err := elf.NewFile(bytes.NewReader(b))
	require.NoError(t, err)
	require.NotZero(t, f.Section(".debug_info").Flags&elf.SHF_COMPRESSED)
	return b
}

// poke changes the file's first section of that name.
func poke(t testing.TB, b []byte, section string,
	edit func(header []byte, contents []byte)) []byte {
	t.Helper()
	b = slices.Clone(b)
	f, err := elf.NewFile(bytes.NewReader(b))
	require.NoError(t, err)
	for i, s := range f.Sections {
		if s.Name == section {
			shoff := f.ByteOrder.Uint64(b[40:])
			edit(b[shoff+uint64(i)*64:][:64], b[s.Offset:s.Offset+s.FileSize])
			return b
		}
	}
	require.Fail(t, "no section "+section)
	return nil
}

func tablePaths(t testing.TB, b []byte, object, name string) []string {
	t.Helper()
	src, err := New("file", bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	table, err := Read(Names(name), src)
	require.NoError(t, err)
	files, err := table.Files(object, name)
	require.NoError(t, err)
	return fileNames(files)
}

// fileNames are as much of the paths as is known.
func fileNames(files []SourceFile) (names []string) {
	for _, f := range files {
		names = append(names, f.String())
	}
	return names
}

// What there is without debug information, or with a kind that can't be read: names.
func TestPathsFallBackOnNames(t *testing.T) {
	names := []string{"twin.c", "twin.c", ""}
	good := fixture(t, "s390x-vmlinux")
	require.Equal(t, twinPaths(t, good, "twin_call"), tablePaths(t, good, Vmlinux, "twin_call"))
	be32 := func(v uint32) []byte {
		return []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8),
			byte(v)}
	}
	for what, edit := range map[string]func(header, contents []byte){
		"no contents":     func(h, c []byte) { copy(h[4:], be32(uint32(elf.SHT_NOBITS))) },
		"packed, but not": func(h, c []byte) { h[14] |= 8 },
		"unit too long":   func(h, c []byte) { copy(c, be32(0xfffffff0-16)) },
		"wide, too long":  func(h, c []byte) { copy(c, be32(0xffffffff)) },
	} {
		assert.Equal(t, names,
			tablePaths(t, poke(t, good, ".debug_info", edit), Vmlinux, "twin_call"), what)
	}
	// When a section is not in the file, the file was truncated.
	outside := poke(t, good, ".debug_info", func(h, _ []byte) { h[24] = 0x7f })
	src, err := New("file", bytes.NewReader(outside), int64(len(outside)))
	if err == nil {
		_, err = Read(Names("twin_call"), src)
	}
	require.ErrorContains(t, err, "it was cut short")
	unsorted := poke(t, fixture(t, "s390x.ko"), ".rela.debug_info", func(h, c []byte) {
		a := slices.Clone(c[:24])
		copy(c, c[24:48])
		copy(c[24:], a)
	})
	assert.Equal(t, names, tablePaths(t, unsorted, "twins", "twin_call"),
		"a relocation would be missed")
	unknown := poke(t, fixture(t, "s390x.ko"), ".rela.debug_info", func(h, c []byte) { c[15] = 99 })
	assert.Equal(t, names, tablePaths(t, unknown, "twins", "twin_call"),
		"a relocation would be wrong")
}

// Units of a version to come are passed over.
func TestUnitsOfOtherVersions(t *testing.T) {
	b := poke(t, fixture(t, "s390x-vmlinux"), ".debug_info", func(_, c []byte) { c[5] = 6 })
	assert.Equal(t, []string{"twin.c", "fs/ext/twin.c", "kernel/other.c"},
		tablePaths(t, b, Vmlinux, "twin_call"))
}

// A running kernel's addresses are others, and images have no files: positions pair
// them up.
func TestPathsOfWhatAnotherSourceOrders(t *testing.T) {
	b := fixture(t, "s390x-vmlinux")
	src, err := New("vmlinux", bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	plain, err := Read(Names(twinNames...), src)
	require.NoError(t, err)
	var lines []string
	for _, name := range plain.Names(Vmlinux) {
		for _, s := range plain.Lookup(Vmlinux, name) {
			lines = append(lines,
				fmt.Sprintf("%016x %c %s\n", s.Address+0xffffffff00000000, s.Type, s.Name))
		}
	}
	slices.Sort(lines)
	text := "ffffffff00000000 T _text\n" + strings.Join(lines, "") +
		"ffffffffbfff0000 B _end\nffffffffc0000000 t elsewhere\t[some]\n"
	kallsyms, err := New("kallsyms", strings.NewReader(text), int64(len(text)))
	require.NoError(t, err)
	for _, sources := range [][]Source{{src, kallsyms}, {kallsyms, src}} {
		table, err := Read(Names(twinNames...), sources...)
		require.NoError(t, err)
		require.Equal(t, Kallsyms, table.Facts(Vmlinux).Kind)
		for _, name := range twinNames {
			got, err := table.Files(Vmlinux, name)
			require.NoError(t, err)
			assert.Equal(t, twinPaths(t, b, name), fileNames(got), name)
		}
	}
	table, err := Read(Names(twinNames...), kallsyms)
	require.NoError(t, err)
	got, err := table.Files(Vmlinux, "twin_call")
	require.NoError(t, err)
	assert.Equal(t, []string{"", "", ""}, fileNames(got))
	got, err = table.Files("nosuch", "twin_call")
	require.NoError(t, err)
	assert.Empty(t, got)
}

// Debug information of another build is of other symbols.
func TestPathsOfAnotherBuildAreNotTaken(t *testing.T) {
	b := fixture(t, "s390x-vmlinux")
	want := twinPaths(t, b, "twin_call")
	for _, build := range []string{"", "aa", "bb"} {
		table := read(t, source(t, "vmlinux", b))
		table.build, table.Sources[0].BuildID = build, "aa"
		files, err := table.Files(Vmlinux, "twin_call")
		require.NoError(t, err)
		paths := fileNames(files)
		if build == "bb" {
			assert.NotEqual(t, want, paths)
		} else {
			assert.Equal(t, want, paths, build)
		}
	}
}

// Whatever a byte is, nothing panics, all ends, and files are not mixed up
// silently: names stay those of the symbol table.
func TestEveryByteOfDebugInformationPoked(t *testing.T) {
	for _, name := range []string{"ppc32-vmlinux", "s390x.ko"} {
		b := fixture(t, name)
		f, err := elf.NewFile(bytes.NewReader(b))
		require.NoError(t, err)
		for _, s := range f.Sections {
			if !strings.HasPrefix(s.Name, ".debug_") &&
				!strings.HasPrefix(s.Name, ".rela.debug_") || s.Name == ".debug_line" {
				continue
			}
			for i := s.Offset; i < s.Offset+s.FileSize; i++ {
				was := b[i]
				b[i] ^= 1 << (i % 8)
				contractPaths(t, b)
				b[i] = was
			}
		}
	}
}

// contractPaths is what holds of any bytes.
func contractPaths(t testing.TB, b []byte) {
	src, err := New("file", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return
	}
	table, err := Read(Names(twinNames...), src)
	if err != nil {
		return
	}
	for _, object := range table.Objects() {
		for _, name := range table.Names(object) {
			files, err := table.Files(object, name)
			require.NoError(t, err)
			require.Len(t, files, len(table.Lookup(object, name)))
			for i, f := range files {
				found, how := MatchFile(files, f.String())
				if f.Path != "" {
					require.Equal(t, ExactFile, how)
					require.Contains(t, found, i)
				}
			}
		}
	}
}

func FuzzPaths(f *testing.F) {
	names, err := filepath.Glob("../testdata/twins/*")
	require.NoError(f, err)
	require.NotEmpty(f, names)
	for _, name := range names {
		f.Add(fixture(f, filepath.Base(name)))
	}
	f.Fuzz(func(t *testing.T, b []byte) { contractPaths(t, b) })
}

// TestPathsOfARealKernel runs where KLP_VMLINUX names a vmlinux with debug
// information: that of Debian's linux-image-*-dbg, say. The judge is debug/dwarf, which
// reads all of it.
func TestPathsOfARealKernel(t *testing.T) {
	name := need.Variable(t, "KLP_VMLINUX", "it is a vmlinux with debug information")
	src, err := Open(name)
	require.NoError(t, err)
	some, err := Read(Names("name_show", "init_once", "cmdline_proc_show", "dev_attr_name"), src)
	require.NoError(t, err)
	start := time.Now()
	_, err = some.Files(Vmlinux, "")
	require.NoError(t, err)
	t.Logf("4 names: %v", time.Since(start))
	all, err := Read(All, src)
	require.NoError(t, err)
	object := all.Objects()[0]
	start = time.Now()
	_, err = all.Files(object, "")
	require.NoError(t, err)
	t.Logf("%d names: %v", len(all.Names(object)), time.Since(start))

	f, err := elf.Open(name)
	require.NoError(t, err)
	defer f.Close()
	require.NotEqual(t, elf.ET_REL, f.Type,
		"debug/dwarf does not tell the sections of a module apart")
	code, data := judge(t, f)
	var told, positions, sameName int
	for _, n := range all.Names(object) {
		list := all.Lookup(object, n)
		files, err := all.Files(object, n)
		require.NoError(t, err)
		paths := fileNames(files)
		for i, s := range list {
			if !strings.Contains(paths[i], "/") {
				assert.Equal(t, s.File, paths[i])
				if s.Type|0x20 == 't' && s.File != "" {
					assert.Empty(t, code(s.Address), "%s: not found, but it is there", s)
				}
				continue
			}
			told++
			truth := append(slices.Clone(data[s.Address]), code(s.Address)) // empty objects share an address
			require.True(t, slices.ContainsFunc(truth, func(x string) bool {
				return x == paths[i] || strings.HasSuffix(x, "/"+strings.TrimPrefix(paths[i], "/"))
			}), "%s: %q, and debug/dwarf has %q", s, paths[i], truth)
			if len(list) > 1 {
				if match, how := MatchFile(files, paths[i]); how == ExactFile && len(match) == 1 {
					require.Equal(t, i, match[0])
					positions++
					if slices.ContainsFunc(paths,
						func(p string) bool {
							return p != paths[i] &&
								path.Base(p) == path.Base(paths[i])
						}) {
						sameName++
					}
				}
			}
		}
	}
	t.Logf("%d symbols with paths; %d of several with one name found by path, %d of them from files whose "+
		"names are shared", told, positions, sameName)
	require.Greater(t, positions, 1000)
	require.Greater(t, sameName, 100)
}

// judge returns the file of an address of code, and those of the variables.
func judge(t *testing.T, f *elf.File) (code func(uint64) string, data map[uint64][]string) {
	d, err := f.DWARF()
	require.NoError(t, err)
	type piece struct {
		low, high uint64
		path      string
	}
	var pieces []piece
	data = map[uint64][]string{}
	r := d.Reader()
	var file string
	for {
		e, err := r.Next()
		require.NoError(t, err)
		if e == nil {
			break
		}
		switch e.Tag {
		case stddwarf.TagCompileUnit:
			file, _ = e.Val(stddwarf.AttrName).(string)
			if dir, ok := e.Val(stddwarf.AttrCompDir).(string); ok && !path.IsAbs(file) {
				file = path.Join(dir, file)
			}
			ranges, err := d.Ranges(e)
			require.NoError(t, err)
			for _, x := range ranges {
				pieces = append(pieces, piece{x[0], x[1], file})
			}
		case stddwarf.TagVariable:
			if loc, ok := e.Val(stddwarf.AttrLocation).([]byte); ok && len(loc) == 9 &&
				loc[0] == 3 {
				at := f.ByteOrder.Uint64(loc[1:])
				data[at] = append(data[at], file)
			}
		}
	}
	slices.SortFunc(pieces, func(a, b piece) int { return cmp.Compare(a.low, b.low) })
	return func(address uint64) string {
		i, found := slices.BinarySearchFunc(pieces, address,
			func(p piece, a uint64) int { return cmp.Compare(p.low, a) })
		if !found {
			i--
		}
		for ; i >= 0 && pieces[i].low <= address; i-- {
			if address < pieces[i].high {
				return pieces[i].path
			}
			if address-pieces[i].low > 1<<24 {
				break
			}
		}
		return ""
	}, data
}
