// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"debug/elf"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
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
	names, known := klpabi.VersionedNames(p.File)
	for _, y := range p.File.Symbols {
		if !p.wanting(y) {
			continue
		}
		if len(y.Name) <= (kernel.Version{}).NameLimit() { // no export has a longer one
			if _, found := slices.BinarySearch(names, y.Name); found {
				continue
			}
		}
		name := diag.SymbolName(y)
		switch {
		case klpabi.WeakByDesign(p.File, y):
		case y.Bind() == elf.STB_WEAK:
			p.Add(diag.Errorf(diag.WeakUndefined, diag.Nowhere, name, "weak symbol %s is undefined and not annotated: the kernel would bind it to 0 without a word", name).
				WithHints(diag.OptionalLine(annotation.AnnotationLine(y.Name))...))
		case strings.HasPrefix(y.Name, klpabi.SymbolPrefix):
			p.Add(diag.Errorf(diag.StrongUndefined, diag.Nowhere, name, "symbol %s is called like a klp symbol, but is undefined: the kernel would refuse the module (Unknown symbol)", name).
				Hint("write a label that is converted by klp_convert.h: KLP_RELOC_SYMBOL(lp_obj, sym_obj, name)"))
		case known:
			p.Add(diag.Warnf(diag.StrongUndefined, diag.Nowhere, name, "symbol %s is undefined, not annotated and not in __versions: unless it is exported without a CRC, the kernel will refuse the module (Unknown symbol)", name).
				WithHints(diag.OptionalLine(annotation.AnnotationLine(y.Name))...))
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
		name := diag.SymbolName(y)
		switch _, origin := p.exporters.Of(y.Name); {
		case origin == Exported:
			continue
		case origin == OfUnknown && p.exportsKnown():
			p.kept = append(p.kept, name)
			continue
		}
		switch weak := y.Bind() == elf.STB_WEAK; {
		case klpabi.WeakByDesign(p.File, y):
		case livepatch && weak:
			p.Add(diag.Errorf(diag.WeakUndefined, diag.Nowhere, name, "weak symbol %s is undefined and not annotated: the kernel would bind it to 0 without a word", name).
				WithHints(diag.OptionalLine(annotation.AnnotationLine(y.Name))...))
		case livepatch && strings.HasPrefix(y.Name, klpabi.SymbolPrefix):
			p.misnamed(y)
		case livepatch:
			d := diag.Errorf(diag.Absent, diag.Nowhere, name, "undefined symbol %s is not annotated, and nobody exports it", name)
			if list := p.places(y.Name); len(list) > 0 {
				d = d.WithHints(p.lines(p.guess(y, list[0].Object), list)...)
			} else {
				d = d.WithHints(diag.OptionalLine(annotation.AnnotationLine(y.Name))...)
			}
			p.Add(d)
		case !weak:
			p.Add(diag.Errorf(diag.Absent, diag.Nowhere, name, "undefined symbol %s: nobody exports it", name))
		}
	}
	p.unplacedImports()
}
