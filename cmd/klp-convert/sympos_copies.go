// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos"
)

// mostCallers bounds the functions in a line of a table; --json has all.
const mostCallers = 12

// readCopies reads where the code of the found functions is, of each kernel that has debug
// information.
func (s *search) readCopies() {
	for i, k := range s.kernels {
		names, objects := map[string][]string{}, []string{}
		for _, f := range s.found {
			for _, g := range f.groups {
				if len(g.lists[i]) == 0 {
					continue
				}
				if names[g.object] == nil {
					objects = append(objects, g.object)
				}
				names[g.object] = append(names[g.object], g.name)
			}
		}
		k.copies = map[string]*sympos.Copies{}
		for _, object := range objects {
			k.copies[object] = s.copiesOf(k, object, names[object]...)
		}
	}
}

// copiesOf returns where the code of functions is; nil if nothing tells.
func (s *search) copiesOf(k *searched, object string, names ...string) *sympos.Copies {
	c, err := k.table.Copies(object, names...)
	switch {
	case err == nil:
		if c.Doubt != "" && s.options.verbose {
			noteKernel(s.stderr, c.Source, []string{"there may be more copies: " + c.Doubt})
		}
		return c
	case !errors.Is(err, sympos.ErrNoDebugInfo):
		warnKernel(s.stderr, k.Name, []string{"where functions of " + object +
			" are inlined is not known: " + err.Error()}, s.options)
	}
	return nil
}

// copyLines returns the lines below the table of a name: where else its code is.
func copyLines(k *searched, g group, list []sympos.Symbol) (lines []string) {
	c := k.copies[g.object]
	if c == nil {
		return nil
	}
	for i := range list {
		f := c.Of(g.name, i+1)
		if f == nil {
			continue
		}
		which := ""
		if len(list) > 1 {
			which = fmt.Sprintf("position %d: ", i+1)
		}
		if strings.HasPrefix(g.name, f.Name+".") {
			lines = append(lines, which+fmt.Sprintf("a copy of %s (%s:%d)%s", f.Name, f.File, f.Line,
				calledBy(f.Calls)))
			continue
		}
		for _, line := range describeCopies(f) {
			lines = append(lines, which+line)
		}
		if len(f.Same) > 1 && f.Same[0] == i+1 {
			lines = append(lines, fmt.Sprintf("positions %s: the same function (%s:%d), compiled for "+
				"several files", shorten(numbers(f.Same)), f.File, f.Line))
		}
	}
	return lines
}

func numbers(list []int) (texts []string) {
	for _, n := range list {
		texts = append(texts, fmt.Sprint(n))
	}
	return texts
}

// calledBy says what calls code, if that is known.
func calledBy(calls []sympos.CodeSite) string {
	if callers := callerNames(calls); len(callers) > 0 {
		return ", called by: " + shorten(callers)
	}
	return ""
}

// describeCopies says where else than at its symbol the code of a function is.
func describeCopies(f *sympos.Function) (lines []string) {
	if callers := callerNames(elsewhere(f)); len(callers) > 0 {
		lines = append(lines, "inlined into: "+shorten(callers))
	}
	if f.Folded {
		lines = append(lines, "inlined; debug information does not say where")
	}
	for _, c := range f.Clones {
		lines = append(lines, "copied as: "+c.String()+calledBy(c.Calls))
	}
	return lines
}

// elsewhere returns the places of copies that are not in the function's own code.
func elsewhere(f *sympos.Function) (sites []sympos.CodeSite) {
	for i := range f.Inlined {
		if !f.Owns(&f.Inlined[i]) {
			sites = append(sites, f.Inlined[i])
		}
	}
	return sites
}

// callerNames returns the functions whose code has the places, each once.
func callerNames(sites []sympos.CodeSite) (names []string) {
	seen := map[string]bool{}
	for _, s := range sites {
		if name := s.Caller.String(); name != "" && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

func shorten(names []string) string {
	if n := len(names) - mostCallers; n > 0 {
		return strings.Join(names[:mostCallers], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(names, ", ")
}

// goneLines returns lines for a name without a symbol: what became of the function, as far as
// debug information or BTF tell.
func (s *search) goneLines(m miss) (lines []string) {
	const most = 3 // more objects would have to be read as a whole
	objects := m.k.table.Objects()
	switch {
	case m.match != nil:
		return nil
	case m.object != "":
		objects = []string{m.object}
	case len(objects) > most:
		objects = []string{sympos.Vmlinux}
	}
	for _, object := range objects {
		if !m.k.table.Has(object) {
			continue
		}
		c := s.copiesOf(m.k, object, m.name)
		if c == nil {
			if m.k.table.TypedFunctions(object, m.name)[m.name] {
				lines = append(lines, "BTF of "+object+" has a function of this name: all of its code "+
					"is in its callers or in clones")
			}
			continue
		}
		for _, f := range c.Gone(m.name) {
			for _, line := range describeCopies(f) {
				lines = append(lines, fmt.Sprintf("%s:%d, %s", f.File, f.Line, line))
			}
		}
	}
	return lines
}

// An inlinedJSON is a place where a function is inlined.
type inlinedJSON struct {
	Caller string   `json:"caller"`
	File   string   `json:"file"`
	Line   uint64   `json:"line"`
	Via    []string `json:"via,omitempty"`
}

// A cloneJSON is other code of a function, with a symbol.
type cloneJSON struct {
	Name    string   `json:"name"`
	Callers []string `json:"callers"`
}

// addCopies adds where the code of a function is.
func (f *foundSymbol) addCopies(k *searched, g group, index int) {
	c := k.copies[g.object]
	if c == nil {
		return
	}
	x := c.Of(g.name, index+1)
	if x == nil {
		return
	}
	inlined := []inlinedJSON{}
	for _, s := range elsewhere(x) {
		inlined = append(inlined, inlinedJSON{s.Caller.String(), s.File, s.Line, slices.Clone(s.Via)})
	}
	if !x.Folded {
		f.Inlined = &inlined
	}
	for _, clone := range x.Clones {
		f.Clones = append(f.Clones, cloneJSON{clone.String(),
			append([]string{}, callerNames(clone.Calls)...)})
	}
}
