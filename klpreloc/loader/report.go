// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// Report is what one kernel will make of the module. A finding that is a diag.Error stops
// the module or its target from loading, is never applied, oopses, makes the kernel warn, or
// works by load order only; a diag.Note works.
type Report struct {
	Module    string      `json:"-"`       // what the kernel calls it, "" when nothing tells
	Kernel    string      `json:"kernel"`  // as it was asked for
	Release   string      `json:"release"` // "" when nothing tells
	Version   string      `json:"version"`
	Scheme    string      `json:"scheme"`
	Warnings  []string    `json:"warnings,omitempty"` // what speaks against the kernel's files
	Findings  diag.List   `json:"findings"`           // in the loader's order, notes among them
	Unchecked []Unchecked `json:"unchecked"`
	Chosen    []Chosen    `json:"positions,omitempty"` // which symbols positions mean
}

// Unchecked is something that was not checked, and why.
type Unchecked struct {
	What string `json:"what"`
	Why  string `json:"why"`
	// NotJudged: a file of the kernel's would tell, and is not available, or the module should
	// tell, and does not. Otherwise only a running kernel can tell.
	NotJudged bool `json:"lacking,omitempty"`
}

// NotJudged returns the things that were not checked for want of a file, or of what the module
// itself does not tell: what the kernel does with the module is not known without them.
func (r *Report) NotJudged() []Unchecked {
	var list []Unchecked
	for _, u := range r.Unchecked {
		if u.NotJudged {
			list = append(list, u)
		}
	}
	return list
}

// Problems counts the findings that are not notes.
func (r *Report) Problems() int {
	n := 0
	for i := range r.Findings {
		if r.Findings[i].Severity == diag.Error {
			n++
		}
	}
	return n
}

// Loads reports whether insmod succeeds, whatever happens then.
func (r *Report) Loads() bool {
	for _, f := range r.Findings {
		for _, c := range f.Cases {
			if f.Severity == diag.Error && c.When <= diag.Enabling && c.Errno != "" && c.Object == "" {
				return false
			}
		}
	}
	return true
}

// First is the first finding that is not a note, nil when there is none.
func (r *Report) First() *diag.Diagnostic {
	for i := range r.Findings {
		if r.Findings[i].Severity == diag.Error {
			return &r.Findings[i]
		}
	}
	return nil
}

// newReport collects what the rules found for a module. What is given as near is offered by
// the findings that seek a name, in their order, before their other hints.
func newReport(m *view, k *facts, r result, near [][]string) *Report {
	report := &Report{
		Module: diag.Printable(m.name), Kernel: k.Name, Release: k.Release,
		Version: k.version.String(), Scheme: k.Scheme.String(),
		Warnings:  k.warnings(),
		Findings:  diag.List{},
		Unchecked: []Unchecked{},
	}
	for _, f := range onePerCause(withoutConsequences(m, offer(r.found, near))) {
		report.Findings = append(report.Findings, f.Diagnostic)
	}
	slices.SortStableFunc(report.Findings,
		func(a, b diag.Diagnostic) int { return int(a.First() - b.First()) })
	seen := map[Unchecked]bool{}
	for _, u := range r.unchecked {
		if !seen[u] {
			seen[u] = true
			report.Unchecked = append(report.Unchecked, u)
		}
	}
	for _, x := range r.chosen {
		if !slices.Contains(report.Chosen, x) {
			report.Chosen = append(report.Chosen, x)
		}
	}
	return report
}
