// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"debug/elf"
	"strconv"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/sympos"
)

// An undefined symbol that carries no annotation is one of these; the first row that fits
// counts:
//
//	exported by vmlinux                  ordinary; the loader finds it
//	 … to other modules only             klp relocation (EXPORT_SYMBOL_FOR_MODULES)
//	exported by a module that the        klp relocation: a livepatch must not depend
//	 livepatch patches                   on what it patches, which may be loaded later
//	exported by another module           ordinary, and a dependency
//	exported, says modpost, by a module  ordinary, as modpost left it; an error if the
//	 whose exports nothing tells          livepatch patches that module
//	exported, says modpost, and nowhere  an error
//	perhaps exported by such a module    an error
//	hidden in one place of one object    klp relocation
//	hidden in several                    the author has to say which one
//	nowhere                              an error, with what it could have been
//
// Objects are vmlinux and the modules that the livepatch names. Those that it
// does not name can't be meant: nothing would tell when to resolve their symbols.

// infers reports whether undefined symbols are looked up.
func (v *View) infers() bool {
	in := v.set
	return v.kernel != nil && in.Modinfo.Livepatch() && len(in.Objtool) == 0 && !in.Converted()
}

// resolveUnannotated decides what becomes of undefined symbols without annotations. It returns the
// view with their exporters.
func (v *View) resolveUnannotated(out *collector) *View {
	if v.table == nil || !v.infers() || !v.table.Has(vmlinux) {
		return v
	}
	out.lookedUp = true
	if !v.exportsKnown() {
		out.Add(diag.Warnf(diag.NotChecked, diag.Nowhere, "",
			"nothing tells what kernel %s exports: what modpost resolved to an export stays an import, "+
				"everything else is treated as hidden", v.kernelTitle()).
			Hint("--kernel %s,Module.symvers", v.kernel.Name))
	}
	var unknown []*elfrw.Symbol
	for _, y := range v.file.Symbols {
		if v.needsDefinition(out, y) && !v.reportMisnamed(out, y) {
			unknown = append(unknown, y)
		}
	}
	v = v.withExporters(out, unknown)
	v.reportUnusedDepends(out)
	for _, y := range unknown {
		if v.resolveExported(out, y) || v.resolveHidden(out, y) || klpabi.WeakByDesign(v.file, y) {
			continue
		}
		a := &annotation.Annotation{Dialect: v.dialect(), LPObject: vmlinux, Object: vmlinux,
			Name: y.Name, Symbol: y}
		what := "undefined symbol %s is in no object that the livepatch names, and no module exports it"
		if y.Bind() == elf.STB_WEAK {
			what = "undefined weak symbol %s is in no object that the livepatch names, and no module " +
				"exports it: the kernel would silently bind it to 0"
		}
		if len(v.table.Incomplete()) > 0 {
			what += ", according to a list that may be incomplete"
		}
		if unread := v.unreadModules(); len(unread) > 0 {
			what += " (nothing tells what " + strings.Join(unread, " and ") + " has: --module)"
		} else if unknown := v.exporters.Unknown; len(unknown) > 0 {
			what += " (no source tells what " + diag.ClipEither(unknown) + " exports: --module)"
		}
		v.reportAbsent(out, diag.Absent, a, what, diag.SymbolName(y))
	}
	v.reportUnplacedImports(out)
	return v
}

// reportMisnamed reports a symbol whose name no kernel's symbol has, and reports whether y is one.
func (v *View) reportMisnamed(out *collector, y *elfrw.Symbol) bool {
	if strings.HasPrefix(y.Name, klpabi.SymbolPrefix) || !klpabi.PossibleName(y.Name) {
		out.Add(diag.Errorf(diag.StrongUndefined, diag.Nowhere, diag.Clip(y.Name),
			"symbol %s is named like a klp symbol, but is undefined: the kernel would refuse the module (Unknown symbol)",

			diag.Clip(y.Name)).
			Hint("write a label with klp_convert.h: KLP_RELOC_SYMBOL(lp_obj, sym_obj, name)"))
		return true
	}
	return false
}

// resolveExported decides y if an object exports it, or may, and reports whether it did.
func (v *View) resolveExported(out *collector, y *elfrw.Symbol) bool {
	e, origin := v.exporters.Of(y.Name)
	switch origin {
	case Nobody:
		return false
	case Exported:
	default:
		return v.resolveUnplaced(out, y, origin)
	}
	name := diag.SymbolName(y)
	excluded := !v.isOffered(e)
	switch {
	case e.Object == vmlinux && !excluded:
		v.reportShadowed(out, y, e)
		return true
	case v.options.NoInfer:
		if excluded {
			out.Add(diag.Errorf(diag.NotOffered, diag.Nowhere, name,
				"symbol %s is exported by %s to other modules only (%s), and --no-infer is given",
				name, e.Object, e.Namespace).
				WithHints(v.candidateLines(v.newAnnotation(y, e.Object), v.table.Lookup(e.Object, y.Name))...))
		} else if v.patches(e.Object) {
			lines := v.candidateLines(v.newAnnotation(y, e.Object), v.table.Lookup(e.Object, y.Name))
			if out.AddPlace(diag.DependsOnPatched, e.Object, diag.Nowhere, name, lines...) {
				return true
			}
			out.AddFor(e.Object, diag.Warnf(diag.DependsOnPatched, diag.Nowhere, name,
				"symbol %s is exported by %s, which the livepatch patches: the livepatch can't be loaded before it",

				name, e.Object).
				WithHints(lines...))
		} else {
			v.reportDependency(out, y, e)
		}
		return true
	case excluded:
		v.infer(out, y, e.Object, diag.NotOffered,
			"symbol %s is exported by %s to other modules only (%s): converted as %s",
			name, e.Object, e.Namespace)
	case v.patches(e.Object):
		v.infer(out, y, e.Object, diag.PatchedExport,
			"symbol %s is exported by %s, which the livepatch patches and must not depend on: converted as %s",

			name, e.Object)
	case v.options.ConvertModuleExports:
		v.infer(out, y, e.Object, diag.PatchedExport,
			"symbol %s is exported by module %s: converted as %s", name, e.Object)
	default:
		v.reportDependency(out, y, e)
	}
	return true
}

const dependsOn = "symbol %s is exported by module %s: the livepatch depends on that module " +
	"(depends=) and can't be loaded before it"

// reportDependency reports a symbol that another module exports.
func (v *View) reportDependency(out *collector, y *elfrw.Symbol, e sympos.Export) {
	name := diag.SymbolName(y)
	if v.reportShadowed(out, y, e) {
		return
	}
	if out.AddPlace(diag.ModuleExport, e.Object, diag.Nowhere, name) {
		return
	}
	d := diag.Warnf(diag.ModuleExport, diag.Nowhere, name, dependsOn, name, e.Object)
	if v.declared.Complete() && !v.patchesModules() {
		d = d.Hint("{ .name = %q, … },   /* a klp_object for it, and --convert-module-exports */",
			e.Object)
	} else {
		d = d.Hint("--convert-module-exports makes a klp relocation of it")
	}
	out.AddFor(e.Object, d)
}

// patchesModules reports whether the patch has an object that is a module.
func (v *View) patchesModules() bool {
	for o := range v.declared.Objects() {
		if o != vmlinux {
			return true
		}
	}
	return false
}

// reportShadowed warns of an export that is used although another object that the
// livepatch names hides a symbol of that name: code that was copied from there means
// that one. It reports whether there is one.
func (v *View) reportShadowed(out *collector, y *elfrw.Symbol, e sympos.Export) bool {
	name := diag.SymbolName(y)
	var list []sympos.Symbol
	for _, s := range v.lookupInObjects(y.Name) {
		if s.Object != e.Object {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return false
	}
	out.Add(diag.Warnf(diag.ShadowedExport, diag.Nowhere, name,
		"symbol %s is exported by %s, which is used, and hidden in %s; annotate it if that one is meant",
		name, diag.ObjectName(e.Object), list[0].Object).
		WithHints(v.candidateLines(v.newAnnotation(y, list[0].Object), list)...))
	return true
}

// isOffered reports whether e is for this module as well as for others.
func (v *View) isOffered(e sympos.Export) bool {
	_, only := e.ForModules()
	me, _ := v.set.Modinfo.Value("name")
	return !only || e.OfferedTo(me)
}

// lookupInObjects returns the symbols of that name in all objects that the livepatch
// names.
func (v *View) lookupInObjects(name string) []sympos.Symbol {
	var all []sympos.Symbol
	for _, o := range v.objects {
		all = append(all, v.table.Lookup(o, name)...)
	}
	return all
}

// unreadModules returns the modules that the livepatch names and no source knows.
func (v *View) unreadModules() []string {
	var unread []string
	for _, o := range v.objects {
		if !v.table.Has(o) && v.kernel.Presence(o) != sympos.BuiltIn {
			unread = append(unread, o)
		}
	}
	return unread
}

// resolveHidden decides y if an object has it without exporting it, and reports whether it did.
func (v *View) resolveHidden(out *collector, y *elfrw.Symbol) bool {
	list := v.lookupInObjects(y.Name)
	name := diag.SymbolName(y)
	switch {
	case len(list) == 0:
		return false
	case len(list) > 1:
		out.Add(diag.Errorf(diag.Ambiguous, diag.Nowhere, name, "undefined symbol %s is ambiguous (%s)",
			name, perObject(list)).
			WithHints(v.candidateLines(v.newAnnotation(y, list[0].Object), list)...))
	case v.options.NoInfer:
		out.Add(diag.Errorf(diag.NotAnnotated, diag.Nowhere, name,
			"undefined symbol %s is hidden in %s and not annotated, and --no-infer is given",
			name, list[0].Object).
			WithHints(v.candidateLines(v.newAnnotation(y, list[0].Object), list)...))
	case len(v.unreadModules()) > 0:
		d := diag.Errorf(diag.NotChecked, diag.Nowhere, name,
			"undefined symbol %s is hidden in %s, but whether %s has one of that name is not known",
			name, list[0].Object, strings.Join(v.unreadModules(), " or "))
		for _, o := range v.unreadModules() {
			d = d.Hint("--module %s.ko", o)
		}
		out.Add(d.WithHints(v.candidateLines(v.newAnnotation(y, list[0].Object), list)...))
	default:
		v.infer(out, y, list[0].Object, diag.Inferred,
			"symbol %s is hidden in %s and nowhere else: converted as %s", name, list[0].Object)
	}
	return true
}

// perObject counts candidates.
func perObject(list []sympos.Symbol) string {
	var parts []string
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].Object == list[0].Object {
			n++
		}
		noun := " candidates in "
		if n == 1 {
			noun = " candidate in "
		}
		parts = append(parts, strconv.Itoa(n)+noun+list[0].Object)
		list = list[n:]
	}
	return strings.Join(parts, ", ")
}

// infer converts y as the symbol of its name in the object. The format is for
// args and, last, the klp symbol's name.
func (v *View) infer(out *collector, y *elfrw.Symbol, object string, id diag.ID, format string,
	args ...any,
) {
	name := diag.SymbolName(y)
	a := v.newAnnotation(y, object)
	list := v.table.Lookup(object, y.Name)
	pos, ok := exportedPosition(list)
	switch {
	case len(list) == 0 && v.table.Has(object):
		out.Add(diag.Errorf(diag.NoSuchSymbol, diag.Nowhere, name,
			"symbol %s of %s is not in its symbol table", name, object))
		return
	case !ok:
		out.Add(diag.Errorf(diag.Ambiguous, diag.Nowhere, name,
			"symbol %s is ambiguous in %s (%d candidates)", name, object, len(list)).
			WithHints(v.candidateLines(a, list)...))
		return
	}
	a.Pos = pos
	if _, err := v.table.Resolve(object, y.Name, uint64(pos)); err != nil && v.table.Has(object) {
		v.reportUnsteady(out, a, err, list)
		return
	}
	if s, err := v.table.Resolve(object, y.Name, uint64(pos)); err == nil && v.isFreed(s) {
		out.Add(diag.Errorf(diag.InitSymbol, diag.Nowhere, name,
			"symbol %s of vmlinux is in memory that the kernel frees after booting (__init)", name))
		return
	}
	if a.LPObject, ok = v.gateOf(object); !ok {
		a.LPObject = "LP_OBJ"
		line := a.Declare(annotation.Alias(object+"_"+y.Name), annotation.LabelMacro(a, pos)) +
			"   /* replace LP_OBJ by the livepatched object */"
		if out.AddPlace(diag.NoGate, object, diag.Nowhere, name, line) {
			return
		}
		out.AddFor(object, diag.Errorf(diag.NoGate, diag.Nowhere, name,
			"symbol %s belongs to module %s, which the livepatch does not name, and nothing tells which of "+
				"its objects the symbol is for",
			name, object).
			Hint("%s", line))
		return
	}
	v.reportContradictions(out, a)
	out.Add(diag.Notef(id, diag.Nowhere, name, format, append(args, a.KlpName())...))
	out.Inferred = append(out.Inferred, a)
	out.annotated[y] = true
	out.addLookup(a)
}

// newAnnotation returns the annotation that y lacks, of the symbol of its name in the object.
func (v *View) newAnnotation(y *elfrw.Symbol, object string) *annotation.Annotation {
	return &annotation.Annotation{Dialect: v.dialect(), LPObject: object, Object: object,
		Name: y.Name, Symbol: y}
}

// exportedPosition returns the position of the symbol that can be exported: the only
// one, or the only one that is not local.
func exportedPosition(list []sympos.Symbol) (uint32, bool) {
	if len(list) <= 1 {
		return 0, true
	}
	pos := uint32(0)
	for _, s := range list {
		if s.Type < 'A' || s.Type > 'Z' {
			continue
		}
		if pos != 0 || s.Position == 0 {
			return 0, false
		}
		pos = uint32(s.Position)
	}
	return pos, pos != 0
}

// gateOf returns which livepatched object a symbol of the object is for, as far
// as the module's annotations tell.
func (v *View) gateOf(object string) (string, bool) {
	if object == vmlinux || v.patches(object) || v.declared.Complete() {
		return object, true // what uses it will tell
	}
	modules := slices.DeleteFunc(slices.Clone(v.objects), func(o string) bool { return o == vmlinux })
	if len(modules) == 1 {
		return modules[0], true
	}
	return "", false
}

// exports returns who exports the name, as far as has been read.
func (v *View) exports(name string) []sympos.Export {
	if v.modules == nil {
		return v.table.Exports(name)
	}
	return v.modules.Exports(name)
}

// withExporters returns the view with who exports these symbols. The exports of all modules
// are read when no list of them is among the kernel's files, and one of these symbols may be
// among the exports. That is not so of a symbol that modpost, which had such a list, did not
// resolve and that an object hides.
func (v *View) withExporters(out *collector, unknown []*elfrw.Symbol) *View {
	v = v.exportersIn(v.table)
	var names []string
	for _, y := range unknown {
		_, origin := v.exporters.Of(y.Name)
		hidden := v.exporters.sawExports() && !v.exporters.hasResolved(y.Name) &&
			len(v.lookupInObjects(y.Name)) > 0
		if origin == Lost || (origin == Nobody || origin == Open) && !hidden {
			names = append(names, y.Name)
		}
	}
	if len(names) == 0 || v.table.ListsModules() {
		return v
	}
	for _, y := range v.file.Symbols { // this table has what is known already as well
		if y.Undefined() && klpabi.PossibleName(y.Name) {
			names = append(names, y.Name)
		}
	}
	all, err := v.kernel.ReadAll(sympos.Names(names...))
	if err != nil {
		out.Add(diag.Errorf(diag.KernelUnreadable, diag.Nowhere, "", "kernel %s: %v",
			v.kernelTitle(), err))
		return v
	}
	for _, w := range all.Warnings {
		if strings.HasPrefix(w, sympos.PassedOver) && !slices.Contains(v.table.Warnings, w) {
			out.Add(v.passedOverWarning(w))
		}
	}
	v = v.exportersIn(all)
	v.modules = all
	return v
}

// exportersIn returns a copy of the view with the exporters according to a table.
func (v *View) exportersIn(t *sympos.Table) *View {
	w := *v
	w.exporters, w.patched = NewExporters(v.file, t, v.kernel.Presence, v.patches), nil
	for _, m := range w.exporters.Unknown {
		if v.patches(m) {
			w.patched = append(w.patched, m)
		}
	}
	return &w
}
