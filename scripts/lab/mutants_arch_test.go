// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"debug/elf"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Mutants of .klp.arch sections, which kernels 4.9 to 5.7 read (arch/x86/kernel/livepatch.c,
// arch_klp_init_object_loaded). The bases are not there on others.

const (
	archAlt  = ".klp.arch.klplab_target..altinstructions"
	archPara = ".klp.arch.klplab_target..parainstructions"
	vmAlt    = ".klp.arch.vmlinux..altinstructions"
	vmPara   = ".klp.arch.vmlinux..parainstructions"

	altSize = 13 // of an alternative in kernels before 5.13
)

// altName, paraName and vmAltName give a .klp.arch section another name.
func altName(name, to string) mutant {
	return mutant{name: "arch-alt-" + name, base: inArch, edit: rename(archAlt, to)}
}

func paraName(name, to string) mutant {
	return mutant{name: "arch-para-" + name, base: inArch, edit: rename(archPara, to)}
}

func vmAltName(name, to string) mutant {
	return mutant{name: "arch-vmlinux-alt-" + name, base: inArchVm, edit: rename(vmAlt, to)}
}

// doubled adds a copy of a section, without its relocations. empty leaves out the contents.
func doubled(section string, empty bool) func(*draft) {
	return func(d *draft) {
		d.model(func(f *elfrw.File) {
			s := d.section(f, section)
			x := &elfrw.Section{Name: s.Name, Type: s.Type, Flags: s.Flags, Align: s.Align}
			if !empty {
				x.Data = slices.Clone(s.Data)
			}
			f.AddSection(x)
		})
	}
}

// preceded adds an empty section of the same name in front of all others.
func preceded(section string) func(*draft) {
	return func(d *draft) {
		d.model(func(f *elfrw.File) {
			s := d.section(f, section)
			at := slices.Index(f.Sections, s)
			f.AddSection(&elfrw.Section{Name: s.Name, Type: s.Type, Flags: s.Flags, Align: s.Align})
			last := len(f.Sections) - 1
			x := f.Sections[last]
			f.Sections = slices.Insert(f.Sections[:last:last], at, x)
		})
	}
}

// zeroed clears the contents of a section.
func zeroed(section string) func(*draft) {
	return func(d *draft) { d.data(section, func(b []byte) []byte { return make([]byte, len(b)) }) }
}

// archMutants come in an order of their own: what they change is the name, the header, the
// contents, the relocations.
var archMutants = []mutant{
	altName("nosuch", ".klp.arch.nosuch..altinstructions"),
	altName("of-vmlinux", ".klp.arch.vmlinux..altinstructions"),
	altName("as-para", ".klp.arch.klplab_target..parainstructions2"),
	altName("one-dot", ".klp.arch.klplab_target.altinstructions"),
	altName("no-object", ".klp.arch...altinstructions"),
	altName("no-table", ".klp.arch.klplab_target."),
	altName("blank", ".klp.arch.klplab_target. .altinstructions"),
	altName("blank-after", ".klp.arch.klplab_target..altinstructions x"),
	altName("longer", ".klp.arch.klplab_target..altinstructions.more"),
	altName("object-shorter", ".klp.arch.klplab_targe..altinstructions"),
	altName("object-56", ".klp.arch."+strings.Repeat("o", 56)+"..altinstructions"),
	altName("typo", ".klp.arc.klplab_target..altinstructions"),
	altName("capital", ".klp.arch.klplab_target..Altinstructions"),
	altName("ordinary", ".altinstructions"),
	paraName("nosuch", ".klp.arch.nosuch..parainstructions"),
	paraName("typo", ".klp.arch.klplab_target..parainstruction"),
	paraName("ordinary", ".parainstructions"),
	vmAltName("of-target", ".klp.arch.klplab_target..altinstructions"),
	vmAltName("nosuch", ".klp.arch.nosuch..altinstructions"),
	vmAltName("typo", ".klp.arch.vmlinux..altinstruction"),
	{name: "arch-alternatives-as-parainstructions", base: inArch, edit: func(d *draft) {
		d.rename(archPara, ".klp.arch.nosuch..parainstructions")
		d.rename(archAlt, archPara)
	}},
	{name: "arch-vmlinux-alternatives-as-parainstructions", base: inArchVm, edit: func(d *draft) {
		d.rename(vmPara, ".klp.arch.nosuch..parainstructions")
		d.rename(vmAlt, vmPara)
	}},
	{name: "arch-parainstructions-as-alternatives", base: inArchVm, edit: func(d *draft) {
		d.rename(vmAlt, ".klp.arch.nosuch..altinstructions")
		d.rename(vmPara, vmAlt)
	}},
	{name: "arch-alt-twice", base: inArch, edit: doubled(archAlt, false)},
	{name: "arch-alt-twice-empty", base: inArch, edit: doubled(archAlt, true)},
	{name: "arch-para-twice-empty", base: inArch, edit: doubled(archPara, true)},
	{name: "arch-alt-after-empty", base: inArch, edit: preceded(archAlt)},
	{name: "arch-vmlinux-alt-after-empty", base: inArchVm, edit: preceded(vmAlt)},

	{name: "arch-alt-flag-alloc", base: inArch, edit: flags(archAlt, 0, elf.SHF_ALLOC),
		openLater: reused},
	{name: "arch-para-flag-alloc", base: inArch, edit: flags(archPara, 0, elf.SHF_ALLOC),
		openLater: reused},
	{name: "arch-vmlinux-alt-flag-alloc", base: inArchVm, edit: flags(vmAlt, 0, elf.SHF_ALLOC)},
	{name: "arch-alt-flag-write", base: inArch, edit: flags(archAlt, elf.SHF_WRITE, 0)},
	{name: "arch-alt-nobits", base: inArch, edit: shdr32(archAlt, shType, uint32(elf.SHT_NOBITS))},
	{name: "arch-para-nobits", base: inArch,
		edit: shdr32(archPara, shType, uint32(elf.SHT_NOBITS))},
	{name: "arch-vmlinux-alt-nobits", base: inArchVm,
		edit: shdr32(vmAlt, shType, uint32(elf.SHT_NOBITS))},
	{name: "arch-alt-type-note", base: inArch, edit: shdr32(archAlt, shType, uint32(elf.SHT_NOTE))},
	{name: "arch-alt-size-0", base: inArch, edit: shdr64(archAlt, shSize, 0), open: after},
	{name: "arch-para-size-0", base: inArch, edit: shdr64(archPara, shSize, 0), open: after},
	{name: "arch-alt-first-only", base: inArch, edit: func(d *draft) {
		d.shdr(archAlt).set64(shSize, altSize)
	}, open: after},
	{name: "arch-alt-size-odd", base: inArch, edit: cutBy(archAlt, 1), open: after},

	{name: "arch-alt-zeros", base: inArch, edit: zeroed(archAlt)},
	{name: "arch-para-zeros", base: inArch, edit: zeroed(archPara)},
	{name: "arch-vmlinux-para-zeros", base: inArchVm, edit: zeroed(vmPara)},
	{name: "arch-alt-feature-beyond", base: inArch, edit: func(d *draft) {
		d.contents(archAlt).set16(8, 0xfff0)
	}},
	{name: "arch-alt-length-255", base: inArch, edit: func(d *draft) {
		d.contents(archAlt).set8(10, 255)
	}},
	{name: "arch-alt-unrelocated", base: inArch, edit: unrelocated(".rela" + archAlt)},
	{name: "arch-para-unrelocated", base: inArch, edit: unrelocated(".rela" + archPara)},
	{name: "arch-vmlinux-alt-unrelocated", base: inArchVm, edit: unrelocated(".rela" + vmAlt)},
	{name: "arch-vmlinux-para-unrelocated", base: inArchVm, edit: unrelocated(".rela" + vmPara)},
}
