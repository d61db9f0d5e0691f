// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

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

// An undefined symbol that carries no annotation is one of these. The first that
// fits it is:
//
//	exported by vmlinux                  ordinary; the loader finds it
//	 … to other modules only             klp relocation (EXPORT_SYMBOL_FOR_MODULES)
//	exported by a module that the        klp relocation: a livepatch must not depend
//	 livepatch patches                   on what it patches, which may come later
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
// does not name can't be meant: nothing would say when to look into them.

// infers reports whether undefined symbols are looked up.
func (p *planner) infers() bool {
	in := p.Input
	return p.Kernel != nil && in.Modinfo.Livepatch() && len(in.Objtool) == 0 && !in.Converted()
}

// triage decides what becomes of undefined symbols without annotations.
func (p *planner) triage() {
	if p.table == nil || !p.infers() || !p.table.Has(vmlinux) {
		return
	}
	p.triaged = true
	if !p.exportsKnown() {
		p.Add(diag.Warnf(diag.NotChecked, diag.Nowhere, "", "nothing tells what kernel %s exports: what modpost took for an export is left alone, all else is taken for hidden", p.kernelTitle()).
			Hint("--kernel %s,Module.symvers", p.Kernel.Name))
	}
	var unknown []*elfrw.Symbol
	for _, y := range p.File.Symbols {
		if p.wanting(y) && !p.misnamed(y) {
			unknown = append(unknown, y)
		}
	}
	p.findExporters(unknown)
	p.unusedDepends()
	for _, y := range unknown {
		if p.exported(y) || p.hidden(y) || klpabi.WeakByDesign(p.File, y) {
			continue
		}
		a := &annotation.Annotation{Dialect: p.dialect(), LPObject: vmlinux, Object: vmlinux, Name: y.Name, Symbol: y}
		what := "undefined symbol %s is in no object that the livepatch names, and nobody exports it"
		if y.Bind() == elf.STB_WEAK {
			what = "undefined weak symbol %s is in no object that the livepatch names, and nobody exports it: the kernel would bind it to 0 without a word"
		}
		if len(p.table.Incomplete()) > 0 {
			what += ", as far as a list tells that may not be whole"
		}
		if unread := p.unread(); len(unread) > 0 {
			what += " (nothing tells what " + strings.Join(unread, " and ") + " has: --module)"
		} else if unknown := p.exporters.Unknown; len(unknown) > 0 {
			what += " (no source tells what " + diag.ClipEither(unknown) + " exports: --module)"
		}
		p.missing(diag.Absent, a, what, diag.SymbolName(y))
	}
	p.unplacedImports()
}

// misnamed reports a symbol that no kernel has, by its name.
func (p *planner) misnamed(y *elfrw.Symbol) bool {
	if strings.HasPrefix(y.Name, klpabi.SymbolPrefix) || !klpabi.PossibleName(y.Name) {
		p.Add(diag.Errorf(diag.StrongUndefined, diag.Nowhere, diag.Clip(y.Name), "symbol %s is called like a klp symbol, but is undefined: the kernel would refuse the module (Unknown symbol)", diag.Clip(y.Name)).
			Hint("write a label that is converted by klp_convert.h: KLP_RELOC_SYMBOL(lp_obj, sym_obj, name)"))
		return true
	}
	return false
}

// exported decides y if an object exports it, or may.
func (p *planner) exported(y *elfrw.Symbol) bool {
	e, origin := p.exporters.Of(y.Name)
	switch origin {
	case Nobody:
		return false
	case Exported:
	default:
		return p.unplaced(y, origin)
	}
	name := diag.SymbolName(y)
	excluded := !p.offered(e)
	switch {
	case e.Object == vmlinux && !excluded:
		p.shadowed(y, e)
		return true
	case p.NoInfer:
		if excluded {
			p.Add(diag.Errorf(diag.NotOffered, diag.Nowhere, name, "symbol %s is exported by %s to other modules only (%s), and --no-infer is given", name, e.Object, e.Namespace).
				WithHints(p.lines(p.guess(y, e.Object), p.table.Lookup(e.Object, y.Name))...))
		} else if p.patches(e.Object) {
			lines := p.lines(p.guess(y, e.Object), p.table.Lookup(e.Object, y.Name))
			if p.Repeats(diag.DependsOnPatched, e.Object, diag.Nowhere, name, lines...) {
				return true
			}
			p.AddFor(e.Object, diag.Warnf(diag.DependsOnPatched, diag.Nowhere, name, "symbol %s is exported by %s, which the livepatch patches: the livepatch can't be loaded before it", name, e.Object).
				WithHints(lines...))
		} else {
			p.dependency(y, e)
		}
		return true
	case excluded:
		p.infer(y, e.Object, diag.NotOffered, "symbol %s is exported by %s to other modules only (%s): converted as %s", name, e.Object, e.Namespace)
	case p.patches(e.Object):
		p.infer(y, e.Object, diag.PatchedExport, "symbol %s is exported by %s, which the livepatch patches and must not depend on: converted as %s", name, e.Object)
	case p.ConvertModuleExports:
		p.infer(y, e.Object, diag.PatchedExport, "symbol %s is exported by module %s: converted as %s", name, e.Object)
	default:
		p.dependency(y, e)
	}
	return true
}

const dependsOn = "symbol %s is exported by module %s: the livepatch depends on that module (depends=) and can't be loaded before it"

// dependency reports a symbol that another module exports.
func (p *planner) dependency(y *elfrw.Symbol, e sympos.Export) {
	name := diag.SymbolName(y)
	if p.shadowed(y, e) {
		return
	}
	if p.Repeats(diag.ModuleExport, e.Object, diag.Nowhere, name) {
		return
	}
	d := diag.Warnf(diag.ModuleExport, diag.Nowhere, name, dependsOn, name, e.Object)
	if p.gates.complete() && !p.patchesModules() {
		d = d.Hint("{ .name = %q, … },   /* a klp_object for it, and --convert-module-exports */", e.Object)
	} else {
		d = d.Hint("--convert-module-exports makes a klp relocation of it")
	}
	p.AddFor(e.Object, d)
}

// patchesModules reports whether the patch has an object that is a module.
func (p *planner) patchesModules() bool {
	for o := range p.gates.objects() {
		if o != vmlinux {
			return true
		}
	}
	return false
}

// shadowed warns of an export that is taken although another object that the
// livepatch names hides a symbol of that name: code that was copied from there means
// that one. It reports whether there is one.
func (p *planner) shadowed(y *elfrw.Symbol, e sympos.Export) bool {
	name := diag.SymbolName(y)
	var list []sympos.Symbol
	for _, s := range p.places(y.Name) {
		if s.Object != e.Object {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return false
	}
	p.Add(diag.Warnf(diag.ShadowedExport, diag.Nowhere, name, "symbol %s is exported by %s, which is taken, and hidden in %s; annotate it if that one is meant", name, diag.ObjectName(e.Object), list[0].Object).
		WithHints(p.lines(p.guess(y, list[0].Object), list)...))
	return true
}

// offered reports whether e is for this module as well as for others.
func (p *planner) offered(e sympos.Export) bool {
	_, only := e.ForModules()
	me, _ := p.Input.Modinfo.Value("name")
	return !only || e.OfferedTo(me)
}

// places returns the symbols of that name in all objects that the livepatch
// names.
func (p *planner) places(name string) []sympos.Symbol {
	var all []sympos.Symbol
	for _, o := range p.objects {
		all = append(all, p.table.Lookup(o, name)...)
	}
	return all
}

// unread returns the modules that the livepatch names and no source knows.
func (p *planner) unread() []string {
	var unread []string
	for _, o := range p.objects {
		if !p.table.Has(o) && p.Kernel.Presence(o) != sympos.BuiltIn {
			unread = append(unread, o)
		}
	}
	return unread
}

// hidden decides y if an object has it without exporting it.
func (p *planner) hidden(y *elfrw.Symbol) bool {
	list := p.places(y.Name)
	name := diag.SymbolName(y)
	switch {
	case len(list) == 0:
		return false
	case len(list) > 1:
		p.Add(diag.Errorf(diag.Ambiguous, diag.Nowhere, name, "undefined symbol %s is ambiguous (%s)", name, perObject(list)).
			WithHints(p.lines(p.guess(y, list[0].Object), list)...))
	case p.NoInfer:
		p.Add(diag.Errorf(diag.NotAnnotated, diag.Nowhere, name, "undefined symbol %s is hidden in %s and not annotated, and --no-infer is given", name, list[0].Object).
			WithHints(p.lines(p.guess(y, list[0].Object), list)...))
	case len(p.unread()) > 0:
		d := diag.Errorf(diag.NotChecked, diag.Nowhere, name, "undefined symbol %s is hidden in %s, but whether %s has one of that name is not known", name, list[0].Object, strings.Join(p.unread(), " or "))
		for _, o := range p.unread() {
			d = d.Hint("--module %s.ko", o)
		}
		p.Add(d.WithHints(p.lines(p.guess(y, list[0].Object), list)...))
	default:
		p.infer(y, list[0].Object, diag.Inferred, "symbol %s is hidden in %s and nowhere else: converted as %s", name, list[0].Object)
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
func (p *planner) infer(y *elfrw.Symbol, object string, id diag.ID, format string, args ...any) {
	name := diag.SymbolName(y)
	a := p.guess(y, object)
	list := p.table.Lookup(object, y.Name)
	pos, ok := theExported(list)
	switch {
	case len(list) == 0 && p.table.Has(object):
		p.Add(diag.Errorf(diag.NoSuchSymbol, diag.Nowhere, name, "symbol %s of %s has no place in its symbol table", name, object))
		return
	case !ok:
		p.Add(diag.Errorf(diag.Ambiguous, diag.Nowhere, name, "symbol %s is ambiguous in %s (%d candidates)", name, object, len(list)).
			WithHints(p.lines(a, list)...))
		return
	}
	a.Pos = pos
	if _, err := p.table.Resolve(object, y.Name, uint64(pos)); err != nil && p.table.Has(object) {
		p.unsteady(a, err, list)
		return
	}
	if s, err := p.table.Resolve(object, y.Name, uint64(pos)); err == nil && p.freed(s) {
		p.Add(diag.Errorf(diag.InitSymbol, diag.Nowhere, name, "symbol %s of vmlinux is in what the kernel frees when it has booted (__init)", name))
		return
	}
	if a.LPObject, ok = p.gateOf(object); !ok {
		a.LPObject = "LP_OBJ"
		line := a.Declare(annotation.Alias(object+"_"+y.Name), annotation.LabelMacro(a, pos)) + "   /* with the livepatched object for LP_OBJ */"
		if p.Repeats(diag.NoGate, object, diag.Nowhere, name, line) {
			return
		}
		p.AddFor(object, diag.Errorf(diag.NoGate, diag.Nowhere, name, "symbol %s belongs to module %s, which the livepatch does not name, and nothing tells which of its objects the symbol is for", name, object).
			Hint("%s", line))
		return
	}
	p.doubt(a)
	p.Add(diag.Notef(id, diag.Nowhere, name, format, append(args, a.KlpName())...))
	p.inferred = append(p.inferred, a)
	p.annotated[y] = true
	p.answer(a)
}

// guess is the annotation that y does not have.
func (p *planner) guess(y *elfrw.Symbol, object string) *annotation.Annotation {
	return &annotation.Annotation{Dialect: p.dialect(), LPObject: object, Object: object, Name: y.Name, Symbol: y}
}

// theExported returns the position of the symbol that can be exported: the only
// one, or the only one that is not local.
func theExported(list []sympos.Symbol) (uint32, bool) {
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
func (p *planner) gateOf(object string) (string, bool) {
	if object == vmlinux || p.patches(object) || p.gates.complete() {
		return object, true // what uses it will tell
	}
	modules := slices.DeleteFunc(slices.Clone(p.objects), func(o string) bool { return o == vmlinux })
	if len(modules) == 1 {
		return modules[0], true
	}
	return "", false
}

// exports returns who exports the name, as far as has been read.
func (p *planner) exports(name string) []sympos.Export {
	if p.modules == nil {
		return p.table.Exports(name)
	}
	return p.modules.Exports(name)
}

// findExporters finds out who exports these symbols. The exports of all modules are read
// when no list of them is among the kernel's files, and one of these symbols may be there.
// Not there are those that modpost, which had such a list, did not resolve and that an
// object hides.
func (p *planner) findExporters(unknown []*elfrw.Symbol) {
	who := func(t *sympos.Table) {
		p.exporters, p.patched = NewExporters(p.File, t, p.Kernel.Presence, p.patches), nil
		for _, m := range p.exporters.Unknown {
			if p.patches(m) {
				p.patched = append(p.patched, m)
			}
		}
	}
	who(p.table)
	var names []string
	for _, y := range unknown {
		_, origin := p.exporters.Of(y.Name)
		hidden := p.exporters.Saw() && !p.exporters.Resolved(y.Name) && len(p.places(y.Name)) > 0
		if origin == Lost || (origin == Nobody || origin == Open) && !hidden {
			names = append(names, y.Name)
		}
	}
	if len(names) == 0 || p.table.ListsModules() {
		return
	}
	for _, y := range p.File.Symbols { // what is known already is in this table as well
		if y.Undefined() && klpabi.PossibleName(y.Name) {
			names = append(names, y.Name)
		}
	}
	all, err := p.Kernel.ReadAll(sympos.Names(names...))
	if err != nil {
		p.Add(diag.Errorf(diag.KernelUnreadable, diag.Nowhere, "", "kernel %s: %v", p.kernelTitle(), err))
		return
	}
	for _, w := range all.Warnings {
		if strings.HasPrefix(w, sympos.PassedOver) && !slices.Contains(p.table.Warnings, w) {
			p.notRead(w)
		}
	}
	p.modules = all
	who(all)
}
