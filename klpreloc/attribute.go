// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// aim finds out which kernel the module is for, and which objects it patches.
func (p *planner) aim() {
	p.target = p.Input.Kernel
	if p.Target != (kernel.Version{}) {
		p.target = p.Target
	}
	p.gates = newGates(p.File, kernel.SchemeEarly)
	p.special = &touched{gates: p.gates, nameOf: p.kernelName, keepInert: p.Options.KeepInert}
	p.Answers.Unsafe, p.Answers.KeepInert = p.Options.Unsafe, p.Options.KeepInert
}

// chooseScheme decides how the kernel will apply what is converted, and says why.
func (p *planner) chooseScheme() {
	if !p.Input.Annotated() && len(p.inferred) == 0 && p.table == nil {
		return
	}
	scheme, why, ok := p.schemeOf()
	if !ok {
		p.Add(diag.Errorf(diag.OldKernel, diag.Nowhere, "", "the module is for kernel %s (%s); kernels before 4.7 know no klp relocations", p.target, why))
		return
	}
	p.gates.scheme, p.Scheme = scheme, scheme
	if magic := p.Input.Modinfo.Release(); scheme != kernel.SchemeEarly && p.Target == (kernel.Version{}) && p.table == nil && kernel.VendorEarly(magic) {
		p.Add(diag.Warnf(diag.SchemeChosen, diag.Nowhere, "", "for kernels %s, as vermagic %q says; but kernels of that vendor carry the scheme of 5.8 under such a version", scheme, diag.Clip(magic)).
			Hint("--target 5.8, or --kernel with that kernel, which tells").
			Hint("--target %s, if it is one of the older ones", p.target))
	} else if scheme != kernel.SchemeEarly || p.Input.Annotated() {
		p.Add(diag.Notef(diag.SchemeChosen, diag.Nowhere, "", "for kernels %s, says %s", scheme, why))
	}
}

// schemeOf is what --target says, or else the kernel that was given, or else the
// module.
func (p *planner) schemeOf() (scheme kernel.Scheme, why string, ok bool) {
	switch {
	case p.Target != (kernel.Version{}):
		scheme, ok = p.Target.Scheme()
		return scheme, "--target " + p.Target.String(), ok
	case p.table != nil:
		if s, name, ok := kernel.SchemeBySymbols(p.target, p.table); ok {
			return s, fmt.Sprintf("%s of kernel %s", name, p.kernelTitle()), true
		}
	}
	scheme, ok = p.target.Scheme()
	return scheme, schemeSource(p.Input.Modinfo), ok
}

// schemeSource says what in the module tells the scheme of its kernel.
func schemeSource(m klpabi.Modinfo) string {
	magic, found := m.Value("vermagic")
	switch _, readable := kernel.ParseVersion(magic); {
	case !found:
		return "no vermagic, so the newest"
	case !readable:
		return fmt.Sprintf("vermagic %q, which names no version, so the newest", diag.Clip(magic))
	}
	return fmt.Sprintf("vermagic %q", diag.Clip(m.Release()))
}

// lawful checks what a's own words ask for (kernel/livepatch/core.c,
// klp_resolve_symbols, since 5.8: a vmlinux symbol is refused in any section but
// vmlinux's own, and a vmlinux section is resolved at once, when the module may not
// be there).
func (p *planner) lawful(a *annotation.Annotation) {
	switch {
	case a.Object == vmlinux && a.LPObject != vmlinux && p.Scheme.Early():
		p.Add(diag.Notef(diag.VmlinuxUnderModule, a.Place(), a.Name, "vmlinux symbol %s is asked for under %s; kernels from 5.8 on take it under vmlinux only, and apply it when the livepatch is loaded", a.Name, a.LPObject))
	case a.Object != vmlinux && a.LPObject == vmlinux:
		p.Add(diag.Errorf(diag.ModuleUnderVmlinux, a.Place(), a.Name, "symbol %s of module %s is asked for under vmlinux: the kernel would look for it when the livepatch is loaded, whether %s is there or not, and hold no reference to it", a.Name, a.Object, a.Object).
			Hint("%s", (&annotation.Annotation{LPObject: a.Object, Object: a.Object, Name: a.Name, Pos: a.Pos, File: a.File}).Macro()))
	}
}

// saying is something that is said once.
type saying struct {
	id         diag.ID
	name, what string
}

func (p *planner) once(id diag.ID, name, what string) bool {
	s := saying{id, name, what}
	first := !p.said[s]
	p.said[s] = true
	return first
}

// remarks reports what is to be said of a relocation's gate.
// The result is false where it is refused.
func (p *planner) remarks(s *elfrw.Section, r elfrw.Rela, c *choice) bool {
	a, name := c.note, diag.SymbolName(r.Sym)
	users := strings.Join(c.objects, " and ")
	switch c.remark {
	case beforeOwner:
		if !p.neverApplied(c.gate) && p.once(diag.GatedByOwner, name, users) {
			p.Add(diag.Warnf(diag.GatedByOwner, diag.At(s, r.Offset), name, "%s uses %s of module %s in code for %s: it is resolved when %s, and before that the code would use the address 0",
				p.function(s.Target, r.Offset), a.Name, a.Object, users, comes(c.gate)).
				Hint("call it only when %s is there: set a flag in the pre-patch callback of its klp_object", c.gate))
		}
	case againstUse:
		if !p.neverApplied(c.gate) && p.once(diag.LabelAgainstUse, name, users) {
			p.Add(diag.Warnf(diag.LabelAgainstUse, diag.At(s, r.Offset), diag.Clip(name), "%s is for %s, but the label asks for %s under %s; taken as it stands",
				p.function(s.Target, r.Offset), users, a.Name, a.LPObject))
		}
	case tooMany:
		if p.Repeats(diag.SharedCode, name+" for "+users, diag.At(s, r.Offset), name) {
			return false
		}
		d := diag.Errorf(diag.SharedCode, diag.At(s, r.Offset), name, "%s is for %s, and a klp relocation for %s of %s in it can wait for one object only",
			p.function(s.Target, r.Offset), orSeveral(users), a.Name, a.Object)
		for _, o := range c.objects {
			if b := (annotation.Annotation{LPObject: o, Object: a.Object, Name: a.Name}); annotation.FitsLabel(a.Name) {
				d = d.Hint("%s   /* in a copy of that code for %s */", b.Declare(annotation.Alias(o+"_"+a.Name), annotation.LabelMacro(&b, a.Pos)), o)
			}
		}
		p.AddFor(name+" for "+users, d)
		return false
	case whoseName:
		t := p.bySymbol[r.Sym]
		t.gone = true // so that none of them is said to be unused
		var objects []string
		for _, n := range t.notes {
			objects = append(objects, n.Object)
		}
		if p.Repeats(diag.Conflict, name+" for "+users, diag.At(s, r.Offset), name) {
			return false
		}
		d := diag.Errorf(diag.Conflict, diag.At(s, r.Offset), name, "%s is for %s, so nothing tells whether it means %s of %s",
			p.function(s.Target, r.Offset), orNothing(users), a.Name, strings.Join(objects, " or "))
		for _, n := range t.notes {
			d = d.WithHints(n.DeclareAlias()...)
		}
		p.AddFor(name+" for "+users, d)
		return false
	}
	return true
}

// neverApplied reports whether the kernel never looks at a section for the gate, which is
// an error of its own (gated).
func (p *planner) neverApplied(gate string) bool {
	return !(gate == vmlinux && p.Scheme.Early()) && !p.gates.objects()[gate] && p.gates.complete() && !p.Options.Unsafe
}

func orSeveral(users string) string {
	if users == "" {
		return "several modules"
	}
	return users
}

func orNothing(users string) string {
	if users == "" {
		return "no object that is known"
	}
	return users
}

// function names a place in code as an oops does, or says which section it is in. A
// place in a special section, or in what it copies, is named by its code.
func (p *planner) function(s *elfrw.Section, offset uint64) string {
	tables := p.gates.special()
	if e := tables.In(s, offset); e != nil {
		s, offset = e.Site.Section, e.Site.Offset
	} else if copied := tables.Replacements(s, offset, 1); len(copied) > 0 {
		return "the alternative at " + tables.Function(copied[0].Site.Section, copied[0].Site.Offset)
	}
	return tables.Function(s, offset)
}

// comes says when what waits for the gate is applied.
func comes(gate string) string {
	if gate == vmlinux {
		return "the livepatch is enabled"
	}
	return gate + " comes"
}

// gated refuses klp relocation sections for objects that the patch does not have.
// The kernel looks at the sections of its own objects, one after the other, and
// never at any other: nothing is printed, and the code uses the address 0.
func (p *planner) gated() {
	g := p.gates
	unchecked := false
	for _, gate := range p.gatesUsed() {
		switch {
		case gate == vmlinux && p.Scheme.Early(), g.objects()[gate]:
		case !g.complete():
			unchecked = true
		case p.Options.Unsafe:
			p.Add(diag.Warnf(diag.NeverApplied, diag.Nowhere, "", "klp relocations for %s will never be applied: the patch has no klp_object for it; converted all the same (--unsafe)", gate))
		case gate == vmlinux:
			p.Add(diag.Errorf(diag.NeverApplied, diag.Nowhere, "", "klp relocations for vmlinux would never be applied: before 5.8 that needs a klp_object without a name, and the patch has none").
				Hint("static struct klp_func no_vmlinux_funcs[] = { { } };").
				Hint("{ .funcs = no_vmlinux_funcs },   /* in the array of struct klp_object */"))
		default:
			p.Add(diag.Errorf(diag.NeverApplied, diag.Nowhere, "", "klp relocations for %s would never be applied: the patch has no klp_object of that name (it has %s), and the kernel would not say a word", gate, p.declares()).
				Hint("static struct klp_func no_%s_funcs[] = { { } };", gate).
				Hint("{ .name = %q, .funcs = no_%s_funcs },   /* in the array of struct klp_object */", gate, gate))
		}
	}
	if !unchecked {
		return
	}
	const so = "whether it has an object for every klp relocation section is not checked, and functions are for the objects that annotations name"
	if g.none() {
		p.Add(diag.Notef(diag.PatchUnreadable, diag.Nowhere, "", "the module declares no klp_patch: "+so))
		return
	}
	p.Add(diag.Warnf(diag.PatchUnreadable, diag.Nowhere, "", "the module's klp_patch can't be read (%v): "+so, g.declared().doubt))
}

// gatesUsed returns the objects that klp relocations are for, sorted.
func (p *planner) gatesUsed() []string {
	var used []string
	for _, m := range p.Moves {
		used = append(used, m.Object)
	}
	slices.Sort(used)
	return slices.Compact(used)
}

// declares lists the patch's objects.
func (p *planner) declares() string {
	var all []string
	for o := range p.gates.objects() {
		all = append(all, o)
	}
	if len(all) == 0 {
		return "none"
	}
	slices.Sort(all)
	return diag.ClipList(all)
}
