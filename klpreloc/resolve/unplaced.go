// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
)

// What modpost resolved and no source knows, and what modpost may have resolved, is
// never converted without an annotation: a symbol that another object hides under
// the same name is another symbol.

// resolveUnplaced decides y, which may be an export that no source has.
func (v *View) resolveUnplaced(out *collector, y *elfrw.Symbol, origin Origin) bool {
	name := diag.SymbolName(y)
	list := v.lookupInObjects(y.Name)
	switch {
	case origin == Open && len(list) == 0:
		return false // reported as a symbol that is nowhere
	case origin == Open:
		d := diag.Errorf(diag.UnknownExporter, diag.Nowhere, name,
			"symbol %s is hidden in %s, and may be an export of %s: %s",
			name, objectsOf(list), v.exporters.Suspects(), v.explainOpen())
		out.Add(v.withExportHints(d).
			WithHints(v.candidateLines(v.newAnnotation(y, list[0].Object), list)...))
	case origin == Lost:
		d := diag.Errorf(diag.UnknownExporter, diag.Nowhere, name,
			"modpost resolved %s to an export, and no object of kernel %s exports it: the module was built "+
				"against other exports",
			name, v.kernelTitle())
		if len(list) > 0 {
			d = d.WithHints(v.candidateLines(v.newAnnotation(y, list[0].Object), list)...)
		}
		out.Add(d)
	case !v.exportsKnown(): // reported once, for all imports
	case len(v.patched) > 0 && !v.options.NoInfer:
		out.doubtfulImports = append(out.doubtfulImports, name)
	default:
		out.keptImports = append(out.keptImports, name)
		of := diag.ClipEither(v.exporters.Unknown)
		if v.reportShadowed(out, y, sympos.Export{Object: of, Name: y.Name}) ||
			len(v.exporters.Unknown) > 1 {
			break
		}
		if !out.AddPlace(diag.ModuleExport, of, diag.Nowhere, name) {
			out.AddFor(of, diag.Warnf(diag.ModuleExport, diag.Nowhere, name, dependsOn, name, of))
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

// explainOpen says what makes a module whose exports are not known export something.
func (v *View) explainOpen() string {
	switch x := v.exporters; {
	case len(x.Unknown) > 0:
		return "depends= says that the module uses one, and no source tells what " +
			diag.ClipEither(x.Unknown) + " exports"
	case len(x.spaces) > 0:
		return "the module imports that namespace"
	}
	return "depends= says that the module used one when it was built"
}

// withExportHints returns d with hints at options that would tell the exports.
func (v *View) withExportHints(d diag.Diagnostic) diag.Diagnostic {
	const most = 5
	for i, m := range v.exporters.Unknown {
		if i == most {
			d = d.Hint("and %d more modules", len(v.exporters.Unknown)-most)
			break
		}
		d = d.Hint("--module %s.ko", diag.Clip(m))
	}
	if v.exporters.MayExport() {
		d = d.Hint("or --symvers FILE, the Module.symvers of its build")
	}
	return d
}

// reportUnplacedImports reports which modules' exports are not known, once for all imports.
func (v *View) reportUnplacedImports(out *collector) {
	if v.exporters == nil {
		return
	}
	of := diag.ClipEither(v.exporters.Unknown)
	if len(out.doubtfulImports) > 0 {
		out.Add(v.withExportHints(diag.Errorf(diag.UnknownExporter, diag.Nowhere, "",
			"modpost resolved %s to an export of %s, and no source tells what %s exports, which the livepatch patches",

			diag.ClipList(out.doubtfulImports), of, diag.ClipList(v.patched))))
	}
	if len(out.keptImports) > 0 {
		out.Add(v.withExportHints(diag.Warnf(diag.UnknownExporter, diag.Nowhere, "",
			"no source tells what %s exports: %s stays an import, as modpost resolved it",
			of, diag.ClipList(out.keptImports))))
	}
}

// reportUnusedDepends reports modules in depends= of whose exports the module uses none.
func (v *View) reportUnusedDepends(out *collector) {
	for _, m := range v.exporters.Unused {
		out.Add(diag.Warnf(diag.UnusedDepends, diag.Nowhere, "",
			"depends= names %s, and the module uses no symbol that %s exports: it was built against another %s",

			m, m, m).
			Hint("build it again, with the Module.symvers of that %s", m))
	}
}
