// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
)

// What modpost resolved and no source places, and what modpost may have resolved, is
// never converted without the author's word: a symbol that another object hides under
// the same name is another symbol.

// unplaced decides y, which may be an export that no source has.
func (p *planner) unplaced(y *elfrw.Symbol, origin Origin) bool {
	name := diag.SymbolName(y)
	list := p.places(y.Name)
	switch {
	case origin == Open && len(list) == 0:
		return false // said as a symbol that is nowhere
	case origin == Open:
		d := diag.Errorf(diag.UnknownExporter, diag.Nowhere, name, "symbol %s is hidden in %s, and may be an export of %s: %s",
			name, objectsOf(list), p.exporters.Suspects(), p.whyOpen())
		p.Add(p.giveExports(d).WithHints(p.lines(p.guess(y, list[0].Object), list)...))
	case origin == Lost:
		d := diag.Errorf(diag.UnknownExporter, diag.Nowhere, name,
			"modpost resolved %s to an export, and no object of kernel %s exports it: the module was built against other exports",
			name, p.kernelTitle())
		if len(list) > 0 {
			d = d.WithHints(p.lines(p.guess(y, list[0].Object), list)...)
		}
		p.Add(d)
	case !p.exportsKnown(): // said once, for all imports
	case len(p.patched) > 0 && !p.NoInfer:
		p.doubtful = append(p.doubtful, name)
	default:
		p.kept = append(p.kept, name)
		of := diag.ClipEither(p.exporters.Unknown)
		if p.shadowed(y, sympos.Export{Object: of, Name: y.Name}) || len(p.exporters.Unknown) > 1 {
			break
		}
		if !p.Repeats(diag.ModuleExport, of, diag.Nowhere, name) {
			p.AddFor(of, diag.Warnf(diag.ModuleExport, diag.Nowhere, name, dependsOn, name, of))
		}
	}
	return true
}

// objectsOf names the objects of the symbols.
func objectsOf(list []sympos.Symbol) string {
	var names []string
	for _, s := range list {
		if !slices.Contains(names, s.Object) {
			names = append(names, s.Object)
		}
	}
	return strings.Join(names, " and ")
}

// whyOpen says what makes a module whose exports are not known export something.
func (p *planner) whyOpen() string {
	switch x := p.exporters; {
	case len(x.Unknown) > 0:
		return "depends= says that the module uses one, and no source tells what " + diag.ClipEither(x.Unknown) + " exports"
	case len(x.Spaces) > 0:
		return "the module imports that namespace"
	}
	return "depends= says that the module used one when it was built"
}

// giveExports returns d with what would tell the exports.
func (p *planner) giveExports(d diag.Diagnostic) diag.Diagnostic {
	const most = 5
	for i, m := range p.exporters.Unknown {
		if i == most {
			d = d.Hint("and %d more modules", len(p.exporters.Unknown)-most)
			break
		}
		d = d.Hint("--module %s.ko", diag.Clip(m))
	}
	if p.exporters.MayExport() {
		d = d.Hint("or --symvers FILE, the Module.symvers of its build")
	}
	return d
}

// unplacedImports reports which modules' exports are not known, once for all imports.
func (p *planner) unplacedImports() {
	if p.exporters == nil {
		return
	}
	of := diag.ClipEither(p.exporters.Unknown)
	if len(p.doubtful) > 0 {
		p.Add(p.giveExports(diag.Errorf(diag.UnknownExporter, diag.Nowhere, "",
			"modpost resolved %s to an export of %s, and no source tells what %s exports, which the livepatch patches",
			diag.ClipList(p.doubtful), of, diag.ClipList(p.patched))))
	}
	if len(p.kept) > 0 {
		p.Add(p.giveExports(diag.Warnf(diag.UnknownExporter, diag.Nowhere, "",
			"no source tells what %s exports: %s stays an import, as modpost resolved it", of, diag.ClipList(p.kept))))
	}
}

// unusedDepends reports modules in depends= of whose exports the module uses none.
func (p *planner) unusedDepends() {
	for _, m := range p.exporters.Unused {
		p.Add(diag.Warnf(diag.UnusedDepends, diag.Nowhere, "",
			"depends= names %s, and the module uses no symbol that %s exports: it was built against another %s", m, m, m).
			Hint("build it again, with the Module.symvers of that %s", m))
	}
}
