// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
	"github.com/klp-convert/klp-convert/sympos"
)

// moduleFile writes a module called name whose symbol table goes "file.c: symbol
// symbol", and so on; a file without a name does not count.
func moduleFile(t testing.TB, name string, files ...string) string {
	t.Helper()
	f := bare(t, "x86_64")
	s := section(t, f, ".modinfo")
	s.Data = []byte(strings.Replace(string(s.Data), "name=records_rfc\x00", "name="+name+"\x00", 1))
	text := section(t, f, ".text")
	for _, line := range files {
		file, symbols, _ := strings.Cut(line, ":")
		if file != "" {
			f.AddSymbol(&elfrw.Symbol{Name: file, Info: byte(elf.STT_FILE), Index: elf.SHN_ABS})
		}
		for _, y := range strings.Fields(symbols) {
			f.AddSymbol(&elfrw.Symbol{Name: y, Info: byte(elf.STT_FUNC), Section: text, Size: 4})
		}
	}
	path := filepath.Join(t.TempDir(), name+".ko")
	require.NoError(t, os.WriteFile(path, encode(t, f), 0o644))
	return path
}

// byFile is the borrower with an annotation by file, as a label.
func byFile(t testing.TB, object, name, file string) *elfrw.File {
	f := borrower(t, object)
	use(f, addUndefined(f, ".klp.sym.file."+object+"."+object+"."+name+"/"+file, elf.STB_GLOBAL))
	return f
}

func withModules(t testing.TB, text string, files ...string) *sympos.Kernel {
	k := kernelOf(t, text)
	for _, file := range files {
		require.NoError(t, k.AddModules(file))
	}
	return k
}

func TestAnnotationByFile(t *testing.T) {
	k := withModules(t, kallsyms, moduleFile(t, "tgt", "one.c: show other", "two.c: show",
		"three.c: show same", "three.c: same"))
	for name, test := range map[string]struct {
		symbol, file string
		klp          string
		id           diag.ID
		severity     diag.Severity
		message      string
		hints        []string
	}{
		"first": {symbol: "show", file: "drivers/one.c", klp: "show,1", id: diag.FileAssumed,
			severity: diag.Warning,
			message: "symbol show of tgt is from a file called one.c, which is treated as drivers/one.c: " +
				"nothing tells its directory",
			hints: []string{"a vmlinux or module with debug information tells it"}},
		"second": {symbol: "show", file: "./two.c", klp: "show,2"},
		"third": {symbol: "show", file: "a//b/three.c", klp: "show,3", id: diag.FileAssumed,
			severity: diag.Warning,
			message: "symbol show of tgt is from a file called three.c, which is treated as a/b/three.c: " +
				"nothing tells its directory",
			hints: []string{"a vmlinux or module with debug information tells it"}},
		"the only one": {symbol: "other", file: "one.c", klp: "other,0"},
		"the only one, not there": {symbol: "other", file: "two.c", id: diag.OtherFile,
			severity: diag.Error, message: "no symbol other in tgt is from two.c",
			hints: []string{"KLP_RELOC_SYMBOL(tgt, tgt, other)   /* t 0000000000000000 +0x4 one.c */"}},
		"elsewhere": {symbol: "show", file: "four.c", id: diag.OtherFile, severity: diag.Error,
			message: "no symbol show in tgt is from four.c",
			hints: []string{
				"KLP_RELOC_SYMBOL_POS(tgt, tgt, show, 1)   /* t 0000000000000000 +0x4 one.c */",
				"KLP_RELOC_SYMBOL_POS(tgt, tgt, show, 2)   /* t 0000000000000000 +0x4 two.c */",
				"KLP_RELOC_SYMBOL_POS(tgt, tgt, show, 3)   /* t 0000000000000000 +0x4 three.c */"}},
		"equal names of files": {symbol: "same", file: "x/three.c", id: diag.Ambiguous,
			severity: diag.Error,
			message: "2 symbols called same in tgt are from a file called three.c; debug information would " +
				"tell the directories of the files",
			hints: []string{
				"KLP_RELOC_SYMBOL_POS(tgt, tgt, same, 1)   /* t 0000000000000000 +0x4 three.c */",
				"KLP_RELOC_SYMBOL_POS(tgt, tgt, same, 2)   /* t 0000000000000000 +0x4 three.c */"}},
		"no such symbol": {symbol: "sho", file: "one.c", id: diag.NoSuchSymbol, severity: diag.Error,
			message: "tgt has no symbol called sho"},
	} {
		t.Run(name, func(t *testing.T) {
			f := byFile(t, "tgt", test.symbol, test.file)
			o := klpreloc.Options{Kernel: k}
			if test.severity == diag.Error {
				_, found := against(t, f, o)
				d := the(t, test.id, found)
				assert.Equal(t, test.message, d.Message)
				assert.Equal(t, test.hints, d.Hints)
				return
			}
			g, found := convertedAgainst(t, f, o)
			symbol(t, g, ".klp.sym.tgt."+test.klp)
			if test.id == "" {
				assert.Empty(t, found)
				return
			}
			d := the(t, test.id, found)
			assert.Equal(t, test.severity, d.Severity)
			assert.Equal(t, test.message, d.Message)
			assert.Equal(t, test.hints, d.Hints)
		})
	}
}

// Debug information tells paths, of which the end is not enough. What is refused is not
// offered again.
func TestAnnotationByPath(t *testing.T) {
	k := withModules(t, kallsyms, "../testdata/twins/s390x.ko")
	line := func(file string) string {
		return `KLP_RELOC_SYMBOL_FILE(twins, twins, twin_call, "` + file + `")`
	}
	all := []string{line("fs/proc/twin.c"), line("fs/ext/twin.c"), line("kernel/other.c")}
	for file, test := range map[string]struct {
		klp   string
		hints []string
	}{
		"fs/proc/twin.c":      {klp: "twin_call,1"},
		"fs/ext/twin.c":       {klp: "twin_call,2"},
		"./kernel//other.c":   {klp: "twin_call,3"},
		"ext/twin.c":          {hints: all},
		"twin.c":              {hints: all},
		"linux/fs/ext/twin.c": {hints: all},
		"kernel/main.c":       {hints: all},
	} {
		o := klpreloc.Options{Kernel: k}
		if test.klp != "" {
			g, found := convertedAgainst(t, byFile(t, "twins", "twin_call", file), o)
			symbol(t, g, ".klp.sym.twins."+test.klp)
			assert.Empty(t, with(diag.FileAssumed, found), file)
			continue
		}
		_, found := against(t, byFile(t, "twins", "twin_call", file), o)
		d := the(t, diag.OtherFile, found)
		require.Len(t, d.Hints, len(test.hints), file)
		for i, h := range d.Hints {
			assert.Equal(t, test.hints[i], strings.TrimSpace(strings.Split(h, "/*")[0]), file)
			assert.NotContains(t, h, line(file))
		}
	}
}

// A kernel's own table has no files. The only symbol of its name is taken, with a
// word; among several nothing can choose.
func TestAnnotationByFileWithoutFiles(t *testing.T) {
	o := klpreloc.Options{Kernel: kernelOf(t, kallsyms)}
	g, found := convertedAgainst(t, byFile(t, "vmlinux", "once", "fs/once.c"), o)
	symbol(t, g, ".klp.sym.vmlinux.once,0")
	assert.Equal(t, diag.Warning, the(t, diag.NotChecked, found).Severity)

	_, found = against(t, byFile(t, "vmlinux", "show", "fs/once.c"), o)
	d := the(t, diag.FileUnknown, found)
	assert.Equal(t, diag.Error, d.Severity)
	assert.Equal(t, []string{
		"KLP_RELOC_SYMBOL_POS(vmlinux, vmlinux, show, 1)   /* t ffffffff81000300 +0x40 */",
		"KLP_RELOC_SYMBOL_POS(vmlinux, vmlinux, show, 2)   /* t ffffffff81000340 +0xc0 */"}, d.Hints)

	_, found = against(t, byFile(t, "elsewhere", "show", "fs/once.c"), o)
	assert.Equal(t,
		"symbol show of elsewhere is annotated by file, and no symbols of elsewhere are available",
		the(t, diag.FileUnknown, found).Message)
}

// The proof knows a position that was looked up only from the answers, and does
// not believe any.
func TestProofNeedsTheAnswers(t *testing.T) {
	k := withModules(t, kallsyms, moduleFile(t, "tgt", "one.c: show", "two.c: show"))
	before := encode(t, byFile(t, "tgt", "show", "two.c"))
	f := parse(t, before)
	plan, found := klpreloc.NewPlan(f, klpreloc.Options{Kernel: k})
	require.False(t, found.Failed(), "%v", found)
	require.NoError(t, plan.Apply())
	after := encode(t, f)
	prove := func(edit func(*proof.Claims)) error {
		a := proof.Claims{Looked: append([]proof.Lookup{}, plan.Claims.Looked...)}
		edit(&a)
		return proof.Check(parse(t, before), parse(t, after), a, nil)
	}
	require.NoError(t, prove(func(*proof.Claims) {}))
	for name, edit := range map[string]func(*proof.Claims){
		"none":           func(a *proof.Claims) { a.Looked = nil },
		"position":       func(a *proof.Claims) { a.Looked[0].Pos = 1 },
		"object":         func(a *proof.Claims) { a.Looked[0].Object = "ext4" },
		"gate":           func(a *proof.Claims) { a.Looked[0].LPObject = "ext4" },
		"name":           func(a *proof.Claims) { a.Looked[0].Name = "other" },
		"another symbol": func(a *proof.Claims) { a.Looked[0].Num-- },
		"no symbol":      func(a *proof.Claims) { a.Looked[0].Num = 1 << 40 },
		"symbol 0":       func(a *proof.Claims) { a.Looked[0].Num = 0 },
	} {
		assert.Error(t, prove(edit), name)
	}
}

// A told source is what a test says that it is.
type told struct {
	sympos.Facts
	name string
	file string
}

func (s told) String() string { return s.name }

func (s told) Scan(visit func(*sympos.Entry)) (sympos.Facts, error) {
	for i := range 2 {
		visit(&sympos.Entry{Object: sympos.Vmlinux, Name: []byte("show"), Address: 0x1000 + uint64(i),
			Size: 1, Type: 't', File: []byte(s.file)})
		if s.file != "" {
			s.file = "other.c"
		}
	}
	visit(&sympos.Entry{Object: sympos.Vmlinux, Name: []byte("__ksymtab_klp_enable_patch"),
		Address: 0x2000, Type: 'r'})
	return s.Facts, nil
}

// Another build's vmlinux does not tell which of an image's symbols is whose.
func TestFilesOfAnotherBuildTellNothing(t *testing.T) {
	image := told{sympos.Facts{Kind: sympos.Image, Order: sympos.Listed, BuildID: "aa"}, "image", ""}
	for _, c := range []struct {
		build string
		ok    bool
	}{{"aa", true}, {"", true}, {"bb", false}} {
		vmlinux := told{sympos.Facts{Kind: sympos.VmlinuxFile, Order: sympos.ByAddress, BuildID: c.build},
			"vmlinux", "show.c"}
		_, found := against(t, byFile(t, "vmlinux", "show", "show.c"),
			klpreloc.Options{Kernel: sympos.NewKernel("both", image, vmlinux)})
		reported := with(diag.Contradiction, found)
		if c.ok {
			assert.Empty(t, reported, c.build)
			assert.Empty(t, with(diag.FileUnknown, found))
			continue
		}
		require.Len(t, reported, 2)
		assert.True(t, found.Failed())
		assert.Equal(t, diag.Error, reported[0].Severity)
		assert.Equal(t,
			"symbol show of vmlinux is annotated by file, and the source that names files is from another "+
				"build: image has build-id aa, vmlinux has bb", reported[0].Message)
		assert.Len(t, reported[0].Hints, 2)
		assert.Equal(t, diag.Warning, reported[1].Severity)
		assert.Equal(t,
			"kernel both: different builds: image has build-id aa, vmlinux has bb: the given files come from different kernels",

			reported[1].Message)
	}
}

// Contradictions between the kernel's parts are reported at every conversion.
func TestPartsOfDifferentKernelsAreWarnedOf(t *testing.T) {
	k := kernelOf(t, kallsyms)
	k.Warnings = []string{"parts of different kernels: 6.1 and 6.2"}
	_, found := against(t, borrower(t), klpreloc.Options{Kernel: k})
	d := the(t, diag.Contradiction, found)
	assert.Equal(t, diag.Warning, d.Severity)
	assert.Equal(t,
		"kernel kernel: parts of different kernels: 6.1 and 6.2: the given files come from different kernels",

		d.Message)
}
