// SPDX-License-Identifier: GPL-2.0-or-later

package proof

import (
	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/gate"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/latereloc"
)

// All that the proof has in common with what it proves.

// note is what an author, or a kernel, says of an undefined symbol.
type note = annotation.Annotation

// List is the text of annotations that are beside the module.
type List = annotation.List

// readAnnotations returns what f's records and labels, and the lists, say of f's symbols.
func readAnnotations(f *elfrw.File, lists []List) []note {
	set, _ := annotation.Read(f, lists...)
	return set.Annotations
}

// gates decides which object's load applies a relocation.
type gates struct{ *gate.Rules }

// lateRules finds the special entries that a relocation concerns which is applied late.
type lateRules struct{ *latereloc.Rules }

// appliesEarly reports whether the kernel's module loader applies relocations against
// vmlinux itself, before it reads any table.
func appliesEarly(c Claims) bool { return c.Scheme == kernel.SchemeEarly }

func newGates(f *elfrw.File, c Claims) *gates {
	return &gates{gate.NewRules(f, klppatch.Declared(f), c.Scheme)}
}

// constant returns which annotation of a symbol every use of it means, and the object that
// applies them all; ok is false when either depends on the place.
func (g *gates) constant(notes []*note) (a *note, object string, ok bool) {
	c, ok := g.Constant(notes)
	return c.Note, c.Gate, ok
}

// choose returns which annotation of its symbol a relocation of s at offset means, and the
// object that applies it.
func (g *gates) choose(notes []*note, s *elfrw.Section, offset uint64) (a *note, object string) {
	c := g.Choose(notes, s, offset)
	return c.Note, c.Gate
}

func newLateRules(f *elfrw.File, g *gates, nameOf func(*elfrw.Symbol) string,
	c Claims) *lateRules {
	return &lateRules{latereloc.NewRules(f, g.Rules, nameOf, c.KeepInert)}
}

// judge returns the entries that leave their tables because of the klp relocation r of s,
// applied with the object, and whether r can work at all.
func (l *lateRules) judge(s *elfrw.Section, r *elfrw.Rela, object string) (
	leave []latereloc.Cut, works bool) {
	v := l.Judge(s, r, object)
	return v.Cuts, v.Works()
}
