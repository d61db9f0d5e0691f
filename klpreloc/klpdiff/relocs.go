// SPDX-License-Identifier: GPL-2.0-or-later

package klpdiff

import (
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// reloc is a relocation against what the module does not define.
type reloc struct {
	place
	text   string // its symbol, and how it is found
	detail string // its type and addend
	klp    bool   // a klp relocation, or annotated to become one
}

func relocsOf(f *elfrw.File, in *annotation.Set, p *places) (all []reloc) {
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
	f.Refers(func(y *elfrw.Symbol) bool {
		return y.Undefined() || klpSymbol[y]
	}, func(r elfrw.Reference) bool {
		t := r.Section.Target
		if t == nil || !t.Alloc() || annotations[t] {
			return true
		}
		x := reloc{place: p.at(t, r.Offset), text: r.Sym.String(),
			detail: fmt.Sprintf("%s %+#x", arch.RelocName(f, r.Type), r.Addend)}
		a, late := annotated[r.Sym], klpSection[r.Section]
		switch object, _ := klpabi.SectionObject(r.Section.Name); {
		case late:
			x.klp, x.text = true, x.text+", applied with "+object
		case klpSymbol[r.Sym]:
			x.klp, x.text = true, x.text+", in an ordinary relocation"
		case a != nil:
			x.klp, x.text = true, describeAnnotation(a)+", annotated"
		}
		all = append(all, x)
		return true
	})
	return all
}

// relocChanges pairs relocations: those at one place, and of the rest those of one
// function that are alike. What is then left came or went.
func relocChanges(a, b []reloc) []RelocChange {
	var changed []pair
	was, is := groupByKey(a, fullKey), groupByKey(b, fullKey)
	for key := range was {
		cancelEqual(was, is, key)
	}
	changed = append(changed, pairUp(was, is, reloc.key)...)
	moved := pairUp(was, is, func(r reloc) string {
		return r.section + " " + stableName(r.in) + " " + r.text + r.detail
	})
	changed = append(changed, moved...)
	for _, key := range sortedKeys(was) {
		for i := range was[key] {
			if r := &was[key][i]; r.text != "" {
				changed = append(changed, pair{was: r})
			}
		}
	}
	for _, key := range sortedKeys(is) {
		for i := range is[key] {
			if r := &is[key][i]; r.text != "" {
				changed = append(changed, pair{is: r})
			}
		}
	}
	return groupPairs(changed)
}

// pair is a relocation in both modules; nil in one where it is not there.
type pair struct{ was, is *reloc }

func fullKey(r reloc) string { return r.key() + " " + r.text + " " + r.detail }

func groupByKey(list []reloc, key func(reloc) string) map[string][]reloc {
	m := map[string][]reloc{}
	for _, r := range list {
		m[key(r)] = append(m[key(r)], r)
	}
	return m
}

// cancelEqual removes from both what is the same.
func cancelEqual(was, is map[string][]reloc, key string) {
	n := min(len(was[key]), len(is[key]))
	was[key], is[key] = was[key][n:], is[key][n:]
}

// pairUp pairs relocations that have the same key in both, and empties the text of those.
func pairUp(was, is map[string][]reloc, key func(reloc) string) (pairs []pair) {
	waiting := map[string][]*reloc{}
	for _, k := range sortedKeys(is) {
		for i := range is[k] {
			if r := &is[k][i]; r.text != "" {
				waiting[key(*r)] = append(waiting[key(*r)], r)
			}
		}
	}
	for _, k := range sortedKeys(was) {
		for i := range was[k] {
			r := &was[k][i]
			if r.text == "" || len(waiting[key(*r)]) == 0 {
				continue
			}
			other := waiting[key(*r)][0]
			waiting[key(*r)] = waiting[key(*r)][1:]
			x, y := *r, *other
			pairs = append(pairs, pair{&x, &y})
			r.text, other.text = "", ""
		}
	}
	return pairs
}

// groupPairs joins pairs that say the same, and leaves out those that are about
// ordinary relocations only.
func groupPairs(pairs []pair) []RelocChange {
	all := map[string]*RelocChange{}
	for _, p := range pairs {
		if (p.was == nil || !p.was.klp) && (p.is == nil || !p.is.klp) {
			continue
		}
		was, is, at, in := describePair(p)
		key := was + "\x00" + is
		c := all[key]
		if c == nil {
			c = &RelocChange{Was: was, Is: is}
			all[key] = c
		}
		c.Count++
		c.At = append(c.At, at)
		c.In = append(c.In, in)
	}
	list := []RelocChange{}
	for _, key := range sortedKeys(all) {
		slices.Sort(all[key].At)
		slices.Sort(all[key].In)
		all[key].In = slices.Compact(all[key].In)
		list = append(list, *all[key])
	}
	return list
}

// describePair returns what a relocation was and is, with type and addend where they differ.
func describePair(p pair) (was, is, at, in string) {
	switch {
	case p.is == nil:
		return p.was.text, "", p.was.String(), p.was.in
	case p.was == nil:
		return "", p.is.text, p.is.String(), p.is.in
	}
	was, is, at, in = p.was.text, p.is.text, p.is.String(), p.is.in
	if p.was.detail != p.is.detail {
		was, is = was+" ("+p.was.detail+")", is+" ("+p.is.detail+")"
	}
	if p.was.place.key() != p.is.place.key() {
		at = p.was.String() + " → " + strings.TrimPrefix(p.is.String(), p.is.in)
	}
	return was, is, at, in
}
