// SPDX-License-Identifier: GPL-2.0-or-later

package klpdiff

import (
	"fmt"
	"sort"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// Difference is what differs. Its lists are sorted and empty where nothing does.
type Difference struct {
	Module      []Change      `json:"module"`
	Patches     []Change      `json:"patches"`
	Relocations []RelocChange `json:"relocations"`
	Sections    []Change      `json:"klp_sections"`
	Symbols     []Change      `json:"klp_symbols"`
	Annotations []Change      `json:"annotations"`
	Undefined   []Change      `json:"undefined"`
	Versions    []Change      `json:"versions"`
	Special     []Change      `json:"special_sections"`
	// Remarks say what follows from differences whose meaning does not show.
	Remarks []string `json:"remarks,omitempty"`
}

// Change is one fact: what it is about, and its old and its new value. "" means
// that it does not exist, There that it exists and has no value.
type Change struct {
	What string `json:"what"`
	Was  string `json:"was"`
	Is   string `json:"is"`
}

// RelocChange are relocations that changed in the same way.
type RelocChange struct {
	Was   string   `json:"was"` // "" when it was not there
	Is    string   `json:"is"`  // "" when it is gone
	Count int      `json:"count"`
	In    []string `json:"in"` // functions, variables or sections, each once
	At    []string `json:"at"` // places, "function+0x12"
}

// Same reports whether nothing differs.
func (d *Difference) Same() bool {
	for _, list := range d.Lists() {
		if len(list) > 0 {
			return false
		}
	}
	return len(d.Relocations) == 0
}

// Lists returns all lists but that of relocations, by their titles.
func (d *Difference) Lists() map[string][]Change {
	return map[string][]Change{
		"module information": d.Module, "livepatch": d.Patches, "klp relocation sections": d.Sections,
		"klp symbols": d.Symbols, "annotations": d.Annotations, "undefined symbols": d.Undefined,
		"versions of exports": d.Versions, "special sections": d.Special,
	}
}

// Files compares two modules. It calls done, unless that is nil, when it has read a module and
// needs little more of it: its pages may leave the memory.
func Files(a, b *elfrw.File, done func(*elfrw.File)) *Difference {
	n := &names{}
	var both [2]*facts
	for i, f := range []*elfrw.File{a, b} {
		if both[i] = read(f, n); done != nil {
			done(f)
		}
	}
	x, y := both[0], both[1]
	d := &Difference{
		Module:      changes(x.module, y.module),
		Patches:     changes(x.patches, y.patches),
		Relocations: relocChanges(x.relocs, y.relocs, n),
		Sections:    commonChanges(x.sections, y.sections),
		Symbols:     changes(x.symbols, y.symbols),
		Annotations: changes(x.annotations, y.annotations),
		Undefined:   changes(x.undefined, y.undefined),
		Versions:    changes(x.versions, y.versions),
		Special:     changes(x.special, y.special),
	}
	d.compareFirsts(x, y)
	return d
}

// compareFirsts compares the positions of functions of which one module says that there is one of
// the name, 0, and the other that the first is meant, 1: they patch the same function.
func (d *Difference) compareFirsts(x, y *facts) {
	words := []string{"0, the only one of that name", "1, the first of that name"}
	for _, what := range sortedKeys(x.firsts) {
		was, is := x.firsts[what], y.firsts[what]
		if _, both := y.firsts[what]; both && was != is {
			d.Patches = append(d.Patches, Change{what + ": old_sympos", words[was], words[is]})
		}
	}
	slices.SortStableFunc(d.Patches, func(a, b Change) int { return strings.Compare(a.What, b.What) })
	if slices.ContainsFunc(d.Patches, func(c Change) bool {
		return strings.HasSuffix(c.What, ": old_sympos")
	}) {
		d.Remarks = append(d.Remarks,
			"old_sympos 0 and 1 mean the same function, but one of the modules can't replace the other (.replace) before "+
				kernel.FirstIsOnly+": EEXIST, cannot create duplicate filename …,1")
	}
}

// facts are a module's, by what they are about.
type facts struct {
	module, patches, sections, symbols, annotations, undefined, versions, special map[string]string
	relocs                                                                        []reloc

	firsts map[string]uint64 // old_sympos of functions where it is 0 or 1
}

// There is the value of facts that have no other.
const There = "there"

// read reads what is compared; n gets the names of relocations.
func read(f *elfrw.File, n *names) *facts {
	d, _ := klpreloc.Describe(f)
	in, _ := annotation.Read(f)
	x := &facts{
		module: moduleFacts(f, d), versions: versionFacts(f),
		sections: map[string]string{}, symbols: map[string]string{}, annotations: map[string]string{},
		undefined: map[string]string{},
	}
	x.patches, x.firsts = patchFacts(d)
	for _, s := range in.KlpSections {
		object, _ := klpabi.SectionObject(s.Name)
		x.sections[fmt.Sprintf("for %s, of %s", object, s.Target)] = fmt.Sprintf("flags %#x", s.Flags)
	}
	for _, s := range d.KlpSymbols {
		x.symbols[s.Symbol] = There
	}
	for i := range in.Annotations {
		x.annotations[describeAnnotation(&in.Annotations[i])] = There
	}
	for _, u := range d.Undefined {
		x.undefined[u.Name] = "global"
		if u.Weak {
			x.undefined[u.Name] = "weak"
		}
	}
	p := newPlaces(f)
	x.special = p.specialFacts()
	x.relocs = relocsOf(f, in, p, n)
	return x
}

// describeAnnotation returns what an annotation asks for, in any dialect.
func describeAnnotation(a *annotation.Annotation) string {
	s := a.Name
	switch {
	case a.File != "":
		s += " in " + a.File
	case a.Pos != 0:
		s += fmt.Sprintf(",%d", a.Pos)
	}
	s += " of " + a.Object
	if a.LPObject != a.Object {
		s += " for " + a.LPObject
	}
	return s
}

// changes returns the facts that differ, sorted.
func changes(a, b map[string]string) []Change {
	all := []Change{}
	for what, was := range a {
		if is := b[what]; is != was {
			all = append(all, Change{what, was, is})
		}
	}
	for what, is := range b {
		if _, ok := a[what]; !ok {
			all = append(all, Change{what, "", is})
		}
	}
	sort.Slice(all, func(i, k int) bool { return all[i].What < all[k].What })
	return all
}

// commonChanges returns the changes of facts that both have.
func commonChanges(a, b map[string]string) []Change {
	return slices.DeleteFunc(changes(a, b), func(c Change) bool { return c.Was == "" || c.Is == "" })
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
