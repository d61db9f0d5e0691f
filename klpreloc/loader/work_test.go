// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/sympos"
)

// What the tests of this package work with: a livepatch, converted, and small kernels with
// one module, all made here.

func contents(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../testdata", name))
	require.NoError(t, err)
	return b
}

func parse(t testing.TB, b []byte) *elfrw.File {
	t.Helper()
	f, err := elfrw.Parse("", b)
	require.NoError(t, err)
	return f
}

func encode(t testing.TB, f *elfrw.File) []byte {
	t.Helper()
	b, err := f.Bytes()
	require.NoError(t, err)
	return b
}

func section(t testing.TB, f *elfrw.File, name string) *elfrw.Section {
	t.Helper()
	s := f.Section(name)
	require.NotNil(t, s, "section %s", name)
	return s
}

func symbol(t testing.TB, f *elfrw.File, name string) *elfrw.Symbol {
	t.Helper()
	i := slices.IndexFunc(f.Symbols, func(y *elfrw.Symbol) bool { return y.Name == name })
	require.GreaterOrEqual(t, i, 0, "symbol %s", name)
	return f.Symbols[i]
}

func hasSymbol(f *elfrw.File, name string) bool {
	return slices.ContainsFunc(f.Symbols, func(y *elfrw.Symbol) bool { return y.Name == name })
}

func undefined(f *elfrw.File, name string, bind elf.SymBind) *elfrw.Symbol {
	y := &elfrw.Symbol{Name: name, Info: byte(bind) << 4}
	f.AddSymbol(y)
	return y
}

// add adds a section that the kernel loads, with relocations for it.
func add(f *elfrw.File, name string, flags elf.SectionFlag, data []byte, relocs ...elfrw.Rela) (s, rs *elfrw.Section) {
	s = &elfrw.Section{Name: name, Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_ALLOC | flags), Align: 8, Data: data}
	rs = &elfrw.Section{Name: ".rela" + name, Type: elf.SHT_RELA, Flags: 0x40, Align: 8, Link: f.Symtab, Target: s}
	f.AddSection(s)
	f.AddSection(rs)
	for _, r := range relocs {
		f.AddReloc(rs, r)
	}
	return s, rs
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
	y := &elfrw.Symbol{Name: name, Section: s, Size: s.Size(), Info: byte(elf.STB_GLOBAL)<<4 | byte(elf.STT_FUNC)}
	f.AddSymbol(y)
	return y
}

// fn is a klp_func: the new function for old, at a position.
type fn struct {
	old, new string
	pos      byte
}

// declare adds a klp_patch of these objects, as gcc lays it out for 5.5 and later.
func declare(t testing.TB, f *elfrw.File, objects []string, funcs map[string][]fn, more ...string) {
	t.Helper()
	const patch, object, function = 200, 168, 152
	names := &elfrw.Section{Name: ".rodata.names" + strings.Join(more, ""), Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_ALLOC), Align: 1}
	data := &elfrw.Section{Name: ".data.patch" + strings.Join(more, ""), Type: elf.SHT_PROGBITS, Flags: uint64(elf.SHF_ALLOC | elf.SHF_WRITE), Align: 32}
	relocs := &elfrw.Section{Name: ".rela.data.patch" + strings.Join(more, ""), Type: elf.SHT_RELA, Flags: 0x40, Align: 8, Link: f.Symtab, Target: data}
	for _, s := range []*elfrw.Section{names, data, relocs} {
		f.AddSection(s)
	}
	of := func(s *elfrw.Section) *elfrw.Symbol {
		y := &elfrw.Symbol{Section: s, Info: byte(elf.STT_SECTION)}
		f.AddSymbol(y)
		return y
	}
	text, here := of(names), of(data)
	pointer := func(at int, y *elfrw.Symbol, addend int) {
		f.AddReloc(relocs, elfrw.Rela{Offset: uint64(at), Sym: y, Type: 1, Addend: int64(addend)})
	}
	name := func(at int, s string) {
		pointer(at, text, len(names.Data))
		names.Data = append(append(names.Data, s...), 0)
	}
	pointer(0, symbol(t, f, "__this_module"), 0)
	pointer(8, here, patch)
	end := patch + (len(objects)+1)*object
	positions := map[int]byte{}
	for i, o := range objects {
		at := patch + i*object
		if o != "vmlinux" {
			name(at, o)
		}
		pointer(at+8, here, end)
		for _, x := range funcs[o] {
			name(end, x.old)
			pointer(end+8, symbol(t, f, x.new), 0)
			positions[end+16] = x.pos
			end += function
		}
		end += function
	}
	data.Data = make([]byte, end)
	for at, pos := range positions {
		data.Data[at] = pos
	}
	if !hasSymbol(f, "klp_enable_patch") {
		undefined(f, "klp_enable_patch", elf.STB_GLOBAL)
	}
}

// base is a module without a patch, called name, for the release.
func base(t testing.TB, name, release string) *elfrw.File {
	t.Helper()
	f := parse(t, contents(t, "odd/nothing-to-convert.ko"))
	// AddSection and AddSymbol shall not be undone by what the fixture says of itself.
	info := "license=GPL\x00name=" + name + "\x00vermagic=" + release + " SMP preempt mod_unload modversions \x00"
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
	if len(first) < digits+4 || first[digits] != ' ' || first[digits+2] != ' ' || strings.Contains(first, "[") {
		return text // another file, or modules alone
	}
	address := text[:digits]
	if !strings.Contains(text, " _text\n") {
		text = address + " T _text\n" + text
	}
	if !strings.Contains(text, " _end\n") {
		text = address + " B _end\n" + text
	}
	if at := strings.LastIndex(text, "\t["); at >= 0 && !strings.Contains(text[at:], "\n0") && !strings.Contains(text[at:], "\nf") {
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
		funcs:   map[string][]fn{"vmlinux": {{"old", "vm_fn", 0}}, "a": {{"aold", "a_fn", 0}}},
	}
}

// convert makes the livepatch.
func (w world) convert(t *testing.T) *elfrw.File {
	t.Helper()
	f := base(t, "lp", w.version+".0"+kernelRelease)
	for _, name := range []string{"vm_fn", "a_fn"} {
		code(t, f, ".text."+name, name, strings.Fields(w.uses[name])...)
	}
	declare(t, f, strings.Fields(w.objects), w.funcs)
	if w.before != nil {
		w.before(t, f)
	}
	for _, r := range strings.Fields(w.records) {
		part := strings.Split(r, ":")
		data := &elfrw.Section{Name: ".klp.module_relocs." + part[0], Type: elf.SHT_PROGBITS, Flags: 3, Align: 4, Data: make([]byte, 12)}
		relocs := &elfrw.Section{Name: ".rela" + data.Name, Type: elf.SHT_RELA, Flags: 0x40, Align: 8, Link: f.Symtab, Target: data}
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
