// SPDX-License-Identifier: GPL-2.0-or-later

package typecheck

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/klp-convert/klp-convert/klpreloc/declared"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// A walk goes through the types of both sides at the same time, from functions and variables
// that fit each other, the nearest structs first, and compares each pair of structs once.
type walk struct {
	c       *checker
	queue   []pair
	seen    map[pairKey]bool
	tags    map[string]bool // of the pairs
	layouts []*layout
	shapes  map[*ctypes.Type]uint64
	cut     bool
}

// pair is a struct, union or enum of the livepatch and the one of the kernel that is the same
// memory, with the typedefs around them.
type pair struct {
	a, b *ctypes.Type
	tag  string
	from string // the function, variable or code that leads to it
}

// pairKey knows a pair again. Each unit of the livepatch describes a struct once more, so a is
// known by what its members are.
type pairKey struct {
	tag   string
	shape uint64
	b     *ctypes.Type
}

// maxPairs bounds the walk. From struct task_struct some thousand structs can be reached.
const maxPairs = 1 << 15

func newWalk(c *checker) *walk {
	return &walk{c: c, seen: map[pairKey]bool{}, tags: map[string]bool{},
		shapes: map[*ctypes.Type]uint64{}}
}

// tagOf returns the name of a type; see declared.Tag.
func tagOf(t *ctypes.Type) string { return declared.Tag(t) }

// nameOf returns the name of a tag without "struct".
func nameOf(t *ctypes.Type) string {
	tag := tagOf(t)
	if _, name, ok := strings.Cut(tag, " "); ok {
		return name
	}
	return tag
}

// function adds what two functions pass and return.
func (w *walk) function(name string, a, b *ctypes.Type) { w.visitFunc(a.Bare(), b.Bare(), name, 0) }

func (w *walk) visitFunc(a, b *ctypes.Type, from string, depth int) {
	if a.Kind != ctypes.Func || b.Kind != ctypes.Func {
		return
	}
	w.visitAt(a.Elem.Type(), b.Elem.Type(), from, depth)
	for i := range min(len(a.Params), len(b.Params)) {
		w.visitAt(a.Params[i].Type.Type(), b.Params[i].Type.Type(), from, depth)
	}
}

// visit adds what two types of the same value lead to.
func (w *walk) visit(a, b *ctypes.Type, from string) { w.visitAt(a, b, from, 0) }

// maxDepth bounds how deep structs without a tag, and functions whose parameters are functions,
// nest.
const maxDepth = 16

func (w *walk) visitAt(a, b *ctypes.Type, from string, depth int) {
	if depth > maxDepth {
		return
	}
	for range maxPointers {
		x, y := a.Bare(), b.Bare()
		switch {
		case x.Kind != y.Kind:
			return
		case x.Kind == ctypes.Pointer, x.Kind == ctypes.Array:
			a, b = x.Elem.Type(), y.Elem.Type()
			continue
		case x.Kind == ctypes.Func:
			w.visitFunc(x, y, from, depth+1)
		case x.Kind == ctypes.Struct, x.Kind == ctypes.Union, x.Kind == ctypes.Enum:
			w.add(a, b, from, depth)
		}
		return
	}
}

// add adds a pair to the queue. Structs without a name are part of what is around them.
func (w *walk) add(a, b *ctypes.Type, from string, depth int) {
	tag := tagOf(a)
	switch {
	case tag != tagOf(b) || a.Bare().Incomplete || b.Bare().Incomplete:
		return
	case tag == "":
		w.members(a.Bare(), b.Bare(), from, depth+1)
		return
	}
	key := pairKey{tag, w.shape(a.Bare()), b.Bare()}
	if w.seen[key] {
		return
	}
	if len(w.seen) == maxPairs {
		w.cut = true
		return
	}
	w.seen[key], w.tags[tag] = true, true
	w.queue = append(w.queue, pair{a, b, tag, from})
}

// shape returns a number that depends on size, members and values of a type.
func (w *walk) shape(t *ctypes.Type) uint64 {
	if n, known := w.shapes[t]; known {
		return n
	}
	h := fnv.New64a()
	fmt.Fprint(h, t.Size)
	for _, m := range t.Members {
		fmt.Fprint(h, "\x00", m.Name, " ", m.Offset, " ", m.Width)
	}
	for _, v := range t.Values {
		fmt.Fprint(h, "\x00", v.Name, " ", v.Value)
	}
	n := h.Sum64()
	w.shapes[t] = n
	return n
}

// run compares the pairs in the queue, and those that they lead to.
func (w *walk) run() {
	for len(w.queue) > 0 {
		p := w.queue[0]
		w.queue = w.queue[1:]
		w.compare(p)
		w.members(p.a.Bare(), p.b.Bare(), p.from, 0)
	}
}

func (w *walk) compare(p pair) {
	c := declared.Layout(w.c.machine, p.a, p.b)
	for _, why := range c.Unjudged {
		w.c.answer.unjudged(p.tag, why)
	}
	if c.Worst() != declared.Same {
		w.layouts = append(w.layouts, &layout{pair: p, Comparison: c})
	}
}

// members adds what members of the same name lead to. Those without a name are paired in their
// order.
func (w *walk) members(a, b *ctypes.Type, from string, depth int) {
	if len(a.Members) == 0 || len(b.Members) == 0 {
		return
	}
	named := make(map[string]*ctypes.Member, len(b.Members))
	var nameless []*ctypes.Member
	for i := range b.Members {
		if m := &b.Members[i]; m.Name != "" {
			named[m.Name] = m
		} else {
			nameless = append(nameless, m)
		}
	}
	for i := range a.Members {
		m := &a.Members[i]
		other := named[m.Name]
		if m.Name == "" {
			if len(nameless) == 0 {
				continue
			}
			other, nameless = nameless[0], nameless[1:]
		}
		if other != nil {
			w.visitAt(m.Type.Type(), other.Type.Type(), from, depth)
		}
	}
}
