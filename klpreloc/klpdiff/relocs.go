// SPDX-License-Identifier: GPL-2.0-or-later

package klpdiff

import (
	"cmp"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// reloc is a relocation against what the module does not define. There are millions of them in a
// large module, so it has numbers of names; what two relocations are is in order when their
// numbers are (names.rank).
type reloc struct {
	holder int32 // of its place: section and function
	group  int32 // the same, without numbers that compilers give
	text   int32 // its symbol, and how it is found
	kind   int32 // name of its type
	offset uint64
	addend int64
}

// names are what the relocations of both modules refer to by number.
type names struct {
	holders table[place] // offset 0
	groups  table[place]
	texts   table[text]
	kinds   table[string]
}

// text is how a relocation is described.
type text struct {
	string
	klp bool // a klp relocation, or annotated to become one
}

// table gives numbers to values.
type table[T comparable] struct {
	all     []T
	numbers map[T]int32
}

func (t *table[T]) number(x T) int32 {
	n, ok := t.numbers[x]
	if !ok {
		if t.numbers == nil {
			t.numbers = map[T]int32{}
		}
		n = int32(len(t.all))
		t.numbers[x] = n
		t.all = append(t.all, x)
	}
	return n
}

// sort sorts the values and returns the new number of each old one.
func (t *table[T]) sort(compare func(a, b T) int) []int32 {
	sorted := slices.Clone(t.all)
	slices.SortFunc(sorted, compare)
	renumbered := make([]int32, len(sorted))
	for i, x := range sorted {
		renumbered[t.numbers[x]] = int32(i)
	}
	t.all, t.numbers = sorted, nil
	return renumbered
}

func comparePlaces(a, b place) int {
	return cmp.Or(strings.Compare(a.section, b.section), strings.Compare(a.in, b.in))
}

// rank renumbers everything so that numbers are in the order of what they mean.
func (n *names) rank(lists ...[]reloc) {
	holders, groups := n.holders.sort(comparePlaces), n.groups.sort(comparePlaces)
	texts := n.texts.sort(func(a, b text) int {
		if a.string == b.string && a.klp != b.klp {
			if b.klp {
				return -1
			}
			return 1
		}
		return strings.Compare(a.string, b.string)
	})
	kinds := n.kinds.sort(strings.Compare)
	for _, list := range lists {
		for i := range list {
			r := &list[i]
			r.holder, r.group = holders[r.holder], groups[r.group]
			r.text, r.kind = texts[r.text], kinds[r.kind]
		}
	}
}

func relocsOf(f *elfrw.File, in *annotation.Set, p *places, n *names) []reloc {
	annotated := map[*elfrw.Symbol]*annotation.Annotation{}
	for i := range in.Annotations {
		annotated[in.Annotations[i].Symbol] = &in.Annotations[i]
	}
	klpSymbol := map[*elfrw.Symbol]bool{}
	for _, y := range in.KlpSymbols {
		klpSymbol[y] = true
	}
	klpSection := map[*elfrw.Section]bool{}
	for _, s := range in.KlpSections {
		klpSection[s] = true
	}
	annotations := f.GoesWith(in.Sections)
	type use struct {
		*elfrw.Symbol
		*elfrw.Section
	}
	var (
		texts  = map[use]int32{}
		kinds  = map[uint32]int32{}
		groups = map[int32]int32{} // of holders
		all    []reloc
	)
	f.Refers(func(y *elfrw.Symbol) bool {
		return y.Undefined() || klpSymbol[y]
	}, func(r elfrw.Reference) bool {
		t := r.Section.Target
		if t == nil || !t.Alloc() || annotations[t] {
			return true
		}
		at := p.at(t, r.Offset)
		x := reloc{offset: at.offset, addend: r.Addend}
		at.offset = 0
		x.holder = n.holders.number(at)
		var ok bool
		if x.group, ok = groups[x.holder]; !ok {
			x.group = n.groups.number(place{section: at.section, in: stableName(at.in)})
			groups[x.holder] = x.group
		}
		if x.kind, ok = kinds[r.Type]; !ok {
			x.kind = n.kinds.number(arch.RelocName(f, r.Type))
			kinds[r.Type] = x.kind
		}
		if x.text, ok = texts[use{r.Sym, r.Section}]; !ok {
			what := text{string: r.Sym.String()}
			a, late := annotated[r.Sym], klpSection[r.Section]
			switch object, _ := klpabi.SectionObject(r.Section.Name); {
			case late:
				what = text{what.string + ", applied with " + object, true}
			case klpSymbol[r.Sym]:
				what = text{what.string + ", in an ordinary relocation", true}
			case a != nil:
				what = text{describeAnnotation(a) + ", annotated", true}
			}
			x.text = n.texts.number(what)
			texts[use{r.Sym, r.Section}] = x.text
		}
		if all == nil {
			all = make([]reloc, 0, countRelocs(f))
		}
		all = append(all, x)
		return true
	})
	return all
}

// countRelocs returns how many relocations of loaded sections there are.
func countRelocs(f *elfrw.File) (n int) {
	for _, s := range f.Sections {
		if s.HasRelocs() && s.Target != nil && s.Target.Alloc() {
			n += s.NumRelocs()
		}
	}
	return n
}

// atOnePlace compares by place.
func atOnePlace(a, b *reloc) int {
	return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.offset, b.offset))
}

// alike compares by function, symbol, type and addend.
func alike(a, b *reloc) int {
	return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.text, b.text),
		cmp.Compare(a.kind, b.kind), cmp.Compare(a.addend, b.addend))
}

func same(a, b *reloc) int { return cmp.Or(atOnePlace(a, b), alike(a, b)) }

// relocChanges pairs relocations: those at one place, and of the rest those of one
// function that are alike. What is then left came or went. It changes both lists.
func relocChanges(was, is []reloc, n *names) []RelocChange {
	n.rank(was, is)
	c := &relocChanger{names: n, byKey: map[pairKey]*RelocChange{}, byText: map[string]*RelocChange{}}
	sortRelocs(was, same)
	sortRelocs(is, same)
	was, is = pairUp(was, is, same, func(_, _ *reloc) {})
	was, is = pairUp(was, is, atOnePlace, c.add)
	byLikeness := func(a, b *reloc) int {
		return cmp.Or(alike(a, b), cmp.Compare(a.offset, b.offset))
	}
	sortRelocs(was, byLikeness)
	sortRelocs(is, byLikeness)
	was, is = pairUp(was, is, alike, c.add)
	for i := range was {
		c.add(&was[i], nil)
	}
	for i := range is {
		c.add(nil, &is[i])
	}
	return c.changes()
}

// sortRelocs sorts in place; those that are equal stay in the order of the file.
func sortRelocs(list []reloc, compare func(a, b *reloc) int) {
	for i := 1; i < len(list); i++ {
		if compare(&list[i-1], &list[i]) > 0 {
			slices.SortStableFunc(list, func(a, b reloc) int { return compare(&a, &b) })
			return
		}
	}
}

// pairUp calls paired with those of both lists, which are sorted, that are equal by compare: the
// first with the first, and so on. It returns what remains of both, in the same memory.
func pairUp(was, is []reloc, compare func(a, b *reloc) int, paired func(was, is *reloc)) (
	_, _ []reloc,
) {
	restWas, restIs := was[:0], is[:0]
	i, k := 0, 0
	for i < len(was) && k < len(is) {
		switch order := compare(&was[i], &is[k]); {
		case order < 0:
			restWas = append(restWas, was[i])
			i++
		case order > 0:
			restIs = append(restIs, is[k])
			k++
		default:
			paired(&was[i], &is[k])
			i++
			k++
		}
	}
	return append(restWas, was[i:]...), append(restIs, is[k:]...)
}

// relocChanger joins pairs that say the same, and leaves out those that are about
// ordinary relocations only.
type relocChanger struct {
	*names
	byKey  map[pairKey]*RelocChange
	byText map[string]*RelocChange
}

// pairKey is what a pair says; -1 where it is not there. Types and addends are 0 unless they
// differ.
type pairKey struct {
	was, is             int32
	wasKind, isKind     int32
	wasAddend, isAddend int64
}

// add adds a relocation in both modules; nil in one where it is not there.
func (c *relocChanger) add(was, is *reloc) {
	key := pairKey{was: -1, is: -1}
	if was != nil {
		key.was = was.text
	}
	if is != nil {
		key.is = is.text
	}
	if (was == nil || !c.texts.all[was.text].klp) && (is == nil || !c.texts.all[is.text].klp) {
		return
	}
	differ := was != nil && is != nil && (was.kind != is.kind || was.addend != is.addend)
	if differ {
		key.wasKind, key.isKind, key.wasAddend, key.isAddend = was.kind, is.kind, was.addend, is.addend
	}
	change := c.byKey[key]
	if change == nil {
		describe := func(r *reloc) string {
			switch {
			case r == nil:
				return ""
			case differ:
				return fmt.Sprintf("%s (%s %+#x)", c.texts.all[r.text].string, c.kinds.all[r.kind], r.addend)
			}
			return c.texts.all[r.text].string
		}
		x := RelocChange{Was: describe(was), Is: describe(is)}
		text := x.Was + "\x00" + x.Is
		if change = c.byText[text]; change == nil {
			change = &x
			c.byText[text] = change
		}
		c.byKey[key] = change
	}
	at, in := "", ""
	switch {
	case is == nil:
		at, in = c.placeOf(was), c.holders.all[was.holder].in
	default:
		at, in = c.placeOf(is), c.holders.all[is.holder].in
		if was != nil && atOnePlace(was, is) != 0 {
			at = c.placeOf(was) + " → " + strings.TrimPrefix(at, in)
		}
	}
	change.Count++
	change.At = append(change.At, at)
	if len(change.In) == 0 || change.In[len(change.In)-1] != in {
		change.In = append(change.In, in)
	}
}

// placeOf returns "function+0x12".
func (c *relocChanger) placeOf(r *reloc) string {
	at := c.holders.all[r.holder]
	at.offset = r.offset
	return at.String()
}

func (c *relocChanger) changes() []RelocChange {
	list := []RelocChange{}
	for _, key := range sortedKeys(c.byText) {
		x := c.byText[key]
		slices.Sort(x.At)
		slices.Sort(x.In)
		x.In = slices.Compact(x.In)
		list = append(list, *x)
	}
	return list
}
