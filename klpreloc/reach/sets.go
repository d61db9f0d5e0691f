// SPDX-License-Identifier: GPL-2.0-or-later

package reach

import (
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
)

// sets holds sets of objects, each once. Nearly all pieces of a module have one
// of a few: each object alone, and all of them. Set 0 is empty.
type sets struct {
	names []string // sorted
	num   map[string]int
	sets  []string // bits, as bytes
	known map[string]int32
	memo  map[[2]int32]int32
	lists map[int32][]string
}

func newSets(patches []*klppatch.Patch) *sets {
	t := &sets{num: map[string]int{}, known: map[string]int32{"": 0}, sets: []string{""},
		memo: map[[2]int32]int32{}, lists: map[int32][]string{}}
	for _, p := range patches {
		for i := range p.Objects {
			if name := p.Objects[i].Name; t.num[name] == 0 {
				t.num[name] = 1
				t.names = append(t.names, name)
			}
		}
	}
	slices.Sort(t.names)
	for i, name := range t.names {
		t.num[name] = i
	}
	return t
}

// setOf returns the set of that object.
func (t *sets) setOf(name string) int32 {
	n := t.num[name]
	b := make([]byte, n/8+1)
	b[n/8] = 1 << (n % 8)
	return t.intern(b)
}

// intern returns the number of the set with these bits.
func (t *sets) intern(b []byte) int32 {
	if i, ok := t.known[string(b)]; ok {
		return i
	}
	s, i := string(b), int32(len(t.sets))
	t.sets, t.known[s] = append(t.sets, s), i
	return i
}

// union returns the set of what is in a or b.
func (t *sets) union(a, b int32) int32 {
	switch {
	case a == b || b == 0:
		return a
	case a == 0:
		return b
	case a > b:
		a, b = b, a
	}
	key := [2]int32{a, b}
	if i, ok := t.memo[key]; ok {
		return i
	}
	x, y := t.sets[a], t.sets[b]
	if len(x) < len(y) {
		x, y = y, x
	}
	bits := []byte(x)
	for i := range y {
		bits[i] |= y[i]
	}
	i := t.intern(bits)
	t.memo[key] = i
	return i
}

// members returns the names in a set, nil when it is empty.
func (t *sets) members(set int32) []string {
	if set == 0 {
		return nil
	}
	if list, ok := t.lists[set]; ok {
		return list
	}
	var list []string
	for i, b := range []byte(t.sets[set]) {
		for bit := 0; bit < 8; bit++ {
			if b>>bit&1 != 0 {
				list = append(list, t.names[8*i+bit])
			}
		}
	}
	if len(t.lists) < 4096 {
		t.lists[set] = list
	}
	return list
}
