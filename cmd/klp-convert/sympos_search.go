// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/cmd/klp-convert/pages"
	"github.com/klp-convert/klp-convert/klpreloc/resolve"
	"github.com/klp-convert/klp-convert/sympos"
)

// A search is the queries, and what was found for them in each kernel.
type search struct {
	options *options
	queries []query
	stderr  io.Writer
	kernels []*searched
	found   []finding
}

// searched is a kernel and the symbols that were read from it.
type searched struct {
	*sympos.Kernel
	title string // unique name for JSON
	label string // unique short name for tables
	table *sympos.Table
	// copies are where the code of the found functions is, by object; see readCopies.
	copies map[string]*sympos.Copies
}

// A group is the symbols of one name in one object, in each of the kernels.
type group struct {
	object, name string
	lists        [][]sympos.Symbol
}

// A finding is what was found for a query, ordered by name and object, vmlinux first.
type finding struct {
	query
	groups []group
}

// read reads the symbols of a kernel that the queries ask for.
func (s *search) read(k *sympos.Kernel) error {
	if s.options.verbose {
		noteKernel(s.stderr, k.Name, k.Notes)
	}
	warnKernel(s.stderr, k.Name, k.Warnings, s.options)
	objects, all := []string{}, false
	for _, q := range s.queries {
		all = all || q.object == ""
		if q.object != "" && !slices.Contains(objects, q.object) {
			objects = append(objects, q.object)
		}
	}
	read := k.Read
	if all {
		if k.Index != nil {
			pages.Expect(kernelMemory)
		}
		read = k.ReadAll
	}
	t, err := read(wantedNames(s.queries), objects...)
	if err != nil {
		return err
	}
	warnKernel(s.stderr, k.Name, t.Warnings, s.options)
	warnKernel(s.stderr, k.Name, append(slices.Clone(k.Incomplete), t.Incomplete()...), s.options)
	if s.options.verbose {
		noteKernel(s.stderr, k.Name, t.Notes)
		for _, w := range t.Sources {
			if w.Kind != sympos.ModuleFile {
				noteKernel(s.stderr, w.Source.String(), w.Notes)
			}
		}
	}
	s.kernels = append(s.kernels, &searched{Kernel: k, table: t})
	return nil
}

// setLabels gives each kernel unique names: in JSON the release or the name that the user
// gave, in tables a short one.
func (s *search) setLabels() {
	count := map[string]int{}
	var kernels []namedKernel
	for _, k := range s.kernels {
		count[k.Release]++
		kernels = append(kernels, namedKernel{k.Name, k.Release})
	}
	labels := kernelLabels(kernels)
	for i, k := range s.kernels {
		if k.title = k.Name; k.Release != "" && count[k.Release] == 1 {
			k.title = k.Release
		}
		k.label = labels[i]
	}
}

// find groups the symbols that the queries match by object and name. It reports on stderr
// which queries match nothing in a kernel; then absent is true.
func (s *search) find() (absent bool) {
	type key struct{ object, name string }
	done := map[key]bool{} // matched by an earlier query
	var misses []miss
	for _, q := range s.queries {
		f := finding{query: q}
		at := map[key]int{}
		for i, k := range s.kernels {
			matched := false
			objects := k.table.Objects()
			if q.object != "" {
				objects = []string{s.objectIn(k, q)}
			}
			for _, object := range objects {
				names := []string{q.name}
				if q.match != nil {
					names = k.table.Names(object)
				}
				for _, name := range names {
					list, id := k.table.Lookup(object, name), key{object, name}
					if !q.matches(name) || len(list) == 0 {
						continue
					}
					matched = true
					if done[id] {
						continue
					}
					if _, known := at[id]; !known {
						at[id] = len(f.groups)
						f.groups = append(f.groups, group{object, name, make([][]sympos.Symbol, len(s.kernels))})
					}
					f.groups[at[id]].lists[i] = list
				}
			}
			if !matched {
				misses = append(misses, miss{q, k})
			}
		}
		for id := range at {
			done[id] = true
		}
		slices.SortFunc(f.groups, func(a, b group) int {
			return cmp.Or(cmp.Compare(a.name, b.name),
				cmp.Compare(moduleRank(a.object), moduleRank(b.object)),
				cmp.Compare(a.object, b.object))
		})
		s.found = append(s.found, f)
	}
	s.reportMisses(misses)
	return len(misses) > 0
}

// A miss is a query that matches nothing in a kernel.
type miss struct {
	query
	k *searched
}

// reportMisses reports queries that match nothing, with symbols of similar names. These are
// read once for all queries.
func (s *search) reportMisses(misses []miss) {
	near := make([][]resolve.Near, len(misses))
	more := make([]int, len(misses))
	for _, k := range s.kernels {
		var names []resolve.Sought
		var at []int
		for i, m := range misses {
			if m.k == k && m.match == nil {
				names = append(names, resolve.Sought{Object: m.object, Name: m.name})
				at = append(at, i)
			}
		}
		if len(names) == 0 {
			continue
		}
		lists, counts := resolve.NearMisses(k.Kernel, k.table, names...)
		for i := range lists {
			near[at[i]], more[at[i]] = lists[i], counts[i]
		}
	}
	for i, m := range misses {
		s.reportMiss(m.k, m.query)
		var rows [][2]string
		for _, x := range near[i] {
			rows = append(rows, [2]string{clean(x.Name) + "@" + clean(x.Object), clean(x.Why)})
		}
		for _, line := range resolve.Aligned(rows) {
			fmt.Fprintf(s.stderr, "    %s\n", line)
		}
		if more[i] > 0 {
			fmt.Fprintf(s.stderr, "    and %d more that are no nearer\n", more[i])
		}
		for _, line := range s.goneLines(m) {
			fmt.Fprintf(s.stderr, "    %s\n", clean(line))
		}
	}
}

func moduleRank(object string) int {
	if object == sympos.Vmlinux {
		return 0
	}
	return 1
}

// objectIn returns the object that a query means in a kernel: vmlinux for a module that is
// built in.
func (s *search) objectIn(k *searched, q query) string {
	if k.Presence(q.object) == sympos.BuiltIn && !k.table.Has(q.object) {
		fmt.Fprintf(s.stderr, "%s: note: klp-convert: %s is built in: its symbols are in vmlinux\n",
			oneLine(k.Name), q.object)
		return sympos.Vmlinux
	}
	return q.object
}

// reportMiss reports that a query matches nothing in a kernel.
func (s *search) reportMiss(k *searched, q query) {
	where := "in " + q.object
	switch {
	case q.object == "":
		where = "in " + describeObjects(k.table)
	case !k.table.Has(q.object):
		switch k.Presence(q.object) {
		case sympos.BuiltIn:
			where = "in vmlinux, of which " + q.object + " is a part"
		case sympos.Absent:
			where += ": the kernel has no such module"
		default:
			where += ": nothing is known of it; give its file with --module"
		}
	}
	what := fmt.Sprintf("no symbol %q", q.name)
	if q.match != nil {
		what = fmt.Sprintf("no symbol that matches /%s/", q.match)
	}
	fmt.Fprintf(s.stderr, "%s: error: klp-convert: %s %s\n", oneLine(k.Name), what, where)
	as, ok := k.table.FoundAs(sympos.Vmlinux, q.name)
	if ok && (q.object == "" || q.object == sympos.Vmlinux) {
		fmt.Fprintf(s.stderr, "    %s has it, which this kernel finds as %s only (CONFIG_LTO_CLANG)\n",
			sympos.Vmlinux, as)
	}
}

// describeObjects says what was searched: a few objects by name, many by their number.
func describeObjects(t *sympos.Table) string {
	objects := t.Objects()
	modules := len(objects)
	if t.Has(sympos.Vmlinux) {
		modules--
	}
	switch {
	case len(objects) == 0:
		return "what was given, which has no symbols at all"
	case len(objects) <= 3:
		return strings.Join(objects, ", ")
	case modules < len(objects):
		return fmt.Sprintf("vmlinux and %d modules", modules)
	}
	return fmt.Sprintf("%d modules; vmlinux was not given", modules)
}
