// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"debug/elf"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Mutants of what a module says of itself and of what it wants: .modinfo, the table of
// checksums, undefined symbols, struct module.

func tell(key, value string) func(*draft) { return func(d *draft) { d.tell(key, value) } }
func add(entry string) func(*draft)       { return func(d *draft) { d.add(entry) } }

// alter changes the value of a key.
func alter(key string, edit func(string) string) func(*draft) {
	return func(d *draft) {
		d.info(func(list []string) []string {
			for i, e := range list {
				if v, ok := strings.CutPrefix(e, key+"="); ok {
					list[i] = key + "=" + edit(v)
				}
			}
			return list
		})
	}
}

// double copies a section that is loaded, with its name.
func double(name string) func(*draft) {
	return func(d *draft) {
		d.model(func(f *elfrw.File) {
			s := d.section(f, name)
			f.AddSection(&elfrw.Section{Name: s.Name, Type: s.Type, Flags: s.Flags, Align: s.Align,
				Data: slices.Clone(s.Data)})
		})
	}
}

var infoMutants = []mutant{
	{name: "info-no-vermagic", base: inVmlinux, edit: tell("vermagic", ""), alone: true},
	{name: "info-vermagic-release", base: inVmlinux,
		edit: alter("vermagic", func(v string) string {
			return "4.4.4-4-amd64" +
				v[strings.IndexByte(v, ' '):]
		})},
	{name: "info-vermagic-flags", base: inVmlinux,
		edit: alter("vermagic", func(v string) string {
			return strings.Replace(v, "mod_unload ", "",
				1)
		})},
	{name: "info-vermagic-blank", base: inVmlinux, edit: alter("vermagic", strings.TrimSpace)},
	{name: "info-vermagic-twice", base: inVmlinux, edit: add("vermagic=2.6.32")},
	{name: "info-no-livepatch", base: inVmlinux, edit: tell("livepatch", "")},
	{name: "info-no-livepatch-module", base: inModule, edit: tell("livepatch", "")},
	{name: "info-livepatch-empty", base: inVmlinux,
		edit: alter("livepatch", func(string) string { return "" })},
	{name: "info-livepatch-N", base: inVmlinux, edit: tell("livepatch", "N")},
	{name: "info-livepatch-twice", base: inVmlinux, edit: add("livepatch=Y")},
	{name: "info-livepatch-of-plain", base: plain, edit: add("livepatch=Y")},
	{name: "info-no-license", base: plain, edit: tell("license", ""), alone: true},
	{name: "info-no-license-livepatch", base: inVmlinux, edit: tell("license", ""), alone: true},
	{name: "info-license-proprietary", base: inVmlinux, edit: tell("license", "Proprietary"),
		alone: true},
	{name: "info-license-proprietary-plain", base: plain, edit: tell("license", "Proprietary"),
		alone: true},
	{name: "info-license-GPLv2", base: inVmlinux, edit: tell("license", "GPLv2"), alone: true},
	{name: "info-license-GPL-v2", base: inVmlinux, edit: tell("license", "GPL v2")},
	{name: "info-license-dual", base: inVmlinux, edit: tell("license", "Dual MPL/GPL")},
	{name: "info-license-twice", base: inVmlinux, edit: add("license=Proprietary")},
	{name: "info-no-name", base: inVmlinux, edit: tell("name", "")},
	{name: "info-name-empty", base: inVmlinux,
		edit: alter("name", func(string) string { return "" })},
	{name: "info-name-other", base: inVmlinux, edit: tell("name", "something_else")},
	{name: "info-name-100-bytes", base: inVmlinux, edit: tell("name", strings.Repeat("n", 100))},
	{name: "info-no-retpoline", base: inVmlinux, edit: tell("retpoline", ""), alone: true},
	{name: "info-intree", base: inVmlinux, edit: add("intree=Y")},
	{name: "info-staging", base: inVmlinux, edit: add("staging=1"), alone: true},
	{name: "info-test", base: inVmlinux, edit: add("test=Y"), alone: true},
	{name: "info-version", base: inVmlinux, edit: add("version=1.2.3")},
	{name: "info-srcversion", base: inVmlinux, edit: add("srcversion=0123456789ABCDEF0123456")},
	{name: "info-alias", base: inVmlinux, edit: add("alias=pci:v*")},
	{name: "info-unknown-key", base: inVmlinux, edit: add("colour=blue")},
	{name: "info-no-equals", base: inVmlinux, edit: add("nonsense")},
	{name: "info-depends-nosuch", base: inVmlinux, edit: tell("depends", "nosuch")},
	{name: "info-import-ns", base: inVmlinux, edit: add("import_ns=NO_SUCH_NAMESPACE")},
	{name: "info-import-ns-module", base: inVmlinux, edit: add("import_ns=module:klplab_cmdline")},
	{name: "info-section-missing", base: inVmlinux, edit: rename(".modinfo", ".modinf0"),
		alone: true},
	{name: "info-section-empty", base: inVmlinux, edit: shdr64(".modinfo", shSize, 0), alone: true},
	{name: "info-section-twice", base: inVmlinux, edit: double(".modinfo")},
	{name: "info-not-alloc", base: inVmlinux, edit: flags(".modinfo", 0, elf.SHF_ALLOC)},
	{name: "info-not-terminated", base: inVmlinux, edit: lastByte(".modinfo", 'x')},
	{name: "info-leading-nul", base: inVmlinux, edit: func(d *draft) {
		d.data(".modinfo", func(b []byte) []byte { return append([]byte{0, 0}, b...) })
	}},
}

// entry pokes the entry for a symbol in __versions; 64 bytes each.
func (d *draft) version(name string, edit func(e view)) {
	table := d.contents("__versions")
	for at := 0; at+64 <= len(table.b); at += 64 {
		e := table.part(at, 64)
		if n, _, _ := strings.Cut(string(e.b[8:]), "\x00"); n == name {
			edit(e)
			return
		}
	}
	d.need(false, "no checksum of %s", name)
}

// badCRC changes a checksum, in the old table or in the one that goes with names of any length.
func badCRC(name string) func(*draft) {
	return func(d *draft) {
		for i := 1; i < d.count(); i++ {
			if d.name(i) != "__version_ext_names" {
				continue
			}
			list := strings.Split(string(d.contents("__version_ext_names").b), "\x00")
			n := slices.Index(list, name)
			d.need(n >= 0, "no checksum of %s", name)
			crc := d.contents("__version_ext_crcs").part(4*n, 4)
			crc.set32(0, crc.get32(0)^1)
			return
		}
		d.version(name, func(e view) { e.set64(0, e.get64(0)^1) })
	}
}

// unlisted takes an entry out of the table.
func unlisted(name string) func(*draft) {
	return func(d *draft) {
		d.data("__versions", func(b []byte) []byte {
			for i := 0; i+64 <= len(b); i += 64 {
				if n, _, _ := strings.Cut(string(b[i+8:i+64]), "\x00"); n == name {
					return slices.Delete(b, i, i+64)
				}
			}
			d.need(false, "no checksum of %s", name)
			return nil
		})
	}
}

// wants adds an undefined symbol that nothing uses.
func wants(name string, bind elf.SymBind) func(*draft) {
	return func(d *draft) {
		d.model(func(f *elfrw.File) {
			f.AddSymbol(&elfrw.Symbol{Name: name,
				Info: byte(bind) << 4})
		})
	}
}

var importMutants = []mutant{
	{name: "crc-of-export", base: inVmlinux, edit: badCRC("seq_printf")},
	{name: "crc-of-module-layout", base: inVmlinux, edit: badCRC("module_layout")},
	{name: "crc-high-bits", base: inVmlinux, edit: func(d *draft) {
		d.version("seq_printf",
			func(e view) { e.set64(0, e.get64(0)|1<<48) })
	}},
	{name: "crc-of-klp-enable-patch", base: inModule, edit: badCRC("klp_enable_patch")},
	{name: "crc-of-what-is-not-wanted", base: inVmlinux,
		edit: func(d *draft) {
			d.version("seq_printf",
				func(e view) { copy(e.b[8:], "printf_seq") })
		}, alone: true},
	{name: "crc-entry-missing", base: inVmlinux, edit: unlisted("seq_printf"), alone: true},
	{name: "crc-module-layout-missing", base: inVmlinux, edit: unlisted("module_layout"),
		alone: true},
	{name: "crc-table-missing", base: inVmlinux, edit: rename("__versions", "__version5"),
		alone: true},
	{name: "crc-table-empty", base: inVmlinux, edit: shdr64("__versions", shSize, 0), alone: true},
	{name: "crc-table-odd", base: inVmlinux, edit: func(d *draft) { d.cut("__versions", 1) }},
	{name: "crc-table-not-alloc", base: inVmlinux, edit: flags("__versions", 0, elf.SHF_ALLOC)},

	{name: "import-unknown", base: inVmlinux, edit: wants("no_such_symbol", elf.STB_GLOBAL)},
	{name: "import-unknown-weak", base: inVmlinux, edit: wants("no_such_symbol", elf.STB_WEAK)},
	{name: "import-unknown-local", base: inVmlinux, edit: wants("no_such_symbol", elf.STB_LOCAL)},
	{name: "import-unexported", base: inVmlinux, edit: wants("saved_command_line", elf.STB_GLOBAL)},
	{name: "import-nameless", base: inVmlinux, edit: wants("", elf.STB_GLOBAL)},
	{name: "import-long-name", base: inVmlinux,
		edit: wants(strings.Repeat("long_name_", 60), elf.STB_GLOBAL)},
	{name: "import-used-misnamed", base: inVmlinux, edit: call("seq_printf", "seq_printfff")},
	{name: "import-used-weak-unknown", base: inVmlinux, edit: func(d *draft) {
		d.call("seq_printf", "seq_printfff")
		d.symbol("seq_printfff").set8(stInfo, byte(elf.STB_WEAK)<<4)
	}},
	{name: "import-in-namespace", base: inVmlinux, edit: func(d *draft) {
		d.need(d.room.spaced != "", "vmlinux exports nothing in a namespace")
		wants(d.room.spaced, elf.STB_GLOBAL)(d)
	}, alone: true},
	{name: "import-in-namespace-weak", base: inVmlinux, edit: func(d *draft) {
		d.need(d.room.spaced != "", "vmlinux exports nothing in a namespace")
		wants(d.room.spaced, elf.STB_WEAK)(d)
	}, alone: true},
	{name: "import-of-unloaded-module", base: inVmlinux,
		edit: func(d *draft) { wants(d.room.elsewhere, elf.STB_GLOBAL)(d) }, alone: true},
	{name: "import-of-target", base: ordinary, edit: wants("klplab_owner_export", elf.STB_GLOBAL),
		alone: true},
	{name: "import-klp-name-undefined", base: inVmlinux,
		edit: func(d *draft) { d.symbol(vmSymbol).set16(stShndx, 0) }},
	{name: "import-got", base: inVmlinux, edit: wants("_GLOBAL_OFFSET_TABLE_", elf.STB_GLOBAL)},
	{name: "import-common", base: inVmlinux,
		edit: func(d *draft) { d.symbol(vmSymbol).set16(stShndx, uint16(elf.SHN_COMMON)) }},
	{name: "symbol-in-section-beyond", base: inVmlinux,
		edit: func(d *draft) { d.symbol("objs").set16(stShndx, 500) }},
	{name: "symbol-in-section-last", base: inVmlinux,
		edit: func(d *draft) { d.symbol("enable_set").set16(stShndx, uint16(d.count())) }},
	{name: "symbol-in-section-reserved", base: inVmlinux,
		edit: func(d *draft) { d.symbol("enable_set").set16(stShndx, 0xff1f) }},
	{name: "symbol-in-section-xindex", base: inVmlinux,
		edit: func(d *draft) { d.symbol("enable_set").set16(stShndx, 0xffff) }},
	{name: "symbol-unused-absolute", base: inVmlinux, openOn: byName,
		edit: func(d *draft) { d.symbol("objs").set16(stShndx, uint16(elf.SHN_ABS)) }},
	{name: "symbol-in-other-section", base: inVmlinux, openOn: byName,
		edit: func(d *draft) { d.symbol("objs").set16(stShndx, 1) }},
	{name: "symbol-value-beyond", base: inVmlinux, openOn: byName,
		edit: func(d *draft) { d.symbol("objs").set64(stValue, 1<<40) }},
	{name: "export-duplicate", base: exporting,
		edit: func(d *draft) { d.exported("klplab_owner_export", "seq_printf") }},
	{name: "export-misnamed", base: exporting,
		edit: func(d *draft) { d.exported("klplab_owner_export", "klplab_owner_exp0rt") }},
}

// exported gives an export another name, which is not longer.
func (d *draft) exported(from, to string) {
	b := d.contents("__ksymtab_strings").b
	i := strings.Index(string(b), from+"\x00")
	d.need(i >= 0, "no export %s", from)
	copy(b[i:], append([]byte(to), make([]byte, len(from)-len(to))...))
}

const thisModule = ".gnu.linkonce.this_module"

// moves shifts the relocation of a function in struct module.
func moves(function string, by uint64) func(*draft) {
	return func(d *draft) {
		n := uint32(d.symbolNumber(function))
		for i := range d.relas(".rela" + thisModule) {
			if r := d.rela(".rela"+thisModule, i); r.sym() == n {
				r.set64(rOffset, r.get64(rOffset)+by)
				return
			}
		}
		d.need(false, "struct module does not have %s", function)
	}
}

// unset takes the pointer to a function out of struct module.
func unset(function string) func(*draft) {
	return func(d *draft) {
		n := uint32(d.symbolNumber(function))
		for i := range d.relas(".rela" + thisModule) {
			if r := d.rela(".rela"+thisModule, i); r.sym() == n {
				r.setType(0)
				return
			}
		}
		d.need(false, "struct module does not have %s", function)
	}
}

// named writes the module's name into struct module.
func named(name string) func(*draft) {
	return func(d *draft) {
		b := d.contents(thisModule).b[24:80]
		clear(b)
		copy(b, name)
	}
}

var structMutants = []mutant{
	{name: "struct-missing", base: inVmlinux,
		edit: rename(thisModule, ".gnu.linkonce.that_module")},
	{name: "struct-twice", base: inVmlinux, edit: double(thisModule)},
	{name: "struct-shorter", base: inVmlinux, edit: func(d *draft) { d.cut(thisModule, 64) },
		open: "before 6.4 what follows struct module is treated as the rest of it"},
	{name: "struct-longer", base: inVmlinux, edit: func(d *draft) {
		d.data(thisModule, func(b []byte) []byte { return append(b, make([]byte, 64)...) })
	}},
	{name: "struct-nobits", base: inVmlinux, edit: shdr32(thisModule, shType,
		uint32(elf.SHT_NOBITS))},
	{name: "struct-not-alloc", base: inVmlinux, edit: flags(thisModule, 0, elf.SHF_ALLOC)},
	{name: "struct-not-write", base: inVmlinux,
		openOn: map[string]string{"loongarch64": stillMapped}, edit: flags(thisModule, 0, elf.SHF_WRITE)},
	{name: "struct-init-elsewhere", base: inVmlinux, edit: moves("init_module", 8), open: filled},
	{name: "struct-init-missing", base: inVmlinux, edit: unset("init_module")},
	{name: "struct-exit-missing", base: inVmlinux, edit: unset("cleanup_module"), alone: true},
	{name: "struct-exit-elsewhere", base: inVmlinux, edit: moves("cleanup_module", 8),
		open: filled},
	{name: "struct-name-other", base: inVmlinux, edit: named("other_name"), alone: true,
		open: misnamed},
	{name: "struct-name-empty", base: inVmlinux, edit: named(""), alone: true},
	{name: "struct-name-of-target", base: inModule, edit: named("klplab_target")},
	{name: "struct-name-of-builtin", base: inVmlinux, edit: named("printk"), alone: true,
		open: "a built-in part has a directory in /sys/module if it has parameters"},
	{name: "struct-name-vmlinux", base: inVmlinux, edit: named("vmlinux"), alone: true,
		openBefore: misnamed, refusedBy: [2]int{5, 8}},
	{name: "struct-name-slash", base: inVmlinux, edit: named("a/b"), alone: true, open: misnamed},
}

// byName is for machines whose assembler leaves the symbol's name in relocations, where others write
// the section's.
var byName = map[string]string{"loongarch64": "klp_patch points to the symbol, and what is there " +
	"instead decides"}
