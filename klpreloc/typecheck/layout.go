// SPDX-License-Identifier: GPL-2.0-or-later

package typecheck

import (
	"fmt"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/declared"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// layout is a pair of structs that differ.
type layout struct {
	pair
	declared.Comparison
	also []string // structs that differ only because they have this one in them
}

// maxLayouts is how many structs get a finding of their own. Where more differ, the headers that
// the livepatch was built with are not those of the kernel.
const maxLayouts = 20

// report adds the structs that differ to the answer.
func (w *walk) report() {
	list := w.withoutConsequences()
	for i, l := range list {
		if i == maxLayouts {
			w.reportRest(list[i:])
			break
		}
		f := Finding{Kind: Layout, Symbol: l.tag, Places: l.also,
			Message: fmt.Sprintf("%s is not defined as the kernel has it (%s leads to it)", l.tag,
				l.from),
			Hints: []string{"take the definition from the headers or the sources of this kernel"}}
		w.c.answer.add(f, l.Comparison)
	}
	if w.cut {
		w.c.answer.unjudged("structs", fmt.Sprintf("more than %d can be reached", maxPairs))
	}
}

// reportRest adds one finding for many structs.
func (w *walk) reportRest(list []*layout) {
	var names []string
	note := true
	for _, l := range list {
		note = note && l.Worst() == declared.Note
		if !slices.Contains(names, l.tag) {
			names = append(names, diag.Printable(l.tag))
		}
	}
	w.c.answer.Findings = append(w.c.answer.Findings, Finding{Kind: Layout, Symbol: names[0],
		Note: note, Places: names[1:],
		Message: fmt.Sprintf("%d further structs are not defined as the kernel has them", len(names)),
		Hints:   []string{"build the livepatch with the headers of this kernel"}})
}

// withoutConsequences returns the structs that differ by themselves, each tag once, those that
// lead to wrong code first.
func (w *walk) withoutConsequences() (rest []*layout) {
	byTag := map[string]*layout{}
	for _, l := range w.layouts {
		if other := byTag[l.tag]; other == nil || other.Worst() < l.Worst() {
			byTag[l.tag] = l
		}
	}
	for _, l := range w.layouts {
		if byTag[l.tag] != l {
			continue
		}
		if cause := l.cause(byTag); cause != nil {
			cause.also = append(cause.also, diag.Printable(l.tag))
			continue
		}
		rest = append(rest, l)
	}
	slices.SortStableFunc(rest, func(a, b *layout) int { return int(b.Worst() - a.Worst()) })
	return rest
}

// cause returns the struct in l whose other size explains all that differs in l, nil if there is
// none: l has the same members, of which the first that differs is that struct, and those after
// it are in other places.
func (l *layout) cause(byTag map[string]*layout) (cause *layout) {
	for _, d := range l.Differences {
		switch {
		case d.Subject == declared.Size && d.Place == "":
		case d.Subject == declared.Size:
			inner := byTag[tagOf(memberType(l.a.Bare(), d.Place))]
			if inner == nil || inner == l {
				return nil
			}
			if cause == nil {
				cause = inner
			}
		case d.Subject == declared.Offset && cause != nil:
		default:
			return nil
		}
	}
	return cause
}

// memberType returns what a member is, or consists of; void if there is no such member.
func memberType(t *ctypes.Type, name string) *ctypes.Type {
	for _, m := range t.Members {
		if m.Name != name {
			continue
		}
		y := m.Type.Type()
		if y.Bare().Kind == ctypes.Array {
			_, y = y.Elements()
		}
		return y
	}
	return ctypes.Ref{}.Type()
}

// checkLocal compares the type of a variable of the code with those of its name, unless functions
// led to it.
func (c *checker) checkLocal(x local) {
	if c.walk.tags[x.tag] {
		return
	}
	kind, name := x.typ.Bare().Kind, x.typ.Bare().Name
	if name == "" {
		kind, name = ctypes.Typedef, nameOf(x.typ)
	}
	var all []*ctypes.Type
	for _, object := range append([]string{sympos.Vmlinux}, c.livepatch.patched...) {
		d := c.object(object)
		if d.types == nil {
			continue
		}
		list, err := d.types.Named(kind, name)
		if err != nil {
			c.answer.unjudged(x.tag, err.Error())
		}
		for _, t := range list {
			if !t.Bare().Incomplete && t.Bare().Kind == x.typ.Bare().Kind && !slices.Contains(all, t) {
				all = append(all, t)
			}
		}
	}
	if len(all) == 0 {
		return
	}
	best, least := -1, 0
	for i, t := range all {
		if n := wrong(declared.Layout(c.machine, x.typ, t)); best < 0 || n < least {
			best, least = i, n
		}
	}
	switch {
	case least == 0 && len(all) > 1: // which one it is does not matter
	case least == 0 || resembles(x.typ.Bare(), all[best].Bare()):
		c.walk.add(x.typ, all[best], x.in, 0)
	default:
		c.answer.unjudged(x.tag, "the kernel has a type of the name with other members: it is "+
			"treated as another one")
	}
}

// resembles reports whether half of the members or values of a have a name that b knows too: then
// they are meant to be the same.
func resembles(a, b *ctypes.Type) bool {
	known := map[string]bool{}
	for _, m := range b.Members {
		known[m.Name] = true
	}
	for _, v := range b.Values {
		known[v.Name] = true
	}
	all, shared := 0, 0
	count := func(name string) {
		if name == "" {
			return
		}
		all++
		if known[name] {
			shared++
		}
	}
	for _, m := range a.Members {
		count(m.Name)
	}
	for _, v := range a.Values {
		count(v.Name)
	}
	return all > 0 && 2*shared >= all
}
