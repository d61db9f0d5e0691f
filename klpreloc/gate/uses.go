// SPDX-License-Identifier: GPL-2.0-or-later

package gate

import (
	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// Reference is a relocation against a target.
type Reference struct {
	Index  int // of the relocation in its section
	Target *Target
}

// Use are the relocations of one section against targets, in their order.
type Use struct {
	From   *elfrw.Section
	Relocs []Reference
}

// Unloaded are relocations of a section that the kernel does not load (debug information)
// against targets and against annotations, in their order.
type Unloaded struct {
	From   *elfrw.Section
	Relocs []int // indices of those against targets
	Drop   []int // indices of those against an annotation
}

// Uses are the relocations that refer to targets.
type Uses struct {
	Loaded   []Use
	Unloaded []Unloaded
}

// FindUses finds the relocations of f that refer to targets. gone are the sections that
// annotations are in, and those that go with them: code must not refer to them.
func FindUses(f *elfrw.File, targets []*Target, gone map[*elfrw.Section]bool) (*Uses, diag.List) {
	uses := &Uses{}
	if len(targets) == 0 && len(gone) == 0 {
		return uses, nil
	}
	var r diag.Reporter
	bySymbol := make(map[*elfrw.Symbol]*Target, len(targets))
	for _, t := range targets {
		bySymbol[t.Symbol] = t
	}
	var last *Target // of sym
	var sym *elfrw.Symbol
	isGone := func(y *elfrw.Symbol) bool { return y.Section != nil && gone[y.Section] }
	f.Refers(func(y *elfrw.Symbol) bool {
		return bySymbol[y] != nil || isGone(y)
	}, func(ref elfrw.Reference) bool {
		s, y := ref.Section, ref.Rela.Sym
		switch {
		case s.Target != nil && gone[s.Target]:
		case s.Target == nil || !s.Target.Alloc():
			n := len(uses.Unloaded)
			if n == 0 || uses.Unloaded[n-1].From != s {
				uses.Unloaded = append(uses.Unloaded, Unloaded{From: s})
				n++
			}
			if u := &uses.Unloaded[n-1]; isGone(y) {
				u.Drop = append(u.Drop, ref.Index)
			} else {
				u.Relocs = append(u.Relocs, ref.Index)
			}
		case isGone(y):
			name, where := diag.SymbolName(y), diag.At(s, ref.Rela.Offset)
			if r.AddPlace(diag.AnnotationReferred, name, where, name) {
				break
			}
			r.AddFor(name, diag.Errorf(diag.AnnotationReferred, where, name,
				"the code refers to the annotation %s itself, which the conversion removes", name).
				Hint("nothing but klp-convert may use a KLP_MODULE_RELOC array"))
		default:
			if y != sym {
				last, sym = bySymbol[y], y
			}
			n := len(uses.Loaded)
			if n == 0 || uses.Loaded[n-1].From != s {
				uses.Loaded = append(uses.Loaded, Use{From: s})
				n++
			}
			u := &uses.Loaded[n-1]
			u.Relocs = append(u.Relocs, Reference{ref.Index, last})
		}
		return true
	})
	return uses, r.List()
}

// Unused warns of annotations that no loaded section's relocation uses. gone are the targets
// with a use in an entry that was dropped.
func Unused(annotated []*annotation.Annotation, targets []*Target, d *Decisions,
	gone map[*Target]bool,
) diag.List {
	var r diag.Reporter
	used := map[*annotation.Annotation]bool{}
	var last *Choice
	for _, s := range d.Sections {
		for _, x := range s.Relocs {
			if x.Choice != last { // mostly one choice for all uses
				last = x.Choice
				used[x.Note] = true
			}
		}
	}
	byNote := map[*annotation.Annotation]*Target{}
	for _, t := range targets {
		for _, a := range t.Notes {
			byNote[a] = t
		}
	}
	for _, a := range annotated {
		if t := byNote[a]; !used[a] && !d.Refused[t] && !gone[t] {
			r.Add(diag.Warnf(diag.Unused, a.Place(), a.Name,
				"%s %s is annotated, but nothing uses it", a.Object, a.Name))
		}
	}
	return r.List()
}
