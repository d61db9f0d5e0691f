// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
)

// checkJSON is what --json prints. docs/check.md describes it.
type checkJSON struct {
	File    string          `json:"file"`
	Loads   bool            `json:"loads"` // everywhere, with no finding
	Kernels []kernelVerdict `json:"kernels"`
}

// kernelVerdict is a loader.Report with what follows from it.
type kernelVerdict struct {
	Kernel    string             `json:"kernel"`
	Release   string             `json:"release"`
	Version   string             `json:"version"`
	Scheme    string             `json:"scheme"`
	Warnings  []string           `json:"warnings,omitempty"`
	Findings  []findingJSON      `json:"findings"`
	Unchecked []loader.Unchecked `json:"unchecked"`
	Chosen    []loader.Chosen    `json:"positions,omitempty"`

	Verdict  string `json:"verdict"` // "loads", or the first message
	Problems int    `json:"problems"`
	Insmod   bool   `json:"insmod"` // insmod succeeds
}

// findingJSON is a diagnostic of check: its message is the cause of what the kernel does, and
// its hints fix it.
type findingJSON struct {
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
}

// findingWord is what check calls the severity of a diagnostic.
func findingWord(s diag.Severity) string {
	if s == diag.Note {
		return "note"
	}
	return "finding"
}

func (c *checking) result(file string, all []verdict) checkJSON {
	r := checkJSON{File: file, Loads: c.passes(all)}
	for _, v := range all {
		r.Kernels = append(r.Kernels, kernelVerdict{
			Kernel: v.Kernel, Release: v.Release, Version: v.Version, Scheme: v.Scheme,
			Warnings: v.Warnings, Findings: findingsJSON(v.Findings), Unchecked: v.Unchecked,
			Chosen: v.Chosen, Verdict: v.message(), Problems: v.Problems(), Insmod: v.Loads(),
		})
	}
	return r
}

func findingsJSON(list diag.List) []findingJSON {
	all := []findingJSON{}
	for _, d := range list {
		all = append(all, findingJSON{
			ID: d.ID, Severity: findingWord(d.Severity), Section: d.Section, Offset: d.Offset, Symbol: d.Symbol,
			Cases: append([]diag.Case{}, d.Cases...), Cause: d.Message, Places: d.Places, Fix: d.Hints,
			Differences: d.Differences,
		})
	}
	return all
}
