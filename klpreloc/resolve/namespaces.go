// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
)

// modpost makes an error of an export whose namespace the module does not import
// (scripts/mod/modpost.c, check_exports). It does not know annotations: a record's
// symbol has the export's own name, and becomes a klp relocation, which needs no import.
// So klp-convert.mk turns that error into a warning (modpost -N), as it does with
// undefined symbols, and what is still an import after the conversion is checked here.

// checkNamespaces reports imports of exports that the kernel does not give to this module.
func (v *View) checkNamespaces(out *collector) {
	if !v.options.Imports || v.table == nil || len(v.set.Objtool) > 0 {
		return
	}
	livepatch := v.set.Modinfo.Livepatch()
	for _, y := range v.file.Symbols {
		if !v.needsDefinition(out, y) {
			continue
		}
		e, refused := v.notImported(v.exports(y.Name))
		only := strings.HasPrefix(e.Namespace, "module:")
		if !refused || only && out.lookedUp { // resolveUnannotated has decided these
			continue
		}
		name := diag.SymbolName(y)
		what := fmt.Sprintf(
			"symbol %s is exported by %s in namespace %s, which the module does not import",
			name, diag.ObjectName(e.Object), e.Namespace)
		if only {
			what = fmt.Sprintf("symbol %s is exported by %s to other modules only (%s)", name,
				diag.ObjectName(e.Object), e.Namespace)
		}
		report, then := diag.Errorf, "the kernel would refuse the module (EINVAL)"
		if allowed, _ := v.kernel.Configured("MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS"); allowed {
			report, then = diag.Warnf, "this kernel only warns of that"
		}
		d := report(diag.NotOffered, diag.Nowhere, name, "%s: %s", what, then)
		if !only {
			d = d.Hint(v.target.ImportNS(), e.Namespace)
		}
		if livepatch {
			d = d.Hint("static KLP_MODULE_RELOC(%s) klp_%s[] = { KLP_SYMPOS(%s, 0) };   /* a klp relocation needs no import */",
				e.Object, name, name)
		}
		out.Add(d)
	}
}

// notImported returns the export that the kernel would take, and whether it refuses the
// module for its namespace. vmlinux's comes first (kernel/module/main.c, find_symbol).
// Of several modules with one each, which one is loaded is not known: all have to be
// refused.
func (v *View) notImported(exports []sympos.Export) (sympos.Export, bool) {
	if i := slices.IndexFunc(exports, func(e sympos.Export) bool {
		return e.Object == vmlinux
	}); i >= 0 {
		exports = exports[i : i+1]
	}
	for _, e := range exports {
		if e.Namespace == "" || v.importsNamespace(e.Namespace) ||
			strings.HasPrefix(e.Namespace, "module:") && v.isOffered(e) {
			return e, false
		}
	}
	if len(exports) == 0 {
		return sympos.Export{}, false
	}
	return exports[0], true
}

// importsNamespace reports whether the module has an import of that namespace
// (kernel/module/main.c, verify_namespace_is_imported).
func (v *View) importsNamespace(namespace string) bool {
	for _, entry := range v.set.Modinfo {
		if entry == "import_ns="+namespace {
			return true
		}
	}
	return false
}
