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
	"github.com/klp-convert/klp-convert/sympos"
)

// What the table of package loader (TestWhoExportsIt) has no dimension for.

// imports is a livepatch for vmlinux, ext4 and more that uses these names. modpost
// resolved those that are in its version table, and everything else that is undefined.
func imports(t *testing.T, depends string, resolved []string, more []string, names ...string,
) *elfrw.File {
	f := undefinedIn(t, borrower(t, more...), names...)
	if resolved != nil {
		versionTable(f, append([]string{"module_layout", "klp_enable_patch"}, resolved...)...)
	}
	info := section(t, f, ".modinfo")
	info.Data = []byte(strings.Replace(string(info.Data), "depends=\x00",
		"depends="+depends+"\x00", 1))
	return f
}

const (
	nowherePatched = "modpost resolved zshared to an export of zfs, and no source tells what zfs " +
		"exports, which the livepatch patches"
	stays = "no source tells what zfs exports: zshared stays an import, as modpost resolved it"
)

func TestImportsOfUnknownModules(t *testing.T) {
	some := []string{"zshared"}
	twins := kallsyms + "ffffffffc0003000 T dup\t[ext4]\nffffffffc0003100 r __ksymtab_dup\t[ext4]\n" +
		"ffffffffc0004000 T dup\t[btrfs]\nffffffffc0004100 r __ksymtab_dup\t[btrfs]\n"
	bare := strings.Join(strings.SplitAfter(kallsyms, "\n")[:19], "") // no exports
	require.NotContains(t, bare, "__ksymtab_")
	listed := "0x00000000\tklp_enable_patch\tvmlinux\tEXPORT_SYMBOL_GPL\t\n" +
		"0x00000000\tusb_function\tusb\tEXPORT_SYMBOL\tUSB\n"
	for name, test := range map[string]struct {
		module  *elfrw.File
		kernel  []string
		options klpreloc.Options
		id      diag.ID // "": nothing is reported
		level   diag.Severity
		message string
		hints   []string
		becomes string // of an error, nothing
	}{
		"kept": {module: imports(t, "zfs", some, nil, "zshared"), id: diag.UnknownExporter,
			level: diag.Warning, message: stays,
			hints: []string{"--module zfs.ko",
				"or --symvers FILE, the Module.symvers of its build"}, becomes: "zshared"},
		"kept, which vmlinux hides": {module: imports(t, "zfs", []string{"once"}, nil, "once"),
			id: diag.ShadowedExport, level: diag.Warning,
			message: "symbol once is exported by module zfs, which is used, and hidden in vmlinux; " +
				"annotate it if that one is meant",
			hints: []string{"KLP_SYMPOS(once, 0),   /* t ffffffff81000700 +0x100 */"}, becomes: "once"},
		"of one of two": {module: imports(t, "zfs,spl-x", some, nil, "zshared"), id: diag.UnknownExporter,
			level: diag.Warning,
			message: "no source tells what zfs or spl_x exports: zshared stays an import, as modpost " +
				"resolved it",
			hints: []string{"--module zfs.ko", "--module spl_x.ko",
				"or --symvers FILE, the Module.symvers of its build"}, becomes: "zshared"},
		"of one of many": {module: imports(t, "a,b,c,d,e", some, nil, "zshared"),
			id: diag.UnknownExporter, level: diag.Warning,
			message: "no source tells what a, b, c or 2 others exports: zshared stays an import, as " +
				"modpost resolved it",
			hints: []string{"--module a.ko", "--module b.ko", "--module c.ko", "--module d.ko",
				"--module e.ko", "or --symvers FILE, the Module.symvers of its build"}, becomes: "zshared"},
		"with conversion of exports": {module: imports(t, "zfs", some, nil, "zshared"),
			options: klpreloc.Options{ConvertModuleExports: true},
			id:      diag.UnknownExporter, level: diag.Warning, message: stays,
			hints: []string{"--module zfs.ko",
				"or --symvers FILE, the Module.symvers of its build"}, becomes: "zshared"},
		"of what is patched": {module: imports(t, "zfs", some, []string{"zfs"}, "zshared"),
			id: diag.UnknownExporter, level: diag.Error, message: nowherePatched,
			hints: []string{"--module zfs.ko", "or --symvers FILE, the Module.symvers of its build"}},
		"of what is patched, and nothing is inferred": {module: imports(t, "zfs", some, []string{"zfs"},
			"zshared"), options: klpreloc.Options{NoInfer: true},
			id: diag.DependsOnPatched, level: diag.Warning,
			message: "depends= names zfs, which the " +
				"livepatch patches: it can't be loaded before that module",
			hints: []string{"--module zfs.ko tells whether the livepatch needs it"}, becomes: "zshared"},

		// A module in depends= exports something that the livepatch uses.
		"without a checksum": {module: imports(t, "zfs", []string{}, nil, "once"),
			id: diag.UnknownExporter, level: diag.Error,
			message: "symbol once is hidden in vmlinux, and may be an export of zfs: depends= says that " +
				"the module uses one, and no source tells what zfs exports",
			hints: []string{"--module zfs.ko", "or --symvers FILE, the Module.symvers of its build",
				"KLP_SYMPOS(once, 0),   /* t ffffffff81000700 +0x100 */"}},
		"another import explains depends=": {module: imports(t, "zfs", some, nil, "once", "zshared"),
			id: diag.Inferred, level: diag.Note,
			message: "symbol once is hidden in vmlinux and nowhere else: converted as " +
				".klp.sym.vmlinux.once,0", becomes: ".klp.sym.vmlinux.once,0"},
		"one import, two modules": {module: imports(t, "zfs,spl", some, nil, "once", "zshared"),
			id: diag.UnknownExporter, level: diag.Error,
			message: "symbol once is hidden in vmlinux, and may be an export of zfs or spl: depends= says " +
				"that the module uses one, and no source tells what zfs or spl exports",
			hints: []string{"--module zfs.ko", "--module spl.ko",
				"or --symvers FILE, the Module.symvers of its build",
				"KLP_SYMPOS(once, 0),   /* t ffffffff81000700 +0x100 */"}},
		"nowhere": {module: imports(t, "zfs", []string{}, nil, "no_such_thing"), id: diag.Absent,
			level: diag.Error,
			message: "undefined symbol no_such_thing is in no object that the livepatch names, and no " +
				"module exports it (no source tells what zfs exports: --module)"},

		// depends= says which of several exports modpost took.
		"exported by what is patched, and in depends=": {module: imports(t, "ext4", []string{"dup"},
			nil, "dup"),
			kernel: []string{twins}, id: diag.PatchedExport,
			message: "symbol dup is exported by ext4, which the livepatch patches and must not depend " +
				"on: converted as .klp.sym.ext4.dup,0",
			becomes: ".klp.sym.ext4.dup,0"},
		"exported by what is patched, and another is meant": {module: imports(t, "btrfs", []string{"dup"},
			nil, "dup"),
			kernel: []string{twins}, id: diag.ShadowedExport, level: diag.Warning,
			message: "symbol dup is exported by module btrfs, which is used, and hidden in ext4; " +
				"annotate it if that one is meant",
			hints: []string{"KLP_SYMPOS(dup, 0),   /* T ffffffffc0003000 */"}, becomes: "dup"},
		"exported by what is patched, and unknown is meant": {module: imports(t, "zfs",
			[]string{"patched_offers"}, nil, "patched_offers"),
			id: diag.UnknownExporter, level: diag.Warning,
			message: "no source tells what zfs exports: patched_offers stays an import, as modpost " +
				"resolved it",
			hints:   []string{"--module zfs.ko", "or --symvers FILE, the Module.symvers of its build"},
			becomes: "patched_offers"},
		"exported by what is patched, and by nothing else": {module: imports(t, "",
			[]string{"patched_offers"}, nil, "patched_offers"),
			id: diag.PatchedExport,
			message: "symbol patched_offers is exported by ext4, which the livepatch patches and must " +
				"not depend on: converted as .klp.sym.ext4.patched_offers,0",
			becomes: ".klp.sym.ext4.patched_offers,0"},

		// Other kernels than that of the build.
		"exported no more": {module: imports(t, "", []string{"once"}, nil, "once"),
			id: diag.UnknownExporter, level: diag.Error,
			message: "modpost resolved once to an export, and no object of kernel kernel exports it: the " +
				"module was built against other exports",
			hints: []string{"KLP_SYMPOS(once, 0),   /* t ffffffff81000700 +0x100 */"}},
		"nothing of depends= is used": {module: imports(t, "btrfs", []string{}, nil, "offered"),
			id: diag.UnusedDepends, level: diag.Warning,
			message: "depends= names btrfs, and the module uses no symbol that btrfs exports: it was built " +
				"against another btrfs",
			hints: []string{"build it again, with the Module.symvers of that btrfs"}, becomes: "offered"},
		"no exports are known": {module: imports(t, "zfs", []string{"once"}, nil, "once"),
			kernel: []string{bare + kallsyms[strings.Index(kallsyms,
				"ffffffffc"):]}, id: diag.NotChecked, level: diag.Warning,
			message: "nothing tells what kernel kernel exports: what modpost resolved to an export stays " +
				"an import, everything else is treated as hidden",
			hints: []string{"--kernel kernel,Module.symvers"}, becomes: "once"},

		// Namespaces.
		"in a namespace of no export": {module: importing(t, imports(t, "", nil, nil, "once"), "STRANGE"),
			kernel: []string{kallsyms, listed}, id: diag.UnknownExporter, level: diag.Error,
			message: "symbol once is hidden in vmlinux, and may be an export of a module with exports in " +
				"namespace STRANGE: the module imports that namespace",
			hints: []string{"or --symvers FILE, the Module.symvers of its build",
				"KLP_SYMPOS(once, 0),   /* t ffffffff81000700 +0x100 */"}},
		"in a namespace that is known": {module: importing(t, imports(t, "", nil, nil, "once"), "USB"),
			kernel: []string{kallsyms, listed}, id: diag.Inferred,
			message: "symbol once is hidden in vmlinux and nowhere else: converted as " +
				".klp.sym.vmlinux.once,0", becomes: ".klp.sym.vmlinux.once,0"},
		"in a namespace, and no list is complete": {module: importing(t,
			imports(t, "", []string{}, nil, "once"), "STRANGE"), id: diag.Inferred,
			message: "symbol once is hidden in vmlinux and nowhere else: converted as " +
				".klp.sym.vmlinux.once,0", becomes: ".klp.sym.vmlinux.once,0"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.kernel == nil {
				test.kernel = []string{kallsyms}
			}
			o := test.options
			o.Kernel = kernelOf(t, test.kernel...)
			var found diag.List
			if test.level == diag.Error {
				_, found = against(t, test.module, o)
			} else {
				var g *elfrw.File
				g, found = convertedAgainst(t, test.module, o)
				symbol(t, g, test.becomes)
			}
			some := with(test.id, found)
			i := slices.IndexFunc(some, func(d diag.Diagnostic) bool { return d.Message == test.message })
			require.GreaterOrEqual(t, i, 0, "%v", found)
			assert.Equal(t, test.level, some[i].Severity)
			assert.Equal(t, test.hints, some[i].Hints)
		})
	}
}

// importing adds a namespace.
func importing(t *testing.T, f *elfrw.File, ns string) *elfrw.File {
	info := section(t, f, ".modinfo")
	info.Data = append(append(info.Data, "import_ns="+ns...), 0)
	return f
}

// The table of 6.13 and later says the same, also of names that the older one can't have.
func TestExtendedVersionTablesTellImports(t *testing.T) {
	long := strings.Repeat("z", 100)
	f := undefinedIn(t, borrower(t), "once", long)
	extendedVersions(f, "module_layout", "klp_enable_patch", "once", long)
	depends(t, f, "zfs")
	g, found := convertedAgainst(t, f, klpreloc.Options{Kernel: kernelOf(t, kallsyms)})
	assert.Equal(t,
		"no source tells what zfs exports: once, "+long[:80]+
			"… stays an import, as modpost resolved it", the(t, diag.UnknownExporter, found).Message)
	assert.True(t, symbol(t, g, "once").Undefined())
	assert.True(t, symbol(t, g, long).Undefined())
}

// An annotation is the author's word for what modpost resolved elsewhere. What that leaves
// in depends= is told, since nothing tells whether it is needed.
func TestAnnotatedImportOfAnUnknownModule(t *testing.T) {
	f := imports(t, "zfs", []string{"once"}, nil)
	annotate(t, f, "vmlinux", "once", 0)
	g, found := convertedAgainst(t, f, klpreloc.Options{Kernel: kernelOf(t, kallsyms)})
	symbol(t, g, ".klp.sym.vmlinux.once,0")
	d := the(t, diag.UnusedDepends, found)
	assert.Equal(t, "depends= still names zfs, and no import is left that it can export", d.Message)
	assert.Equal(t, []string{"--module zfs.ko tells whether the livepatch needs it"}, d.Hints)
	names, _ := klpabi.VersionedNames(g)
	assert.NotContains(t, names, "once")

	// Another import is left that may be of the module: nothing to tell.
	f = imports(t, "zfs", []string{"once", "zshared"}, nil, "zshared")
	annotate(t, f, "vmlinux", "once", 0)
	_, found = convertedAgainst(t, f, klpreloc.Options{Kernel: kernelOf(t, kallsyms)})
	assert.Empty(t, with(diag.UnusedDepends, found))
}

// Conversion asks the modules' own files, where no list of the kernel's build has them,
// and modpost had no such list either. A list of another build is not one of the kernel.
func TestModulesTellTheirExports(t *testing.T) {
	const release = "6.1.0-99-test"
	root := t.TempDir()
	write := func(name string, b []byte) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, b, 0o644))
	}
	m := open(t, "x86_64/labels-dot.ko")
	s, _ := addLoaded(m, "__ksymtab", 0, make([]byte, 12))
	m.AddSymbol(&elfrw.Symbol{Name: "__ksymtab_once", Section: s})
	write("boot/System.map-"+release, []byte(kallsyms[:strings.Index(kallsyms, "ffffffffc")]+
		"ffffffff82000000 t mod_call\nffffffff82000040 t mod_value\n"))
	write("lib/modules/"+release+"/modules.order", []byte("kernel/fs/btrfs.ko\n"))
	write("lib/modules/"+release+"/modules.builtin", nil)
	write("lib/modules/"+release+"/kernel/fs/btrfs.ko", encode(t, m))
	write("own/Module.symvers", []byte("0x00000000\town_function\t/build/own\tEXPORT_SYMBOL\t\n"))
	f := bare(t, "x86_64")
	testmodule.Declare(t, f, []string{"vmlinux"}, nil, "")
	use(f, addUndefined(f, "once", elf.STB_GLOBAL))
	for _, lists := range [][]string{nil, {"own/Module.symvers"}} {
		k, err := sympos.FindKernel(root, nil)
		require.NoError(t, err)
		for _, list := range lists {
			require.NoError(t, k.AddSymvers(filepath.Join(root, list)))
		}
		_, found := klpreloc.NewPlan(reread(t, f), klpreloc.Options{Kernel: k})
		d := the(t, diag.ShadowedExport, found)
		assert.Contains(t, d.Message, "symbol once is exported by module ", lists)
		// What modpost did not resolve, with a list of the build, is no export.
		g := reread(t, f)
		versionTable(g, "module_layout", "klp_enable_patch")
		_, found = klpreloc.NewPlan(reread(t, g), klpreloc.Options{Kernel: k})
		assert.Empty(t, with(diag.ShadowedExport, found), lists)
	}
}
