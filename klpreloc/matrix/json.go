// SPDX-License-Identifier: GPL-2.0-or-later

package matrix

import (
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
)

// ModuleJSON is what --json prints for one module. docs/check.md describes it. Fields come and
// none goes.
type ModuleJSON struct {
	File     string        `json:"file"`
	Loads    bool          `json:"loads"` // everywhere, with no finding but known ones
	Kernels  []CellJSON    `json:"kernels"`
	Baseline *BaselineJSON `json:"baseline,omitempty"`
}

// CellJSON is a loader.Report with what follows from it.
type CellJSON struct {
	Kernel    string             `json:"kernel"`
	Release   string             `json:"release"`
	Version   string             `json:"version"`
	Scheme    string             `json:"scheme"`
	Warnings  []string           `json:"warnings,omitempty"`
	Findings  []FindingJSON      `json:"findings"`
	Unchecked []loader.Unchecked `json:"unchecked"`
	Chosen    []loader.Chosen    `json:"positions,omitempty"`

	Verdict  string `json:"verdict"` // "loads", or the first message
	Problems int    `json:"problems"`
	Insmod   bool   `json:"insmod"` // insmod succeeds
}

// FindingJSON is a diagnostic of check: its message is the cause of what the kernel does, and
// its hints fix it.
type FindingJSON struct {
	ID          diag.ID           `json:"id"`
	Severity    string            `json:"severity"`
	Section     string            `json:"section,omitempty"`
	Offset      *uint64           `json:"offset,omitempty"`
	Symbol      string            `json:"symbol,omitempty"`
	Cases       []diag.Case       `json:"cases"`
	Cause       string            `json:"cause"`
	Differences []diag.Difference `json:"differences,omitempty"`
	Places      []string          `json:"places,omitempty"`
	Fix         []string          `json:"fix,omitempty"`
	Known       bool              `json:"known,omitempty"` // the baseline has it, in each cell
	Cells       []AtJSON          `json:"cells,omitempty"`
}

// MatrixJSON is what --json prints for several modules. Kernels, findings and what was not
// checked are there once; others refer to them by their index.
type MatrixJSON struct {
	Loads     bool              `json:"loads"`
	Modules   []ModuleEntryJSON `json:"modules"`
	Kernels   []KernelJSON      `json:"kernels"`
	Cells     [][]MatrixCell    `json:"cells"` // by module, then by kernel
	Findings  []FindingJSON     `json:"findings"`
	Unchecked []GapJSON         `json:"unchecked"`
	Baseline  *BaselineJSON     `json:"baseline,omitempty"`
}

// ModuleEntryJSON is a row.
type ModuleEntryJSON struct {
	File  string `json:"file"`
	Label string `json:"label"`
	Loads bool   `json:"loads"`
}

// KernelJSON is a column.
type KernelJSON struct {
	Kernel   string   `json:"kernel"`
	Label    string   `json:"label"`
	Release  string   `json:"release"`
	Version  string   `json:"version"`
	Scheme   string   `json:"scheme"`
	Warnings []string `json:"warnings,omitempty"`
}

// MatrixCell is a cell.
type MatrixCell struct {
	Verdict   string          `json:"verdict"`
	Problems  int             `json:"problems"`
	Insmod    bool            `json:"insmod"`
	NotJudged int             `json:"not_judged,omitempty"`
	Findings  []int           `json:"findings,omitempty"`
	Chosen    []loader.Chosen `json:"positions,omitempty"`
}

// AtJSON is a cell that has a finding.
type AtJSON struct {
	Module int    `json:"module"`
	Kernel int    `json:"kernel"`
	Place  string `json:"place,omitempty"`
	Known  bool   `json:"known,omitempty"`
}

// GapJSON is a list of things that were not checked, and the cells in which they were not.
type GapJSON struct {
	Items []loader.Unchecked `json:"items"`
	Cells []AtJSON           `json:"cells"`
}

// BaselineJSON is what came of the comparison with a baseline.
type BaselineJSON struct {
	File      string     `json:"file"`
	Known     int        `json:"known"`
	Gone      []GoneJSON `json:"gone"`
	Elsewhere int        `json:"elsewhere"`
}

// GoneJSON is a finding of the baseline that its cell does not have any more.
type GoneJSON struct {
	ID      string `json:"id"`
	Module  string `json:"module"`
	Kernel  string `json:"kernel"`
	Message string `json:"message"`
}

// JSON returns what --json prints: a ModuleJSON for one module, else a MatrixJSON.
func (m *Matrix) JSON() any {
	if len(m.Modules) == 1 {
		return m.moduleJSON()
	}
	all := MatrixJSON{Loads: m.Passes(), Cells: make([][]MatrixCell, len(m.Modules)),
		Findings: []FindingJSON{}, Unchecked: []GapJSON{}, Baseline: m.baselineJSON()}
	for i, x := range m.Modules {
		all.Modules = append(all.Modules, ModuleEntryJSON{x.File, x.Label, m.ModulePasses(i)})
		for k := range m.Cells[i] {
			c := &m.Cells[i][k]
			cell := MatrixCell{Verdict: verdictWord(c.Report), Problems: c.Problems(),
				Insmod: c.Loads(), NotJudged: len(c.NotJudged()), Chosen: c.Chosen}
			for _, n := range c.Numbers() {
				cell.Findings = append(cell.Findings, n-1)
			}
			all.Cells[i] = append(all.Cells[i], cell)
		}
	}
	for _, k := range m.Kernels {
		all.Kernels = append(all.Kernels,
			KernelJSON{k.Name, k.Label, k.Release, k.Version, k.Scheme, k.Warnings})
	}
	for i := range m.Findings {
		f := &m.Findings[i]
		x := findingJSON(&f.Diagnostic)
		x.Known, x.Cells = f.Known(), cellsJSON(f.Cells)
		all.Findings = append(all.Findings, x)
	}
	for _, lacking := range []bool{true, false} {
		for _, g := range m.Gaps(lacking, anyCell) {
			all.Unchecked = append(all.Unchecked, GapJSON{g.Items, cellsJSON(g.Cells)})
		}
	}
	return all
}

func anyCell(*Cell) bool { return true }

// verdictWord is Verdict without what was not judged, which JSON has apart from it.
func verdictWord(r *loader.Report) string {
	if f := r.First(); f != nil {
		return f.KernelSays()
	}
	return "loads"
}

func (m *Matrix) moduleJSON() ModuleJSON {
	r := ModuleJSON{File: m.Modules[0].File, Loads: m.Passes(), Baseline: m.baselineJSON()}
	for k := range m.Cells[0] {
		c := &m.Cells[0][k]
		cell := CellJSON{
			Kernel: c.Kernel, Release: c.Release, Version: c.Version, Scheme: c.Scheme,
			Warnings: c.Warnings, Findings: []FindingJSON{}, Unchecked: c.Unchecked,
			Chosen: c.Chosen, Verdict: verdictWord(c.Report), Problems: c.Problems(),
			Insmod: c.Loads(),
		}
		for n := range c.Findings {
			x := findingJSON(&c.Findings[n])
			x.Known = c.Marks[n].Known
			cell.Findings = append(cell.Findings, x)
		}
		r.Kernels = append(r.Kernels, cell)
	}
	return r
}

func findingJSON(d *diag.Diagnostic) FindingJSON {
	return FindingJSON{
		ID: d.ID, Severity: SeverityWord(d.Severity), Section: d.Section, Offset: d.Offset,
		Symbol: d.Symbol, Cases: append([]diag.Case{}, d.Cases...), Cause: d.Message,
		Places: d.Places, Fix: d.Hints, Differences: d.Differences,
	}
}

func cellsJSON(cells []At) []AtJSON {
	all := make([]AtJSON, len(cells))
	for i, c := range cells {
		all[i] = AtJSON{c.Module, c.Kernel, c.Where, c.Known}
	}
	return all
}

func (m *Matrix) baselineJSON() *BaselineJSON {
	if m.Baseline == nil {
		return nil
	}
	b := &BaselineJSON{File: m.Baseline.File, Known: m.Baseline.Known,
		Elsewhere: m.Baseline.Elsewhere, Gone: []GoneJSON{}}
	for _, g := range m.Baseline.Gone {
		b.Gone = append(b.Gone, GoneJSON{g.RuleID, g.Module(), g.Kernel(), g.Message.Text})
	}
	return b
}
