// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/sympos"
)

// What the tests of this package work with: a livepatch, converted, and small kernels with
// one module, all made here.

var (
	parse     = testmodule.Parse
	encode    = testmodule.Bytes
	section   = testmodule.Section
	symbol    = testmodule.Symbol
	hasSymbol = testmodule.HasSymbol
	undefined = testmodule.AddUndefined
	add       = testmodule.AddSection
)

type fn = testmodule.Func

func contents(t testing.TB, name string) []byte {
	t.Helper()
	return testmodule.Read(t, filepath.Join("../../testdata", name))
}

// code adds a function that takes the address of each symbol.
func code(t testing.TB, f *elfrw.File, sec, name string, uses ...string) *elfrw.Symbol {
	t.Helper()
	s, rs := add(f, sec, elf.SHF_EXECINSTR, make([]byte, 8*len(uses)+8))
	for i, use := range uses {
		if !hasSymbol(f, use) {
			undefined(f, use, elf.STB_GLOBAL)
		}
		f.AddReloc(rs, elfrw.Rela{Offset: uint64(8 * i), Sym: symbol(t, f, use), Type: 1})
	}
	y := &elfrw.Symbol{Name: name, Section: s, Size: s.Size(),
		Info: byte(elf.STB_GLOBAL)<<4 | byte(elf.STT_FUNC)}
	f.AddSymbol(y)
	return y
}

// declare adds a klp_patch of these objects, and a call to enable it.
func declare(t testing.TB, f *elfrw.File, objects []string, funcs map[string][]fn, suffix string) {
	t.Helper()
	testmodule.Declare(t, f, objects, funcs, suffix)
	if !hasSymbol(f, "klp_enable_patch") {
		undefined(f, "klp_enable_patch", elf.STB_GLOBAL)
	}
}

// base is a module without a patch, called name, for the release.
func base(t testing.TB, name, release string) *elfrw.File {
	t.Helper()
	f := parse(t, contents(t, "odd/nothing-to-convert.ko"))
	// AddSection and AddSymbol shall not be undone by what the fixture says of itself.
	info := "license=GPL\x00name=" + name + "\x00vermagic=" + release + " SMP preempt mod_unload \x00"
	if strings.HasPrefix(name, "lp") {
		info += "livepatch=Y\x00"
	}
	section(t, f, ".modinfo").Data = []byte(info)
	return f
}

const kernelRelease = "-99-test"

// A world is a livepatch and the kernel that it is for.
type world struct {
	version  string
	objects  string            // of the patch
	uses     map[string]string // of vm_fn and a_fn: symbols
	records  string            // object:symbol:position …, of what is used
	funcs    map[string][]fn
	kallsyms string
	target   func(t *testing.T, a *elfrw.File) // edits module a
	before   func(t *testing.T, f *elfrw.File) // edits the livepatch before conversion
	config   string
	symvers  string
	loaded   bool // module a is there before
	unbuilt  bool // there is no module a
}

// whole gives a list of symbols, of which a test needs a few, what the list of a whole
// kernel has: _text, _end and, of its last module, __this_module.
func whole(text string) string {
	const digits = 16
	first, _, _ := strings.Cut(text, "\n")
	if len(first) < digits+4 || first[digits] != ' ' || first[digits+2] != ' ' ||
		strings.Contains(first, "[") {
		return text // another file, or modules alone
	}
	address := text[:digits]
	if !strings.Contains(text, " _text\n") {
		text = address + " T _text\n" + text
	}
	if !strings.Contains(text, " _end\n") {
		text = address + " B _end\n" + text
	}
	if at := strings.LastIndex(text, "\t["); at >= 0 && !strings.Contains(text[at:], "\n0") &&
		!strings.Contains(text[at:], "\nf") {
		line := text[strings.LastIndex(text[:at], "\n")+1:]
		text += line[:digits] + " d __this_module" + text[at:]
	}
	return text
}

// kallsyms of the small kernels: twins, a function, data, exports, what is not traced.
const kallsyms = `ffffffff81000000 T _text
ffffffff81000100 t vsym
ffffffff81000200 t twin
ffffffff81000240 t twin
ffffffff81000300 T old
ffffffff81000400 T klp_enable_patch
ffffffff81000500 T offered
ffffffff81000520 T exported
ffffffff81000600 T __noinstr_text_start
ffffffff81000620 t quiet
ffffffff81000700 T __noinstr_text_end
ffffffff81000780 T _etext
ffffffff81000800 d vdata
ffffffff81000900 T task
ffffffff81001000 r __start___ksymtab
ffffffff81001000 r __ksymtab_offered
ffffffff81001008 r __ksymtab_exported
ffffffff81001010 r __stop___ksymtab
ffffffff81001010 r __start___ksymtab_gpl
ffffffff81001010 r __ksymtab_klp_enable_patch
ffffffff81001020 r __ksymtab_spaced
ffffffff81001030 r __stop___ksymtab_gpl
`

// good is what loads everywhere, with nothing to say.
func good() world {
	return world{
		version: "6.1", objects: "vmlinux a",
		uses:    map[string]string{"vm_fn": "vsym offered", "a_fn": "asym vsym"},
		records: "vmlinux:vsym:0 a:asym:0",
		funcs: map[string][]fn{"vmlinux": {{Old: "old", New: "vm_fn"}},
			"a": {{Old: "aold", New: "a_fn"}}},
	}
}

// convert makes the livepatch.
func (w world) convert(t *testing.T) *elfrw.File {
	t.Helper()
	f := base(t, "lp", w.version+".0"+kernelRelease)
	for _, name := range []string{"vm_fn", "a_fn"} {
		code(t, f, ".text."+name, name, strings.Fields(w.uses[name])...)
	}
	declare(t, f, strings.Fields(w.objects), w.funcs, "")
	if w.before != nil {
		w.before(t, f)
	}
	for _, r := range strings.Fields(w.records) {
		part := strings.Split(r, ":")
		data := &elfrw.Section{Name: ".klp.module_relocs." + part[0], Type: elf.SHT_PROGBITS, Flags: 3,
			Align: 4, Data: make([]byte, 12)}
		relocs := &elfrw.Section{Name: ".rela" + data.Name, Type: elf.SHT_RELA, Flags: 0x40, Align: 8,
			Link: f.Symtab, Target: data}
		data.Data[8] = part[2][0] - '0'
		f.AddSection(data)
		f.AddSection(relocs)
		f.AddReloc(relocs, elfrw.Rela{Sym: symbol(t, f, part[1]), Type: 1})
	}
	f = parse(t, encode(t, f))
	v, _ := kernel.ParseVersion(w.version)
	plan, found := klpreloc.NewPlan(f, klpreloc.Options{Target: v, Unsafe: true})
	require.False(t, found.Failed(), "%v", found)
	require.NoError(t, plan.Apply())
	return parse(t, encode(t, f))
}

// moduleA is the target: aold with an ftrace entry, still without, asym, and passing in .init.text.
func (w world) moduleA(t *testing.T) *elfrw.File {
	f := base(t, "a", w.version+".0"+kernelRelease)
	old := code(t, f, ".text.aold", "aold")
	code(t, f, ".text.asym", "asym")
	code(t, f, ".text.still", "still")
	code(t, f, ".init.text", "passing")
	add(f, "__mcount_loc", 0, make([]byte, 8), elfrw.Rela{Sym: old, Type: 1})
	if w.target != nil {
		w.target(t, f)
	}
	return f
}

// kernel makes the kernel.
func (w world) kernel(t *testing.T) *sympos.Kernel {
	t.Helper()
	text := w.kallsyms
	if text == "" {
		text = kallsyms
	}
	var sources []sympos.Source
	for _, s := range []string{text, w.symvers} {
		if s == "" {
			continue
		}
		s = whole(s)
		src, err := sympos.New("kernel", strings.NewReader(s), int64(len(s)))
		require.NoError(t, err)
		sources = append(sources, src)
	}
	k := sympos.NewKernel("kernel", sources...)
	k.Release = w.version + ".0" + kernelRelease
	dir := t.TempDir()
	if !w.unbuilt {
		path := filepath.Join(dir, "a.ko")
		require.NoError(t, os.WriteFile(path, encode(t, w.moduleA(t)), 0o644))
		require.NoError(t, k.AddModules(path))
	}
	if w.config != "" {
		k.Config = filepath.Join(dir, "config")
		require.NoError(t, os.WriteFile(k.Config, []byte(w.config), 0o644))
	}
	return k
}

// check judges the bytes.
func (w world) check(t *testing.T, b []byte) *loader.Report {
	t.Helper()
	o := loader.Options{Kernel: w.kernel(t)}
	if w.loaded {
		o.Loaded = []string{"a"}
	}
	r, err := loader.Open(b).Check(o)
	require.NoError(t, err)
	return r
}
