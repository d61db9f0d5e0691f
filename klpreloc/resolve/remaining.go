// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"debug/elf"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// checkRemaining checks the undefined symbols that stay. klp-convert.mk makes modpost ignore them
// (KBUILD_MODPOST_WARN=1), and modpost ignores weak ones itself, so they are checked here.
func (v *View) checkRemaining(out *collector) *View {
	if v.options.Imports && v.table != nil && len(v.set.Objtool) == 0 && !out.lookedUp {
		return v.checkImports(out)
	}
	if !v.set.Modinfo.Livepatch() || len(v.set.Objtool) > 0 || out.lookedUp {
		return v
	}
	names, known := klpabi.VersionedNames(v.file)
	for _, y := range v.file.Symbols {
		if !v.needsDefinition(out, y) {
			continue
		}
		if len(y.Name) <= (kernel.Version{}).NameLimit() { // no export has a longer one
			if _, found := slices.BinarySearch(names, y.Name); found {
				continue
			}
		}
		name := diag.SymbolName(y)
		switch {
		case klpabi.WeakByDesign(v.file, y):
		case y.Bind() == elf.STB_WEAK:
			out.Add(diag.Errorf(diag.WeakUndefined, diag.Nowhere, name,
				"weak symbol %s is undefined and not annotated: the kernel would silently bind it to 0", name).
				WithHints(diag.OptionalLine(annotation.VmlinuxLine(y.Name))...))
		case strings.HasPrefix(y.Name, klpabi.SymbolPrefix):
			out.Add(diag.Errorf(diag.StrongUndefined, diag.Nowhere, name,
				"symbol %s is named like a klp symbol, but is undefined: the kernel would refuse the module (Unknown symbol)",

				name).
				Hint("write a label with klp_convert.h: KLP_RELOC_SYMBOL(lp_obj, sym_obj, name)"))
		case known:
			out.Add(diag.Warnf(diag.StrongUndefined, diag.Nowhere, name,
				"symbol %s is undefined, not annotated and not in __versions: unless it is exported without a "+
					"CRC, the kernel will refuse the module (Unknown symbol)", name).
				WithHints(diag.OptionalLine(annotation.VmlinuxLine(y.Name))...))
		}
	}
	return v
}

// checkImports checks the undefined symbols against all exports, as modpost does where it is not
// made to ignore them. A weak one may stay
// undefined in an ordinary module, as for modpost (scripts/mod/modpost.c, 6.1,
// check_exports): in a livepatch it is a forgotten annotation.
func (v *View) checkImports(out *collector) *View {
	livepatch := v.set.Modinfo.Livepatch()
	v = v.exportersIn(v.table)
	for _, y := range v.file.Symbols {
		if !v.needsDefinition(out, y) {
			continue
		}
		name := diag.SymbolName(y)
		switch _, origin := v.exporters.Of(y.Name); {
		case origin == Exported:
			continue
		case origin == OfUnknown && v.exportsKnown():
			out.keptImports = append(out.keptImports, name)
			continue
		}
		switch weak := y.Bind() == elf.STB_WEAK; {
		case klpabi.WeakByDesign(v.file, y):
		case livepatch && weak:
			out.Add(diag.Errorf(diag.WeakUndefined, diag.Nowhere, name,
				"weak symbol %s is undefined and not annotated: the kernel would silently bind it to 0", name).
				WithHints(diag.OptionalLine(annotation.VmlinuxLine(y.Name))...))
		case livepatch && strings.HasPrefix(y.Name, klpabi.SymbolPrefix):
			v.reportMisnamed(out, y)
		case livepatch:
			d := diag.Errorf(diag.Absent, diag.Nowhere, name,
				"undefined symbol %s is not annotated, and no module exports it", name)
			if list := v.lookupInObjects(y.Name); len(list) > 0 {
				d = d.WithHints(v.candidateLines(v.newAnnotation(y, list[0].Object), list)...)
			} else {
				d = d.WithHints(diag.OptionalLine(annotation.VmlinuxLine(y.Name))...)
			}
			out.Add(d)
		case !weak:
			out.Add(diag.Errorf(diag.Absent, diag.Nowhere, name,
				"undefined symbol %s: no module exports it", name))
		}
	}
	v.reportUnplacedImports(out)
	return v
}
