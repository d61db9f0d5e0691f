// SPDX-License-Identifier: GPL-2.0-or-later

package matrix

import (
	"fmt"
	"strconv"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
)

// Matrix is the result of a check. New makes it; Compare adds a baseline. Nothing else changes
// it.
type Matrix struct {
	Modules  []Module
	Kernels  []Kernel
	Cells    [][]Cell  // by module, then by kernel
	Findings []Finding // each once: what fails before notes, then in the order of the cells
	// Strict says that a cell fails also when something could not be judged.
	Strict   bool
	Baseline *Baseline // nil when there is none
}

// Module is a row.
type Module struct {
	File  string // as it was given, "<stdin>" for what was piped
	Label string // short and unique; printable
}

// Kernel is a column.
type Kernel struct {
	Name                     string // as it was given
	Label                    string // short and unique; printable
	Release, Version, Scheme string
	Warnings                 []string // what speaks against its files
}

// Cell is what one kernel makes of one module.
type Cell struct {
	*loader.Report
	Marks []Mark // one for each of Report.Findings
}

// Mark says which finding of the matrix a finding of a cell is.
type Mark struct {
	Finding     int // index into Matrix.Findings
	Fingerprint string
	Known       bool // the baseline has it
}

// At is one cell of a finding.
type At struct {
	Module, Kernel int
	Where          string // the place in this module, "" for all of it
	Known          bool   // the baseline has it
}

// Finding is a diagnostic of one or more cells.
type Finding struct {
	diag.Diagnostic // as the first of Cells has it
	Cells           []At
}

// Known reports whether the baseline has the finding of each cell.
func (f *Finding) Known() bool {
	return !slices.ContainsFunc(f.Cells, func(a At) bool { return !a.Known })
}

// New makes a matrix of reports, by module and then by kernel: as many as there are modules
// and kernels, at least one of each. The reports are kept and must not change.
func New(modules []Module, kernelLabels []string, reports [][]*loader.Report) *Matrix {
	m := &Matrix{Modules: modules}
	for k, r := range reports[0] {
		m.Kernels = append(m.Kernels, Kernel{Name: r.Kernel, Label: kernelLabels[k],
			Release: r.Release, Version: r.Version, Scheme: r.Scheme, Warnings: r.Warnings})
	}
	for i := range modules {
		row := make([]Cell, len(m.Kernels))
		for k := range row {
			row[k].Report = reports[i][k]
		}
		m.Cells = append(m.Cells, row)
	}
	m.merge()
	m.fingerprint()
	return m
}

// merge fills in Findings, and the marks of the cells.
func (m *Matrix) merge() {
	index := map[string]int{}
	for i, row := range m.Cells {
		for k := range row {
			c := &row[k]
			own := ownWords(m.Modules[i].File, c.Report)
			for n := range c.Findings {
				f := &c.Findings[n]
				key := own.key(f)
				at, seen := index[key]
				if !seen {
					at = len(m.Findings)
					index[key] = at
					m.Findings = append(m.Findings, Finding{Diagnostic: *f})
				}
				all := &m.Findings[at]
				all.Cells = append(all.Cells, At{Module: i, Kernel: k, Where: f.Where()})
				c.Marks = append(c.Marks, Mark{Finding: at})
			}
		}
	}
	m.sortFindings()
}

// sortFindings puts notes last.
func (m *Matrix) sortFindings() {
	order := make([]int, len(m.Findings))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return int(m.Findings[b].Severity) - int(m.Findings[a].Severity)
	})
	sorted, now := make([]Finding, len(order)), make([]int, len(order))
	for i, was := range order {
		sorted[i], now[was] = m.Findings[was], i
	}
	m.Findings = sorted
	for _, row := range m.Cells {
		for _, c := range row {
			for n := range c.Marks {
				c.Marks[n].Finding = now[c.Marks[n].Finding]
			}
		}
	}
}

// Counts are how many findings of a cell fail it, by whether the baseline has them.
func (c *Cell) Counts() (fresh, known int) {
	for n := range c.Findings {
		switch {
		case c.Findings[n].Severity != diag.Error:
		case c.Marks[n].Known:
			known++
		default:
			fresh++
		}
	}
	return fresh, known
}

// Passes reports whether nothing fails the cell but what the baseline has.
func (c *Cell) Passes(strict bool) bool {
	fresh, _ := c.Counts()
	return fresh == 0 && !(strict && len(c.NotJudged()) > 0)
}

// Passes reports whether each cell passes.
func (m *Matrix) Passes() bool {
	for i := range m.Modules {
		if !m.ModulePasses(i) {
			return false
		}
	}
	return true
}

// ModulePasses reports whether each cell of the module passes.
func (m *Matrix) ModulePasses(module int) bool {
	return !slices.ContainsFunc(m.Cells[module], func(c Cell) bool { return !c.Passes(m.Strict) })
}

// Verdict returns what is said of a cell in one line: "loads", the first line that the kernel
// prints, or that something was not judged.
func Verdict(r *loader.Report) string {
	if f := r.First(); f != nil {
		return f.KernelSays()
	}
	if n := len(r.NotJudged()); n > 0 {
		return fmt.Sprintf("loads, as far as its files tell: %d not judged", n)
	}
	return "loads"
}

// Word returns what is said of a cell in a table: "loads", "3 not judged", or the id of the
// first finding that fails it, then the numbers of its findings.
func (m *Matrix) Word(c *Cell) string {
	word := "loads"
	if f := c.First(); f != nil {
		word = string(f.ID)
		if fresh, known := c.Counts(); fresh == 0 && known > 0 {
			word = "known " + word
		}
	} else if n := len(c.NotJudged()); n > 0 {
		word = strconv.Itoa(n) + " not judged"
	}
	const most = 3 // numbers
	numbers := c.Numbers()
	for _, n := range numbers[:min(len(numbers), most)] {
		word += fmt.Sprintf(" #%d", n)
	}
	if n := len(numbers) - most; n > 0 {
		word += fmt.Sprintf(" +%d", n)
	}
	return word
}

// Numbers returns the numbers of the cell's findings, from 1, each once and in their order.
func (c *Cell) Numbers() []int {
	var all []int
	for _, k := range c.Marks {
		all = append(all, k.Finding+1)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Gap is a list of things that were not checked, and the cells in which they were not.
type Gap struct {
	Items []loader.Unchecked
	Cells []At
}

// Gaps returns what was not checked, each list once, in the order of the cells: what a file
// would tell (lacking), or what only a running kernel tells. Cells for which of says no are
// left out.
func (m *Matrix) Gaps(lacking bool, of func(c *Cell) bool) []Gap {
	var all []Gap
	index := map[string]int{}
	for i, row := range m.Cells {
		for k := range row {
			if !of(&row[k]) {
				continue
			}
			var items []loader.Unchecked
			key := ""
			for _, u := range row[k].Unchecked {
				if u.NotJudged == lacking {
					items = append(items, u)
					key += u.What + "\x00" + u.Why + "\x00"
				}
			}
			if len(items) == 0 {
				continue
			}
			at, seen := index[key]
			if !seen {
				at = len(all)
				index[key] = at
				all = append(all, Gap{Items: items})
			}
			all[at].Cells = append(all[at].Cells, At{Module: i, Kernel: k})
		}
	}
	return all
}
