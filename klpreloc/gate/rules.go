// SPDX-License-Identifier: GPL-2.0-or-later

package gate

import (
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/reach"
	"github.com/klp-convert/klp-convert/klpreloc/special"
	"github.com/klp-convert/klp-convert/sympos"
)

// A klp relocation section is named after the object whose load applies it, the
// gate; the klp symbol in it after the object that owns the symbol. The kernel
// applies .klp.rela.M.* when M is loaded and is one of the patch's own objects
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
//	N         vmlinux                    N: nothing before N is loaded
//	N         nothing that is known      N                      N
//
// A label names the gate itself. Package reach finds out what a function is for.

const vmlinux = sympos.Vmlinux

// Rules are the rules for one module and one scheme. They read what they need of the module
// when it is first needed; nothing else changes them. The conversion and the
// proof each make their own.
type Rules struct {
	file     *elfrw.File
	scheme   kernel.Scheme
	declared *klppatch.Declaration

	reach       *reach.Attribution
	tables      *special.Tables
	problems    []special.Problem // of tables
	problematic map[*elfrw.Section]bool
}

// NewRules returns the rules for f, which declares what is declared, and kernels of the
// scheme. They keep f, which must not be edited while they are in use.
func NewRules(f *elfrw.File, declared *klppatch.Declaration, scheme kernel.Scheme) *Rules {
	return &Rules{file: f, declared: declared, scheme: scheme}
}

// Scheme is how the kernel applies klp relocations.
func (g *Rules) Scheme() kernel.Scheme { return g.scheme }

// Late reports whether a klp relocation for the gate waits for its object.
func (g *Rules) Late(gate string) bool { return !g.scheme.Early() || gate != sympos.Vmlinux }

// Special returns the module's special sections.
func (g *Rules) Special() *special.Tables {
	if g.tables == nil {
		g.tables, g.problems = special.Read(g.file)
		g.problematic = map[*elfrw.Section]bool{}
		for _, x := range g.problems {
			g.problematic[x.Section] = true
		}
	}
	return g.tables
}

// Problems are sections that look like special sections and are not.
func (g *Rules) Problems() []special.Problem {
	g.Special()
	return g.problems
}

// IsProblem reports whether one of Problems is about the section.
func (g *Rules) IsProblem(s *elfrw.Section) bool {
	g.Special()
	return g.problematic[s]
}

// objectsAt returns the livepatched objects that the place works for: those of its code,
// for an entry of a special section.
func (g *Rules) objectsAt(s *elfrw.Section, offset uint64) []string {
	if len(g.declared.Patches()) == 0 {
		return nil
	}
	if e := g.Special().In(s, offset); e != nil {
		s, offset = e.Site.Section, e.Site.Offset
	}
	if g.reach == nil {
		g.reach = reach.Attribute(g.file, g.Special(), g.declared.Patches()...)
	}
	return g.reach.Objects(s, offset)
}

// Remark is what there is to report of a choice.
type Remark int

// The remarks.
const (
	Fine        Remark = iota
	BeforeOwner        // used by a function for another object, before the owner is loaded
	AgainstUse         // the gate is a label's, and the function is not for it
	TooMany            // code for several objects, and nothing to choose by
	WhoseName          // several annotations, and nothing to choose by
)

// Choice is what becomes of one relocation.
type Choice struct {
	Note    *annotation.Annotation // of its symbol, that it means
	Gate    string                 // the object that applies it
	Objects []string               // that the place works for; nil where it makes no difference
	Remark  Remark
}

// Constant returns the choice that holds wherever the symbol is used, and false
// when it depends on the place.
func (g *Rules) Constant(notes []*annotation.Annotation) (Choice, bool) {
	a := notes[0]
	switch {
	case len(notes) > 1:
		return Choice{}, false
	case a.Object != vmlinux:
		return Choice{}, false
	case g.scheme.Early():
		return Choice{Note: a, Gate: vmlinux}, true
	case a.Dialect.IsLabel():
		return Choice{Note: a, Gate: a.LPObject}, true
	case len(g.declared.Patches()) == 0:
		return Choice{Note: a, Gate: vmlinux}, true
	}
	return Choice{}, false
}

// Choose decides which annotation of its symbol a relocation of s means, and what
// gates it.
func (g *Rules) Choose(notes []*annotation.Annotation, s *elfrw.Section, offset uint64) Choice {
	if c, ok := g.Constant(notes); ok {
		return c
	}
	c := Choice{Note: notes[0], Objects: g.objectsAt(s, offset)}
	if len(notes) > 1 && !c.pickNote(notes) {
		c.Gate, c.Remark = c.Note.LPObject, WhoseName
		return c
	}
	if k, ok := g.Constant([]*annotation.Annotation{c.Note}); ok {
		k.Objects = c.Objects
		return k
	}
	a, owner := c.Note, c.Note.Object
	switch {
	case a.Dialect.IsLabel():
		c.Gate = a.LPObject
		switch used := slices.Contains(c.Objects, c.Gate); {
		case len(c.Objects) == 0 || used && len(c.Objects) == 1 || c.Gate == vmlinux:
		case used || c.Gate == owner && slices.Contains(c.Objects, vmlinux): // where else?
			c.Remark = BeforeOwner
		default:
			c.Remark = AgainstUse
		}
		return c
	case owner == vmlinux: // before 5.8
		return g.chooseOldVmlinux(c)
	}
	c.Gate = a.LPObject
	others := slices.DeleteFunc(slices.Clone(c.Objects), func(o string) bool { return o == owner })
	modules := slices.DeleteFunc(slices.Clone(others), func(o string) bool { return o == vmlinux })
	switch {
	case len(others) == 0:
	case len(c.Objects) == 1 && len(modules) == 1:
		c.Gate = modules[0]
	case len(modules) > 0 && !slices.Contains(c.Objects, owner) && !g.declared.Has(owner) &&
		g.declared.Complete():
		c.Gate, c.Remark = owner, TooMany
	default:
		c.Gate, c.Remark = owner, BeforeOwner
	}
	return c
}

// chooseOldVmlinux finds the gate of a vmlinux symbol for kernels that apply vmlinux
// sections with the patch's vmlinux object, and allow them in any other. The gate of
// a function of one module is that module, so that an alternative in it has one gate.
func (g *Rules) chooseOldVmlinux(c Choice) Choice {
	modules := c.Objects
	if len(modules) == 0 && !g.declared.Has(vmlinux) {
		for o := range g.declared.Objects() {
			modules = append(modules, o)
		}
	}
	switch {
	case len(modules) == 1:
		c.Gate = modules[0]
	case g.declared.Has(vmlinux) || !g.declared.Complete():
		c.Gate = vmlinux
	default:
		c.Gate, c.Remark = vmlinux, TooMany
	}
	return c
}

// pickNote chooses the annotation for one of the objects that the place works for, and reports
// whether there is exactly one.
func (c *Choice) pickNote(notes []*annotation.Annotation) bool {
	found := 0
	for _, a := range notes {
		if slices.Contains(c.Objects, a.Object) {
			c.Note = a
			found++
		}
	}
	return found == 1
}
