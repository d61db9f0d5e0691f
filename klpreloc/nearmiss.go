// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"cmp"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos"
)

// A name that is nowhere is mostly one of these:
//
//	the right name, in another object
//	a function that the compiler cloned or cut (foo.isra.0, foo.part.1, foo.cold,
//	foo.constprop.0, foo.llvm.123), or a static variable (foo.17): same stem
//	a slip of the finger
//
// which is the order in which they are offered.

// mostMisses is how many are offered for one name.
const mostMisses = 6

// mostFuzzy is for how many absent names slips are looked for; a module that
// misses more is built for something else altogether.
const mostFuzzy = 32

// nearness knows the names near to some that are wanted.
type nearness struct {
	exact map[string]bool
	stems map[string]bool
	fuzzy []string
}

func newNearness(names []string) *nearness {
	n := &nearness{exact: map[string]bool{}, stems: map[string]bool{}, fuzzy: names[:min(len(names), mostFuzzy)]}
	for _, name := range names {
		n.exact[name] = true
		n.stems[stem(name)] = true
	}
	return n
}

// want is what to read of a kernel.
func (n *nearness) want(name []byte) bool {
	if n.exact[string(name)] || n.stems[string(stem(name))] {
		return true
	}
	return slices.ContainsFunc(n.fuzzy, func(w string) bool { return slip(w, name) >= 0 })
}

// A miss is a symbol that could have been meant, and why.
type miss struct {
	sympos.Symbol
	why  string
	rank int
}

// misses returns what could have been meant by the name in the object, the most
// likely first.
func (n *nearness) misses(t *sympos.Table, object, name string) (list []miss, more int) {
	var all []miss
	for _, o := range t.Objects() {
		for _, near := range t.Names(o) {
			m := miss{}
			switch d := slip(name, []byte(near)); {
			case near == name:
				if o == object {
					continue
				}
				m.why, m.rank = "in another object", 0
			case stem(near) == stem(name):
				m.why, m.rank = clone(name, near), 1
			case d >= 0:
				m.why, m.rank = "similar", 1+d
			default:
				continue
			}
			if o != object && near != name {
				m.rank += 8 // what is nowhere near in two ways
			}
			for _, s := range t.Lookup(o, near) {
				m.Symbol = s
				all = append(all, m)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b miss) int { return cmp.Compare(a.rank, b.rank) })
	shown := min(len(all), mostMisses)
	return all[:shown], len(all) - shown
}

// stem is a name without what compilers put behind it.
func stem[T string | []byte](name T) T {
	for i := 1; i < len(name); i++ {
		if name[i] == '.' {
			return name[:i]
		}
	}
	return name
}

// clone says how a name with the same stem came about.
func clone(name, near string) string {
	for _, c := range []struct{ suffix, why string }{
		{".isra.", "its arguments were changed by the compiler"},
		{".constprop.", "a copy for constant arguments"},
		{".part.", "the part that was not inlined"},
		{".cold", "the part that is rarely run"},
		{".llvm.", "made global by ThinLTO"},
	} {
		switch has, had := strings.Contains(near, c.suffix), strings.Contains(name, c.suffix); {
		case has && !had:
			return c.why
		case had && !has:
			return "which the compiler left whole"
		}
	}
	return "another number, which the compiler chose"
}

// slip returns how many slips of the finger part the two names (a letter too
// many, too few, another one, or two swapped), or -1 when it is more than one
// can make in a name of that length.
func slip(a string, b []byte) int {
	most := 2
	switch {
	case len(a) < 4:
		return -1
	case len(a) < 8:
		most = 1
	}
	if len(a)-len(b) > most || len(b)-len(a) > most || len(a) > 128 {
		return -1
	}
	// Nobody gets both ends wrong; most names of a kernel go here.
	if a[0] != b[0] && a[len(a)-1] != b[len(b)-1] {
		return -1
	}
	// Optimal string alignment, three rows of it.
	var rows [3][130]uint8
	before, last, now := &rows[0], &rows[1], &rows[2]
	for j := 0; j <= len(b); j++ {
		last[j] = uint8(j)
	}
	for i := 1; i <= len(a); i++ {
		now[0] = uint8(i)
		least := now[0]
		for j := 1; j <= len(b); j++ {
			cost := uint8(1)
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			now[j] = d
			least = min(least, d)
		}
		if int(least) > most {
			return -1
		}
		before, last, now = last, now, before
	}
	if d := int(last[len(b)]); d <= most {
		return d
	}
	return -1
}

// nearObjects returns the modules whose names are nearly that.
func nearObjects(object string, modules []string) []string {
	var near []string
	for _, m := range modules {
		if slip(object, []byte(m)) >= 0 {
			near = append(near, m)
		}
	}
	return near[:min(len(near), mostMisses)]
}
