// SPDX-License-Identifier: GPL-2.0-or-later

package gate

import (
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// Target is an undefined symbol that becomes a klp symbol.
type Target struct {
	Symbol   *elfrw.Symbol
	Notes    []*annotation.Annotation // one, or one for each of several objects
	constant *Choice                  // that holds wherever the symbol is used; nil for none
}

// Targets makes the targets of annotations that hold, in their order, and checks what the
// annotations themselves ask for.
func (g *Rules) Targets(annotations ...[]*annotation.Annotation) ([]*Target, diag.List) {
	var r diag.Reporter
	var all []*Target
	bySymbol := map[*elfrw.Symbol]*Target{}
	for _, list := range annotations {
		for _, a := range list {
			g.checkObjects(&r, a)
			t := bySymbol[a.Symbol]
			if t == nil {
				t = &Target{Symbol: a.Symbol}
				bySymbol[a.Symbol] = t
				all = append(all, t)
			}
			t.Notes = append(t.Notes, a)
		}
	}
	for _, t := range all {
		if c, ok := g.Constant(t.Notes); ok {
			t.constant = &c
		}
	}
	return all, r.List()
}

// checkObjects checks the objects that a names (kernel/livepatch/core.c,
// klp_resolve_symbols, since 5.8: a vmlinux symbol is refused in any section but
// vmlinux's own, and a vmlinux section is resolved at once, when the module may not
// be there).
func (g *Rules) checkObjects(r *diag.Reporter, a *annotation.Annotation) {
	switch {
	case a.Object == vmlinux && a.LPObject != vmlinux && g.scheme.Early():
		r.Add(diag.Notef(diag.VmlinuxUnderModule, a.Place(), a.Name,
			"vmlinux symbol %s is asked for under %s; kernels from 5.8 on take it under vmlinux only, and "+
				"apply it when the livepatch is loaded",
			a.Name, a.LPObject))
	case a.Object != vmlinux && a.LPObject == vmlinux:
		b := annotation.Annotation{LPObject: a.Object, Object: a.Object, Name: a.Name, Pos: a.Pos,
			File: a.File}
		r.Add(diag.Errorf(diag.ModuleUnderVmlinux, a.Place(), a.Name,
			"symbol %s of module %s is asked for under vmlinux: the kernel would look for it when the "+
				"livepatch is loaded, whether %s is there or not, and hold no reference to it",
			a.Name, a.Object, a.Object).Hint("%s", b.Macro()))
	}
}

// Decision says which object applies one relocation, and which annotation of its symbol the
// relocation means.
type Decision struct {
	Index  int // of the relocation in its section
	Target *Target
	*Choice
}

// Section are the decisions about one relocation section of a section that the kernel loads,
// in the order of its relocations.
type Section struct {
	*elfrw.Section
	Relocs []Decision
}

// Decisions say which object applies each relocation against a target. From here on it is
// known which relocations move, unless something keeps them from it.
type Decisions struct {
	Sections []Section
	// Refused are the targets with a relocation that no object can apply, which is reported.
	Refused map[*Target]bool
}

// Count returns how many relocations the sections have decisions about.
func Count(sections []Section) int {
	n := 0
	for _, s := range sections {
		n += len(s.Relocs)
	}
	return n
}

// SymbolNames are the names that the targets' symbols have in the module.
func SymbolNames(targets []*Target) map[string]bool {
	names := make(map[string]bool, len(targets))
	for _, t := range targets {
		names[t.Symbol.Name] = true
	}
	return names
}

// Decide finds the gate of each use.
func (g *Rules) Decide(uses []Use, unsafe bool) (*Decisions, diag.List) {
	d := &Decisions{Refused: map[*Target]bool{}}
	w := &reporter{rules: g, unsafe: unsafe, reported: map[string]bool{}}
	for _, u := range uses {
		s := Section{u.From, make([]Decision, 0, len(u.Relocs))}
		for _, x := range u.Relocs {
			c := x.Target.constant
			if c == nil {
				r := u.From.Reloc(x.Index)
				here := g.Choose(x.Target.Notes, u.From.Target, r.Offset)
				if c = &here; !w.checkChoice(u.From, r, x.Target, c) {
					d.Refused[x.Target] = true
					continue
				}
			}
			s.Relocs = append(s.Relocs, Decision{x.Index, x.Target, c})
		}
		d.Sections = append(d.Sections, s)
	}
	return d, w.List()
}

// reporter reports the remarks of choices.
type reporter struct {
	diag.Reporter
	rules    *Rules
	unsafe   bool
	reported map[string]bool
}

// isFirst reports whether it is called with these arguments for the first time.
func (w *reporter) isFirst(id diag.ID, name, users string) bool {
	key := string(id) + " " + name + " " + users
	first := !w.reported[key]
	w.reported[key] = true
	return first
}

// checkChoice reports the remark of a relocation's choice. The result is false where the
// relocation is refused.
func (w *reporter) checkChoice(s *elfrw.Section, r elfrw.Rela, t *Target, c *Choice) bool {
	a, name, where := c.Note, diag.SymbolName(r.Sym), diag.At(s, r.Offset)
	users := strings.Join(c.Objects, " and ")
	switch c.Remark {
	case BeforeOwner:
		if !w.neverApplied(c.Gate) && w.isFirst(diag.GatedByOwner, name, users) {
			w.Add(diag.Warnf(diag.GatedByOwner, where, name,
				"%s uses %s of module %s in code for %s: it is resolved when %s, and before that the code would use the address 0",

				w.rules.Function(s.Target, r.Offset), a.Name, a.Object, users, LoadEvent(c.Gate)).
				Hint("call it only when %s is loaded: set a flag in the pre-patch callback of its klp_object",
					c.Gate))
		}
	case AgainstUse:
		if !w.neverApplied(c.Gate) && w.isFirst(diag.LabelAgainstUse, name, users) {
			w.Add(diag.Warnf(diag.LabelAgainstUse, where, diag.Clip(name),
				"%s is for %s, but the label asks for %s under %s; the label is followed",
				w.rules.Function(s.Target, r.Offset), users, a.Name, a.LPObject))
		}
	case TooMany:
		if w.AddPlace(diag.SharedCode, name+" for "+users, where, name) {
			return false
		}
		d := diag.Errorf(diag.SharedCode, where, name,
			"%s is for %s, and a klp relocation for %s of %s in it can wait for one object only",
			w.rules.Function(s.Target, r.Offset), orElse(users, "several modules"), a.Name, a.Object)
		for _, o := range c.Objects {
			if b := (annotation.Annotation{LPObject: o, Object: a.Object,
				Name: a.Name}); annotation.FitsLabel(a.Name) {
				d = d.Hint("%s   /* in a copy of that code for %s */",
					b.Declare(annotation.Alias(o+"_"+a.Name), annotation.LabelMacro(&b, a.Pos)), o)
			}
		}
		w.AddFor(name+" for "+users, d)
		return false
	case WhoseName:
		if w.AddPlace(diag.Conflict, name+" for "+users, where, name) {
			return false
		}
		var objects []string
		for _, n := range t.Notes {
			objects = append(objects, n.Object)
		}
		d := diag.Errorf(diag.Conflict, where, name,
			"%s is for %s, so nothing tells whether it means %s of %s",
			w.rules.Function(s.Target, r.Offset), orElse(users,
				"no object that is known"), a.Name, strings.Join(objects, " or "))
		for _, n := range t.Notes {
			d = d.WithHints(n.DeclareAlias()...)
		}
		w.AddFor(name+" for "+users, d)
		return false
	}
	return true
}

// neverApplied reports whether the kernel never looks at a section for the gate, which is
// an error of its own (CheckApplied).
func (w *reporter) neverApplied(gate string) bool {
	return w.rules.Late(gate) && !w.rules.declared.Has(gate) &&
		w.rules.declared.Complete() && !w.unsafe
}

// orElse returns the text, or empty in place of an empty one.
func orElse(text, empty string) string {
	if text == "" {
		return empty
	}
	return text
}

// Function names a place in code as an oops does, or by its section. A place in a special
// section, or in a replacement, is named by the code that the entry is about.
func (g *Rules) Function(s *elfrw.Section, offset uint64) string {
	tables := g.Special()
	if e := tables.In(s, offset); e != nil {
		s, offset = e.Site.Section, e.Site.Offset
	} else if copied := tables.Replacements(s, offset, 1); len(copied) > 0 {
		return "the alternative at " + tables.Function(copied[0].Site.Section, copied[0].Site.Offset)
	}
	return tables.Function(s, offset)
}

// LoadEvent is the clause that says when what waits for the gate is applied.
func LoadEvent(gate string) string {
	if gate == vmlinux {
		return "the livepatch is enabled"
	}
	return gate + " is loaded"
}
