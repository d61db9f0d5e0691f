// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"cmp"

	"golang.org/x/exp/slices"
)

// spans are stretches of one section, each with what it is, ready to be asked
// which of them a place is in. They may overlap in any way: the slice is sorted
// by start and is at the same time a balanced tree, whose root is the middle
// element and whose elements know how far those of their subtree reach.
type spans[T any] []span[T]

type span[T any] struct {
	from, to uint64 // to is behind it
	reach    uint64 // the furthest to of the subtree
	what     T
}

// index sorts s, what starts at one place staying in order, and makes it a tree.
func (s spans[T]) index() {
	inOrder := true
	for i := range s {
		s[i].reach = uint64(i) // for now
		inOrder = inOrder && (i == 0 || s[i-1].from <= s[i].from)
	}
	if !inOrder {
		slices.SortFunc(s, func(a, b span[T]) int {
			return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.reach, b.reach))
		})
	}
	s.root()
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
