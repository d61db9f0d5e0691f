// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/sympos"
)

// Where a kernel's symbols are available, annotations are checked against them. What the loader
// would refuse when the module is loaded, or would silently resolve to the wrong symbol, is
// reported here (kernel/livepatch/core.c, klp_find_object_symbol).

// addLookup notes that a's position, or all of it, follows from the kernel's symbols.
func (out *collector) addLookup(a *annotation.Annotation) {
	if a.Symbol.Num() == 0 {
		return // the module has no such symbol
	}
	out.Looked = append(out.Looked, Lookup{a.Symbol.Num(), a.LPObject, a.Object, a.Name, a.Pos})
}

// passedOverWarning returns the warning about a module that could not be read.
func (v *View) passedOverWarning(warning string) diag.Diagnostic {
	return diag.Warnf(diag.NotChecked, diag.Nowhere, "",
		"kernel %s: %s: what it exports is not known", v.kernelTitle(), warning)
}

// exportsKnown reports whether anything tells what vmlinux exports. A table without
// data symbols (no KALLSYMS_ALL) does not.
func (v *View) exportsKnown() bool { return v.table.KnowsExports(vmlinux) }

// patches reports whether the livepatch patches the object: its klp_patch says so
// or, where that can't be read, an annotation names it.
func (v *View) patches(object string) bool {
	if v.declared.Complete() {
		return v.declared.Objects()[object]
	}
	_, ok := slices.BinarySearch(v.objects, object)
	return ok
}

// checkAgainstKernel checks an annotation against the kernel's symbols, and reports whether it
// holds.
func (v *View) checkAgainstKernel(out *collector, a *annotation.Annotation) bool {
	if v.table == nil {
		return true
	}
	if a.LPObject != a.Object && !v.checkObjectExists(out, a, a.LPObject) ||
		!v.checkObjectExists(out, a, a.Object) {
		return false
	}
	if !v.table.Has(a.Object) {
		return true // reported by checkObjectExists
	}
	list := v.table.Lookup(a.Object, a.Name)
	_, err := v.table.Resolve(a.Object, a.Name, uint64(a.Pos))
	switch {
	case err == nil:
	case v.table.Partial(a.Object) != "" && (errors.Is(err, sympos.ErrNotFound) ||
		errors.Is(err, sympos.ErrPosition)):
		return true // it may be in what is missing, which Incomplete reports
	case errors.Is(err, sympos.ErrNotFound):
		if as, ok := v.table.FoundAs(a.Object, a.Name); ok {
			out.Add(diag.Errorf(diag.NoSuchSymbol, a.Place(), a.Name,
				"%s has a symbol called %s, which kernel %s finds as %s only (CONFIG_LTO_CLANG)",
				a.Object, a.Name, v.kernelTitle(), as).
				WithHints(v.candidateLines(a, v.table.Lookup(a.Object, as))...))
			return false
		}
		v.reportAbsent(out, diag.NoSuchSymbol, a, "%s has no symbol called %s", a.Object, a.Name)
		return false
	case errors.Is(err, sympos.ErrAmbiguous):
		out.Add(diag.Errorf(diag.Ambiguous, a.Place(), a.Name,
			"symbol %s is ambiguous in %s (%d candidates)", a.Name, a.Object, len(list)).
			WithHints(v.candidateLines(a, list)...))
		return false
	case errors.Is(err, sympos.ErrPosition):
		out.Add(diag.Errorf(diag.BadPosition, a.Place(), a.Name,
			"position %d of symbol %s in %s does not exist: there %s",
			a.Pos, a.Name, a.Object, numberOfSymbols(len(list))).
			WithHints(v.candidateLines(a, list)...))
		return false
	case errors.Is(err, sympos.ErrUnordered):
		if out.AddPlace(diag.OrderUnknown, a.Object, a.Place(), a.Name) {
			break
		}
		out.AddFor(a.Object, diag.Warnf(diag.OrderUnknown, a.Place(), a.Name,
			"%s has %d symbols called %s, and %s does not tell in which order the kernel counts them: "+
				"position %d is not checked",
			a.Object, len(list), a.Name, "the "+v.table.Facts(a.Object).Kind.String(), a.Pos))
	case errors.Is(err, sympos.ErrUnsteady):
		v.reportUnsteady(out, a, err, list)
		return false
	default: // sympos.ErrAddress0
		v.reportUnsteady(out, a, err, list)
		return false
	}
	if s, err := v.table.Resolve(a.Object, a.Name, uint64(a.Pos)); err == nil && v.isFreed(s) {
		out.Add(diag.Errorf(diag.InitSymbol, a.Place(), a.Name,
			"symbol %s of vmlinux is in memory that the kernel frees after booting (__init)", a.Name).
			WithHints(v.candidateLines(a, list)...))
		return false
	}
	v.reportContradictions(out, a)
	return true
}

// reportUnsteady reports a position that means no symbol, or not always the same one.
func (v *View) reportUnsteady(out *collector, a *annotation.Annotation, err error,
	list []sympos.Symbol,
) {
	if errors.Is(err, sympos.ErrUnsteady) {
		out.Add(diag.Errorf(diag.Unsteady, a.Place(), a.Name,
			"which symbol %s of %s is at position %d depends on whether the module is being loaded or is "+
				"loaded: one of that name is in memory that is freed in between", a.Name, a.Object, a.Pos).
			WithHints(v.candidateLines(a, list)...))
		return
	}
	out.Add(diag.Errorf(diag.Unsteady, a.Place(), a.Name, "%v", err).
		WithHints(v.candidateLines(a, list)...))
}

// initBounds are the symbols between which vmlinux's init sections lie, and within them
// the per-CPU variables' first values, whose addresses are those of the variables
// (arch/*/kernel/vmlinux.lds.S; on x86 since 6.15).
var initBounds = []string{"__init_begin", "__init_end", perCPUBounds[0], perCPUBounds[1]}

// isFreed reports whether s is a symbol of vmlinux that is gone when the kernel has
// booted. The loader finds it nevertheless.
func (v *View) isFreed(s sympos.Symbol) bool {
	if s.Object != vmlinux || s.Address == 0 || v.table.Facts(vmlinux).NoAddresses {
		return false
	}
	at := func(name string) uint64 {
		if list := v.table.Lookup(vmlinux, name); len(list) == 1 {
			return list[0].Address
		}
		return 0
	}
	in := func(from, to uint64) bool { return from != 0 && s.Address >= from && s.Address < to }
	return in(at(initBounds[0]), at(initBounds[1])) && !in(at(initBounds[2]), at(initBounds[3]))
}

// reportContradictions reports that the sources contradict each other about a symbol.
func (v *View) reportContradictions(out *collector, a *annotation.Annotation) {
	if d := v.table.Doubt(a.Object, a.Name); d != "" {
		if out.AddPlace(diag.Contradiction, a.Object, a.Place(), a.Name) {
			return
		}
		out.AddFor(a.Object, diag.Warnf(diag.Contradiction, a.Place(), a.Name,
			"%s: the given files come from different kernels", d))
	}
	if d := v.table.Unsure(a.Object, a.Name); d != "" {
		out.Add(diag.Warnf(diag.NameUnsure, a.Place(), a.Name, "%s", d).
			Hint("--kernel with the kernel's release and configuration: /lib/modules/R and /boot/config-R"))
	}
}

// numberOfSymbols counts symbols in a sentence: "are 2 of that name".
func numberOfSymbols(n int) string {
	if n == 1 {
		return "is 1 of that name"
	}
	return "are " + strconv.Itoa(n) + " of that name"
}

// presence says whether the kernel has the object.
func (v *View) presence(object string) sympos.Presence {
	presence := v.kernel.Presence(object)
	if presence == sympos.Unknown && v.table.Facts(vmlinux).
		Kind == sympos.SymbolList && len(v.table.Incomplete()) == 0 {
		presence = sympos.Absent // the build listed all objects
	}
	return presence
}

// isUnknownObject reports whether no source knows the object, or whether it exists.
func (v *View) isUnknownObject(object string) bool {
	if v.table.Has(object) {
		return false
	}
	presence := v.presence(object)
	return presence != sympos.BuiltIn && presence != sympos.Absent
}

// checkObjectExists checks that the kernel has the object; true also when nothing tells.
func (v *View) checkObjectExists(out *collector, a *annotation.Annotation, object string) bool {
	if v.table.Has(object) {
		return true
	}
	switch v.presence(object) {
	case sympos.BuiltIn:
		b := *a
		if b.LPObject == object {
			b.LPObject = vmlinux
		}
		if b.Object == object {
			b.Object = vmlinux
		}
		if !out.AddPlace(diag.BuiltInObject, object, a.Place(), a.Name) {
			out.AddFor(object, diag.Errorf(diag.BuiltInObject, a.Place(), a.Name,
				"%s is built into kernel %s: its symbols are vmlinux's", object, v.kernelTitle()))
		}
		if list := v.table.Lookup(b.Object, b.Name); len(list) > 0 {
			out.AddHints(diag.BuiltInObject, object, v.candidateLines(a, list)...)
		} else {
			out.absent = append(out.absent, absence{diag.BuiltInObject, object, b})
		}
		return false
	case sympos.Absent:
		if out.AddPlace(diag.NoSuchObject, object, a.Place(), a.Name) {
			return false
		}
		d := diag.Errorf(diag.NoSuchObject, a.Place(), a.Name, "kernel %s has no module %s",
			v.kernelTitle(), object)
		for _, near := range nearObjects(object, v.kernel.Modules()) {
			d = d.Hint("there is a module called %s", near)
		}
		out.AddFor(object, d.Hint("for a module that is not part of the kernel: --module FILE"))
		return false
	}
	switch {
	case out.unknown[object]:
	case object == vmlinux:
		out.unknown[object] = true
		out.Add(diag.Warnf(diag.NotChecked, a.Place(), a.Name,
			"nothing that was given for kernel %s has the symbols of vmlinux: its annotations are not checked",

			v.kernelTitle()).
			Hint("--kernel vmlinuz or vmlinux"))
	default:
		out.unknown[object] = true
		out.Add(diag.Warnf(diag.NotChecked, a.Place(), a.Name,
			"nothing that describes kernel %s knows module %s: its annotations are not checked",
			v.kernelTitle(), object).
			Hint("--module %s.ko", object))
	}
	return true
}

// reportAbsent reports a symbol that is not where it should be, with what could have
// been meant.
func (v *View) reportAbsent(out *collector, id diag.ID, a *annotation.Annotation, format string,
	args ...any,
) {
	what := strconv.Itoa(len(out.absent))
	out.AddFor(what, diag.Errorf(id, a.Place(), a.Name, format, args...))
	out.absent = append(out.absent, absence{id, what, *a})
}

// absence is a diagnostic that waits for its hints.
type absence struct {
	id   diag.ID
	what string // that the diagnostic is about
	annotation.Annotation
}

// addNearMisses gives the absent symbols their hints, all in one reading.
func (v *View) addNearMisses(out *collector) {
	if len(out.absent) == 0 {
		return
	}
	var names []string
	for _, a := range out.absent {
		names = append(names, a.Name)
	}
	near, table := readNear(v.kernel, v.table, names)
	for _, a := range out.absent {
		misses, more := near.nearMisses(table, a.Object, a.Name)
		out.AddHints(a.id, a.what, v.nearMissLines(&a.Annotation, table, misses)...)
		if more > 0 {
			out.AddHints(a.id, a.what, fmt.Sprintf("and %d more that are no nearer", more))
		}
	}
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

// needsDefinition reports whether y is an undefined symbol that no annotation is
// about and that somebody has to define.
func (v *View) needsDefinition(out *collector, y *elfrw.Symbol) bool {
	return y.Undefined() && y.Name != "" && !annotation.IsLabel(y.Name) && !out.annotated[y] &&
		!klpabi.ModpostIgnores(v.file.Header.Machine, y.Name)
}
