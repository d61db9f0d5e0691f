// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"io"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos"
)

// write prints tables.
func (s *search) write(w io.Writer) error {
	t := newTable(w)
	for _, f := range s.found {
		if len(s.kernels) > 1 {
			for _, g := range f.groups {
				s.compare(t, g)
			}
		} else {
			s.writeFinding(t, f)
		}
	}
	return t.flush()
}

// writeFinding prints what was found for a query in the only kernel.
func (s *search) writeFinding(t *table, f finding) {
	k := s.kernels[0]
	columns := []string{"POSITION", "ADDRESS", "SIZE", "TYPE", "OBJECT", "FILE"}
	if f.match != nil {
		columns = slices.Insert(columns, 0, "NAME")
	}
	t.section(clean(f.arg)+" in "+k.label, columns...)
	var remarks []string
	for i, g := range f.groups {
		facts := k.table.Facts(g.object)
		for _, y := range g.lists[0] {
			row := []any{
				position(y, len(g.lists[0])), address(y, facts), orDash(y.Size), letter(y.Type),
				g.object, y.File,
			}
			if f.match != nil {
				row = slices.Insert(row, 0, any(g.name))
			}
			t.row(row...)
		}
		about := append(s.remarks(k, g), copyLines(k, g, g.lists[0])...)
		if i == len(f.groups)-1 || f.groups[i+1].name != g.name {
			about = append(about, exported(k, g.name)...)
		}
		for _, r := range about {
			if f.match != nil {
				r = g.name + ": " + r
			}
			if !slices.Contains(remarks, r) {
				remarks = append(remarks, r)
			}
		}
	}
	var doubts []string
	for _, g := range f.groups {
		why := k.table.Partial(g.object)
		if why != "" && !slices.Contains(doubts, why) {
			doubts = append(doubts, why)
			remarks = append(remarks, "there may be more, and positions may differ: "+why)
		}
	}
	for _, r := range remarks {
		t.line("  %s", clean(r))
	}
}

// remarks returns the lines below the table of a name: what limits the use of its positions
// and addresses.
func (s *search) remarks(k *searched, g group) (lines []string) {
	facts, list := k.table.Facts(g.object), g.lists[0]
	switch {
	case facts.Order == sympos.Unordered && len(list) > 1:
		lines = append(lines, fmt.Sprintf("?: the order in %s is not known: %s is a %s",
			g.object, list[0].Source, facts.Kind))
	case facts.Order != sympos.Unordered && slices.ContainsFunc(list, isUnsteady):
		lines = append(lines, fmt.Sprintf(
			"!: counted differently once %s is loaded, so not to be used", g.object))
	}
	if facts.Relative != "" {
		lines = append(lines, fmt.Sprintf("addresses in %s count from %s", g.object, facts.Relative))
	}
	if facts.NoAddresses && facts.Kind == sympos.Kallsyms {
		lines = append(lines, fmt.Sprintf("-: %s shows addresses to root only", list[0].Source))
	}
	for _, y := range list {
		if whole := k.table.WholeName(y); whole != "" {
			lines = append(lines, fmt.Sprintf(
				"%s is %s, of which this kernel compares %s only (CONFIG_LTO_CLANG)",
				position(y, len(list)), whole, y.Name))
		}
	}
	if d := k.table.Unsure(g.object, g.name); d != "" {
		lines = append(lines, "not known: "+d)
	}
	if d := k.table.Doubt(g.object, g.name); d != "" {
		lines = append(lines, "contradiction: "+d)
	}
	return lines
}

func isUnsteady(y sympos.Symbol) bool { return !y.Steady() }

// exported returns a line for each object that exports the name.
func exported(k *searched, name string) (lines []string) {
	for _, e := range k.table.Exports(name) {
		line := "exported by " + e.Object
		if e.Namespace != "" {
			line += " to " + e.Namespace
		}
		lines = append(lines, line)
	}
	unread := func(module string) bool { return !k.table.KnowsExports(module) }
	if !k.table.ListsModules() && slices.ContainsFunc(k.Modules(), unread) {
		lines = append(lines, "what other modules export was not read: there is no Module.symvers")
	}
	return lines
}

func position(y sympos.Symbol, of int) string {
	switch {
	case y.Position == 0 && of > 1:
		return "?"
	case y.Position == 0:
		return "1"
	case !y.Steady():
		return fmt.Sprintf("%d!", y.Position)
	}
	return fmt.Sprint(y.Position)
}

func address(y sympos.Symbol, facts sympos.Facts) string {
	switch {
	case facts.NoAddresses:
		return "-"
	case facts.Kind == sympos.ModuleFile || facts.Relative != "":
		return fmt.Sprintf("+%#x", y.Address)
	}
	return fmt.Sprintf("%016x", y.Address)
}

func orDash(n uint64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func letter(c byte) string {
	if c == 0 {
		return "-"
	}
	return clean(string(rune(c)))
}

// compare prints one name in several kernels: a line for each position.
func (s *search) compare(t *table, g group) {
	head := []string{"POSITION"}
	for _, k := range s.kernels {
		head = append(head, k.label)
	}
	t.section(clean(g.name)+" in "+clean(g.object), head...)
	g.lists = s.withPaths(g)
	counts, most := map[int]bool{}, 0
	for _, list := range g.lists {
		counts[len(list)] = true
		most = max(most, len(list))
	}
	files := everywhere(g.lists, func(y sympos.Symbol) bool { return y.File != "" })
	ordered := everywhere(g.lists, func(y sympos.Symbol) bool { return y.Position > 0 })
	for p := range most {
		row := []any{p + 1}
		if !ordered && most > 1 {
			row[0] = "?"
		}
		for i, list := range g.lists {
			if p >= len(list) {
				row = append(row, "! -")
				continue
			}
			y := list[p]
			cell := fmt.Sprintf("%s %s %s", orDash(y.Size), letter(y.Type), y.File)
			mark := s.mark(g.lists, i, p, files, len(counts) > 1 || !ordered)
			row = append(row, strings.TrimSpace(mark+cell))
		}
		t.row(row...)
	}
	switch {
	case !ordered && most > 1:
		t.line("  the order is not known for all of them")
	case len(counts) > 1 && !files:
		t.line("  their numbers differ, and no file names tell them apart: any position may have moved")
	}
	if files {
		for _, l := range s.moved(g) {
			t.line("  %s", l)
		}
	}
	for i, k := range s.kernels {
		for _, l := range copyLines(k, g, g.lists[i]) {
			t.line("  %s: %s", k.label, clean(l))
		}
	}
}

// mark compares the symbol at a position in kernel i with those in the kernels before it.
func (s *search) mark(lists [][]sympos.Symbol, i, p int, files, doubtful bool) string {
	y := lists[i][p]
	for _, before := range lists[:i] {
		if p >= len(before) {
			continue
		}
		x := before[p]
		switch {
		case files && x.File != y.File:
			return "! "
		case files && !isShared(before, x.File) && !isShared(lists[i], y.File):
		case x.Type|0x20 != y.Type|0x20 && x.Type != 0 && y.Type != 0:
			return "! "
		case doubtful || x.Size != y.Size:
			return "? "
		}
	}
	return ""
}

// isShared reports whether several symbols are from files of that name, or from that file.
func isShared(list []sympos.Symbol, file string) bool {
	n := 0
	for _, y := range list {
		if y.File == file {
			n++
		}
	}
	return n > 1
}

// withPaths returns the symbols with the paths of their files if debug information has them
// for all of the kernels: names cannot be compared with paths.
func (s *search) withPaths(g group) [][]sympos.Symbol {
	lists := make([][]sympos.Symbol, len(g.lists))
	for i, k := range s.kernels {
		files, err := k.table.Files(g.object, g.name)
		if err != nil || len(files) != len(g.lists[i]) {
			return g.lists
		}
		lists[i] = slices.Clone(g.lists[i])
		for j, f := range files {
			if !f.HasPath() {
				return g.lists
			}
			lists[i][j].File = f.String()
		}
	}
	return lists
}

// moved returns a line for each file whose symbols have different positions in the kernels.
func (s *search) moved(g group) []string {
	var files, lines []string
	for _, list := range g.lists {
		for _, y := range list {
			if !slices.Contains(files, y.File) {
				files = append(files, y.File)
			}
		}
	}
	for _, file := range files {
		at, differs, last := []string{}, false, ""
		for i, list := range g.lists {
			where := []string{}
			for _, y := range list {
				if y.File == file {
					where = append(where, fmt.Sprint(y.Position))
				}
			}
			text := strings.Join(where, ", ")
			if text == "" {
				text = "none"
			}
			differs = differs || i > 0 && text != last
			last = text
			at = append(at, text+" in "+s.kernels[i].label)
		}
		if differs {
			lines = append(lines, clean(file)+": "+strings.Join(at, "; "))
		}
	}
	return lines
}

func everywhere(lists [][]sympos.Symbol, holds func(sympos.Symbol) bool) bool {
	for _, list := range lists {
		for _, y := range list {
			if !holds(y) {
				return false
			}
		}
	}
	return true
}

// A foundSymbol is one element of what --json prints. The position is null if it can't be used:
// the order is not known, or changes when the module is loaded. The address is null if it is
// not known. Other fields are empty or 0 if they are not known.
type foundSymbol struct {
	Kernel   string  `json:"kernel"` // the release, if it is known and unique
	Object   string  `json:"object"`
	Name     string  `json:"name"`
	Position *int    `json:"position"`
	Address  *string `json:"address"` // in hex; in a module's file, of its section
	Size     uint64  `json:"size"`
	Type     string  `json:"type"`
	File     string  `json:"file"`
	// Doubt says why there may be more symbols of the name, or others before this one.
	Doubt string `json:"doubt,omitempty"`
	// Inlined are the places where the function is inlined; left out if nothing tells. Clones are
	// other code of the function.
	Inlined *[]inlinedJSON `json:"inlined,omitempty"`
	Clones  []cloneJSON    `json:"clones,omitempty"`
}

// list is what was found, for --json.
func (s *search) list() []foundSymbol {
	all := []foundSymbol{}
	for _, f := range s.found {
		for _, g := range f.groups {
			all = s.appendGroup(all, g)
		}
	}
	return all
}

func (s *search) appendGroup(all []foundSymbol, g group) []foundSymbol {
	for i, list := range g.lists {
		k := s.kernels[i]
		for n, y := range list {
			f := foundSymbol{
				Kernel: k.title, Object: g.object, Name: g.name, Size: y.Size, File: y.File,
				Doubt: k.table.Partial(g.object),
			}
			if !k.table.Facts(g.object).NoAddresses {
				address := fmt.Sprintf("%#x", y.Address)
				f.Address = &address
			}
			if y.Type != 0 {
				f.Type = string(rune(y.Type))
			}
			if y.Position != 0 && y.Steady() {
				f.Position = &y.Position
			}
			f.addCopies(k, g, n)
			all = append(all, f)
		}
	}
	return all
}
