// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"fmt"

	"golang.org/x/exp/slices"
)

// A list of symbols says nothing of its length, and half of one looks like a whole one: of
// two symbols of a name it has the first only, which is then "the only one". What tells
// is that every kernel's table begins and ends with symbols of the linker script:
//
//	_stext, _text         the beginning of the code, on all machines (asm-generic/sections.h)
//	_end, __bss_stop      the end of everything, when data is listed (CONFIG_KALLSYMS_ALL)
//	_einittext            the last of what is listed without it (scripts/kallsyms.c, text_ranges:
//	                      between _stext and _etext, _sinittext and _einittext)
//
// Seen to hold on Debian's kernels 5.10, 6.1, 6.12 and 7.3 (x86-64), 6.1 (s390x, ppc64le) and on
// 6.18 without CONFIG_KALLSYMS_ALL. Of a module, modpost's __this_module is data and kept when
// data is (kernel/module/kallsyms.c, is_core_symbol); it is global, and behind the local ones.

// An extent is what a list was seen to have of those.
type extent struct {
	why, of           string // that it was cut, known otherwise
	begin, end, inits bool
	data              bool // symbols of data are listed
	begins            int  // how many _stext; a kernel has one
	perCPUStart       bool // anywhere, as in a list that was sorted
	perCPUEnd         bool
	last              string // of the modules
	lastHas           bool   // __this_module
	z                 bool   // names that begin with z
}

// cut notes that the list ends within a line.
func (x *extent) cut(why, object string) {
	x.why = why
	if object != Vmlinux {
		x.of = object
	}
}

// core sees a symbol of vmlinux.
func (x *extent) core(letter byte, name []byte) {
	switch letter {
	case 'd', 'b', 'r':
		x.data = true // what the linker script defines is global, and listed at all events
	}
	if len(name) > 0 && name[0] == 'z' {
		x.z = true
	}
	if len(name) < 4 || name[0] != '_' || len(name) > len("__per_cpu_start") {
		return
	}
	switch string(name) {
	case "_stext":
		x.begin = true
		x.begins++
	case "_text":
		x.begin = true
	case "_einittext":
		x.inits = true
	case "__per_cpu_start":
		x.perCPUStart = x.perCPUStart || letter == 'A'
	case "__per_cpu_end":
		x.perCPUEnd = x.perCPUEnd || letter == 'A'
	default:
		x.end = x.end || isEnd(name)
	}
}

// isEnd reports whether the name is one of the last of a kernel.
func isEnd(name []byte) bool {
	return string(name) == "_end" || string(name) == "__bss_stop"
}

// module sees that the symbols of another module begin.
func (x *extent) module(name string) { x.last, x.lastHas = name, false }

// member sees a symbol of that module.
func (x *extent) member(name []byte) { x.lastHas = x.lastHas || string(name) == "__this_module" }

// partial says why the list may not be whole, and of which object, "" being all.
func (x *extent) partial(perCPU, byName bool, lastName []byte) (why, of string) {
	switch {
	case x.why != "" && x.of == "":
		return x.why, ""
	case !x.end && (x.data || !x.inits):
		return fmt.Sprintf("it has neither _end nor __bss_stop, with which every kernel's symbols end; its last is %.40q: a part of it is missing", lastName), ""
	case !x.begin:
		return "it has neither _text nor _stext, with which every kernel's code begins: a part of it is missing", ""
	case x.begins > 1:
		return fmt.Sprintf("it has _stext %d times, which a kernel has once: several lists were joined", x.begins), ""
	case !perCPU && x.perCPUStart:
		return "its per-CPU symbols do not come first: it is not in the order in which the kernel lists them", ""
	case !perCPU && x.perCPUEnd:
		return "it has __per_cpu_end and no __per_cpu_start: its beginning is missing", ""
	case byName && !x.z:
		return fmt.Sprintf("it is sorted by name, and its last is %.40q: a part of it is missing", lastName), ""
	case x.why != "":
		return x.why, x.of
	case x.data && x.last != "" && !x.lastHas && !notModule([]byte(x.last)):
		return fmt.Sprintf("it ends within module %s, before __this_module: it was cut", x.last), x.last
	}
	return "", ""
}

// Partial says why what is known of the object may not be all, or "". A symbol that it
// does not have may exist, and there may be more of one that it has.
func (t *Table) Partial(object string) string {
	o := t.objects[object]
	if o == nil || o.facts.Partial == "" {
		return ""
	}
	return o.source + ": " + o.facts.Partial
}

// PartialExports says why a list of exports may not have all, or "".
func (t *Table) PartialExports() string {
	for _, w := range t.Sources {
		if w.Kind == Symvers && w.Partial != "" {
			return w.Source.String() + ": " + w.Partial
		}
	}
	return ""
}

// Incomplete says which sources may not be whole, a line each.
func (t *Table) Incomplete() (lines []string) {
	for _, w := range t.Sources {
		if w.Partial == "" {
			continue
		}
		line := w.Source.String() + " may not be whole: " + w.Partial
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}
