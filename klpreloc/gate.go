// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"errors"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/reach"
	"github.com/klp-convert/klp-convert/klpreloc/special"
)

// A klp relocation section is named after the object whose coming applies it, the
// gate; the klp symbol in it after the object that owns the symbol. The kernel
// applies .klp.rela.M.* when M is there and is one of the patch's own objects
// (kernel/livepatch/core.c, klp_init_object_loaded), and since 5.8 those of vmlinux
// when the livepatch is loaded, where it takes vmlinux's symbols only
// (klp_resolve_symbols). So the gate depends on the owner and on the function that
// uses the symbol:
//
//	owner     used in a function for     gate, since 5.8        4.7 to 5.7
//	vmlinux   M                          vmlinux                M
//	vmlinux   vmlinux, or several        vmlinux                vmlinux, if the patch
//	                                                            declares it
//	M         M                          M                      M
//	N         M                          M                      M
//	N         vmlinux                    N: nothing before N comes
//	N         nothing that is known      N                      N
//
// A label says the gate itself. What a function is for, package reach finds out.

// gates decides gates. Planning and proof each have their own.
type gates struct {
	file   *elfrw.File
	scheme kernel.Scheme

	// What most conversions never ask for is read when it is needed.
	patch  *declaration
	reach  *reach.Attribution
	tables *special.Tables

	problems []special.Problem // of tables
	strange  map[*elfrw.Section]bool
}

// declaration is what the module says that it patches.
type declaration struct {
	patches []*klppatch.Patch
	doubt   error // why patches are not all that the module declares
	objects map[string]bool
}

func newGates(f *elfrw.File, scheme kernel.Scheme) *gates { return &gates{file: f, scheme: scheme} }

// declared returns what the module declares.
func (g *gates) declared() *declaration {
	if g.patch == nil {
		d := &declaration{objects: map[string]bool{}}
		d.patches, d.doubt = klppatch.Read(g.file)
		for _, p := range d.patches {
			for i := range p.Objects {
				d.objects[p.Objects[i].Name] = true
			}
		}
		g.patch = d
	}
	return g.patch
}

// objects are the patch's.
func (g *gates) objects() map[string]bool { return g.declared().objects }

// complete reports whether all objects of the patch are known.
func (g *gates) complete() bool { return g.declared().doubt == nil }

// apart reports whether uses of one name can be told apart by what they are for:
// both objects are the patch's own.
func (g *gates) apart(a, b string) bool { return g.objects()[a] && g.objects()[b] }

// none reports whether the module declares no patch that could be read, which is
// no news for one that makes none.
func (g *gates) none() bool { return errors.Is(g.declared().doubt, klppatch.ErrNone) }

// special returns the module's special sections.
func (g *gates) special() *special.Tables {
	if g.tables == nil {
		g.tables, g.problems = special.Read(g.file)
		g.strange = map[*elfrw.Section]bool{}
		for _, x := range g.problems {
			g.strange[x.Section] = true
		}
	}
	return g.tables
}

// at returns the livepatched objects that the place works for: those of its code,
// for an entry of a special section.
func (g *gates) at(s *elfrw.Section, offset uint64) []string {
	if len(g.declared().patches) == 0 {
		return nil
	}
	if e := g.special().In(s, offset); e != nil {
		s, offset = e.Site.Section, e.Site.Offset
	}
	if g.reach == nil {
		g.reach = reach.Attribute(g.file, g.special(), g.declared().patches...)
	}
	return g.reach.Objects(s, offset)
}

// remark is what is to be said of a choice.
type remark int

const (
	nothing     remark = iota
	beforeOwner        // used before the owner is there, by a function for something else
	againstUse         // a label's gate that the function is not for
	tooMany            // code for several objects, and nothing to choose by
	whoseName          // several annotations, and nothing to choose by
)

// choice is what becomes of one relocation.
type choice struct {
	note    *annotation.Annotation
	gate    string
	objects []string // that the place works for
	remark  remark
}

// constant returns the choice that holds wherever the symbol is used, and false
// when it depends on the place.
func (g *gates) constant(notes []*annotation.Annotation) (choice, bool) {
	a := notes[0]
	switch {
	case len(notes) > 1:
		return choice{}, false
	case a.Object != vmlinux:
		return choice{}, false
	case g.scheme.Early():
		return choice{note: a, gate: vmlinux}, true
	case a.Dialect.IsLabel():
		return choice{note: a, gate: a.LPObject}, true
	case len(g.declared().patches) == 0:
		return choice{note: a, gate: vmlinux}, true
	}
	return choice{}, false
}

// choose decides which annotation of its symbol a relocation of s means, and what
// gates it.
func (g *gates) choose(notes []*annotation.Annotation, s *elfrw.Section, offset uint64) choice {
	if c, ok := g.constant(notes); ok {
		return c
	}
	c := choice{note: notes[0], objects: g.at(s, offset)}
	if len(notes) > 1 && !c.pick(notes) {
		c.gate, c.remark = c.note.LPObject, whoseName
		return c
	}
	if k, ok := g.constant([]*annotation.Annotation{c.note}); ok {
		k.objects = c.objects
		return k
	}
	a, owner := c.note, c.note.Object
	switch {
	case a.Dialect.IsLabel():
		c.gate = a.LPObject
		switch used := slices.Contains(c.objects, c.gate); {
		case len(c.objects) == 0 || used && len(c.objects) == 1 || c.gate == vmlinux:
		case used || c.gate == owner && slices.Contains(c.objects, vmlinux): // where else?
			c.remark = beforeOwner
		default:
			c.remark = againstUse
		}
		return c
	case owner == vmlinux: // before 5.8
		return g.oldVmlinux(c)
	}
	c.gate = a.LPObject
	others := slices.DeleteFunc(slices.Clone(c.objects), func(o string) bool { return o == owner })
	modules := slices.DeleteFunc(slices.Clone(others), func(o string) bool { return o == vmlinux })
	switch {
	case len(others) == 0:
	case len(c.objects) == 1 && len(modules) == 1:
		c.gate = modules[0]
	case len(modules) > 0 && !slices.Contains(c.objects, owner) && !g.objects()[owner] && g.complete():
		c.gate, c.remark = owner, tooMany
	default:
		c.gate, c.remark = owner, beforeOwner
	}
	return c
}

// oldVmlinux finds the gate of a vmlinux symbol for kernels that apply vmlinux
// sections with the patch's vmlinux object, and allow them in any other. What a
// function of one module needs goes with that module, so that all of an alternative
// in it can.
func (g *gates) oldVmlinux(c choice) choice {
	modules := c.objects
	if len(modules) == 0 && !g.objects()[vmlinux] {
		for o := range g.objects() {
			modules = append(modules, o)
		}
	}
	switch {
	case len(modules) == 1:
		c.gate = modules[0]
	case g.objects()[vmlinux] || !g.complete():
		c.gate = vmlinux
	default:
		c.gate, c.remark = vmlinux, tooMany
	}
	return c
}

// pick takes the annotation for one of the objects that the place works for.
func (c *choice) pick(notes []*annotation.Annotation) bool {
	found := 0
	for _, a := range notes {
		if slices.Contains(c.objects, a.Object) {
			c.note = a
			found++
		}
	}
	return found == 1
}
