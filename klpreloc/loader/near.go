// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/resolve"
	"github.com/klp-convert/klp-convert/sympos"
)

// A name that the kernel does not have exists in another form in most cases. Package resolve
// knows which one can be meant.

// mostSought is for how many names of one module others are looked for: a module that misses
// more is for another kernel.
const mostSought = 32

// sought returns the names for which others are looked for, in the order of the findings.
func sought(found []finding) []*lookup {
	var all []*lookup
	for i := range found {
		if q := found[i].sought; q != nil && len(all) < mostSought {
			all = append(all, q)
		}
	}
	return all
}

// nearMisses returns for each result lines to paste that name what can be meant, a list for
// each name that it seeks. If there is one, all of the kernel is read once more.
func nearMisses(k *facts, results []result) [][][]string {
	var names []resolve.Sought
	for _, r := range results {
		for _, q := range sought(r.found) {
			names = append(names, resolve.Sought{Object: q.object, Name: q.name})
		}
	}
	lines := make([][][]string, len(results))
	if len(names) == 0 {
		return lines
	}
	lists, _ := resolve.NearMisses(k.Kernel, k.table, names...)
	for i, r := range results {
		for n, q := range sought(r.found) {
			lines[i] = append(lines[i], offers(q, lists[n]))
		}
		lists = lists[len(lines[i]):]
	}
	return lines
}

// offers returns a line for each symbol that can be meant.
func offers(q *lookup, near []resolve.Near) []string {
	var rows [][2]string
	for _, x := range near {
		line := x.Line(q.object)
		if q.ids[0] == diag.FunctionAbsent {
			line = declaration(x)
		}
		rows = append(rows, [2]string{line, x.Why})
	}
	lines := resolve.Aligned(rows)
	for i := range lines {
		lines[i] = diag.Printable(lines[i])
	}
	return lines
}

// offer returns the findings, each of those that seek a name with its lines before its hints.
func offer(found []finding, near [][]string) []finding {
	all := slices.Clone(found)
	for i := range all {
		if all[i].sought != nil && len(near) > 0 {
			all[i].Hints = append(slices.Clip(near[0]), all[i].Hints...)
			near = near[1:]
		}
	}
	return all
}

// declaration is what a klp_func for the symbol says.
func declaration(x resolve.Near) string {
	position, ok := x.Chosen()
	switch {
	case !ok:
		return x.Name
	case position > 0:
		return fmt.Sprintf(".old_name = %q, .old_sympos = %d,", x.Name, position)
	}
	return fmt.Sprintf(".old_name = %q,", x.Name)
}

// wrappersOf returns hints that name functions that ftrace can change and that may call the
// function, by their names: the entry of a system call for __do_sys_NAME, NAME for __NAME.
func (k *facts) wrappersOf(object, function string) (hints []string) {
	for _, name := range resolve.Wrappers(function) {
		if len(k.table.Lookup(object, name)) != 1 || !k.canPatch(object, name) {
			continue
		}
		if strings.Contains(name, "sys_") && strings.Contains(function, "sys_") {
			hints = append(hints, "patch "+name+", the entry of the system call")
		} else {
			hints = append(hints, "patch "+name+", if it calls "+function+
				": it has an ftrace entry")
		}
	}
	return hints
}

// canPatch reports whether it is known that the only function of a name has an ftrace entry. One of
// vmlinux that is exported is assumed to, where the entries are not known.
func (k *facts) canPatch(object, name string) bool {
	if object == sympos.Vmlinux {
		return (sitesKnown(k) || len(k.table.Exports(name)) > 0) &&
			whyUntraced(k, klppatch.Func{OldName: name}) == ""
	}
	target := k.modules[object]
	if target == nil {
		return false
	}
	y := symbolAt(target, name, 1)
	if y == nil || y.Type() == elf.STT_OBJECT {
		return false
	}
	yes, _ := k.traceable(target, y)
	return yes
}
