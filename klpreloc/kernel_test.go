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
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
	"github.com/klp-convert/klp-convert/sympos"
)

// Conversion against a kernel: what its symbols say of annotations and of what
// carries none.

// kernelOf is a kernel that these texts describe: kallsyms, a symbol list or
// Module.symvers, told apart by their contents.
func kernelOf(t testing.TB, texts ...string) *sympos.Kernel {
	t.Helper()
	var sources []sympos.Source
	for _, text := range texts {
		text = whole(text)
		src, err := sympos.New("kernel", strings.NewReader(text), int64(len(text)))
		require.NoError(t, err)
		sources = append(sources, src)
	}
	return sympos.NewKernel("kernel", sources...)
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

// kallsyms is the running kernel of most tests here: all that the fixtures with
// records annotate, some names of several symbols, some exports.
const kallsyms = `ffffffff81000000 T _text
ffffffff81000100 t vm_call
ffffffff81000200 d vm_string
ffffffff81000300 t show
ffffffff81000340 t show
ffffffff81000400 T klp_enable_patch
ffffffff81000500 d vm_table
ffffffff81000600 d vm_value
ffffffff81000700 t once
ffffffff81000800 t clone.isra.0
ffffffff81000900 d number.17
ffffffff81000a00 T offered
ffffffff81000b00 t both
ffffffff81000e00 d extra0
ffffffff81000e01 d extra1
ffffffff81000e02 d extra2
ffffffff81000e03 d extra3
ffffffff81000e04 d extra4
ffffffff81000e05 d extra5
ffffffff81001000 r __ksymtab_klp_enable_patch
ffffffff81001010 r __ksymtab_offered
ffffffffc0001000 t mod_call	[ext4]
ffffffffc0001100 d mod_value	[ext4]
ffffffffc0001200 t both	[ext4]
ffffffffc0001300 T patched_offers	[ext4]
ffffffffc0001380 t hidden_in_ext4	[ext4]
ffffffffc0001400 r __ksymtab_patched_offers	[ext4]
ffffffffc0002000 T foreign	[btrfs]
ffffffffc0002100 r __ksymtab_foreign	[btrfs]
ffffffffc0002200 t hidden_in_btrfs	[btrfs]
`

// against plans the module for the kernel.
func against(t testing.TB, f *elfrw.File, o klpreloc.Options) (*klpreloc.Plan, diag.List) {
	t.Helper()
	plan, found := klpreloc.NewPlan(reread(t, f), o)
	require.Equal(t, found.Failed(), plan == nil, "a plan, or an error: %v", found)
	return plan, found
}

// convertedAgainst converts what has to convert, and proves it. That the scheme is
// said is left out of what it returns.
func convertedAgainst(t testing.TB, f *elfrw.File, o klpreloc.Options) (*elfrw.File, diag.List) {
	t.Helper()
	before := encode(t, f)
	g := parse(t, before)
	plan, found := klpreloc.NewPlan(g, o)
	require.False(t, found.Failed(), "%v", found)
	require.NoError(t, plan.Apply())
	after := parse(t, encode(t, g))
	require.NoError(t, proof.Check(parse(t, before), after, plan.Claims, nil))
	return after, slices.DeleteFunc(found, func(d diag.Diagnostic) bool {
		return d.ID == diag.SchemeChosen
	})
}

func with(id diag.ID, found diag.List) diag.List {
	var some diag.List
	for _, d := range found {
		if d.ID == id {
			some = append(some, d)
		}
	}
	return some
}

// the returns the only diagnostic with that id.
func the(t testing.TB, id diag.ID, found diag.List) diag.Diagnostic {
	t.Helper()
	some := with(id, found)
	require.Len(t, some, 1, "%s in %v", id, found)
	return some[0]
}

// borrower is a livepatch for vmlinux, ext4 and more, of which it borrows from the
// first two, with records.
func borrower(t testing.TB, more ...string) *elfrw.File {
	t.Helper()
	f := bare(t, "x86_64")
	testmodule.Declare(t, f, append([]string{"vmlinux", "ext4"}, more...), nil, "")
	var vm, mod []record
	for _, y := range f.Symbols {
		switch {
		case !y.Undefined() || y.Name == "klp_enable_patch":
		case strings.HasPrefix(y.Name, "mod_"):
			mod = append(mod, record{uint64(12 * len(mod)), y.Name, 12*len(mod) + 8, 0})
		default:
			vm = append(vm, record{uint64(12 * len(vm)), y.Name, 12*len(vm) + 8, 0})
		}
	}
	addRecords(t, f, "vmlinux", 12*len(vm), vm...)
	addRecords(t, f, "ext4", 12*len(mod), mod...)
	return f
}

// undefined is the module of records with these undefined symbols in use, beside
// its annotated ones.
func undefined(t testing.TB, names ...string) *elfrw.File {
	t.Helper()
	return undefinedIn(t, borrower(t), names...)
}

func undefinedIn(t testing.TB, f *elfrw.File, names ...string) *elfrw.File {
	t.Helper()
	for _, name := range names {
		use(f, addUndefined(f, name, elf.STB_GLOBAL))
	}
	return f
}

// annotate adds a record.
func annotate(t testing.TB, f *elfrw.File, object, name string, pos uint32) {
	t.Helper()
	if !hasSymbol(f, name) {
		use(f, addUndefined(f, name, elf.STB_GLOBAL))
	}
	addRecords(t, f, object, 12, record{0, name, 8, pos})
}

func TestAnnotationsThatHold(t *testing.T) {
	_, found := convertedAgainst(t, borrower(t), klpreloc.Options{Kernel: kernelOf(t, kallsyms)})
	assert.Empty(t, found)
}

func TestAnnotationAgainstKernel(t *testing.T) {
	for name, test := range map[string]struct {
		object, symbol string
		pos            uint32
		id             diag.ID
		message        string
		hints          []string
	}{
		"no such symbol": {"vmlinux", "vm_cal1", 0, diag.NoSuchSymbol,
			"vmlinux has no symbol called vm_cal1", []string{
				"KLP_SYMPOS(vm_call, 0),   /* t ffffffff81000100 +0x100, similar */"}},
		"in another object": {"vmlinux", "hidden_in_btrfs", 0, diag.NoSuchSymbol,
			"vmlinux has no symbol called hidden_in_btrfs", []string{
				"static KLP_MODULE_RELOC(btrfs) klp_hidden_in_btrfs[] = { KLP_SYMPOS(hidden_in_btrfs, 0) };   " +
					"/* btrfs: t ffffffffc0002200, in another object */"}},
		"a clone": {"vmlinux", "clone", 0, diag.NoSuchSymbol, "vmlinux has no symbol called clone",
			[]string{
				"KLP_RELOC_SYMBOL(vmlinux, vmlinux, clone.isra.0)   /* t ffffffff81000800 +0x100, its " +
					"arguments were changed by the compiler */"}},
		"another number": {"vmlinux", "number.16", 0, diag.NoSuchSymbol,
			"vmlinux has no symbol called number.16", []string{
				"KLP_RELOC_SYMBOL(vmlinux, vmlinux, number.17)   /* d ffffffff81000900 +0x100, another number, " +
					"which the compiler chose */"}},
		"ambiguous": {"vmlinux", "show", 0, diag.Ambiguous,
			"symbol show is ambiguous in vmlinux (2 candidates)", []string{
				"KLP_SYMPOS(show, 1),   /* t ffffffff81000300 +0x40 */",
				"KLP_SYMPOS(show, 2),   /* t ffffffff81000340 +0xc0 */"}},
		"past the last": {"vmlinux", "show", 3, diag.BadPosition,
			"position 3 of symbol show in vmlinux does not exist: there are 2 of that name", []string{
				"KLP_SYMPOS(show, 1),   /* t ffffffff81000300 +0x40 */",
				"KLP_SYMPOS(show, 2),   /* t ffffffff81000340 +0xc0 */"}},
		"past the only one": {"vmlinux", "once", 2, diag.BadPosition,
			"position 2 of symbol once in vmlinux does not exist: there is 1 of that name", []string{
				"KLP_SYMPOS(once, 0),   /* t ffffffff81000700 +0x100 */"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := borrower(t)
			annotate(t, f, test.object, test.symbol, test.pos)
			_, found := against(t, f, klpreloc.Options{Kernel: kernelOf(t, kallsyms)})
			d := the(t, test.id, found)
			assert.Equal(t, diag.Error, d.Severity)
			assert.Equal(t, test.message, d.Message)
			assert.Equal(t, test.hints, d.Hints)
		})
	}
}

// What is offered must be what is accepted.
func TestCandidatesAreAccepted(t *testing.T) {
	for pos := uint32(1); pos <= 2; pos++ {
		f := borrower(t)
		annotate(t, f, "vmlinux", "show", pos)
		g, found := convertedAgainst(t, f, klpreloc.Options{Kernel: kernelOf(t, kallsyms)})
		assert.Empty(t, found)
		symbol(t, g, klpabi.SymbolName("vmlinux", "show", pos))
	}
}

func TestLabelsAreOfferedLabels(t *testing.T) {
	f := open(t, "x86_64/labels-dot.ko")
	text := strings.ReplaceAll(kallsyms, "[ext4]", "[jbd2]")
	_, found := against(t, f, klpreloc.Options{Kernel: kernelOf(t, text)})
	var hints []string
	for _, d := range with(diag.NoSuchSymbol, found) {
		hints = append(hints, d.Hints...)
	}
	assert.Empty(t, hints)
	f = open(t, "x86_64/labels-dot.ko")
	use(f, addUndefined(f, ".klp.sym.rela.vmlinux.vmlinux.show.3", elf.STB_GLOBAL))
	_, found = against(t, f, klpreloc.Options{Kernel: kernelOf(t, kallsyms)})
	d := the(t, diag.BadPosition, found)
	assert.Equal(t, []string{
		"KLP_RELOC_SYMBOL_POS(vmlinux, vmlinux, show, 1)   /* t ffffffff81000300 +0x40 */",
		"KLP_RELOC_SYMBOL_POS(vmlinux, vmlinux, show, 2)   /* t ffffffff81000340 +0xc0 */"}, d.Hints)
}

func TestTriage(t *testing.T) {
	symvers := "0x00000000\tonly_kvm\tvmlinux\tEXPORT_SYMBOL_GPL\tmodule:kvm,kvm-*\n" +
		"0x00000000\tonly_us\tvmlinux\tEXPORT_SYMBOL_GPL\tmodule:kvm,rec*\n" +
		"0x00000000\tshadowed\tbtrfs\tEXPORT_SYMBOL\t\n"
	table := kallsyms + "ffffffffc0002200 t show	[btrfs]\n"
	table = strings.Replace(table, "ffffffff81000e00 d",
		"ffffffff81000c00 T only_kvm\nffffffff81000d00 t shadowed\nffffffff81000e00 d", 1)
	for name, test := range map[string]struct {
		symbol    string
		options   klpreloc.Options
		id        diag.ID // "": nothing is reported
		severity  diag.Severity
		message   string
		hints     []string
		converted string // klp symbol; "": stays ordinary
	}{
		"exported by vmlinux":     {symbol: "offered"},
		"for this module as well": {symbol: "only_us"},
		"for other modules": {symbol: "only_kvm", id: diag.NotOffered,
			converted: ".klp.sym.vmlinux.only_kvm,0",
			message: "symbol only_kvm is exported by vmlinux to other modules only (module:kvm,kvm-*): " +
				"converted as .klp.sym.vmlinux.only_kvm,0"},
		"exported by what is patched": {symbol: "patched_offers", id: diag.PatchedExport,
			converted: ".klp.sym.ext4.patched_offers,0",
			message: "symbol patched_offers is exported by ext4, which the livepatch patches and must not " +
				"depend on: converted as .klp.sym.ext4.patched_offers,0"},
		"exported by another module": {symbol: "foreign", id: diag.ModuleExport, severity: diag.Warning,
			message: "symbol foreign is exported by module btrfs: the livepatch depends on that module " +
				"(depends=) and can't be loaded before it",
			hints: []string{"--convert-module-exports makes a klp relocation of it"}},
		"exported there and hidden here": {symbol: "shadowed", id: diag.ShadowedExport,
			severity: diag.Warning,
			message: "symbol shadowed is exported by module btrfs, which is used, and hidden in vmlinux; " +
				"annotate it if that one is meant",
			hints: []string{"KLP_SYMPOS(shadowed, 0),   /* t ffffffff81000d00 +0x100 */"}},
		"hidden in vmlinux": {symbol: "once", id: diag.Inferred, converted: ".klp.sym.vmlinux.once,0",
			message: "symbol once is hidden in vmlinux and nowhere else: converted as .klp.sym.vmlinux.once,0"},
		"hidden in a module": {symbol: "hidden_in_ext4", id: diag.Inferred,
			converted: ".klp.sym.ext4.hidden_in_ext4,0",
			message:   "symbol hidden_in_ext4 is hidden in ext4 and nowhere else: converted as .klp.sym.ext4.hidden_in_ext4,0"},
		"hidden, and not to be inferred": {symbol: "once", options: klpreloc.Options{NoInfer: true},
			id: diag.NotAnnotated, severity: diag.Error,
			message: "undefined symbol once is hidden in vmlinux and not annotated, and --no-infer is given",
			hints:   []string{"KLP_SYMPOS(once, 0),   /* t ffffffff81000700 +0x100 */"}},
		"hidden twice in vmlinux": {symbol: "show", id: diag.Ambiguous, severity: diag.Error,
			message: "undefined symbol show is ambiguous (2 candidates in vmlinux)",
			hints: []string{"KLP_SYMPOS(show, 1),   /* t ffffffff81000300 +0x40 */",
				"KLP_SYMPOS(show, 2),   /* t ffffffff81000340 +0xc0 */"}},
		"hidden in two objects": {symbol: "both", id: diag.Ambiguous, severity: diag.Error,
			message: "undefined symbol both is ambiguous (1 candidate in ext4, 1 candidate in vmlinux)",
			hints: []string{"static KLP_MODULE_RELOC(ext4) klp_both[] = { KLP_SYMPOS(both, 0) };      /* " +
				"ext4: t ffffffffc0001200 */",
				"static KLP_MODULE_RELOC(vmlinux) klp_both[] = { KLP_SYMPOS(both, 0) };   /* vmlinux: t " +
					"ffffffff81000b00 +0x100 */"}},
		"hidden in a module that is not ours": {symbol: "hidden_in_btrfs", id: diag.Absent,
			severity: diag.Error,
			message:  "undefined symbol hidden_in_btrfs is in no object that the livepatch names, and no module exports it",
			hints: []string{
				"static KLP_MODULE_RELOC(btrfs) klp_hidden_in_btrfs[] = { KLP_SYMPOS(hidden_in_btrfs, 0) };   " +
					"/* btrfs: t ffffffffc0002200, in another object */"}},
		"nowhere": {symbol: "no_such_thing", id: diag.Absent, severity: diag.Error,
			message: "undefined symbol no_such_thing is in no object that the livepatch names, and no module exports it"},
		"a slip": {symbol: "ofered", id: diag.Absent, severity: diag.Error,
			message: "undefined symbol ofered is in no object that the livepatch names, and no module exports it",
			hints:   []string{"KLP_SYMPOS(offered, 0),   /* T ffffffff81000a00 +0x100, similar */"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := test.options
			o.Kernel = kernelOf(t, table, symvers)
			f := undefined(t, test.symbol)
			if test.severity == diag.Error {
				_, found := against(t, f, o)
				d := the(t, test.id, found)
				assert.Equal(t, test.message, d.Message)
				assert.Equal(t, test.hints, d.Hints)
				return
			}
			g, found := convertedAgainst(t, f, o)
			if test.id == "" {
				assert.Empty(t, found)
			} else {
				d := the(t, test.id, found)
				assert.Equal(t, test.severity, d.Severity)
				assert.Equal(t, test.message, d.Message)
				assert.Equal(t, test.hints, d.Hints)
			}
			if test.converted != "" {
				symbol(t, g, test.converted)
				assert.False(t, hasSymbol(g, test.symbol))
			} else {
				assert.True(t, symbol(t, g, test.symbol).Undefined())
			}
		})
	}
}

// A module without one annotation converts by inference alone, and a second
// time there is nothing to do.
func TestInferenceNeedsNoAnnotation(t *testing.T) {
	o := klpreloc.Options{Kernel: kernelOf(t, strings.ReplaceAll(kallsyms, "\t[ext4]", ""))}
	g, found := convertedAgainst(t, bare(t, "x86_64"), o)
	assert.Len(t, with(diag.Inferred, found), 12)
	assert.NotNil(t, g.Section(".klp.rela.vmlinux..text"))
	plan, found := against(t, g, o)
	require.NotNil(t, plan)
	assert.True(t, plan.Empty(), "%v", found)
}

// An annotation means what it says, even where an export has the name.
func TestAnnotationBeatsExport(t *testing.T) {
	f := borrower(t)
	annotate(t, f, "vmlinux", "offered", 0)
	g, _ := convertedAgainst(t, f, klpreloc.Options{Kernel: kernelOf(t, kallsyms)})
	symbol(t, g, ".klp.sym.vmlinux.offered,0")
}

func TestObjects(t *testing.T) {
	list := func(objects ...string) string {
		return "klp-convert-symbol-data.0.1\n*vmlinux\nklp_enable_patch\n__ksymtab_klp_enable_patch\n" +
			"extra0\nextra1\nextra2\nextra3\nextra4\nextra5\nvm_call\nvm_string\nvm_table\nvm_value\n" +
			strings.Join(objects, "")
	}
	t.Run("nothing tells", func(t *testing.T) {
		_, found := convertedAgainst(t, borrower(t),
			klpreloc.Options{Kernel: kernelOf(t, kallsyms[:strings.Index(kallsyms, "ffffffffc")])})
		d := the(t, diag.NotChecked, found)
		assert.Equal(t, diag.Warning, d.Severity)
		assert.Equal(t, []string{"--module ext4.ko"}, d.Hints)
	})
	t.Run("known from a list", func(t *testing.T) {
		_, found := convertedAgainst(t, borrower(t),
			klpreloc.Options{Kernel: kernelOf(t, list("*ext4\nmod_call\nmod_value\n"))})
		assert.Empty(t, found)
	})
	t.Run("order is not known", func(t *testing.T) {
		f := borrower(t)
		annotate(t, f, "ext4", "show", 2)
		_, found := convertedAgainst(t, f,
			klpreloc.Options{Kernel: kernelOf(t, list("*ext4\nmod_call\nmod_value\nshow\nshow\n"))})
		assert.Equal(t, diag.Warning, the(t, diag.OrderUnknown, found).Severity)
	})
	t.Run("order is not known and nothing chosen", func(t *testing.T) {
		f := undefined(t, "show")
		_, found := against(t, f,
			klpreloc.Options{Kernel: kernelOf(t, list("*ext4\nmod_call\nmod_value\nshow\nshow\n"))})
		assert.Equal(t, []string{"show   /* in ext4 */", "show   /* in ext4 */",
			"kernel does not tell in which order the kernel counts them: give an image, or kallsyms"},
			the(t, diag.Ambiguous, found).Hints)
	})
}

// A kernel with all its modules tells which it does not have, and which are part
// of vmlinux.
func TestObjectsOfAKernelWithModules(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	const release = "6.1.0-98-test"
	write("boot/System.map-"+release, kallsyms[:strings.Index(kallsyms, "ffffffffc0001000")]+
		"ffffffff82000000 t mod_call\nffffffff82000040 t mod_value\n")
	write("lib/modules/"+release+"/modules.builtin", "kernel/fs/ext4/ext4.ko\n")
	write("lib/modules/"+release+"/modules.order", "kernel/fs/btrfs.ko\n")
	write("lib/modules/"+release+"/kernel/fs/btrfs.ko", string(contents(t, "x86_64/labels-dot.ko")))
	k, err := sympos.FindKernel(root, nil)
	require.NoError(t, err)
	require.Equal(t, release, k.Release)

	_, found := against(t, borrower(t), klpreloc.Options{Kernel: k})
	built := the(t, diag.BuiltInObject, found)
	assert.Equal(t, diag.Error, built.Severity)
	assert.Contains(t, built.Message, "ext4 is built into kernel ")
	assert.Equal(t, []string{".klp.module_relocs.ext4+0xc (mod_value)"}, built.Places)
	assert.Equal(t, []string{
		"KLP_SYMPOS(mod_call, 0),   /* vmlinux: t ffffffff82000000 +0x40 */",
		"KLP_SYMPOS(mod_value, 0),   /* vmlinux: t ffffffff82000040 */",
	}, built.Hints)
	other := the(t, diag.OtherKernel, found)
	assert.Equal(t,
		"the module is built for 6.1.0-99-test, and symbols are looked up in 6.1.0-98-test",
		other.Message)

	f := borrower(t)
	annotate(t, f, "btrfz", "once", 0)
	_, found = against(t, f, klpreloc.Options{Kernel: k})
	d := the(t, diag.NoSuchObject, found)
	assert.Equal(t, diag.Error, d.Severity)
	assert.Equal(t, []string{"there is a module called btrfs",
		"for a module that is not part of the kernel: --module FILE"}, d.Hints)
}

// Where nothing tells exports, modpost's word has to do; where there is no vmlinux,
// nothing is known of what is undefined.
func TestKernelsThatTellLittle(t *testing.T) {
	text := strings.ReplaceAll(kallsyms, " __ksymtab_", " ksymtab_")
	f := undefined(t, "offered", "once")
	versionTable(f, "klp_enable_patch", "offered")
	g, found := convertedAgainst(t, f, klpreloc.Options{Kernel: kernelOf(t, text)})
	assert.Equal(t, diag.Warning, the(t, diag.NotChecked, found).Severity)
	assert.True(t, symbol(t, g, "offered").Undefined())
	symbol(t, g, ".klp.sym.vmlinux.once,0")

	k := withModules(t, "ffffffffc0001000 t mod_call\t[ext4]\nffffffffc0001100 d mod_value\t[ext4]\n")
	f = undefined(t, "forgotten")
	versionTable(f, "klp_enable_patch")
	_, found = convertedAgainst(t, f, klpreloc.Options{Kernel: k})
	assert.Contains(t, the(t, diag.NotChecked, found).Message, "has the symbols of vmlinux")
	assert.Equal(t, diag.Warning, the(t, diag.StrongUndefined, found).Severity, "as without a kernel")
}

// What v7's build did not list does not exist.
func TestListHasAllObjects(t *testing.T) {
	f := borrower(t, "zfs")
	annotate(t, f, "zfs", "show", 0)
	_, found := against(t, f, klpreloc.Options{Kernel: kernelOf(t,
		"klp-convert-symbol-data.0.1\n*vmlinux\nvm_call\n*ext4\nmod_call\nmod_value\n")})
	assert.Equal(t, diag.Error, the(t, diag.NoSuchObject, found).Severity)
}

// An object that the livepatch names and that was not read may hide a symbol of that name: then
// nothing is inferred.
func TestNothingIsInferredPastAnUnreadModule(t *testing.T) {
	text := kallsyms[:strings.Index(kallsyms, "ffffffffc")]
	_, found := against(t, undefined(t, "once"), klpreloc.Options{Kernel: kernelOf(t, text)})
	var of diag.List
	for _, d := range with(diag.NotChecked, found) {
		if d.Severity == diag.Error {
			of = append(of, d)
		}
	}
	require.Len(t, of, 1)
	assert.Equal(t,
		"undefined symbol once is hidden in vmlinux, but whether ext4 has one of that name is not known",
		of[0].Message)
	assert.Equal(t, []string{"--module ext4.ko",
		"KLP_SYMPOS(once, 0),   /* t ffffffff81000700 +0x100 */"}, of[0].Hints)

	_, found = against(t, undefined(t, "nowhere"), klpreloc.Options{Kernel: kernelOf(t, text)})
	assert.Contains(t, the(t, diag.Absent, found).Message, "(nothing tells what ext4 has: --module)")
}

// An export of vmlinux hides no static of a module that the livepatch patches.
func TestExportHidesNoStatic(t *testing.T) {
	text := kallsyms + "ffffffffc0003000 t offered\t[ext4]\n"
	g, found := convertedAgainst(t, undefined(t, "offered"),
		klpreloc.Options{Kernel: kernelOf(t, text)})
	assert.Equal(t,
		"symbol offered is exported by vmlinux, which is used, and hidden in ext4; annotate it if that one is meant",

		the(t, diag.ShadowedExport, found).Message)
	assert.True(t, symbol(t, g, "offered").Undefined())
}

// Each line that is offered is taken when it is pasted.
func TestOfferedLabelsNameAPatchedObject(t *testing.T) {
	f := patched(t, "a", map[string]string{"a_fn": ".klp.sym.rela.a.a.hidden_in_btrfs.0"})
	text := kallsyms + "ffffffff81000f00 r __ksymtab_exported\nffffffffc0004000 t something\t[a]\n"
	_, found := against(t, f, klpreloc.Options{Kernel: kernelOf(t, text)})
	assert.Equal(t,
		[]string{"KLP_RELOC_SYMBOL(a, btrfs, hidden_in_btrfs)   /* btrfs: t ffffffffc0002200, in another object */"},
		the(t, diag.NoSuchSymbol, found).Hints)
	f = patched(t, "a", map[string]string{"a_fn": ".klp.sym.rela.a.btrfs.hidden_in_btrfs.0"})
	_, found = convertedAgainst(t, f, klpreloc.Options{Kernel: kernelOf(t, text)})
	assert.Empty(t, found)
}

// A line that would be refused again is not offered.
func TestNoLineForWhatCanNotBeHad(t *testing.T) {
	text := "0000000000000000 A __per_cpu_start\n0000000000000000 A zero\n" + kallsyms
	f := borrower(t)
	annotate(t, f, "vmlinux", "zero", 0)
	_, found := against(t, f, klpreloc.Options{Kernel: kernelOf(t, text)})
	for _, h := range the(t, diag.Unsteady, found).Hints {
		assert.NotContains(t, h, "KLP_")
	}
}

// What vmlinux frees after booting is still in its table.
func TestInitSymbolsOfVmlinux(t *testing.T) {
	text := strings.Replace(kallsyms, "ffffffff81001000 r",
		"ffffffff81000f00 t __init_begin\nffffffff81000f10 t setup\nffffffff81000f20 d "+
			"__per_cpu_start\nffffffff81000f24 d counter\nffffffff81000f28 d "+
			"__per_cpu_end\nffffffff81000f30 t __init_end\nffffffff81001000 r", 1)
	o := klpreloc.Options{Kernel: kernelOf(t, text)}
	for _, f := range []*elfrw.File{undefined(t, "setup"), annotated("vmlinux", "setup", 0)(t),
		annotated("vmlinux", "setup", 1)(t)} {
		_, found := against(t, f, o)
		assert.Equal(t,
			"symbol setup of vmlinux is in memory that the kernel frees after booting (__init)",
			the(t, diag.InitSymbol, found).Message)
	}
	_, found := convertedAgainst(t, annotated("vmlinux", "counter", 0)(t), o)
	assert.Empty(t, found, "a per-CPU variable is not its first value")
}
