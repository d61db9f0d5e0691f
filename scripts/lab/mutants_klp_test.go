// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"debug/elf"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Mutants of klp sections, klp symbols and relocations.

const (
	vmSection = ".klp.rela.vmlinux..text"
	moSection = ".klp.rela.klplab_target..text"
	vmSymbol  = ".klp.sym.vmlinux.saved_command_line,0"
	moSymbol  = ".klp.sym.klplab_target.klplab_secret,0"

	after  = "what follows the section decides: whether it is zeros"
	filled = "fields of struct module that the loader has filled before it relocates are " +
		"refused; which they are is the configuration's"
	freed       = "init memory is given back, and to somebody else, at a time of the kernel's choice"
	reused      = "where the livepatch's file was the target's own file may be by then"
	stillMapped = "the memory of the livepatch's file was given back, and may still be mapped for a while"
	misnamed    = "it loads, and the trial removes it by the name of its file"
	reads       = "a PC-relative place with 0 in it is the code after it: what comes of it depends " +
		"on how it is read"
	low  = "the low 32 bits of the sum say where it leads"
	gone = "what is not in the file any more can't be missed"
)

// otherCode is for machines whose relocations are a part of an instruction: another bit in it
// makes another instruction.
var otherCode = map[string]string{"arm64": otherInstruction, "ppc64le": otherInstruction,
	"loongarch64": otherInstruction}

const otherInstruction = "the relocation fills in a part of an instruction, and its other bits " +
	"make another one"

// vmName and moName give the klp section another name; vmSym and moSym the klp symbol.
func vmName(name, to string) mutant {
	return mutant{name: "section-" + name, base: inVmlinux, edit: rename(vmSection, to)}
}

func moName(name, to string) mutant {
	return mutant{name: "module-section-" + name, base: inModule, edit: rename(moSection, to)}
}

func vmSym(name, to string) mutant {
	return mutant{name: "klpsym-" + name, base: inVmlinux, edit: call(vmSymbol, to)}
}

func moSym(name, to string) mutant {
	return mutant{name: "module-klpsym-" + name, base: inModule, edit: call(moSymbol, to)}
}

var sectionMutants = []mutant{
	vmName("nosuch", ".klp.rela.nosuch..text"),
	vmName("prefix-only", ".klp.rela."),
	vmName("no-object", ".klp.rela...text"),
	vmName("no-dot", ".klp.rela.vmlinux"),
	vmName("one-dot", ".klp.rela.vmlinux.text"),
	vmName("other-target", ".klp.rela.vmlinux..data"),
	vmName("not-klp", ".rela.klp.text"),
	vmName("prefix-typo", ".klp.rel.vmlinux..text"),
	vmName("empty", ""),
	vmName("capital", ".klp.rela.Vmlinux..text"),
	vmName("blank", ".klp.rela. vmlinux..text"),
	vmName("vmlinux-ko", ".klp.rela.vmlinux.ko..text"),
	vmName("object-55", ".klp.rela."+strings.Repeat("o", 55)+"..text"),
	vmName("object-56", ".klp.rela."+strings.Repeat("o", 56)+"..text"),
	vmName("long", ".klp.rela.vmlinux..text."+strings.Repeat("x", 300)),
	moName("nosuch", ".klp.rela.nosuch..text"),
	moName("shorter", ".klp.rela.klplab_targe..text"),
	moName("longer", ".klp.rela.klplab_target_..text"),
	moName("vmlinux", ".klp.rela.vmlinux..text.of.target"),
	moName("prefix-only", ".klp.rela."),
	moName("not-klp", ".rela.klp.text"),
	{name: "module-vmlinux-section-for-target", base: inModule,
		edit: rename(vmSection, ".klp.rela.klplab_target..text.vmlinux")},
	{name: "module-section-duplicate", base: inModule, edit: rename(vmSection, moSection)},
	{name: "section-duplicate-of-data", base: inData,
		edit: rename(".klp.rela.klplab_target..rodata", ".klp.rela.klplab_target..data")},
	{name: "section-duplicate-empty", base: inModule, edit: func(d *draft) {
		d.model(func(f *elfrw.File) {
			s := d.section(f, moSection)
			f.AddSection(&elfrw.Section{Name: s.Name, Type: s.Type, Flags: s.Flags, Align: 8,
				Link: s.Link, Target: s.Target})
		})
	}},

	{name: "section-flag-livepatch", base: inVmlinux, edit: flags(vmSection, 0, shfRelaLivepatch)},
	{name: "section-flag-alloc", base: inVmlinux, edit: flags(vmSection, 0, elf.SHF_ALLOC)},
	{name: "section-flag-info-link", base: inVmlinux, edit: flags(vmSection, 0, elf.SHF_INFO_LINK)},
	{name: "section-flag-write", base: inVmlinux, edit: flags(vmSection, elf.SHF_WRITE, 0)},
	{name: "section-flag-exec", base: inVmlinux, edit: flags(vmSection, elf.SHF_EXECINSTR, 0)},
	{name: "module-section-flag-livepatch", base: inModule,
		edit: flags(moSection, 0, shfRelaLivepatch)},
	{name: "module-section-flag-alloc", base: inModule, edit: flags(moSection, 0, elf.SHF_ALLOC),
		openLater: reused, openOn: map[string]string{"arm64": stillMapped,
			"loongarch64": stillMapped}},
	{name: "module-section-flag-write", base: inModule, edit: flags(moSection, elf.SHF_WRITE, 0)},
	// Before 5.8 ftrace finds no calls, and switches itself off.
	{name: "ordinary-section-flag-livepatch", base: inVmlinux, alone: true,
		edit: flags(".rela.text", shfRelaLivepatch, 0)},
	{name: "ordinary-init-flag-livepatch", base: inModule, alone: true,
		edit: flags(".rela.init.text", shfRelaLivepatch, 0)},
	{name: "section-type-progbits", base: inVmlinux,
		edit: shdr32(vmSection, shType, uint32(elf.SHT_PROGBITS))},
	{name: "section-type-rel", base: inVmlinux,
		edit: shdr32(vmSection, shType, uint32(elf.SHT_REL))},
	{name: "section-type-nobits", base: inVmlinux,
		edit: shdr32(vmSection, shType, uint32(elf.SHT_NOBITS))},
	{name: "section-type-null", base: inVmlinux,
		edit: shdr32(vmSection, shType, uint32(elf.SHT_NULL))},
	{name: "module-section-type-progbits", base: inModule,
		edit: shdr32(moSection, shType, uint32(elf.SHT_PROGBITS))},
	{name: "section-link-0", base: inVmlinux, edit: shdr32(vmSection, shLink, 0)},
	{name: "section-link-other", base: inVmlinux, edit: shdr32(vmSection, shLink, 1)},
	{name: "section-link-beyond", base: inVmlinux, edit: shdr32(vmSection, shLink, 999)},
	{name: "section-info-0", base: inVmlinux, edit: shdr32(vmSection, shInfo, 0)},
	{name: "section-info-beyond", base: inVmlinux, edit: shdr32(vmSection, shInfo, 999)},
	{name: "section-info-comment", base: inVmlinux,
		edit: func(d *draft) { d.shdr(vmSection).set32(shInfo, uint32(d.index(".comment"))) },
		open: gone},
	{name: "module-section-info-0", base: inModule, edit: shdr32(moSection, shInfo, 0)},
	{name: "section-entsize-0", base: inVmlinux, edit: shdr64(vmSection, shEntsize, 0)},
	{name: "section-entsize-25", base: inVmlinux, edit: shdr64(vmSection, shEntsize, 25)},
	{name: "section-size-0", base: inVmlinux, edit: shdr64(vmSection, shSize, 0), open: gone},
	{name: "section-size-23", base: inVmlinux, edit: shdr64(vmSection, shSize, 23)},
	{name: "module-section-size-47", base: inModule, edit: func(d *draft) { d.cut(moSection, 1) },
		open: reads},
	{name: "module-section-size-24", base: inModule, edit: func(d *draft) { d.cut(moSection, 24) },
		open: gone},
	{name: "section-size-beyond", base: inVmlinux, edit: shdr64(vmSection, shSize, 1<<20)},
	{name: "section-align-1", base: inVmlinux, edit: shdr64(vmSection, shAddralign, 1)},
	{name: "section-align-3", base: inVmlinux, edit: shdr64(vmSection, shAddralign, 3)},
	{name: "section-offset-odd", base: inVmlinux, edit: func(d *draft) {
		b := slices.Clone(d.contents(vmSection).b)
		for len(d.b)%8 != 1 {
			d.b = append(d.b, 0)
		}
		d.shdr(vmSection).set64(shOffset, uint64(len(d.b)))
		d.b = append(d.b, b...)
	}},
}

var symbolMutants = []mutant{
	vmSym("unknown", ".klp.sym.vmlinux.no_such_thing,0"),
	vmSym("no-comma", ".klp.sym.vmlinux.saved_command_line"),
	vmSym("no-number", ".klp.sym.vmlinux.saved_command_line,"),
	vmSym("letters", ".klp.sym.vmlinux.saved_command_line,zz"),
	vmSym("minus-1", ".klp.sym.vmlinux.saved_command_line,-1"),
	vmSym("plus-1", ".klp.sym.vmlinux.saved_command_line,+1"),
	vmSym("blank-1", ".klp.sym.vmlinux.saved_command_line, 1"),
	vmSym("zero-1", ".klp.sym.vmlinux.saved_command_line,01"),
	vmSym("hexadecimal", ".klp.sym.vmlinux.saved_command_line,0x1"),
	vmSym("number-then-letters", ".klp.sym.vmlinux.saved_command_line,1abc"),
	vmSym("two-commas", ".klp.sym.vmlinux.saved_command_line,0,7"),
	vmSym("position-1", ".klp.sym.vmlinux.saved_command_line,1"),
	vmSym("position-2", ".klp.sym.vmlinux.saved_command_line,2"),
	vmSym("position-2-to-32", ".klp.sym.vmlinux.saved_command_line,4294967296"),
	vmSym("position-2-to-64", ".klp.sym.vmlinux.saved_command_line,18446744073709551616"),
	vmSym("position-2-to-64-less-1", ".klp.sym.vmlinux.saved_command_line,18446744073709551615"),
	vmSym("position-30-digits",
		".klp.sym.vmlinux.saved_command_line,100000000000000000000000000001"),
	vmSym("no-object", ".klp.sym..saved_command_line,0"),
	vmSym("no-name", ".klp.sym.vmlinux.,0"),
	vmSym("no-dot", ".klp.sym.vmlinux,0"),
	vmSym("prefix-only", ".klp.sym."),
	vmSym("no-prefix", "saved_command_line"),
	vmSym("prefix-typo", ".klp.sim.vmlinux.saved_command_line,0"),
	vmSym("rela-prefix", ".klp.sym.rela.vmlinux.vmlinux.saved_command_line,0"),
	vmSym("empty", ""),
	vmSym("blank-in-name", ".klp.sym.vmlinux. saved_command_line,0"),
	vmSym("blank-after-name", ".klp.sym.vmlinux.saved_command_line ,0"),
	vmSym("vmlinux-ko", ".klp.sym.vmlinux.ko.saved_command_line,0"),
	vmSym("object-nosuch", ".klp.sym.nosuch.saved_command_line,0"),
	vmSym("object-target", ".klp.sym.klplab_target.klplab_secret,0"),
	vmSym("object-55", ".klp.sym."+strings.Repeat("o", 55)+".saved_command_line,0"),
	vmSym("object-56", ".klp.sym."+strings.Repeat("o", 56)+".saved_command_line,0"),
	vmSym("ambiguous", ".klp.sym.vmlinux.c_start,0"),
	vmSym("ambiguous-beyond", ".klp.sym.vmlinux.c_start,9999"),
	vmSym("percpu-at-0", ".klp.sym.vmlinux.fixed_percpu_data,0"),
	{name: "klpsym-absolute", base: inVmlinux, show: "/proc/version",
		edit: call(vmSymbol, ".klp.sym.vmlinux.__per_cpu_end,0")},
	moSym("unknown", ".klp.sym.klplab_target.no_such_thing,0"),
	moSym("position-1", ".klp.sym.klplab_target.klplab_secret,1"),
	moSym("position-2", ".klp.sym.klplab_target.klplab_secret,2"),
	moSym("position-7", ".klp.sym.klplab_target.klplab_secret,7"),
	moSym("ambiguous", ".klp.sym.klplab_target.klplab_number,0"),
	{name: "module-klpsym-second-of-two", base: inModule, show: "/proc/version",
		edit: call(moSymbol, ".klp.sym.klplab_target.klplab_number,2")},
	moSym("third-of-two", ".klp.sym.klplab_target.klplab_number,3"),
	{name: "module-klpsym-of-vmlinux", base: inModule, show: "/proc/version",
		edit: call(moSymbol, ".klp.sym.vmlinux.saved_command_line,1")},
	moSym("of-vmlinux-unknown", ".klp.sym.vmlinux.no_such_thing,0"),
	moSym("of-nosuch", ".klp.sym.nosuch.klplab_secret,0"),
	moSym("of-owner", ".klp.sym.klplab_owner.klplab_owner_secret,0"),
	moSym("bad-format", ".klp.sym.klplab_target.klplab_secret"),
	{name: "module-klpsym-init-function", base: inModule,
		edit: call(moSymbol, ".klp.sym.klplab_target.klplab_target_init,0"), open: freed},
	{name: "module-klpsym-init-module", base: inModule,
		edit: call(moSymbol, ".klp.sym.klplab_target.init_module,0"), open: freed},
	moSym("absent-file-symbol", ".klp.sym.klplab_target.twin_first.c,0"),
	{name: "module-klpsym-modinfo", base: inModule,
		edit: call(moSymbol, ".klp.sym.klplab_target.____versions,0"), open: freed},

	{name: "klpsym-index-undefined", base: inModule,
		edit: func(d *draft) { d.symbol(moSymbol).set16(stShndx, 0) }},
	{name: "klpsym-index-absolute", base: inVmlinux,
		edit: func(d *draft) { d.symbol(vmSymbol).set16(stShndx, uint16(elf.SHN_ABS)) }},
	{name: "klpsym-index-absolute-module", base: inModule,
		edit: func(d *draft) { d.symbol(moSymbol).set16(stShndx, uint16(elf.SHN_ABS)) }},
	{name: "klpsym-index-text", base: inVmlinux,
		edit: func(d *draft) { d.symbol(vmSymbol).set16(stShndx, uint16(d.index(".text"))) }},
	{name: "klpsym-index-text-module", base: inModule,
		edit: func(d *draft) { d.symbol(moSymbol).set16(stShndx, uint16(d.index(".text"))) }},
	{name: "klpsym-index-ff21", base: inVmlinux,
		edit: func(d *draft) { d.symbol(vmSymbol).set16(stShndx, 0xff21) }},
	{name: "klpsym-weak", base: inVmlinux, edit: func(d *draft) {
		d.symbol(vmSymbol).set8(stInfo,
			byte(elf.STB_WEAK)<<4)
	}},
	{name: "klpsym-local-binding", base: inVmlinux,
		edit: func(d *draft) { d.symbol(vmSymbol).set8(stInfo, 0) }},
	{name: "klpsym-type-func", base: inVmlinux,
		edit: func(d *draft) { d.symbol(vmSymbol).set8(stInfo, 0x12) }},
	{name: "klpsym-type-section", base: inVmlinux,
		edit: func(d *draft) { d.symbol(vmSymbol).set8(stInfo, 0x13) }},
	{name: "klpsym-hidden", base: inVmlinux, edit: func(d *draft) {
		d.symbol(vmSymbol).set8(stOther,
			2)
	}},
	{name: "klpsym-value", base: inVmlinux, edit: func(d *draft) {
		d.symbol(vmSymbol).set64(stValue,
			0x1234)
	}},
	{name: "klpsym-value-module", base: inModule,
		edit: func(d *draft) { d.symbol(moSymbol).set64(stValue, 0x1234) }},
	{name: "klpsym-size", base: inVmlinux, edit: func(d *draft) {
		d.symbol(vmSymbol).set64(stSize,
			1<<50)
	}},
	{name: "export-marked-livepatch", base: inVmlinux,
		edit: func(d *draft) { d.symbol("seq_printf").set16(stShndx, 0xff20) }},
	{name: "unused-klpsym-bad-name", base: inVmlinux, edit: func(d *draft) {
		d.model(func(f *elfrw.File) {
			f.AddSymbol(&elfrw.Symbol{Name: ".klp.sym.nonsense", Index: 0xff20,
				Info: byte(elf.STB_GLOBAL) << 4})
		})
	}},
	{name: "klpsym-name-127", base: inVmlinux, edit: long(127)},
	{name: "klpsym-name-128", base: inVmlinux, edit: long(128)},
	{name: "klpsym-name-511", base: inVmlinux, edit: long(511)},
	{name: "klpsym-name-512", base: inVmlinux, edit: long(512)},
	{name: "klpsym-name-2000", base: inVmlinux, edit: long(2000)},
}

// long names a symbol that does not exist, of that length.
func long(n int) func(*draft) {
	return call(vmSymbol, fmt.Sprintf(".klp.sym.vmlinux.%s,0", strings.Repeat("l", n)))
}

func rela(section string, edit func(r view)) func(*draft) {
	return func(d *draft) { edit(d.rela(section, 0)) }
}

// relType gives the first relocation of a section another type.
func relType(section string, k relocKind) func(*draft) {
	return func(d *draft) { d.rela(section, 0).setType(d.relocType(k)) }
}

// relNumber does so with a type that is a number.
func relNumber(section string, n uint32) func(*draft) {
	return rela(section, func(r view) { r.setType(n) })
}

var relocMutants = []mutant{
	{name: "reloc-type-none", base: inVmlinux, edit: relNumber(vmSection, 0)},
	{name: "reloc-type-gotpcrel", base: inVmlinux,
		edit: relType(vmSection, got)},
	{name: "reloc-type-200", base: inVmlinux, edit: relNumber(vmSection, 200)},
	{name: "reloc-type-32", base: inVmlinux, edit: relType(vmSection, word32)},
	{name: "reloc-type-pc64", base: inVmlinux, edit: relType(vmSection, pc64),
		show: "/proc/version"},
	{name: "reloc-type-64", base: inVmlinux, edit: relType(vmSection, pointerType),
		show: "/proc/version"},
	{name: "reloc-type-tpoff", base: inModule,
		edit: relType(moSection, tls)},
	{name: "module-reloc-type-none", base: inModule, edit: relNumber(moSection, 0)},
	{name: "module-reloc-type-32", base: inModule, edit: relType(moSection, word32)},
	{name: "reloc-offset-end", base: inVmlinux,
		edit: func(d *draft) { d.rela(vmSection, 0).set64(rOffset, d.shdr(".text").get64(shSize)) },
		open: after},
	{name: "reloc-offset-across-end", base: inVmlinux,
		edit: func(d *draft) {
			d.rela(vmSection, 0).set64(rOffset,
				d.shdr(".text").get64(shSize)-2)
		}, open: after},
	{name: "reloc-offset-1-tib", base: inVmlinux,
		edit: rela(vmSection, func(r view) { r.set64(rOffset, 1<<40) })},
	{name: "module-reloc-offset-1-tib", base: inModule,
		edit: rela(moSection, func(r view) { r.set64(rOffset, 1<<40) })},
	{name: "reloc-offset-1-more", base: inVmlinux,
		edit: rela(vmSection, func(r view) { r.set64(rOffset, r.get64(rOffset)+1) })},
	{name: "reloc-symbol-0", base: inVmlinux,
		edit: rela(vmSection, func(r view) { r.setSym(0) })},
	{name: "reloc-symbol-beyond", base: inVmlinux,
		edit: rela(vmSection, func(r view) { r.setSym(100000) })},
	{name: "reloc-symbol-function", base: inVmlinux,
		edit: func(d *draft) {
			d.rela(vmSection, 0).setSym(uint32(d.symbolNumber("enable_set")))
		}},
	{name: "reloc-symbol-import", base: inVmlinux,
		edit: func(d *draft) {
			d.rela(vmSection, 0).setSym(uint32(d.symbolNumber("seq_printf")))
		}},
	{name: "module-reloc-symbol-0", base: inModule,
		edit: rela(moSection, func(r view) { r.setSym(0) })},
	{name: "module-reloc-symbol-import", base: inModule,
		edit: func(d *draft) {
			d.rela(moSection, 0).setSym(uint32(d.symbolNumber("seq_printf")))
		}},
	{name: "module-reloc-symbol-of-vmlinux", base: inModule,
		edit: func(d *draft) {
			d.rela(moSection, 0).setSym(uint32(d.symbolNumber(vmSymbol)))
		}},
	{name: "reloc-addend-4-gib", base: inVmlinux,
		edit: rela(vmSection, func(r view) { r.set64(rAddend, 1<<33) }), open: low},
	{name: "module-reloc-addend-4-gib", base: inModule,
		edit: rela(moSection, func(r view) { r.set64(rAddend, 1<<33) }), open: low},
	{name: "reloc-target-nonzero", base: inVmlinux, openOn: otherCode, edit: func(d *draft) {
		d.contents(".text").set8(int(d.rela(vmSection, 0).get64(rOffset)), 1)
	}},
	{name: "reloc-target-nonzero-last", base: inVmlinux, openOn: otherCode, edit: func(d *draft) {
		d.contents(".text").set8(int(d.rela(vmSection, 0).get64(rOffset))+3, 0x80)
	}},
	{name: "module-reloc-target-nonzero", base: inModule, openOn: otherCode, edit: func(d *draft) {
		d.contents(".text").set8(int(d.rela(moSection, 0).get64(rOffset)), 1)
	}},
	{name: "data-reloc-target-nonzero", base: inData, edit: func(d *draft) {
		d.contents(".data").set8(int(d.rela(".klp.rela.klplab_target..data", 0).get64(rOffset))+7,
			1)
	}},
	{name: "reloc-twice", base: inVmlinux, edit: func(d *draft) {
		d.model(func(f *elfrw.File) {
			s := d.section(f, vmSection)
			f.AddReloc(s, s.Reloc(0))
		})
	}},
	{name: "module-reloc-twice", base: inModule, edit: func(d *draft) {
		d.model(func(f *elfrw.File) {
			s := d.section(f, moSection)
			f.AddReloc(s, s.Reloc(0))
		})
	}},
	{name: "reloc-also-ordinary", base: inVmlinux,
		edit: func(d *draft) { d.copyReloc(vmSection, ".rela.text") }},
	{name: "module-reloc-also-ordinary", base: inModule,
		edit: func(d *draft) { d.copyReloc(moSection, ".rela.text") }},
	{name: "reloc-not-moved", base: inVmlinux, edit: func(d *draft) {
		d.copyReloc(vmSection, ".rela.text")
		d.shdr(vmSection).set64(shSize, 0)
	}},
	{name: "data-reloc-offset-1-more", base: inData, openOn: map[string]string{
		"loongarch64": "it is still inside of .data: where the pointer leads then is not known"},
		edit: rela(".klp.rela.klplab_target..data",
			func(r view) { r.set64(rOffset, r.get64(rOffset)+1) })},
	{name: "reloc-in-init", base: inModule, edit: func(d *draft) {
		d.shdr(moSection).set32(shInfo, uint32(d.index(".init.text")))
	}, open: freed},

	{name: "ordinary-reloc-type-200", base: inVmlinux, edit: relNumber(".rela.text", 200)},
	{name: "ordinary-reloc-type-gotpcrelx", base: inVmlinux,
		edit: relNumber(".rela.text", uint32(elf.R_X86_64_REX_GOTPCRELX))},
	{name: "ordinary-reloc-type-32", base: inVmlinux, openOn: map[string]string{
		"loongarch64": "it overwrites an instruction: what it makes of it is not known"},
		edit: relType(".rela.init.text", word32)},
	{name: "ordinary-reloc-target-nonzero", base: inVmlinux, edit: func(d *draft) {
		d.contents(".text").set8(int(d.rela(".rela.text", 1).get64(rOffset)), 1)
	}},
	{name: "ordinary-reloc-twice", base: inVmlinux,
		edit: func(d *draft) { d.copyReloc(".rela.text", ".rela.text") }},
	{name: "ordinary-reloc-offset-1-tib", base: inVmlinux,
		edit: rela(".rela.init.text", func(r view) { r.set64(rOffset, 1<<40) })},
	{name: "ordinary-rela-type-rel", base: inVmlinux,
		edit: shdr32(".rela.exit.text", shType, uint32(elf.SHT_REL))},
	{name: "ordinary-rela-info-beyond", base: inVmlinux,
		edit: shdr32(".rela.exit.data", shInfo, 999)},
	{name: "ordinary-rela-link-0", base: inVmlinux, edit: shdr32(".rela.text", shLink, 0)},
	{name: "ordinary-rela-entsize-0", base: inVmlinux, edit: shdr64(".rela.text", shEntsize, 0)},
	{name: "ordinary-rela-size-odd", base: inVmlinux,
		edit: func(d *draft) { d.cut(".rela.exit.data", 1) }},
	{name: "ordinary-reloc-symbol-0", base: inVmlinux,
		edit: rela(".rela.exit.data", func(r view) { r.setSym(0) })},
}

// copyReloc appends the first relocation of a section to another one.
func (d *draft) copyReloc(from, to string) {
	d.model(func(f *elfrw.File) { f.AddReloc(d.section(f, to), d.section(f, from).Reloc(0)) })
}
