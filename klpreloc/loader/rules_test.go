// SPDX-License-Identifier: GPL-2.0-or-later

package loader_test

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/sympos"
)

// A mistake is a mutation of the good module, or of its kernel, and what comes of it. The
// rows marked with a version are those of kernel.md's experiments on real kernels.
type mistake struct {
	world   func(w *world)
	edit    func(t *testing.T, f *elfrw.File)
	id      diag.ID
	note    bool
	when    diag.When
	message string // the first; "" for none
	errno   string
	fails   bool // insmod
}

const klpVm, klpA = ".klp.rela.vmlinux..text.vm_fn", ".klp.rela.a..text.a_fn"

func version(v string) func(*world) { return func(w *world) { w.version = v } }

func loadedA(v string) func(*world) {
	return func(w *world) { w.version, w.loaded = v, true }
}

func rename(from, to string) func(*testing.T, *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		if s := f.Section(from); s != nil {
			s.Name = to
			return
		}
		symbol(t, f, from).Name = to
	}
}

func header(name string, edit func(s *elfrw.Section)) func(*testing.T, *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) { edit(section(t, f, name)) }
}

func relocs(name string, edit func(r []elfrw.Rela) []elfrw.Rela) func(*testing.T, *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		s := section(t, f, name)
		s.SetRelocs(edit(slices.Clone(s.Relocs())))
	}
}

func symtab(name string, edit func(y *elfrw.Symbol)) func(*testing.T, *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) { edit(symbol(t, f, name)) }
}

func modinfo(from, to string) func(*testing.T, *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		s := section(t, f, ".modinfo")
		require.Contains(t, string(s.Data), from)
		s.Data = []byte(strings.ReplaceAll(string(s.Data), from, to))
	}
}

// jumpTable gives the livepatch a static key's branch in a_fn.
func jumpTable(key string) func(*testing.T, *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		if !hasSymbol(f, key) {
			undefined(f, key, elf.STB_GLOBAL)
		}
		a := symbol(t, f, "a_fn")
		add(f, "__jump_table", elf.SHF_WRITE, make([]byte, 16), elfrw.Rela{Offset: 0, Sym: a, Type: 2,
			Addend: 16},
			elfrw.Rela{Offset: 4, Sym: a, Type: 2, Addend: 18},
			elfrw.Rela{Offset: 8, Sym: symbol(t, f, key), Type: 24})
	}
}

func versions(crcs map[string]uint32) func(*testing.T, *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		var b []byte
		names := []string{"module_layout", "offered", "exported", "klp_enable_patch"}
		for _, name := range names {
			crc, ok := crcs[name]
			if !ok {
				continue
			}
			entry := make([]byte, 64)
			entry[0], entry[1], entry[2], entry[3] = byte(crc), byte(crc>>8), byte(crc>>16), byte(crc>>24)
			copy(entry[8:], name)
			b = append(b, entry...)
		}
		f.AddSection(&elfrw.Section{Name: "__versions", Type: elf.SHT_PROGBITS, Flags: 2, Align: 32,
			Data: b})
	}
}

var mistakes = map[string]mistake{
	// .modinfo and struct module
	"not marked": {edit: modinfo("livepatch=Y", "livepotch=Y"), id: diag.NotMarked,
		when: diag.Enabling, errno: "EINVAL", fails: true,
		message: "livepatch: module lp is not marked as a livepatch module"},
	"no livepatching": {world: func(w *world) { w.config = "CONFIG_MODULES=y\n" },
		id: diag.NoLivepatching, errno: "ENOEXEC", fails: true,
		message: "lp: module is marked as livepatch module, but livepatch support is disabled"},
	"vermagic": {edit: modinfo("6.1.0-99", "6.1.0-98"), id: diag.VersionMagic, errno: "ENOEXEC",
		fails: true,
		message: "lp: version magic '6.1.0-98-test SMP preempt mod_unload ' should be " +
			"'6.1.0-99-test SMP preempt mod_unload '"},
	"no vermagic": {edit: modinfo("vermagic", "vermogic"), id: diag.VersionMagic,
		message: "lp: bad vermagic: kernel tainted."},
	"name is vmlinux": {edit: modinfo("name=lp", "name=vmlinux"), id: diag.BadModuleName,
		errno: "EINVAL", fails: true, message: "livepatch: vmlinux.ko: invalid module name"},
	"license": {edit: func(t *testing.T, f *elfrw.File) {
		modinfo("license=GPL", "license=BSD")(t, f)
		symbol(t, f, "klp_enable_patch").Name = "offered" // which is for the GPL
	}, id: diag.GPLOnlyExport, note: true, message: "lp: module license 'BSD' taints kernel."},
	"struct module, 6.1": {edit: header(".gnu.linkonce.this_module", shorten), id: diag.StructModule,
		message: "page fault in load_module"},
	"struct module, 6.12": {world: version("6.12"), edit: header(".gnu.linkonce.this_module",
		shorten), id: diag.StructModule, errno: "ENOEXEC", fails: true,
		message: "module lp: .gnu.linkonce.this_module section size must match the kernel's built " +
			"struct module size at run time"},
	"signature wanted": {world: func(w *world) { w.config = "CONFIG_LIVEPATCH=y\nCONFIG_MODULE_SIG_FORCE=y\n" }, id: diag.BadSignature, errno: "EKEYREJECTED", fails: true,
		message: "Loading of unsigned module is rejected"},

	// imports
	"unknown symbol": {edit: rename("offered", "ofered"), id: diag.UnknownSymbol, errno: "ENOENT",
		fails: true, message: "lp: Unknown symbol ofered (err -2)"},
	"weak symbol": {edit: func(t *testing.T, f *elfrw.File) {
		y := symbol(t, f, "offered")
		y.Name, y.Info = "ofered", byte(elf.STB_WEAK)<<4
	}, id: diag.WeakImport, when: diag.Calling, message: "page fault in vm_fn"},
	"klp symbol left undefined, 6.1 6.12": {edit: symtab(".klp.sym.vmlinux.vsym,0",
		func(y *elfrw.Symbol) { y.Index = elf.SHN_UNDEF }), id: diag.UnknownSymbol, errno: "ENOENT",
		fails:   true,
		message: "lp: Unknown symbol .klp.sym.vmlinux.vsym,0 (err -2)"},
	"section index": {world: version("6.12"), edit: symtab(".klp.sym.vmlinux.vsym,0",
		func(y *elfrw.Symbol) { y.Index = 0xff30 }), id: diag.SymbolIndex, errno: "ENOEXEC", fails: true,
		message: "lp: Symbol .klp.sym.vmlinux.vsym,0 has an invalid section index 65328 (max …)"},
	"common": {edit: symtab("offered", func(y *elfrw.Symbol) { y.Index = elf.SHN_COMMON }),
		id: diag.CommonSymbol, errno: "ENOEXEC", fails: true, message: "lp: please compile " +
			"with -fno-common"},
	"for the GPL": {edit: func(t *testing.T, f *elfrw.File) {
		rename("offered", "klp_enable_patch")(t, f)
		modinfo("license=GPL", "license=BSD")(t, f)
	}, id: diag.GPLOnlyExport, errno: "ENOENT", fails: true,
		message: "lp: Unknown symbol klp_enable_patch (err -2)"},
	"namespace": {world: func(w *world) { w.symvers = "0x00000000\toffered\tvmlinux\tEXPORT_SYMBOL\tNS\n" }, id: diag.NamespaceNotImported, errno: "EINVAL", fails: true,
		message: "lp: module uses symbol (offered) from namespace NS, but does not import it."},
	"checksum": {world: func(w *world) {
		w.symvers, w.before = "0x00000007\toffered\tvmlinux\tEXPORT_SYMBOL\t\n",
			versions(map[string]uint32{"module_layout": 1, "offered": 8, "exported": 2})
		w.target = versions(map[string]uint32{"module_layout": 1})
	}, id: diag.ChecksumMismatch, errno: "EINVAL", fails: true,
		message: "lp: disagrees about version of symbol offered"},
	"module_layout": {world: func(w *world) {
		w.before = versions(map[string]uint32{"module_layout": 2, "offered": 1, "exported": 2})
		w.target = versions(map[string]uint32{"module_layout": 1})
	}, id: diag.ChecksumMismatch, errno: "ENOEXEC", fails: true,
		message: "lp: disagrees about version of symbol module_layout"},
	"export of what is patched": {world: func(w *world) { w.symvers = "0x00000000\taexport\ta\tEXPORT_SYMBOL\t\n" }, edit: rename("offered", "aexport"), id: diag.NeedsModule, errno: "ENOENT", fails: true,
		message: "lp: Unknown symbol aexport (err -2)"},

	// headers of klp sections
	"section grammar": {edit: rename(klpVm, ".klp.rola.x"), id: diag.SectionGrammar, errno: "EINVAL",
		fails: true, message: "livepatch: section .klp.rola.x has an incorrectly formatted name"},
	"empty object": {edit: rename(klpVm, ".klp.rela..text"), id: diag.SectionGrammar,
		errno: "EINVAL", fails: true, message: "livepatch: section .klp.rela..text has an " +
			"incorrectly formatted name"},
	"vmlinux section not allocated, 6.1 6.12": {edit: header(klpVm, unallocated),
		id: diag.SectionHeader, note: true},
	"module section not allocated, 6.1": {world: loadedA("6.1"),
		edit: header(klpA, unallocated), id: diag.SectionHeader, when: diag.Enabling, errno: "killed",
		fails: true, message: "page fault in klp_apply_section_relocs"},
	"no flag": {edit: header(klpA,
		func(s *elfrw.Section) { s.Flags &^= klpabi.FlagLivepatch }), id: diag.KlpSymbolOrdinary,
		when: diag.Calling, message: "page fault in a_fn"},
	"duplicate name, 6.1": {world: func(w *world) { w.objects, w.version = "vmlinux a", "6.1" },
		edit: duplicate, id: diag.DuplicateSection,
		message: "sysfs: cannot create duplicate filename " +
			"'/module/lp/sections/.klp.rela.vmlinux..text.a_fn'"},
	"duplicate name, 6.12": {world: version("6.12"), edit: duplicate, id: diag.DuplicateSection,
		errno: "EEXIST", fails: true,
		message: "sysfs: cannot create duplicate filename " +
			"'/module/lp/sections/.klp.rela.vmlinux..text.a_fn'"},
	"duplicate but empty, 6.1 6.12": {edit: func(t *testing.T, f *elfrw.File) {
		s := section(t, f, klpVm)
		f.AddSection(&elfrw.Section{Name: s.Name, Type: s.Type, Flags: s.Flags, Align: 8, Link: s.Link,
			Target: s.Target})
	}, id: diag.DuplicateSection, note: true},

	// gating
	"section for an object that is " +
		"not patched, 6.1": {edit: rename(klpA, ".klp.rela.ext4..text.a_fn"), id: diag.NotApplied,
		when: diag.Calling, message: "page fault in a_fn"},
	"vmlinux section, patch of a module, 5.4": {world: func(w *world) {
		w.version, w.objects = "5.4",
			"a"
	}, edit: rename(".klp.rela.a..text.vm_fn", ".klp.rela.vmlinux..text.vm_fn"),
		id:   diag.NotApplied,
		when: diag.Calling, message: "page fault in vm_fn"},
	"object of 56 bytes": {edit: rename(klpA, ".klp.rela."+strings.Repeat("a", 56)+"..text"),
		id: diag.NotApplied, when: diag.Calling, message: "page fault in a_fn"},

	// symbols
	"symbol not marked": {edit: relocs(klpVm, func(r []elfrw.Rela) []elfrw.Rela { return r }),
		id: ""},
	"ordinary symbol": {edit: func(t *testing.T, f *elfrw.File) {
		s := section(t, f, klpVm)
		r := slices.Clone(s.Relocs())
		r[0].Sym = symbol(t, f, "offered")
		s.SetRelocs(r)
	}, id: diag.NotKlpSymbol, errno: "EINVAL", fails: true, message: "livepatch: symbol offered is " +
		"not marked as a livepatch symbol"},
	"ordinary symbol, 7.2": {world: version("7.2"), edit: func(t *testing.T, f *elfrw.File) {
		s := section(t, f, klpVm)
		r := slices.Clone(s.Relocs())
		r[0].Sym = symbol(t, f, "offered")
		s.SetRelocs(r)
	}, id: diag.NotKlpSymbol, errno: "EINVAL", fails: true, message: "livepatch: symbol offered at " +
		"rela sec … idx 0 is not marked as a livepatch symbol"},
	"klp symbol in an ordinary relocation, 6.1": {edit: func(t *testing.T, f *elfrw.File) {
		f.AddReloc(section(t, f, ".rela.text.a_fn"),
			elfrw.Rela{Offset: 16, Sym: symbol(t, f, ".klp.sym.a.asym,0"), Type: 1})
	}, id: diag.KlpSymbolOrdinary, when: diag.Calling, message: "page fault in a_fn"},
	"position is no number, 6.1 6.12": {edit: rename(".klp.sym.vmlinux.vsym,0",
		".klp.sym.vmlinux.vsym,zz"), id: diag.SymbolGrammar, errno: "EINVAL", fails: true,
		message: "livepatch: symbol .klp.sym.vmlinux.vsym,zz has an incorrectly formatted name"},
	"name of 128 bytes, 5.10": {world: version("5.10"), edit: rename(".klp.sym.vmlinux.vsym,0",
		".klp.sym.vmlinux."+strings.Repeat("v", 128)+",0"), id: diag.SymbolGrammar, errno: "EINVAL",
		fails: true,
		message: "livepatch: symbol .klp.sym.vmlinux." + strings.Repeat("v", 128) +
			",0 has an incorrectly formatted name"},
	"missing symbol, 6.1 6.12": {edit: rename(".klp.sym.vmlinux.vsym,0", ".klp.sym.vmlinux.vsim,0"),
		id: diag.KlpSymbolAbsent, errno: "EINVAL", fails: true, message: "livepatch: symbol 'vsim' not " +
			"found in symbol table"},
	"pos 0 on ambiguous, 6.1 6.12": {edit: rename(".klp.sym.vmlinux.vsym,0",
		".klp.sym.vmlinux.twin,0"), id: diag.KlpSymbolAmbiguous, errno: "EINVAL", fails: true,
		message: "livepatch: unresolvable ambiguity for symbol 'twin' in object '(null)'"},
	"pos 2 on unique, 6.1 6.12": {edit: rename(".klp.sym.vmlinux.vsym,0", ".klp.sym.vmlinux.vsym,2"),
		id: diag.KlpPositionAbsent, errno: "EINVAL", fails: true,
		message: "livepatch: symbol position 2 for symbol 'vsym' in object 'vmlinux' not found"},
	"pos 1 on unique, 6.1 6.12": {edit: rename(".klp.sym.vmlinux.vsym,0", ".klp.sym.vmlinux.vsym,1")},
	"pos 2 of two":              {edit: rename(".klp.sym.vmlinux.vsym,0", ".klp.sym.vmlinux.twin,2")},
	"vmlinux.ko as an object, 6.1": {edit: rename(".klp.sym.vmlinux.vsym,0",
		".klp.sym.vmlinux.ko.vsym,0"), id: diag.KlpSymbolAbsent, errno: "EINVAL", fails: true,
		message: "livepatch: symbol 'ko.vsym' not found in symbol table"},
	"missing in the target, loaded later": {edit: rename(".klp.sym.a.asym,0", ".klp.sym.a.asim,0"),
		id: diag.KlpSymbolAbsent, when: diag.Coming, errno: "EINVAL",
		message: "livepatch: symbol 'asim' not found in symbol table"},
	"missing in the target, loaded": {world: loadedA("6.1"), edit: rename(".klp.sym.a.asym,0",
		".klp.sym.a.asim,0"), id: diag.KlpSymbolAbsent, when: diag.Enabling, errno: "EINVAL", fails: true,
		message: "livepatch: symbol 'asim' not found in symbol table"},
	"in the target's init section": {world: loadedA("6.1"), edit: rename(".klp.sym.a.asym,0",
		".klp.sym.a.passing,0"), id: diag.KlpSymbolAbsent, when: diag.Enabling, errno: "EINVAL",
		fails:   true,
		message: "livepatch: symbol 'passing' not found in symbol table"},
	"in the target's init section, not loaded": {edit: rename(".klp.sym.a.asym,0",
		".klp.sym.a.passing,0"), id: diag.KlpSymbolAbsent, when: diag.Enabling, errno: "EINVAL",
		message: "livepatch: symbol 'passing' not found in symbol table"},
	"vmlinux symbol in module section, loaded, 6.1 6.12": {world: loadedA("6.1"),
		edit: rename(".klp.sym.a.asym,0", ".klp.sym.vmlinux.twin,1"), id: diag.VmlinuxInModule,
		when: diag.Enabling, errno: "EINVAL", fails: true,
		message: "livepatch: invalid access to vmlinux symbol 'twin' from module-specific livepatch " +
			"relocation section"},
	"vmlinux symbol in module section, later, 6.1 6.12": {edit: rename(".klp.sym.a.asym,0",
		".klp.sym.vmlinux.twin,1"), id: diag.VmlinuxInModule, when: diag.Coming, errno: "EINVAL",
		message: "livepatch: invalid access to vmlinux symbol 'twin' from module-specific livepatch " +
			"relocation section"},
	"vmlinux symbol in module section, 5.4": {world: version("5.4"),
		edit: rename(".klp.sym.a.asym,0", ".klp.sym.vmlinux.twin,1")},
	"module symbol in vmlinux section, 6.1 6.12": {edit: rename(".klp.sym.vmlinux.vsym,0",
		".klp.sym.a.asym,1"), id: diag.ModuleInVmlinux, errno: "EINVAL", fails: true,
		message: "livepatch: symbol 'asym' not found in symbol table"},
	"another module's symbol": {edit: rename(".klp.sym.a.asym,0", ".klp.sym.b.bsym,0"),
		id: diag.ForeignOwner, when: diag.Coming, errno: "EINVAL", message: "livepatch: symbol 'bsym' " +
			"not found in symbol table"},

	// relocations
	"type of relocation": {edit: relocs(klpVm,
		func(r []elfrw.Rela) []elfrw.Rela { r[0].Type = 42; return r }), id: diag.RelocationType,
		errno: "ENOEXEC", fails: true,
		message: "module: lp: Unknown rela relocation: 42"},
	"bytes not zero, 6.1": {edit: nonzero, id: diag.CheckNonzeroTarget, errno: "ENOEXEC", fails: true,
		message: "module: x86/modules: Skipping invalid relocation target, existing value is nonzero " +
			"for type 1, loc …, val …"},
	"bytes not zero, 6.12": {world: version("6.12"), edit: nonzero, id: diag.CheckNonzeroTarget,
		errno: "ENOEXEC", fails: true,
		message: "module: x86/modules: Invalid relocation target, existing value is nonzero for " +
			"type 1, loc …, val …"},
	"original kept as well, 6.1": {edit: func(t *testing.T, f *elfrw.File) {
		f.AddReloc(section(t, f, ".rela.text.vm_fn"),
			elfrw.Rela{Offset: 0, Sym: symbol(t, f, "offered"), Type: 1})
	}, id: diag.Overlap, errno: "ENOEXEC", fails: true,
		message: "module: x86/modules: Skipping invalid relocation target, existing value is nonzero " +
			"for type 1, loc …, val …"},
	"behind the end": {edit: relocs(klpVm,
		func(r []elfrw.Rela) []elfrw.Rela { r[0].Offset = 1 << 40; return r }), id: diag.OutsideTarget,
		errno: "killed", fails: true, message: "page fault"},

	"no relocation at all": {edit: relocs(klpVm,
		func(r []elfrw.Rela) []elfrw.Rela { r[0].Type = 0; return r }), id: diag.RelocationType,
		when: diag.Calling, message: "page fault in vm_fn"},
	"address in 32 bits, 6.1": {edit: relocs(klpVm,
		func(r []elfrw.Rela) []elfrw.Rela { r[0].Type = 10; return r }), id: diag.RelocationType,
		errno: "ENOEXEC", fails: true,
		message: "module: overflow in relocation type 10 val …"},
	"address in 32 bits, 7.3": {world: version("7.3"),
		edit: relocs(klpVm, func(r []elfrw.Rela) []elfrw.Rela { r[0].Type = 10; return r }),
		id:   diag.RelocationType, errno: "ENOEXEC", fails: true,
		message: "module: overflow in relocation type 10 val … sec … idx …"},
	"addend out of reach": {edit: relocs(klpVm, func(r []elfrw.Rela) []elfrw.Rela {
		r[0].Type,
			r[0].Addend = 2, 1<<33
		return r
	}), id: diag.OutsideTarget, when: diag.Calling,
		message: "page fault in vm_fn"},
	"compact relocations": {edit: func(t *testing.T, f *elfrw.File) {
		f.AddSection(&elfrw.Section{
			Name: ".crel.text.vm_fn", Type: 0x40000014, Flags: uint64(elf.SHF_INFO_LINK), Align: 1,
			Link: f.Symtab, Target: section(t, f, ".text.vm_fn"), Data: []byte{0},
		})
	}, id: diag.RelocationType, when: diag.Calling, message: "page fault"},
	"type of an ordinary relocation": {edit: relocs(".rela.text.vm_fn",
		func(r []elfrw.Rela) []elfrw.Rela { r[0].Type = 42; return r }), id: diag.RelocationType,
		errno: "ENOEXEC", fails: true,
		message: "module: lp: Unknown rela relocation: 42"},
	"bytes of an ordinary relocation": {edit: func(t *testing.T, f *elfrw.File) {
		s := section(t, f, ".text.vm_fn")
		s.Data = slices.Clone(s.Data)
		s.Data[section(t, f, ".rela.text.vm_fn").Reloc(0).Offset] = 1
	}, id: diag.CheckNonzeroTarget, errno: "ENOEXEC", fails: true,
		message: "module: x86/modules: Skipping invalid relocation target, existing value is nonzero " +
			"for type 1, loc …, val …"},
	"ordinary relocation far away": {edit: relocs(".rela.text.vm_fn",
		func(r []elfrw.Rela) []elfrw.Rela { r[0].Offset = 1 << 40; return r }), id: diag.OutsideTarget,
		errno: "killed", fails: true, message: "page fault"},
	"module section without a target": {world: loadedA("6.1"),
		edit: func(t *testing.T, f *elfrw.File) { section(t, f, klpA).Target = nil },
		id:   diag.SectionHeader, when: diag.Enabling, errno: "killed", fails: true,
		message: "page fault"},
	"module symbols in a vmlinux section, module loaded": {world: loadedA("6.1"),
		edit: rename(".klp.sym.vmlinux.vsym,0", ".klp.sym.a.asym,1"), id: diag.ModuleInVmlinux,
		errno:   "EINVAL",
		message: "livepatch: symbol 'asym' not found in symbol table"},
	"write and execute": {edit: func(t *testing.T,
		f *elfrw.File) {
		section(t, f, ".text.vm_fn").Flags |= uint64(elf.SHF_WRITE)
	}, id: diag.BadELF,
		errno: "ENOEXEC", fails: true,
		message: "lp: section .text.vm_fn (index 13) has invalid WRITE|EXEC flags"},
	"struct module read-only": {edit: func(t *testing.T, f *elfrw.File) {
		section(t, f, ".gnu.linkonce.this_module").Flags &^= uint64(elf.SHF_WRITE)
	}, id: diag.BadELF, errno: "killed", fails: true, message: "page fault"},
	"export of vmlinux's": {edit: func(t *testing.T, f *elfrw.File) {
		add(f, "__ksymtab_strings", 0,
			[]byte("mine\x00exported\x00"))
	}, id: diag.DuplicateExport, errno: "ENOEXEC", fails: true,
		message: "lp: exports duplicate symbol exported (owned by kernel)"},
	"weak import that nothing uses": {edit: func(t *testing.T,
		f *elfrw.File) {
		undefined(f, "nowhere", elf.STB_WEAK)
	}, id: diag.WeakImport, note: true},

	// the patch
	"klp_patch read-only": {edit: func(t *testing.T, f *elfrw.File) {
		enabled(t, f)
		section(t, f, ".data.patch").Flags &^= uint64(elf.SHF_WRITE)
	}, id: diag.PatchStructure, when: diag.Enabling, errno: "killed", fails: true,
		message: "page fault"},
	"function not executable": {edit: func(t *testing.T, f *elfrw.File) {
		enabled(t, f)
		section(t, f, ".text.vm_fn").Flags &^= uint64(elf.SHF_EXECINSTR)
	}, id: diag.PatchStructure, when: diag.Calling, message: "page fault"},
	"klp_patch without mod": {edit: unset(0), id: diag.PatchStructure, when: diag.Enabling,
		errno: "EINVAL", fails: true},
	"klp_patch without objs": {edit: unset(8), id: diag.PatchStructure, when: diag.Enabling,
		errno: "EINVAL", fails: true},
	"klp_object without funcs": {edit: unset(200 + 168 + 8), id: diag.PatchStructure,
		when: diag.Enabling, errno: "EINVAL", fails: true},
	"klp_func without old_name": {edit: unset(200 + 3*168), id: diag.PatchStructure,
		when: diag.Enabling, errno: "EINVAL", fails: true},
	"klp_func without new_func": {edit: unset(200 + 3*168 + 8), id: diag.PatchStructure,
		when: diag.Enabling, errno: "EINVAL", fails: true},
	"klp_func with a position alone": {edit: func(t *testing.T, f *elfrw.File) {
		unset(200+3*168+2*152)(t, f) // the first of a's functions
		unset(200+3*168+2*152+8)(t, f)
		section(t, f, ".data.patch").Data[200+3*168+2*152+16] = 1
	}, id: diag.PatchStructure, when: diag.Enabling, errno: "EINVAL", fails: true},
	"functions without an end": {edit: unclosed(200+3*168+2*152, 152, 200+3*168+3*152),
		id: diag.PatchStructure, when: diag.Enabling, errno: "killed", fails: true,
		message: "memory corruption"},
	"objects without an end": {edit: unclosed(200, 2*168, 200+2*168+8),
		id: diag.PatchStructure, when: diag.Enabling, errno: "killed", fails: true,
		message: "memory corruption"},
	"functions without an end, zeros behind": {edit: unclosed(200+3*168, 152, 0),
		id: diag.PatchStructure, when: diag.Enabling, note: true},
	"objects without an end, zeros behind": {edit: unclosed(200, 2*168, 0),
		id: diag.PatchStructure, when: diag.Enabling, note: true},
	"klp_patch in init data": {edit: rename(".data.patch", ".init.data"),
		id: diag.PatchStructure, when: diag.Enabling, message: "page fault"},
	"klp_patch read-only after init": {edit: rename(".data.patch", ".data..ro_after_init"),
		id: diag.PatchStructure, when: diag.Enabling, message: "page fault"},
	"new function in init text": {edit: rename(".text.vm_fn", ".init.text.vm_fn"),
		id: diag.PatchStructure, when: diag.Calling, message: "page fault"},
	"names in init data": {edit: rename(".rodata.names", ".init.rodata"),
		id: diag.PatchStructure, when: diag.Coming},
	"old name in init data": {edit: func(t *testing.T, f *elfrw.File) {
		s, _ := add(f, ".init.rodata.name", 0, []byte("aold\x00"))
		y := &elfrw.Symbol{Section: s, Info: byte(elf.STT_SECTION)}
		f.AddSymbol(y)
		relocs(".rela.data.patch", func(r []elfrw.Rela) []elfrw.Rela {
			i := slices.IndexFunc(r, func(r elfrw.Rela) bool { return r.Offset == 200+3*168+2*152 })
			r[i].Sym, r[i].Addend = y, 0
			return r
		})(t, f)
	}, id: diag.PatchStructure, when: diag.Coming, errno: "EINVAL",
		message: "livepatch: symbol '…' not found in symbol table"},
	"callback in init text": {edit: callback(200, 3), id: diag.PatchStructure,
		when: diag.Removing, message: "page fault"},
	"callback in init text, module": {edit: callback(200+168, 0), id: diag.PatchStructure,
		when: diag.Coming, errno: "killed", message: "page fault"},
	"callback in init text, before": {edit: callback(200, 0), id: diag.PatchStructure, note: true,
		when: diag.Enabling},
	"one array for two objects": {edit: relocs(".rela.data.patch", func(r []elfrw.Rela) []elfrw.Rela {
		of := func(at uint64) *elfrw.Rela {
			return &r[slices.IndexFunc(r, func(r elfrw.Rela) bool { return r.Offset == at })]
		}
		of(200 + 168 + 8).Addend = of(200 + 8).Addend
		return r
	}), id: diag.PatchStructure, when: diag.Enabling, errno: "killed", fails: true,
		message: "memory corruption"},
	"two patches, both enabled": {edit: second(true), id: diag.PatchStructure, when: diag.Enabling,
		errno: "EEXIST", fails: true, message: "sysfs: cannot create duplicate filename " +
			"'/kernel/livepatch/lp'"},
	"two patches, one of them": {edit: second(false)},
	"patch that nothing enables": {edit: symtab("klp_enable_patch",
		func(y *elfrw.Symbol) { y.Name = "offered" }), id: diag.PatchStructure, when: diag.Calling},
	"klp_object read-only": {edit: readOnly(8), id: diag.PatchStructure, when: diag.Enabling,
		errno: "killed", fails: true, message: "page fault in klp_enable_patch"},
	"klp_func read-only": {edit: readOnly(200 + 8), id: diag.PatchStructure,
		when: diag.Enabling, errno: "killed", fails: true, message: "page fault in klp_enable_patch"},
	"empty klp_func first": {edit: func(t *testing.T, f *elfrw.File) {
		enabled(t, f)
		const at = 200 + 3*168
		f.AddSymbol(&elfrw.Symbol{Name: "array", Section: section(t, f, ".data.patch"), Value: at,
			Size: 2 * 152, Info: byte(elf.STT_OBJECT)})
		relocs(".rela.data.patch", func(r []elfrw.Rela) []elfrw.Rela {
			for i := range r {
				if r[i].Offset >= at && r[i].Offset < at+152 {
					r[i].Offset += 152
				}
			}
			return r
		})(t, f)
	}, id: diag.PatchStructure, when: diag.Calling},
	"no such function": {world: patches("vmlinux", "odl", 0), id: diag.FunctionAbsent,
		when: diag.Enabling, errno: "EINVAL", fails: true, message: "livepatch: symbol 'odl' not " +
			"found in symbol table"},
	"ambiguous function": {world: patches("vmlinux", "twin", 0), id: diag.FunctionAmbiguous,
		when: diag.Enabling, errno: "EINVAL", fails: true, message: "livepatch: unresolvable ambiguity " +
			"for symbol 'twin' in object '(null)'"},
	"function position": {world: patches("vmlinux", "twin", 3), id: diag.FunctionPositionAbsent,
		when: diag.Enabling, errno: "EINVAL", fails: true, message: "livepatch: symbol position 3 for " +
			"symbol 'twin' in object 'vmlinux' not found"},
	"data": {world: patches("vmlinux", "vdata", 0), id: diag.NotPatchable,
		when: diag.Enabling, errno: "EINVAL", fails: true, message: "livepatch: failed to find location " +
			"for function 'vdata'"},
	"data called text": {world: patches("vmlinux", "task", 0), id: diag.NotPatchable,
		when: diag.Enabling, errno: "EINVAL", fails: true, message: "livepatch: failed to find location " +
			"for function 'task'"},
	"noinstr": {world: patches("vmlinux", "quiet", 0), id: diag.NotPatchable,
		when: diag.Enabling, errno: "EINVAL", fails: true, message: "livepatch: failed to find location " +
			"for function 'quiet'"},
	"init function": {world: func(w *world) {
		patches("vmlinux", "early", 0)(w)
		w.kallsyms = kallsyms + "ffffffff81002000 T _sinittext\nffffffff81002010 t " +
			"early\nffffffff81002100 T _einittext\n"
	}, id: diag.NotPatchable, when: diag.Enabling, errno: "EINVAL", fails: true,
		message: "livepatch: failed to find location for function 'early'"},
	"without a checksum, Debian's": {edit: versions(map[string]uint32{"module_layout": 1,
		"exported": 1, "klp_enable_patch": 1}),
		world: func(w *world) {
			w.symvers = "0x00000007\toffered\tvmlinux\tEXPORT_SYMBOL\t\n"
		}, id: diag.ChecksumMismatch, errno: "EINVAL", fails: true,
		message: "lp: no symbol version for offered"},
	"position that does not fit, 7.3": {world: version("7.3"),
		edit: rename(".klp.sym.vmlinux.vsym,0", ".klp.sym.vmlinux.vsym,18446744073709551617"),
		id:   diag.KlpPositionAbsent, errno: "EINVAL", fails: true,
		message: "livepatch: symbol position 18446744073709551615 for symbol 'vsym' in object " +
			"'vmlinux' not found"},
	"livepatch that patches itself": {world: func(w *world) {
		patches("lp", "old",
			0)(w)
		w.objects += " lp"
	}, id: diag.FunctionAbsent, when: diag.Enabling, errno: "EINVAL",
		fails: true, message: "livepatch: symbol 'old' not found in symbol table"},
	"no ftrace entry": {world: patches("a", "still", 0), id: diag.NotPatchable,
		when: diag.Coming, errno: "EINVAL", message: "livepatch: failed to find location for " +
			"function 'still'"},
	"no ftrace entry, 5.10": {world: func(w *world) {
		patches("a", "still",
			0)(w)
		w.version = "5.10"
	}, id: diag.NotPatchable, when: diag.Coming, errno: "EINVAL",
		message: "livepatch: failed to set ftrace filter for function 'still' (-22)"},
	"function twice": {world: func(w *world) {
		w.funcs = map[string][]fn{"vmlinux": {{Old: "old", New: "vm_fn"},
			{Old: "old", New: "vm_fn", Position: 1}}, "a": {{Old: "aold", New: "a_fn"}}}
	}, id: diag.PatchStructure, when: diag.Enabling, errno: "EEXIST", fails: true,
		message: "sysfs: cannot create duplicate filename '/kernel/livepatch/lp/vmlinux/old,1'"},
	"no such module": {world: func(w *world) { w.unbuilt = true }, id: ""},

	// special sections
	"module key in a jump table, 5.4 6.1": {world: func(w *world) {
		w.records += " a:akey:0"
		w.before = jumpTable("akey")
		w.target = func(t *testing.T, f *elfrw.File) { code(t, f, ".data.akey", "akey") }
	}, id: diag.LateSpecial, when: diag.Removing, message: "WARNING at kernel/jump_label.c " +
		"jump_label_del_module"},
	"vmlinux key in a jump table, 6.1 6.12": {world: func(w *world) {
		w.records += " vmlinux:vdata:0"
		w.before = jumpTable("vdata")
	}},
	"vmlinux key in a jump table, 5.4": {world: func(w *world) {
		w.version = "5.4"
		w.records += " vmlinux:vdata:0"
		w.before = jumpTable("vdata")
	}, id: diag.LateSpecial, when: diag.Removing, message: "WARNING at kernel/jump_label.c " +
		"jump_label_del_module"},
	"too much per-CPU data": {edit: func(t *testing.T, f *elfrw.File) {
		add(f, ".data..percpu",
			elf.SHF_WRITE, make([]byte, 40<<10))
	}, id: diag.CheckPerCPU, errno: "ENOMEM", fails: true,
		message: "illegal size (40960) or align (…) for percpu allocation"},
	"ORC tables": {edit: func(t *testing.T, f *elfrw.File) {
		add(f, ".orc_unwind", 0, make([]byte, 12))
		add(f, ".orc_unwind_ip", 0, make([]byte, 4))
	}, id: diag.BadTable, message: "WARNING at arch/x86/kernel/unwind_orc.c unwind_module_init"},
	".klp.arch on 6.1": {edit: func(t *testing.T,
		f *elfrw.File) {
		add(f, ".klp.arch.vmlinux..altinstructions", 0, make([]byte, 12))
	},
		id: diag.CheckArchSection, when: diag.Calling},
	"late in .init": {edit: func(t *testing.T, f *elfrw.File) {
		section(t, f, ".text.a_fn").Name = ".init.text.a_fn"
	}, id: diag.LateInit, when: diag.Coming, errno: "ENOEXEC",
		message: "module: x86/modules: Skipping invalid relocation target, existing value is nonzero " +
			"for type 1, loc …, val …"},
	"per-CPU": {edit: func(t *testing.T,
		f *elfrw.File) {
		section(t, f, ".text.vm_fn").Name = ".data..percpu"
	}, id: diag.CheckPerCPU,
		when: diag.Calling, message: "page fault"},
	"second time, 6.1": {id: diag.ReloadRefused, note: true, when: diag.Again, errno: "ENOEXEC",
		message: "module: x86/modules: Skipping invalid relocation target, existing value is nonzero " +
			"for type 1, loc …, val …"},
	"second time, 6.12": {world: version("6.12")},
}

// enabled gives klp_patch its name, and calls klp_enable_patch.
func enabled(t *testing.T, f *elfrw.File) {
	f.AddSymbol(&elfrw.Symbol{Name: "patch", Section: section(t, f, ".data.patch"), Size: 200,
		Info: byte(elf.STT_OBJECT)})
	if !hasSymbol(f, "klp_enable_patch") {
		undefined(f, "klp_enable_patch", elf.STB_GLOBAL)
	}
}

// unset takes a pointer out of klp_patch, or what follows it.
func unset(at uint64) func(t *testing.T, f *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		enabled(t, f)
		s := section(t, f, ".rela.data.patch")
		i := slices.IndexFunc(s.Relocs(), func(r elfrw.Rela) bool { return r.Offset == at })
		require.GreaterOrEqual(t, i, 0)
		s.SetRelocs(slices.Delete(slices.Clone(s.Relocs()), i, i+1))
	}
}

// unclosed makes an array that long; something else, but for 0, begins behind it at that
// place.
func unclosed(at, size, next uint64) func(t *testing.T, f *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		enabled(t, f)
		s := section(t, f, ".data.patch")
		f.AddSymbol(&elfrw.Symbol{Name: "array", Section: s, Value: at, Size: size,
			Info: byte(elf.STT_OBJECT)})
		if next != 0 {
			s.Data = slices.Clone(s.Data)
			s.Data[next] = 1
		}
	}
}

// readOnly lets the pointer there lead into constant data, with the same in it.
func readOnly(at uint64) func(t *testing.T, f *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		enabled(t, f)
		data := section(t, f, ".data.patch")
		all := slices.Clone(section(t, f, ".rela.data.patch").Relocs())
		s, rs := add(f, ".rodata.const", 0, slices.Clone(data.Data))
		y := &elfrw.Symbol{Section: s, Info: byte(elf.STT_SECTION)}
		f.AddSymbol(y)
		for _, r := range all {
			f.AddReloc(rs, r)
		}
		i := slices.IndexFunc(all, func(r elfrw.Rela) bool { return r.Offset == at })
		all[i].Sym = y
		section(t, f, ".rela.data.patch").SetRelocs(all)
	}
}

// second adds a klp_patch; the module's code enables both, or either.
func second(both bool) func(t *testing.T, f *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		declare(t, f, []string{"vmlinux"}, map[string][]fn{"vmlinux": {{Old: "offered", New: "vm_fn"}}},
			".2")
		calls := []string{"klp_enable_patch"}
		if both {
			calls = append(calls, calls...)
		}
		code(t, f, ".init.text.more", "more", calls...)
	}
}

// callback gives the klp_object there a callback that is in .init.text.
func callback(object, n uint64) func(t *testing.T, f *elfrw.File) {
	return func(t *testing.T, f *elfrw.File) {
		y := code(t, f, ".init.text.ready", "ready")
		f.AddReloc(section(t, f, ".rela.data.patch"), elfrw.Rela{Offset: object + 16 + 8*n, Sym: y,
			Type: 1})
	}
}

func shorten(s *elfrw.Section)     { s.Data = s.Data[:len(s.Data)-8] }
func unallocated(s *elfrw.Section) { s.Flags &^= uint64(elf.SHF_ALLOC) }

func nonzero(t *testing.T, f *elfrw.File) {
	s := section(t, f, ".text.vm_fn")
	s.Data = slices.Clone(s.Data)
	s.Data[3] = 1
}

// duplicate gives both klp sections of vmlinux one name.
func duplicate(t *testing.T, f *elfrw.File) { rename(klpVm, ".klp.rela.vmlinux..text.a_fn")(t, f) }

func patches(object, old string, pos byte) func(*world) {
	return func(w *world) {
		w.funcs = map[string][]fn{"vmlinux": {{Old: "old", New: "vm_fn"}},
			"a": {{Old: "aold", New: "a_fn"}}}
		w.funcs[object] = []fn{{Old: old, New: map[string]string{"vmlinux": "vm_fn", "a": "a_fn",
			"lp": "a_fn"}[object], Position: pos}}
	}
}

func TestMistakes(t *testing.T) {
	for name, m := range mistakes {
		t.Run(name, func(t *testing.T) {
			w := good()
			if m.world != nil {
				m.world(&w)
			}
			f := w.convert(t)
			if m.edit != nil {
				m.edit(t, f)
			}
			r := w.check(t, encode(t, f))
			if m.id == "" {
				assert.Zero(t, r.Problems(), "%+v", r.Findings)
				assert.True(t, r.Loads())
				return
			}
			assert.Equal(t, !m.fails, r.Loads(), "%+v", r.Findings)
			i := slices.IndexFunc(r.Findings, func(f diag.Diagnostic) bool {
				return f.ID == m.id &&
					(f.Severity == diag.Note) == m.note
			})
			require.GreaterOrEqual(t, i, 0, "%s in %+v", m.id, r.Findings)
			found := r.Findings[i]
			require.NotEmpty(t, found.Cases)
			c := found.Cases[0]
			assert.Equal(t, m.when, c.When)
			assert.Equal(t, m.errno, c.Errno)
			if m.message == "" {
				assert.Empty(t, c.Messages)
			} else {
				require.NotEmpty(t, c.Messages)
				if text := c.Messages[0].Text; strings.HasSuffix(m.message, "(max …)") {
					assert.Contains(t, text, strings.TrimSuffix(m.message, "…)"))
				} else {
					assert.Equal(t, m.message, text)
				}
			}
			if !m.note {
				assert.Equal(t, m.id, r.First().ID, "nothing comes before it: %+v", r.Findings)
			}
			assert.Equal(t, alone(m, name), problems(r), "one cause is one finding: %+v", r.Findings)
			for _, x := range r.Findings {
				entry := diag.Lookup(x.ID)
				if assert.NotNil(t, entry, x.ID) {
					assert.Contains(t, entry.Severities, x.Severity, "%s in the catalogue", x.ID)
				}
				for _, c := range x.Cases {
					for _, msg := range c.Messages {
						re, err := regexp.Compile(msg.Pattern)
						require.NoError(t, err)
						if !strings.HasPrefix(msg.Text, "page fault") && msg.Text != "memory corruption" &&
							!strings.HasPrefix(msg.Text, "WARNING") {
							line := strings.NewReplacer("loc …", "loc 00000000abcdef12", "sec …", "sec 12", "idx …",
								"idx 3", "…", "0").Replace(msg.Text)
							assert.Regexp(t, re, line)
						}
					}
				}
			}
		})
	}
}

// called is the kernel's image: symbols, which of them have no ftrace entry, and the
// configuration.
type called struct {
	untraced []uint64
	config   []byte
}

func (called) String() string { return "image" }

func (c called) Scan(visit func(*sympos.Entry)) (sympos.Facts, error) {
	for _, line := range strings.Split(strings.TrimSpace(kallsyms), "\n") {
		e := sympos.Entry{Object: sympos.Vmlinux}
		name := ""
		if _, err := fmt.Sscanf(line, "%x %c %s", &e.Address, &e.Type, &name); err != nil {
			return sympos.Facts{}, err
		}
		e.Name = []byte(name)
		visit(&e)
	}
	return sympos.Facts{Kind: sympos.Image, Order: sympos.Listed, Untraced: c.untraced,
		Config: c.config}, nil
}

// An image tells which functions have an ftrace entry; what does not is not judged.
func TestFunctionOfVmlinuxWithoutFtraceEntry(t *testing.T) {
	const old, other = 0xffffffff81000300, 0xffffffff81000200
	judge := func(untraced ...uint64) *loader.Report {
		w := good()
		k := sympos.NewKernel("kernel", called{untraced: untraced})
		k.Release = w.version + ".0" + kernelRelease
		r, err := loader.Open(encode(t, w.convert(t))).Check(loader.Options{Kernel: k})
		require.NoError(t, err)
		return r
	}
	is := func(f diag.Diagnostic) bool { return f.ID == diag.NotPatchable }
	open := func(u loader.Unchecked) bool { return strings.Contains(u.What, "ftrace entries") }

	r := judge(other, old)
	i := slices.IndexFunc(r.Findings, is)
	require.GreaterOrEqual(t, i, 0, "%+v", r.Findings)
	assert.Equal(t, "livepatch: failed to find location "+
		"for function 'old'", r.Findings[i].KernelSays())
	assert.False(t, slices.ContainsFunc(r.Unchecked, open))

	r = judge(other)
	assert.False(t, slices.ContainsFunc(r.Findings, is))
	assert.False(t, slices.ContainsFunc(r.Unchecked, open))

	assert.True(t, slices.ContainsFunc(judge().Unchecked, open))
}

// The fix for a namespace compiles: its name is a string since 6.13.
func TestNamespaceFix(t *testing.T) {
	for version, fix := range map[string]string{"6.12": "MODULE_IMPORT_NS(NS);",
		"6.13": `MODULE_IMPORT_NS("NS");`, "7.3": `MODULE_IMPORT_NS("NS");`} {
		w := good()
		w.version, w.symvers = version, "0x00000000\toffered\tvmlinux\tEXPORT_SYMBOL\tNS\n"
		r := w.check(t, encode(t, w.convert(t)))
		i := slices.IndexFunc(r.Findings,
			func(f diag.Diagnostic) bool { return f.ID == diag.NamespaceNotImported })
		require.GreaterOrEqual(t, i, 0, version)
		assert.Equal(t, []string{fix}, r.Findings[i].Hints, version)
	}
}

// A patch that can't be made out was not judged, nor what waits for its objects: the verdict says so.
func TestPatchThatCantBeReadIsNoPlainLoads(t *testing.T) {
	w := good()
	f := w.convert(t)
	enabled(t, f)
	// mod
	relocs(".rela.data.patch", func(r []elfrw.Rela) []elfrw.Rela { r[0].Addend = 8; return r })(t, f)
	r := w.check(t, encode(t, f))
	var lacking []string
	for _, u := range r.NotJudged() {
		lacking = append(lacking, u.What)
	}
	assert.Subset(t, lacking, []string{"the objects and " +
		"functions of the patch", "whether " + klpA + " is ever applied"})
}

// The name of a file is no module's: with it nothing is ever patched, on any kernel. A module that this
// kernel does not have is another one's.
func TestObjectCalledLikeItsFile(t *testing.T) {
	for object, problem := range map[string]string{"a-b": `.name = "a_b"`, "a.ko": `.name = "a"`,
		"absent": ""} {
		w := good()
		w.objects += " " + object
		r := w.check(t, encode(t, w.convert(t)))
		i := slices.IndexFunc(r.Findings,
			func(f diag.Diagnostic) bool { return f.ID == diag.TargetAbsent && f.Symbol == object })
		if problem == "" {
			assert.Zero(t, r.Problems(), "%+v", r.Findings)
			continue
		}
		if assert.GreaterOrEqual(t, i, 0, object) {
			assert.Equal(t, diag.Error, r.Findings[i].Severity)
			assert.Equal(t, []string{problem}, r.Findings[i].Hints)
		}
	}
}

// What is built into the kernel is there, and is not patched under a module's name.
func TestObjectThatIsBuiltIn(t *testing.T) {
	const release = "6.1.0-99-test"
	root := t.TempDir()
	for name, text := range map[string]string{"lib/modules/" + release +
		"/modules.builtin": "kernel/drivers/bee.ko\n", "boot/System.map-" + release: kallsyms} {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	k, err := sympos.FindKernelIn(root, release, nil)
	require.NoError(t, err)
	w := good()
	w.objects, w.records = "vmlinux bee", "vmlinux:vsym:0"
	w.uses = map[string]string{"vm_fn": "vsym offered"}
	w.funcs = map[string][]fn{"vmlinux": {{Old: "old", New: "vm_fn"}},
		"bee": {{Old: "sting", New: "a_fn"}}}
	r, err := loader.Open(encode(t, w.convert(t))).Check(loader.Options{Kernel: k})
	require.NoError(t, err)
	i := slices.IndexFunc(r.Findings,
		func(f diag.Diagnostic) bool { return f.ID == diag.TargetAbsent && f.Symbol == "bee" })
	require.GreaterOrEqual(t, i, 0, "%+v %+v", r.Findings, r.Unchecked)
	assert.Equal(t, diag.Error, r.Findings[i].Severity)
}

// An import that only the patched module has, and does not export, is one to annotate.
func TestImportThatTheTargetHides(t *testing.T) {
	w := good()
	w.loaded = true
	f := w.convert(t)
	code(t, f, ".text.more", "more", "asym")
	r := w.check(t, encode(t, f))
	i := slices.IndexFunc(r.Findings,
		func(f diag.Diagnostic) bool { return f.ID == diag.UnknownSymbol })
	require.GreaterOrEqual(t, i, 0)
	assert.Contains(t, r.Findings[i].Message, "a has 1 of that name, hidden")
	assert.Regexp(t, `^klp-convert annotate FILE --kernel kernel --module \S+/a\.ko$`,
		r.Findings[i].Hints[0])
}

// What is pasted looks where check has looked: the kernel alone may not have the module.
func TestFixNamesTheModuleThatWasGiven(t *testing.T) {
	w := good()
	patches("a", "odl", 0)(&w)
	for _, w.loaded = range []bool{false, true} {
		r := w.check(t, encode(t, w.convert(t)))
		i := slices.IndexFunc(r.Findings,
			func(f diag.Diagnostic) bool { return f.ID == diag.FunctionAbsent })
		require.GreaterOrEqual(t, i, 0)
		fix := `^klp-convert sympos odl@a --kernel kernel$`
		if w.loaded {
			fix = `^klp-convert sympos odl@a --kernel kernel --module \S+/a\.ko$`
		}
		assert.Regexp(t, fix, r.Findings[i].Hints[len(r.Findings[i].Hints)-1])
	}
}

// addModules gives the kernel modules, each with a function of that name, and what it
// depends on.
func (w world) addModules(t *testing.T, k *sympos.Kernel, function string,
	depends map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, on := range depends {
		m := base(t, name, w.version+".0"+kernelRelease)
		s := section(t, m, ".modinfo")
		s.Data = append(s.Data, "depends="+on+"\x00"...)
		code(t, m, ".text."+function, function)
		path := filepath.Join(dir, name+".ko")
		require.NoError(t, os.WriteFile(path, encode(t, m), 0o644))
		require.NoError(t, k.AddModules(path))
	}
}

// A module's symbol is there when a module comes that needs it, at second hand too.
func TestOwnerThatTheTargetNeeds(t *testing.T) {
	for depends, problems := range map[string]int{"": 1, "b": 0, "c": 0, "d": 1} {
		w := good()
		w.target = func(t *testing.T, f *elfrw.File) {
			s := section(t, f, ".modinfo")
			s.Data = append(s.Data, "depends="+depends+"\x00"...)
		}
		f := w.convert(t)
		rename(".klp.sym.a.asym,0", ".klp.sym.b.bsym,0")(t, f)
		k := w.kernel(t)
		w.addModules(t, k, "bsym", map[string]string{"b": "", "c": "b", "d": ""})
		r, err := loader.Open(encode(t, f)).Check(loader.Options{Kernel: k})
		require.NoError(t, err)
		assert.Equal(t, problems, r.Problems(), "%s: %+v", depends, r.Findings)
	}
}

// An import keeps the module that exports it, and what that needs, where it is: its
// symbols are there for any klp section.
func TestOwnerThatTheLivepatchImportsFrom(t *testing.T) {
	for _, c := range []struct {
		from, owner string // of the import, of the klp symbol
		there       bool
	}{{"vmlinux", "b", false}, {"b", "b", true}, {"c", "b", true}, {"b", "c", false}} {
		for _, old := range []string{".klp.sym.a.asym,0", ".klp.sym.vmlinux.vsym,0"} {
			w := good()
			w.symvers = "0x00000000\toffered\t" + c.from + "\tEXPORT_SYMBOL\t\n"
			f := w.convert(t)
			rename(old, ".klp.sym."+c.owner+".sym,0")(t, f)
			if c.from != "vmlinux" {
				rename("offered", "theirs")(t, f)
				w.symvers = "0x00000000\ttheirs\t" + c.from + "\tEXPORT_SYMBOL\t\n"
				s := section(t, f, ".modinfo")
				s.Data = append(s.Data, "depends="+c.from+"\x00"...)
			}
			k := w.kernel(t)
			w.addModules(t, k, "sym", map[string]string{"b": "", "c": "b"})
			r, err := loader.Open(encode(t, f)).Check(loader.Options{Kernel: k})
			require.NoError(t, err)
			assert.Equal(t, c.there, r.Problems() == 0, "%s, %+v: %+v", old, c, r.Findings)
		}
	}
}
