// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"cmp"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// A name that is nowhere is mostly one of these:
//
//	the right name, in another object
//	a function that the compiler cloned or cut (foo.isra.0, foo.part.1,
//	foo.constprop.0, foo.llvm.123), or a static variable (foo.17): same stem
//	a system call, which has names of its own in each kernel (callnames.go)
//	a variant: __foo, do_foo, foo_inner
//	a typing slip
//
// which is the order in which they are offered. Slips are offered only where there is
// nothing better. What no author can mean is not offered at all: foo.cold, to which foo
// jumps, and the padding before functions (__pfx_foo, __cfi_foo).

// mostMisses is how many are offered for one name.
const mostMisses = 3

// mostFuzzy is for how many absent names slips are looked for; a module that
// misses more is built for something else altogether.
const mostFuzzy = 32

// Ranks of misses, the best first.
const (
	rankExact     = 0 // in another object
	rankClone     = 10
	rankCall      = 20
	rankVariant   = 50
	rankSlip      = 60
	rankElsewhere = 100 // added: near, and in another object
)

// nameMatcher finds the names that are near to wanted names.
type nameMatcher struct {
	exact map[string]bool
	stems map[string]bool
	calls map[string]bool
	cores map[string]bool
	fuzzy []string
	index *nearIndex
}

func newNameMatcher(names []string) *nameMatcher {
	n := &nameMatcher{exact: map[string]bool{}, stems: map[string]bool{}, calls: map[string]bool{},
		cores: map[string]bool{},
		fuzzy: names[:min(len(names), mostFuzzy)]}
	for _, name := range names {
		n.exact[name] = true
		n.stems[stem(withoutPadding(name))] = true
		n.calls[callWanted(name)] = true
		if c := core(name); c != "" {
			n.cores[c] = true
		}
	}
	return n
}

// callWanted returns the system call that an absent name can mean: of sys_openat, of openat.
func callWanted(name string) string {
	if _, call, ok := callOf(name); ok {
		return call
	}
	return stem(name)
}

// wants reports whether a name of a kernel is near to a wanted one, and has to be read.
func (n *nameMatcher) wants(name []byte) bool {
	if n.exact[string(name)] || n.stems[string(stem(name))] {
		return true
	}
	if c := core(name); len(c) > 0 && n.cores[string(c)] {
		return true
	}
	if mayBeCall(name) {
		if _, call, ok := callOf(string(name)); ok && n.calls[call] {
			return true
		}
	}
	return slices.ContainsFunc(n.fuzzy, func(w string) bool { return editDistance(w, name) >= 0 })
}

// A nearMiss is a symbol that could have been meant, and why.
type nearMiss struct {
	sympos.Symbol
	why  string
	rank int
	more int // symbols of its name, no nearer, that are not listed
}

// nearMisses returns what could have been meant by the name in the object ("": in any), the
// most likely first.
func (n *nameMatcher) nearMisses(t *sympos.Table, object, name string) (list []nearMiss, more int) {
	var all []nearMiss
	for _, x := range n.candidates(t, name) {
		if x.name == name && (x.object == object || object == "") || !isTarget(x.name) {
			continue
		}
		list := t.Lookup(x.object, x.name)
		for _, s := range list[:min(len(list), mostMisses)] { // all of one name are as near
			m, ok := compareNames(name, s)
			if !ok {
				break
			}
			if object != "" && x.object != object && m.rank > rankExact {
				m.rank += rankElsewhere
			}
			all = append(all, m)
		}
		if last := len(all) - 1; len(list) > mostMisses && last >= 0 && all[last].Object == x.object &&
			all[last].Name == x.name {
			all[last].more = len(list) - mostMisses
		}
	}
	slices.SortStableFunc(all, func(a, b nearMiss) int { return cmp.Compare(a.rank, b.rank) })
	if len(all) > 0 {
		// Misses of a worse class are no help next to better ones.
		worse := rankSlip
		if all[0].rank >= rankSlip {
			worse = rankElsewhere
		}
		if all[0].rank < rankElsewhere {
			if i := slices.IndexFunc(all, func(m nearMiss) bool { return m.rank >= worse }); i > 0 {
				all = all[:i]
			}
		}
	}
	shown := min(len(all), mostMisses)
	more = len(all) - shown
	for _, m := range all {
		more += m.more
	}
	return all[:shown], more
}

// A nearIndex finds the names of a table that can be near to a name.
type nearIndex struct {
	table *sympos.Table
	names []nameIn
	by    map[string][]int // by what they have in common, indexes of names
}

type nameIn struct{ object, name string }

// nearKeys are what a name has in common with those that are near to it, slips aside. The
// first letter keeps the kinds apart.
func nearKeys(name string) []string {
	keys := []string{"=" + name, "s" + stem(withoutPadding(name)), "c" + callWanted(name)}
	if c := core(name); c != "" {
		keys = append(keys, "o"+c)
	}
	return keys
}

// candidates returns the names that may be near to the name, in the order of the table: for
// the few whose slips are looked for, all.
func (n *nameMatcher) candidates(t *sympos.Table, name string) []nameIn {
	if n.index == nil || n.index.table != t {
		n.index = &nearIndex{table: t, by: map[string][]int{}}
		for _, o := range t.Objects() {
			for _, near := range t.Names(o) {
				for _, key := range nearKeys(near) {
					n.index.by[key] = append(n.index.by[key], len(n.index.names))
				}
				n.index.names = append(n.index.names, nameIn{o, near})
			}
		}
	}
	if slices.Contains(n.fuzzy, name) {
		return n.index.names
	}
	var at []int
	for _, key := range nearKeys(name) {
		at = append(at, n.index.by[key]...)
	}
	slices.Sort(at)
	var list []nameIn
	for _, i := range slices.Compact(at) {
		list = append(list, n.index.names[i])
	}
	return list
}

// readNear reads what is near to the names from all that the kernel has; where that fails,
// it is looked for in what has been read.
func readNear(k *sympos.Kernel, read *sympos.Table, names []string) (*nameMatcher, *sympos.Table) {
	near := newNameMatcher(slices.Compact(sorted(names)))
	table, err := k.ReadAll(near.wants)
	if err != nil {
		table = read // the best available; errors of other files do not matter here
	}
	return near, table
}

// Sought is a name that an object does not have, or with "" for it no object.
type Sought struct{ Object, Name string }

// Near is a symbol that could have been meant by one that is sought.
type Near struct {
	sympos.Symbol
	Of  int    // how many symbols of its name its object has
	Why string // it is near, and facts for a comment
}

// Chosen is the position that means the symbol, 0 for the only one of its name, and false
// where that is not known or not always the same.
func (x Near) Chosen() (position int, ok bool) {
	if x.Of == 1 {
		return 0, true
	}
	return x.Position, x.Position > 0 && x.Steady()
}

// Line annotates the symbol for a livepatched object.
func (x Near) Line(lpObject string) string {
	position, ok := x.Chosen()
	a := annotation.Annotation{LPObject: lpObject, Object: x.Object, Name: x.Name}
	switch {
	case !ok:
		return diag.Clip(x.Name)
	case ctypes.IsIdentifier(x.Name):
		return fmt.Sprintf("KLP_SYMPOS(%s, %d),", x.Name, position)
	}
	return annotation.LabelMacro(&a, uint32(position))
}

// NearMisses returns what could have been meant by the names, the most likely first, and
// how many more there are that are no nearer. It is what conversion offers, for those who
// look names up themselves; read is what they have read.
func NearMisses(k *sympos.Kernel, read *sympos.Table, names ...Sought,
) (lists [][]Near, more []int) {
	var all []string
	for _, x := range names {
		all = append(all, x.Name)
	}
	near, table := readNear(k, read, all)
	for _, x := range names {
		misses, n := near.nearMisses(table, x.Object, x.Name)
		var list []Near
		for _, m := range misses {
			why := formatFacts(m.Symbol) + ", " + m.why
			if x.Object != "" && m.Object != x.Object {
				why = m.Object + ": " + why
			}
			list = append(list, Near{m.Symbol, len(table.Lookup(m.Object, m.Name)), why})
		}
		lists, more = append(lists, list), append(more, n)
	}
	return lists, more
}

// compareNames says how near a symbol is to an absent name, and false when it is not.
func compareNames(name string, s sympos.Symbol) (m nearMiss, ok bool) {
	m.Symbol = s
	form, call, isCall := callOf(s.Name)
	wanted, wantedCall, wantsCall := callOf(name)
	switch d := editDistance(name, []byte(s.Name)); {
	case s.Name == name:
		m.why, m.rank = "in another object", rankExact
	case stem(s.Name) == stem(withoutPadding(name)) && withoutPadding(name) != name:
		m.why, m.rank = "the function; "+diag.Clip(name)+" is the padding before it", rankClone
	case stem(s.Name) == stem(name):
		m.why, m.rank = explainClone(name, s.Name), rankClone
	case isCall && wantsCall && call == wantedCall:
		m.why, m.rank = form.why(wanted, name, s.Type), rankCall+form.distance(wanted)
	case isCall && !wantsCall && call == stem(name) && form.part != callHelper:
		m.why, m.rank = form.why(callForm{}, name, s.Type), rankCall+form.distance(callForm{})
	case core(name) != "" && core(s.Name) == core(name):
		m.why, m.rank = "a variant of the name", rankVariant
	case d >= 0:
		m.why, m.rank = "similar", rankSlip+d
	default:
		return nearMiss{}, false
	}
	return m, true
}

// padding are prefixes of the symbols before functions: room for patching call depth
// tracking and such things (since 6.2), and the hash of a function's type (kCFI, since 6.1).
var padding = []string{"__pfx_", "__cfi_"}

// withoutPadding returns the name of the function that a symbol of padding belongs to.
func withoutPadding(name string) string {
	for _, p := range padding {
		name = strings.TrimPrefix(name, p)
	}
	return name
}

// isTarget reports whether an author can mean the symbol.
func isTarget(name string) bool {
	return withoutPadding(name) == name && !strings.HasSuffix(name, ".cold") &&
		!strings.Contains(name, ".cold.")
}

// stem returns a name without what compilers append to it.
func stem[T string | []byte](name T) T {
	for i := 1; i < len(name); i++ {
		if name[i] == '.' {
			return name[:i]
		}
	}
	return name
}

// core returns what variants of a name have in common: foo of __foo, do_foo and foo_inner; empty
// where that is too short to mean anything.
func core[T string | []byte](name T) T {
	const shortest = 4
	s := stem(name)
	trim := func() {
		for len(s) > 0 && s[0] == '_' {
			s = s[1:]
		}
	}
	if trim(); len(s) > 3 && s[0] == 'd' && s[1] == 'o' && s[2] == '_' {
		s = s[3:]
		trim()
	}
	const inner = "_inner"
	if n := len(s) - len(inner); n > 0 && s[n] == '_' && string(s[n:]) == inner {
		s = s[:n]
	}
	if len(s) < shortest {
		return s[:0]
	}
	return s
}

// explainClone says how a name with the same stem came about.
func explainClone(name, near string) string {
	if !isTarget(name) {
		return "the function, of which that is a part"
	}
	for _, c := range []struct{ suffix, why string }{
		{".isra.", "its arguments were changed by the compiler"},
		{".constprop.", "a copy for constant arguments"},
		{".part.", "the part that was not inlined"},
		{".llvm.", "made global by ThinLTO"},
	} {
		switch has, had := strings.Contains(near, c.suffix), strings.Contains(name, c.suffix); {
		case has && !had:
			return c.why
		case had && !has:
			return "which the compiler left whole"
		}
	}
	if !strings.Contains(name, ".") {
		return "numbered by the compiler"
	}
	return "another number, which the compiler chose"
}

// editDistance returns how many typing slips separate the two names (a letter too many, too few,
// another one, or two swapped), or -1 when there are more than are likely in a name of that
// length.
func editDistance(a string, b []byte) int {
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
	// Both ends are rarely wrong; this excludes most names of a kernel.
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

// nearObjects returns the modules whose names are near to that of the object.
func nearObjects(object string, modules []string) []string {
	var near []string
	for _, m := range modules {
		if editDistance(object, []byte(m)) >= 0 {
			near = append(near, m)
		}
	}
	return near[:min(len(near), mostMisses)]
}
