// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"fmt"

	"golang.org/x/exp/slices"
)

// A list of symbols does not have its length, and half a list looks like a whole one: of
// two symbols of a name it has only the first, which is then "the only one". But the
// table of every kernel begins and ends with symbols of the linker script:
//
//	_stext, _text         the beginning of the code, on all machines (asm-generic/sections.h)
//	_end, __bss_stop      the end of everything, when data is listed (CONFIG_KALLSYMS_ALL)
//	_einittext            the last of what is listed without it (scripts/kallsyms.c, text_ranges:
//	                      between _stext and _etext, _sinittext and _einittext)
//
// Checked with Debian's kernels 5.10, 6.1, 6.12 and 7.3 (x86-64), 6.1 (s390x, ppc64le) and on
// 6.18 without CONFIG_KALLSYMS_ALL. Of a module, modpost's __this_module is data and kept when
// data is (kernel/module/kallsyms.c, is_core_symbol); it is global, and after the local ones.

// An extent is which of these symbols a list has.
type extent struct {
	why, of           string // why it is known to be truncated, and in which object
	begin, end, inits bool
	data              bool // symbols of data are listed
	begins            int  // how many _stext; a kernel has one
	perCPUStart       bool // anywhere: a sorted list may have it later
	perCPUEnd         bool
	last              string // the last module
	lastHas           bool   // the last module has __this_module
	z                 bool   // names that begin with z
}

// noteTruncation notes that the list ends within a line.
func (x *extent) noteTruncation(why, object string) {
	x.why = why
	if object != Vmlinux {
		x.of = object
	}
}

// addSymbol adds a symbol of vmlinux.
func (x *extent) addSymbol(letter byte, name []byte) {
	switch letter {
	case 'd', 'b', 'r':
		x.data = true // symbols of the linker script are global, so these letters are of data
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

// beginModule notes that the symbols of another module begin.
func (x *extent) beginModule(name string) { x.last, x.lastHas = name, false }

// addModuleSymbol adds a symbol of that module.
func (x *extent) addModuleSymbol(name []byte) {
	x.lastHas = x.lastHas || string(name) == "__this_module"
}

// whyPartial returns why the list may not be whole, or "", and of which object: "" is all.
func (x *extent) whyPartial(perCPU, byName bool, lastName []byte) (why, of string) {
	switch {
	case x.why != "" && x.of == "":
		return x.why, ""
	case !x.end && (x.data || !x.inits):
		return fmt.Sprintf("it has neither _end nor __bss_stop, with which every kernel's "+
			"symbols end; its last is %.40q: a part of it is missing", lastName), ""
	case !x.begin:
		return "it has neither _text nor _stext, with which every kernel's code begins: a part " +
			"of it is missing", ""
	case x.begins > 1:
		return fmt.Sprintf("it has _stext %d times, which a kernel has once: several lists were "+
			"joined", x.begins), ""
	case !perCPU && x.perCPUStart:
		return "its per-CPU symbols do not come first: it is not in the order in which the " +
			"kernel lists them", ""
	case !perCPU && x.perCPUEnd:
		return "it has __per_cpu_end and no __per_cpu_start: its beginning is missing", ""
	case byName && !x.z:
		return fmt.Sprintf("it is sorted by name, and its last is %.40q: a part of it is missing",
			lastName), ""
	case x.why != "":
		return x.why, x.of
	case x.data && x.last != "" && !x.lastHas && !isPseudoModule([]byte(x.last)):
		return fmt.Sprintf("it ends within module %s, before __this_module: it was cut",
			x.last), x.last
	}
	return "", ""
}

// Partial returns why the table may not have all symbols of the object, or "". A symbol
// that it does not have may exist, and there may be more of a name than it has.
func (t *Table) Partial(object string) string {
	o := t.objects[object]
	if o == nil || o.facts.Partial == "" {
		return ""
	}
	return o.source + ": " + o.facts.Partial
}

// PartialExports returns why a list of exports may not have all, or "".
func (t *Table) PartialExports() string {
	for _, w := range t.Sources {
		if w.Kind == Symvers && w.Partial != "" {
			return w.Source.String() + ": " + w.Partial
		}
	}
	return ""
}

// Incomplete returns which sources may not be whole and why, a line each.
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
