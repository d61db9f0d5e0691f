// SPDX-License-Identifier: GPL-2.0-or-later

package skeleton

import (
	"errors"
	"fmt"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// Where the original of a function is, and which functions have a copy of its code, only debug
// information tells. It is read beside the types: a vmlinux of a debug package has BTF as well, in
// which there are no lines.

// readCopies reads what debug information tells of the functions that are to be replaced, by
// object. Without debug information there is nothing; of what can't be read there is a note.
func (p *plan) readCopies() map[string]*sympos.Copies {
	names := map[string][]string{}
	var objects []string
	for _, r := range p.Functions {
		if !p.table.Has(r.Object) {
			continue
		}
		if names[r.Object] == nil {
			objects = append(objects, r.Object)
		}
		if !slices.Contains(names[r.Object], r.Name) {
			names[r.Object] = append(names[r.Object], r.Name)
		}
	}
	all := map[string]*sympos.Copies{}
	for _, object := range objects {
		copies, err := p.table.Copies(object, names[object]...)
		switch {
		case err == nil:
			all[object] = copies
		case !errors.Is(err, sympos.ErrNoDebugInfo):
			p.found.Add(diag.Notef(diag.NoTypes, diag.Nowhere, object,
				"%s: where its functions are in the source is not known: %v", object, err))
		}
	}
	return all
}

// described returns what debug information tells of a function, nil if nothing.
func described(all map[string]*sympos.Copies, r Ref) *sympos.Function {
	if copies := all[r.Object]; copies != nil {
		return copies.Of(r.Name, max(r.Position, 1))
	}
	return nil
}

// addOrigins sets the places of the functions in the source, as exactly as they are known, and
// adds remarks about copies of their code.
func (p *plan) addOrigins(all map[string]*sympos.Copies) {
	for i := range p.functions {
		f := &p.functions[i]
		x := described(all, f.Ref)
		switch {
		case x == nil || x.File == "":
		case x.Line > 0:
			f.origin = fmt.Sprintf("%s:%d", x.File, x.Line)
		default:
			f.origin = x.File
		}
		if f.origin == "" {
			f.origin = f.symbol.File
		}
		if slices.ContainsFunc(p.uses, func(u use) bool { return u.Ref == f.Ref }) {
			f.remarks = append(f.remarks, fmt.Sprintf("a call of %s runs this function; its "+
				"address is that of the original", f.Name))
		}
		if x == nil {
			continue
		}
		for _, c := range copiesOf(x) {
			if c.Object = f.Object; !p.replaces(c.Ref) {
				f.remarks = append(f.remarks, fmt.Sprintf("%s %s: replace it as well", c.Ref, c.why))
			}
		}
		for _, n := range x.Same {
			if same := (Ref{f.Object, f.Name, n}); !p.replaces(same) {
				f.remarks = append(f.remarks, fmt.Sprintf("%s is the same, compiled for another file: "+
					"replace it as well", same))
			}
		}
	}
}

// replaces reports whether the function is among those that are replaced.
func (p *plan) replaces(r Ref) bool {
	return slices.ContainsFunc(p.functions, func(f function) bool {
		return f.Object == r.Object && f.Name == r.Name && max(f.Position, 1) == max(r.Position, 1)
	})
}

// offerCallers adds to the refusals of functions what can be replaced in their place.
func (p *plan) offerCallers(all map[string]*sympos.Copies) {
	for _, r := range p.Functions {
		copies := all[r.Object]
		if copies == nil || p.replaces(r) {
			continue
		}
		var list []*sympos.Function
		if len(p.table.Lookup(r.Object, r.Name)) == 0 {
			list = copies.Gone(r.Name)
		} else if x := described(all, r); x != nil {
			list = []*sympos.Function{x}
		}
		var rows [][2]string
		for _, x := range list {
			for _, c := range callersOf(x) {
				c.Object = r.Object
				rows = append(rows, [2]string{c.String(), c.why})
			}
		}
		p.found.AddHints(diag.NotReplaceable, r.String(), aligned(rows)...)
	}
}

// A caller is a function that has a copy of the code of another one, or calls it.
type caller struct {
	Ref // without its object
	why string
}

// mostCallers bounds how many callers of a function are named.
const mostCallers = 5

// copiesOf returns the functions in which the old code of a function stays when it is replaced:
// those that it is inlined into, and those that call a clone of it.
func copiesOf(x *sympos.Function) (all []caller) {
	all = addCallers(all, x, x.Inlined, "has a copy of it")
	for _, clone := range x.Clones {
		all = addCallers(all, x, clone.Calls, "calls "+clone.String()+", a copy of it")
	}
	return all
}

// callersOf returns the functions that can be replaced in the place of one.
func callersOf(x *sympos.Function) []caller {
	return addCallers(copiesOf(x), x, x.Calls, "calls it")
}

// addCallers adds the functions whose code has the places, each once, but for the function itself,
// code that runs once, and what can't be replaced by its name.
func addCallers(all []caller, x *sympos.Function, sites []sympos.CodeSite, why string) []caller {
	for i := range sites {
		s := &sites[i]
		if len(s.Caller.Symbols) == 0 || s.Caller.Init || s.Caller.Source == x.Name || x.Owns(s) {
			continue
		}
		y := s.Caller.Symbols[0]
		c := caller{Ref: Ref{Name: y.Name}, why: why}
		if y.Of > 1 {
			c.Position = y.Position
		}
		if s.File != "" && s.Line > 0 {
			c.why += fmt.Sprintf(", from %s:%d", s.File, s.Line)
		}
		known := slices.ContainsFunc(all, func(other caller) bool { return other.Ref == c.Ref })
		if !known && ctypes.IsIdentifier(c.Name) && len(all) < mostCallers {
			all = append(all, c)
		}
	}
	return all
}
