// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc_test

import (
	"debug/elf"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
)

// Which object gates a klp relocation, by what uses the symbol.

// code adds a function that takes the address of each symbol, one word after the
// other; undefined ones are added as needed.
func code(t testing.TB, f *elfrw.File, name string, uses ...string) {
	t.Helper()
	s, rs := addLoaded(f, ".text."+name, elf.SHF_EXECINSTR, make([]byte, 8*len(uses)+8))
	for i, use := range uses {
		if !hasSymbol(f, use) {
			addUndefined(f, use, elf.STB_GLOBAL)
		}
		f.AddReloc(rs, elfrw.Rela{Offset: uint64(8 * i), Sym: symbol(t, f, use), Type: word(f)})
	}
	f.AddSymbol(&elfrw.Symbol{Name: name, Section: s, Size: s.Size(),
		Info: byte(elf.STB_GLOBAL)<<4 | byte(elf.STT_FUNC)})
}

// patched is a livepatch whose functions vm_fn, a_fn and b_fn, each alone in its
// section, replace one of vmlinux, one of module a and one of module b, as far as
// objects names these.
func patched(t testing.TB, objects string, functions map[string]string) *elfrw.File {
	t.Helper()
	f := open(t, "odd/nothing-to-convert.ko")
	for _, name := range []string{"helper", "vm_fn", "a_fn", "b_fn"} {
		if uses, ok := functions[name]; ok || name != "helper" {
			code(t, f, name, strings.Fields(uses)...)
		}
	}
	testmodule.Declare(t, f, strings.Fields(objects), map[string][]testmodule.Func{
		"vmlinux": {{Old: "old", New: "vm_fn"}},
		"a":       {{Old: "old", New: "a_fn"}},
		"b":       {{Old: "old", New: "b_fn"}},
	}, "")
	return f
}

// record1 adds a record for a symbol that is there.
func record1(t testing.TB, f *elfrw.File, object, name string, pos uint32) {
	t.Helper()
	addRecords(t, f, object, 12, record{0, name, 8, pos})
}

const klpA, klpB = ".klp.sym.a.sym,0", ".klp.sym.b.sym,0"

func TestGates(t *testing.T) {
	early, late := kernel.Version{Major: 6, Minor: 1}, kernel.Version{Major: 5, Minor: 4}
	for name, test := range map[string]struct {
		target  kernel.Version
		objects string
		uses    map[string]string // by function
		records string            // object:symbol …
		want    string            // "section symbol" of klp relocations, in the order of the sections
		id      diag.ID
		message string
		failed  bool
	}{
		"owner is patched": {early, "a", map[string]string{"a_fn": "sym"}, "a:sym",
			".klp.rela.a..text.a_fn " + klpA, "", "", false},
		"another module's, in a patched one": {early, "b", map[string]string{"b_fn": "sym"}, "a:sym",
			".klp.rela.b..text.b_fn " + klpA, "", "", false},
		"vmlinux's in a patched module": {early, "a", map[string]string{"a_fn": "sym"}, "vmlinux:sym",
			".klp.rela.vmlinux..text.a_fn .klp.sym.vmlinux.sym,0", "", "", false},
		"module's in a vmlinux function": {early, "vmlinux a", map[string]string{"vm_fn": "sym"}, "a:sym",
			".klp.rela.a..text.vm_fn " +
				klpA, diag.GatedByOwner, "vm_fn+0x0 uses sym of module a in code for vmlinux: it is resolved " +
				"when a is loaded, and before that the code would use the address 0", false},
		"module's in a vmlinux function, module not patched": {early, "vmlinux",
			map[string]string{"vm_fn": "sym"}, "a:sym",
			"", diag.NeverApplied, "klp relocations for a would never be applied: the patch has no " +
				"klp_object of that name (it has vmlinux), and the kernel would print nothing", true},
		"in a helper of the only user": {early, "a b",
			map[string]string{"a_fn": "helper", "helper": "sym"}, "b:sym",
			".klp.rela.a..text.helper " + klpB, "", "", false},
		"in a helper of two": {early, "a b", map[string]string{"a_fn": "helper", "b_fn": "helper",
			"helper": "sym"}, "b:sym",
			".klp.rela.b..text.helper " +
				klpB, diag.GatedByOwner, "helper+0x0 uses sym of module b in code for a and b: it is resolved " +
				"when b is loaded, and before that the code would use the address 0", false},
		"in a helper of two others": {early, "a b", map[string]string{"a_fn": "helper", "b_fn": "helper",
			"helper": "sym"}, "c:sym",
			"", diag.SharedCode, "helper+0x0 is for a and b, and a klp relocation for sym of c in it can " +
				"wait for one object only", true},
		"one name of two objects": {early, "a b", map[string]string{"a_fn": "sym", "b_fn": "sym"},
			"a:sym b:sym",
			".klp.rela.a..text.a_fn " + klpA + " .klp.rela.b..text.b_fn " + klpB, "", "", false},
		"one name of vmlinux and a module": {early, "vmlinux a",
			map[string]string{"a_fn": "sym", "vm_fn": "sym"}, "vmlinux:sym a:sym",
			".klp.rela.vmlinux..text.vm_fn .klp.sym.vmlinux.sym,0 .klp.rela.a..text.a_fn " +
				klpA, "", "", false},
		"one name of two objects, second used": {early, "a b", map[string]string{"b_fn": "sym"},
			"a:sym b:sym",
			".klp.rela.b..text.b_fn " + klpB, diag.Unused, "a sym is annotated, but nothing uses it", false},
		"one name of two objects, in shared code": {early, "a b",
			map[string]string{"a_fn": "helper", "b_fn": "helper", "helper": "sym"}, "a:sym b:sym",
			"", diag.Conflict, "helper+0x0 is for a and b, so nothing tells whether it means sym of a or b",
			true},
		"one name of two objects, of which one is not patched": {early, "a",
			map[string]string{"a_fn": "sym"}, "a:sym b:sym",
			"", diag.Conflict, "symbol sym is annotated in object a and in object b, but the module has " +
				"one symbol of that name", true},

		"5.4: vmlinux's, patch of a module only": {late, "a", map[string]string{"a_fn": "sym"},
			"vmlinux:sym",
			".klp.rela.a..text.a_fn .klp.sym.vmlinux.sym,0", "", "", false},
		"5.4: vmlinux's, patch of vmlinux as well": {late, "vmlinux a", map[string]string{"a_fn": "sym"},
			"vmlinux:sym",
			".klp.rela.a..text.a_fn .klp.sym.vmlinux.sym,0", "", "", false},
		"5.4: vmlinux's, shared by all": {late, "vmlinux a",
			map[string]string{"a_fn": "helper", "vm_fn": "helper", "helper": "sym"}, "vmlinux:sym",
			".klp.rela.vmlinux..text.helper .klp.sym.vmlinux.sym,0", "", "", false},
		"5.4: vmlinux's, in code that is for nothing": {late, "vmlinux a",
			map[string]string{"helper": "sym"}, "vmlinux:sym",
			".klp.rela.vmlinux..text.helper .klp.sym.vmlinux.sym,0", "", "", false},
		"5.4: vmlinux's, in two modules": {late, "a b", map[string]string{"a_fn": "sym", "b_fn": "sym"},
			"vmlinux:sym",
			".klp.rela.a..text.a_fn .klp.sym.vmlinux.sym,0 .klp.rela.b..text.b_fn .klp.sym.vmlinux.sym,0",
			"", "", false},
		"5.4: vmlinux's, shared by two modules": {late, "a b",
			map[string]string{"a_fn": "helper", "b_fn": "helper", "helper": "sym"}, "vmlinux:sym",
			"", diag.SharedCode, "helper+0x0 is for a and b, and a klp relocation for sym of vmlinux in it " +
				"can wait for one object only", true},
		"5.4: module's in its own function": {late, "a", map[string]string{"a_fn": "sym"}, "a:sym",
			".klp.rela.a..text.a_fn " + klpA, "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			f := patched(t, test.objects, test.uses)
			for _, r := range strings.Fields(test.records) {
				object, symbol, _ := strings.Cut(r, ":")
				record1(t, f, object, symbol, 0)
			}
			o := klpreloc.Options{Target: test.target}
			var found diag.List
			if test.failed {
				_, found = against(t, f, o)
			} else {
				var g *elfrw.File
				g, found = convertedAgainst(t, f, o)
				var got []string
				for _, s := range g.Sections {
					if strings.HasPrefix(s.Name, ".klp.rela.") {
						for _, r := range s.Relocs() {
							got = append(got, s.Name, r.Sym.Name)
						}
					}
				}
				assert.Equal(t, test.want, strings.Join(got, " "))
			}
			if test.id == "" {
				for _, d := range found {
					assert.Equal(t, diag.Note, d.Severity, "%v", d)
				}
				return
			}
			d := the(t, test.id, found)
			assert.Equal(t, test.message, d.Message)
			assert.Equal(t, test.failed, d.Severity == diag.Error)
		})
	}
}

// A label names the gate itself: it is followed, with a warning where it is
// not what the function is for.
func TestLabelSaysTheGate(t *testing.T) {
	f := patched(t, "a b", map[string]string{"a_fn": ".klp.sym.rela.b.b.sym,0"})
	g, found := convertedAgainst(t, f, klpreloc.Options{})
	assert.NotNil(t, g.Section(".klp.rela.b..text.a_fn"))
	d := the(t, diag.LabelAgainstUse, found)
	assert.Equal(t, diag.Warning, d.Severity)
	assert.Equal(t,
		"a_fn+0x0 is for a, but the label asks for sym under b; the label is followed", d.Message)

	f = patched(t, "vmlinux b", map[string]string{"vm_fn": ".klp.sym.rela.b.b.sym,0"})
	_, found = convertedAgainst(t, f, klpreloc.Options{})
	assert.Equal(t,
		"vm_fn+0x0 uses sym of module b in code for vmlinux: it is resolved when b is loaded, and "+
			"before that the code would use the address 0", the(t, diag.GatedByOwner, found).Message)

	f = patched(t, "a b", map[string]string{"a_fn": "helper", "b_fn": "helper",
		"helper": ".klp.sym.rela.b.b.sym,0"})
	_, found = convertedAgainst(t, f, klpreloc.Options{})
	the(t, diag.GatedByOwner, found)

	f = patched(t, "vmlinux a", map[string]string{"a_fn": ".klp.sym.rela.a.vmlinux.sym,0"})
	g, _ = convertedAgainst(t, f, klpreloc.Options{Target: kernel.Version{Major: 5, Minor: 4}})
	assert.NotNil(t, g.Section(".klp.rela.a..text.a_fn"),
		"before 5.8 a vmlinux symbol may wait for a module")
	g, _ = convertedAgainst(t, f, klpreloc.Options{})
	assert.NotNil(t, g.Section(".klp.rela.vmlinux..text.a_fn"))
}

func TestSchemes(t *testing.T) {
	for version, want := range map[string]kernel.Scheme{
		"4.7": kernel.SchemeLateBare, "4.8.17": kernel.SchemeLateBare, "4.9.0-19": kernel.SchemeLate,
		"4.19":   kernel.SchemeLate,
		"5.7.19": kernel.SchemeLate, "5.8": kernel.SchemeEarly, "6.12.107": kernel.SchemeEarly,
	} {
		v, ok := kernel.ParseVersion(version)
		require.True(t, ok)
		scheme, ok := v.Scheme()
		assert.True(t, ok, version)
		assert.Equal(t, want, scheme, version)
	}
	scheme, ok := kernel.Version{}.Scheme()
	assert.True(t, ok)
	assert.Equal(t, kernel.SchemeEarly, scheme, "a kernel that is not known is the newest")
	_, ok = kernel.Version{Major: 4, Minor: 6}.Scheme()
	assert.False(t, ok)
}

// The kernel that is given tells its scheme better than any version: vendors carry
// newer livepatching under older numbers.
func TestKernelTellsTheScheme(t *testing.T) {
	f := patched(t, "a", map[string]string{"a_fn": "sym"})
	record1(t, f, "vmlinux", "sym", 0)
	s := section(t, f, ".modinfo")
	s.Data = []byte(strings.Replace(string(s.Data), "vermagic=6.1.0-99-test",
		"vermagic=4.18.0-372-el", 1))
	const common = "ffffffff81000100 t sym\nffffffff81000110 T exported\nffffffff81000120 r __ksymtab_exported\n"
	for kernel, want := range map[string]string{
		common + "ffffffff81000200 T klp_apply_section_relocs\n":    ".klp.rela.vmlinux..text.a_fn",
		common + "ffffffff81000200 T arch_klp_init_object_loaded\n": ".klp.rela.a..text.a_fn",
		common + "ffffffff81000200 T something\n":                   ".klp.rela.a..text.a_fn", // vermagic
	} {
		g, _ := convertedAgainst(t, f, klpreloc.Options{Kernel: kernelOf(t, kernel)})
		assert.NotNil(t, g.Section(want), "%s\n%s", want, kernel)
	}
	g, _ := convertedAgainst(t, f, klpreloc.Options{Target: kernel.Version{Major: 5, Minor: 14}})
	assert.NotNil(t, g.Section(".klp.rela.vmlinux..text.a_fn"), "--target goes before vermagic")
}

// A patch that is put together by code can't be read: that is reported, and nothing is
// guessed.
func TestPatchThatCanNotBeRead(t *testing.T) {
	f := open(t, "x86_64/records-rfc.ko") // calls klp_enable_patch
	_, found := against(t, f, klpreloc.Options{})
	d := the(t, diag.PatchUnreadable, found)
	assert.Equal(t, diag.Warning, d.Severity)
	assert.Contains(t, d.Message, "is not checked")
}

// An export of a module that is not patched goes with what uses it, as any symbol
// of that module.
func TestExportOfAnotherModuleIsConverted(t *testing.T) {
	f := patched(t, "ext4 a", map[string]string{"a_fn": "foreign exported"})
	text := kallsyms + "ffffffff81000f00 r __ksymtab_exported\n"
	g, found := convertedAgainst(t, f,
		klpreloc.Options{Kernel: kernelOf(t, text), ConvertModuleExports: true})
	d := the(t, diag.PatchedExport, found)
	assert.Equal(t,
		"symbol foreign is exported by module btrfs: converted as .klp.sym.btrfs.foreign,0", d.Message)
	require.NotNil(t, g.Section(".klp.rela.a..text.a_fn"))
	symbol(t, g, ".klp.sym.btrfs.foreign,0")
}
