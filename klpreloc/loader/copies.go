// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/sympos"
)

// ftrace redirects what enters a function at its symbol (kernel/livepatch/patch.c,
// klp_ftrace_handler). What the compiler copied elsewhere runs on as it was:
//
//	inlined    in the code of a caller, which has to be replaced as well
//	clones     f.isra.0, f.constprop.0, f.part.0: callers enter these and not f
//	headers    a static function of a header has code in each file that uses it
//
// Debug information tells all of it. Without it the names of clones are left.

// mostCallers bounds the callers that a finding lists.
const mostCallers = 8

// checkCopies reports code of the patched functions that the livepatch does not replace.
func checkCopies(m *view, k *facts) (out result) {
	if !m.info.Livepatch() {
		return out
	}
	for _, object := range m.objects {
		if m.isItself(object) || !k.table.Has(object) {
			continue
		}
		p := m.patched()[object]
		if p == nil {
			continue
		}
		r := k.copiesOf(p)
		copies, err := r.copies, r.err
		switch {
		case errors.Is(err, sympos.ErrNoDebugInfo):
			out.notChecked("where functions of "+object+" are inlined", "no debug information of it is "+
				"available: a vmlinux with debug information tells, or the module's file, built with -g")
		case err != nil:
			out.notJudged("where functions of "+object+" are inlined", err.Error())
		case copies.Doubt != "":
			out.notChecked("whether functions of "+object+" are inlined elsewhere too",
				copies.Source+": "+copies.Doubt)
		}
		for _, f := range p.funcs {
			var described *sympos.Function
			if copies != nil {
				described = copies.Of(f.OldName, positionOf(f))
			}
			if described == nil {
				if copies != nil && len(k.table.Lookup(object, f.OldName)) > 0 {
					out.notChecked("where "+f.OldName+" of "+object+" is inlined",
						copies.Source+" does not describe it")
				}
				checkCloneNames(&out, k, p, f, r.clones[f.OldName])
				continue
			}
			checkInlined(&out, k, p, f, described)
			checkClones(&out, p, f, described)
		}
	}
	return out
}

const maxPosition = 1 << 20

// A copiesRead is what the kernel's files tell of the code of patched functions.
type copiesRead struct {
	copies *sympos.Copies
	err    error
	typed  map[string]bool     // functions without a symbol that BTF has
	clones map[string][]string // names of clones, by the function's
}

// copiesOf reads, once, where the code of the patched functions of an object is.
func (k *facts) copiesOf(p *patched) *copiesRead {
	if r := k.copies[p]; r != nil {
		return r
	}
	r := &copiesRead{clones: map[string][]string{}}
	r.copies, r.err = k.table.Copies(p.object, p.names...)
	if r.err != nil {
		var gone []string
		for _, name := range p.names {
			if len(k.table.Lookup(p.object, name)) == 0 {
				gone = append(gone, name)
			}
		}
		r.typed = k.table.TypedFunctions(p.object, gone...)
	}
	for _, name := range k.table.Names(p.object) {
		if function, rest, ok := strings.Cut(name, "."); ok && isClone(rest) {
			r.clones[function] = append(r.clones[function], name)
		}
	}
	if k.copies == nil {
		k.copies = map[*patched]*copiesRead{}
	}
	k.copies[p] = r
	return r
}

// whyGone returns hints for a function of which there is no symbol: where its code is, by debug
// information, or that its types are known, by BTF.
func whyGone(m *view, k *facts, object, name string) (hints []string) {
	p := m.patched()[object]
	if p == nil {
		return nil
	}
	r := k.copiesOf(p)
	if r.err == nil {
		for _, f := range r.copies.Gone(name) {
			c := p.callersOf(f, f.Inlined)
			if all := append(slices.Clone(c.unpatched), c.patched...); len(all) > 0 {
				hints = append(hints, fmt.Sprintf("%s of %s is inlined everywhere: replace %s in its place",
					name, f.File, enumerate(all, "", "")))
			}
		}
		return hints
	}
	if r.typed[name] {
		hints = append(hints, "BTF has "+name+", and there is no symbol: all of its code is in its "+
			"callers, or in clones; replace the callers in its place")
	}
	return hints
}

// A patched is what a livepatch replaces in one object.
type patched struct {
	object string
	funcs  []klppatch.Func
	names  []string
	set    map[sympos.CodeSymbol]bool // Of is 0
}

// readPatched returns what the module replaces, by object.
func readPatched(m *Module) map[string]*patched {
	all := map[string]*patched{}
	for _, x := range m.patches {
		for i := range x.Objects {
			o := &x.Objects[i]
			p := all[o.Name]
			if p == nil && len(o.Funcs) > 0 {
				p = &patched{object: o.Name, set: map[sympos.CodeSymbol]bool{}}
				all[o.Name] = p
			}
			for _, f := range o.Funcs {
				p.funcs, p.names = append(p.funcs, f), append(p.names, f.OldName)
				p.set[sympos.CodeSymbol{Name: f.OldName, Position: positionOf(f)}] = true
			}
		}
	}
	return all
}

// positionOf returns the position of the function that a klp_func means, from 1 on.
func positionOf(f klppatch.Func) int { return int(min(max(f.Sympos, 1), maxPosition)) }

// replaces reports whether the livepatch replaces code.
func (p *patched) replaces(c sympos.Code) bool {
	return slices.ContainsFunc(c.Symbols, func(y sympos.CodeSymbol) bool {
		return p.set[sympos.CodeSymbol{Name: y.Name, Position: y.Position}]
	})
}

// A callers is the places at which code of a function is, by what the livepatch does with the
// function that has the place in its code.
type callers struct {
	patched, unpatched, once []string                    // names, each once
	places                   map[string]*sympos.CodeSite // the first place of each
}

// callersOf sorts the places. Those in code of the function itself are left out: it is replaced,
// or a clone is reported.
func (p *patched) callersOf(f *sympos.Function, sites []sympos.CodeSite) callers {
	c := callers{places: map[string]*sympos.CodeSite{}}
	for i := range sites {
		s := &sites[i]
		name := s.Caller.String()
		if name == "" {
			name = "code without a symbol"
		}
		if c.places[name] != nil || f.Owns(s) || s.Caller.Source == f.Name {
			continue
		}
		c.places[name] = s
		switch {
		case p.replaces(s.Caller):
			c.patched = append(c.patched, name)
		case s.Caller.Init:
			c.once = append(c.once, name)
		default:
			c.unpatched = append(c.unpatched, name)
		}
	}
	return c
}

// find makes a finding about a patched function.
func (p *patched) find(f finding, function klppatch.Func) finding {
	f = f.of(function.OldName).when(diag.Calling, "", "")
	f.object = p.object
	return f
}

// checkInlined reports the functions into which a patched function is inlined.
func checkInlined(out *result, k *facts, p *patched, f klppatch.Func, x *sympos.Function) {
	c := p.callersOf(x, x.Inlined)
	var more []string
	if len(c.patched) > 0 && len(c.unpatched) > 0 {
		more = append(more, enumerate(c.patched, "is patched too", "are patched too"))
	}
	if len(c.once) > 0 {
		more = append(more, enumerate(c.once, "runs once, when it is loaded",
			"run once, when it is loaded"))
	}
	tail := ""
	for _, text := range more {
		tail += "; " + text
	}
	switch {
	case len(c.unpatched) > 0:
		d := p.find(problem(diag.InlinedCopy, "inlined into "+enumerate(c.unpatched,
			"which is not patched: the old code runs there",
			"which are not patched: the old code runs there")+tail), f)
		for _, name := range c.unpatched[:min(len(c.unpatched), mostCallers)] {
			d = d.fix("replace %s as well, which has a copy of it%s", name, from(c.places[name]))
		}
		if n := len(c.unpatched) - mostCallers; n > 0 {
			d = d.fix("%d more: klp-convert sympos %s --kernel %s", n,
				diag.ShellQuote(f.OldName+"@"+p.object), diag.ShellQuote(k.Name))
		}
		out.add(d)
	case len(c.patched) > 0:
		out.add(p.find(note(diag.InlinedCopy, "inlined into "+enumerate(c.patched,
			"which is patched too", "which are patched too")+tail).
			fix("what replaces them must use the new code of %s", f.OldName), f))
	case x.Folded:
		out.add(p.find(note(diag.InlinedCopy, "the compiler inlined it, and does not say where: no "+
			"instruction is left there, but what it returned may be").
			fix("look at the calls of %s in %s, and replace these callers as well", f.OldName, x.File),
			f))
	}
}

// from says from which line of the source a copy is.
func from(s *sympos.CodeSite) string {
	text := ""
	if s.File != "" && s.Line > 0 {
		text = fmt.Sprintf(", from %s:%d", s.File, s.Line)
	}
	if len(s.Via) > 0 {
		text += " by way of " + strings.Join(s.Via, ", ")
	}
	return text
}

// checkClones reports other code of a patched function that has a symbol.
func checkClones(out *result, p *patched, f klppatch.Func, x *sympos.Function) {
	inlined := p.callersOf(x, x.Inlined)
	reportSame(out, p, f, x)
	for _, clone := range x.Clones {
		name := clone.String()
		if p.replaces(clone.Code) || clone.Init {
			continue
		}
		c := p.callersOf(x, clone.Calls)
		if clone.IsPart() {
			// Those with a copy of the beginning are reported already.
			c.unpatched = slices.DeleteFunc(c.unpatched, func(name string) bool {
				return inlined.places[name] != nil
			})
		}
		switch {
		case len(c.unpatched) > 0:
			d := p.find(problem(diag.CloneCalled, fmt.Sprintf("%s is a copy of it, which %s",
				name, enumerate(c.unpatched, "calls, and which is not patched",
					"call, and which are not patched"))), f)
			for _, name := range c.unpatched[:min(len(c.unpatched), mostCallers)] {
				d = d.fix("replace %s as well", name)
			}
			out.add(d)
		case len(clone.Calls) == 0:
			out.add(p.find(note(diag.CloneCalled, name+" is a copy of it; what calls that is not known").
				fix("replace the functions that call %s in the source", f.OldName), f))
		}
	}
}

// reportSame reports symbols of the name that are the same function and are not replaced.
func reportSame(out *result, p *patched, f klppatch.Func, x *sympos.Function) {
	var positions []string
	for _, n := range x.Same {
		if !p.set[sympos.CodeSymbol{Name: f.OldName, Position: n}] {
			positions = append(positions, fmt.Sprint(n))
		}
	}
	if len(positions) == 0 {
		return
	}
	d := p.find(problem(diag.OtherBody, fmt.Sprintf("it is of %s, and compiled for other files too: "+
		"position %s", x.File, enumerate(positions, "is not patched", "are not patched"))), f)
	for _, n := range positions[:min(len(positions), mostCallers)] {
		d = d.fix("{ .old_name = %q, .old_sympos = %s, …} as well", f.OldName, n)
	}
	out.add(d)
}

// checkCloneNames reports clones by their names, where nothing else tells. Which function of that
// name a clone was made of is not known, nor what calls it.
func checkCloneNames(out *result, k *facts, p *patched, f klppatch.Func, clones []string) {
	list := k.table.Lookup(p.object, f.OldName)
	if n := max(f.Sympos, 1); n > uint64(len(list)) {
		return // it is reported that it does not exist
	}
	var names []string
	for _, name := range clones {
		if !p.set[sympos.CodeSymbol{Name: name, Position: 1}] {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	slices.Sort(names)
	which := ""
	if len(list) > 1 {
		which = ", or of another function of the name"
	}
	out.add(p.find(note(diag.CloneCalled, enumerate(names, "is a copy of it"+which+
		": calls of that are not redirected", "are copies of it"+which+
		": calls of these are not redirected")).
		fix("replace the functions that call %s in the source; debug information tells which",
			f.OldName), f))
}

// withClones returns a Want of what want accepts, and of clones of these functions.
func withClones(want sympos.Want, functions []string) sympos.Want {
	of := sympos.Names(functions...)
	return func(name []byte) bool {
		if want(name) {
			return true
		}
		i := bytes.IndexByte(name, '.')
		return i > 0 && of(name[:i]) && isClone(string(name[i+1:]))
	}
}

// isClone reports whether what follows the first dot of a name is from a clone (gcc's
// clone_function_name; what is split off as f.cold is entered from f alone).
func isClone(rest string) bool {
	kind, _, _ := strings.Cut(rest, ".")
	return kind == "isra" || kind == "constprop" || kind == "part"
}

// enumerate joins names, and what is said of one or of several: "a and b, which are patched".
func enumerate(names []string, one, several string) string {
	const most = 4
	verb := several
	if len(names) == 1 {
		verb = one
	}
	if strings.HasPrefix(verb, "which ") {
		verb = ", " + verb
	} else {
		verb = strings.TrimSuffix(" "+verb, " ")
	}
	shown := names[:min(len(names), most)]
	text := strings.Join(shown, ", ")
	switch n := len(names) - len(shown); {
	case n > 0:
		text += fmt.Sprintf(" and %d more", n)
	case len(shown) > 1:
		text = strings.Join(shown[:len(shown)-1], ", ") + " and " + shown[len(shown)-1]
	}
	return text + verb
}
