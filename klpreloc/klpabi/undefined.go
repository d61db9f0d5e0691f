// SPDX-License-Identifier: GPL-2.0-or-later

package klpabi

import (
	"debug/elf"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// WeakByDesign reports whether y is a weak symbol that the kernel's own headers leave
// undefined: on powerpc machine_is(NAME) declares mach_NAME weak, and compares its address
// with the machine that runs. A kernel without that platform has no such symbol, one with it
// exports it (arch/powerpc/include/asm/machdep.h, machine_is and define_machine, 4.7 to
// 7.3), so 0 is what is meant. No annotation can help.
func WeakByDesign(f *elfrw.File, y *elfrw.Symbol) bool {
	switch f.Header.Machine {
	case elf.EM_PPC, elf.EM_PPC64:
		return y.Bind() == elf.STB_WEAK && strings.HasPrefix(y.Name, "mach_")
	}
	return false
}

// ModpostIgnores is modpost's own list of names that need no definition
// (scripts/mod/modpost.c, ignore_undef_symbol).
func ModpostIgnores(m elf.Machine, name string) bool {
	if name == "__this_module" || name == "_GLOBAL_OFFSET_TABLE_" {
		return true
	}
	var prefixes []string
	switch m {
	case elf.EM_PPC:
		prefixes = []string{"_restgpr_", "_savegpr_", "_rest32gpr_", "_save32gpr_",
			"_restvr_", "_savevr_"}
	case elf.EM_PPC64:
		prefixes = []string{"_restgpr0_", "_savegpr0_", "_restgpr1_", "_savegpr1_",
			"_restvr_", "_savevr_"}
		if name == ".TOC." {
			return true
		}
	case elf.EM_S390:
		prefixes = []string{"__s390_indirect_jump_r"}
	}
	return slices.ContainsFunc(prefixes, func(x string) bool { return strings.HasPrefix(name, x) })
}

// LoaderIgnores reports whether the loader lets a symbol of that name be
// undefined (kernel/module/main.c, ignore_undef_symbol). _GLOBAL_OFFSET_TABLE_ is so on x86, and
// on s390x, which defines it (arch/s390/kernel/module.c, module_frob_arch_sections).
func LoaderIgnores(m elf.Machine, name string) bool {
	switch name {
	case "__this_module":
		return false
	case "_GLOBAL_OFFSET_TABLE_":
		return m == elf.EM_X86_64 || m == elf.EM_386 || m == elf.EM_S390
	}
	return ModpostIgnores(m, name)
}
