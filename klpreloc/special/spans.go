// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"cmp"

	"golang.org/x/exp/slices"
)

// spans are ranges of one section, each with what it is. They find those that a place is
// in. They may overlap in any way: the slice is sorted
// by start and is at the same time a balanced tree, whose root is the middle
// element and whose elements know how far those of their subtree reach.
type spans[T any] []span[T]

type span[T any] struct {
	from, to uint64 // to is past its end
	reach    uint64 // the furthest to of the subtree
	what     T
}

// index sorts s, what starts at one place staying in order, and makes it a tree.
func (s spans[T]) index() {
	var most uint64
	inOrder := true
	for i := range s {
		inOrder = inOrder && most <= s[i].from
		most = max(most, s[i].from)
	}
	const few = 256
	switch {
	case inOrder:
	case len(s) < few || most>>32 > 0 || len(s)>>32 > 0:
		slices.SortStableFunc(s, func(a, b span[T]) int { return cmp.Compare(a.from, b.from) })
	default:
		s.distribute(most)
	}
	s.root()
}

// distribute sorts by start, most being the last, which has 32 bits. It sorts numbers that are
// the start and the place in s, by one digit of the start after the other, from the lowest: each
// pass keeps the order of the one before. Comparing takes four times as long. Then each span
// is moved once.
func (s spans[T]) distribute(most uint64) {
	const digit = 11
	memory := make([]uint64, 2*len(s))
	from, to := memory[:len(s)], memory[len(s):]
	for i := range s {
		from[i] = s[i].from<<32 | uint64(i)
	}
	for shift := 32; most>>(shift-32) > 0; shift += digit {
		var next [1 << digit]int // where in to the next one of a digit goes
		for _, n := range from {
			next[n>>shift%(1<<digit)]++
		}
		sum := 0
		for d, n := range next {
			next[d], sum = sum, sum+n
		}
		for _, n := range from {
			d := n >> shift % (1 << digit)
			to[next[d]] = n
			next[d]++
		}
		from, to = to, from
	}
	place := func(i int) int { return int(uint32(from[i])) }
	for first := range s {
		if place(first) == first {
			continue
		}
		moved, i := s[first], first
		for place(i) != first {
			n := place(i)
			s[i], from[i] = s[n], uint64(i)
			i = n
		}
		s[i], from[i] = moved, uint64(i)
	}
}

func (s spans[T]) root() uint64 {
	if len(s) == 0 {
		return 0
	}
	m := len(s) / 2
	s[m].reach = max(s[m].to, s[:m].root(), s[m+1:].root())
	return s[m].reach
}

// overlap calls visit for each span that has a byte in [from, to), by start,
// until it returns false. It reports whether all were visited.
func (s spans[T]) overlap(from, to uint64, visit func(*span[T]) bool) bool {
	for len(s) > 0 {
		m := len(s) / 2
		x := &s[m]
		if x.reach <= from {
			return true
		}
		if !s[:m].overlap(from, to, visit) {
			return false
		}
		if x.from >= to {
			return true
		}
		if x.to > from && x.from < x.to && !visit(x) {
			return false
		}
		s = s[m+1:]
	}
	return true
}

// innermost returns the last span to start of those that hold the place, nil
// when there is none.
func (s spans[T]) innermost(at uint64) *span[T] {
	for len(s) > 0 {
		m := len(s) / 2
		x := &s[m]
		if x.reach <= at {
			return nil
		}
		if x.from <= at {
			if y := s[m+1:].innermost(at); y != nil {
				return y
			}
			if x.to > at {
				return x
			}
		}
		s = s[:m]
	}
	return nil
}
