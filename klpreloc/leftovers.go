// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"debug/elf"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// leftovers looks at the undefined symbols that stay. The stock modpost is told
// not to mind them (KBUILD_MODPOST_WARN=1) or does not (weak ones), so minding
// them is up to us.
func (p *planner) leftovers() {
	if p.Imports && p.table != nil && len(p.Input.Objtool) == 0 && !p.triaged {
		p.imports()
		return
	}
	if !p.Input.Modinfo.Livepatch() || len(p.Input.Objtool) > 0 || p.triaged {
		return
	}
	names, known := versioned(p.File)
	for _, y := range p.File.Symbols {
		if !p.wanting(y) {
			continue
		}
		if len(y.Name) <= (Version{}).NameLimit() { // no export has a longer one
			if _, found := slices.BinarySearch(names, y.Name); found {
				continue
			}
		}
		name := symName(y)
		switch {
		case WeakByDesign(p.File, y):
		case y.Bind() == elf.STB_WEAK:
			p.errorf(WeakUndefined, nowhere, name, "weak symbol %s is undefined and not annotated: the kernel would bind it to 0 without a word", name).
				hints(lineOf(annotateIt(y.Name)))
		case strings.HasPrefix(y.Name, symbolPrefix):
			p.errorf(StrongUndefined, nowhere, name, "symbol %s is called like a klp symbol, but is undefined: the kernel would refuse the module (Unknown symbol)", name).
				hint("write a label that is converted by klp_convert.h: KLP_RELOC_SYMBOL(lp_obj, sym_obj, name)")
		case known:
			p.warnf(StrongUndefined, nowhere, name, "symbol %s is undefined, not annotated and not in __versions: unless it is exported without a CRC, the kernel will refuse the module (Unknown symbol)", name).
				hints(lineOf(annotateIt(y.Name)))
		}
	}
}

// imports holds the undefined symbols against all exports that there are, which
// is what modpost does where it is not told to let it be. A weak one may stay
// undefined in an ordinary module, as for modpost (scripts/mod/modpost.c, 6.1,
// check_exports): in a livepatch it is a forgotten annotation.
func (p *planner) imports() {
	livepatch := p.Input.Modinfo.Livepatch()
	p.exporters = NewExporters(p.File, p.table, p.Kernel.Presence, p.patches)
	for _, y := range p.File.Symbols {
		if !p.wanting(y) {
			continue
		}
		name := symName(y)
		switch _, origin := p.exporters.Of(y.Name); {
		case origin == Exported:
			continue
		case origin == OfUnknown && p.exportsKnown():
			p.kept = append(p.kept, name)
			continue
		}
		switch weak := y.Bind() == elf.STB_WEAK; {
		case WeakByDesign(p.File, y):
		case livepatch && weak:
			p.errorf(WeakUndefined, nowhere, name, "weak symbol %s is undefined and not annotated: the kernel would bind it to 0 without a word", name).
				hints(lineOf(annotateIt(y.Name)))
		case livepatch && strings.HasPrefix(y.Name, symbolPrefix):
			p.misnamed(y)
		case livepatch:
			d := p.errorf(Absent, nowhere, name, "undefined symbol %s is not annotated, and nobody exports it", name)
			if list := p.places(y.Name); len(list) > 0 {
				d.hints(p.lines(p.guess(y, list[0].Object), list))
			} else {
				d.hints(lineOf(annotateIt(y.Name)))
			}
		case !weak:
			p.errorf(Absent, nowhere, name, "undefined symbol %s: nobody exports it", name)
		}
	}
	p.unplacedImports()
}

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

// allowedUndefined is modpost's own list of names that need no definition
// (scripts/mod/modpost.c, ignore_undef_symbol).
func allowedUndefined(m elf.Machine, name string) bool {
	if name == "__this_module" || name == "_GLOBAL_OFFSET_TABLE_" {
		return true
	}
	var prefixes []string
	switch m {
	case elf.EM_PPC:
		prefixes = []string{"_restgpr_", "_savegpr_", "_rest32gpr_", "_save32gpr_", "_restvr_", "_savevr_"}
	case elf.EM_PPC64:
		prefixes = []string{"_restgpr0_", "_savegpr0_", "_restgpr1_", "_savegpr1_", "_restvr_", "_savevr_"}
		if name == ".TOC." {
			return true
		}
	case elf.EM_S390:
		prefixes = []string{"__s390_indirect_jump_r"}
	}
	return slices.ContainsFunc(prefixes, func(x string) bool { return strings.HasPrefix(name, x) })
}
