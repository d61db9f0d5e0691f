// SPDX-License-Identifier: GPL-2.0-or-later

package matrix

import (
	"net/url"
	"path/filepath"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// SARIF 2.1.0 (OASIS, sarif-v2.1.0): one run, a rule for each id that was found, a
// result for each finding of each cell. A module has no lines, so a result's place is
// a logical one: section and offset, or a symbol.

const (
	sarifSchema  = "https://json.schemastore.org/sarif-2.1.0.json"
	sarifVersion = "2.1.0"
	home         = "https://github.com/klp-convert/klp-convert"
	documents    = home + "/blob/main/docs/"
	// fingerprintName has a version, as partialFingerprints ask for (3.27.17).
	fingerprintName = "klpConvertFinding/v1"
)

// States of a result, compared with a baseline (3.27.24).
const (
	stateNew       = "new"
	stateUnchanged = "unchanged"
	stateAbsent    = "absent"
)

type (
	// SARIFLog is a whole file.
	SARIFLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []SARIFRun `json:"runs"`
	}
	// SARIFRun is one run of the program.
	SARIFRun struct {
		Tool        SARIFTool         `json:"tool"`
		Invocations []SARIFInvocation `json:"invocations"`
		Results     []SARIFResult     `json:"results"`
	}
	// SARIFInvocation has what is not about the modules.
	SARIFInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []SARIFNotification `json:"toolExecutionNotifications,omitempty"`
	}
	// SARIFNotification is a doubt about the files of a kernel, which is not about the module,
	// or something that was not judged, which is not a result.
	SARIFNotification struct {
		Level     string          `json:"level"`
		Message   SARIFText       `json:"message"`
		Locations []SARIFLocation `json:"locations,omitempty"` // where there are several modules
	}
	// SARIFTool is the program.
	SARIFTool struct {
		Driver SARIFDriver `json:"driver"`
	}
	// SARIFDriver is the program too.
	SARIFDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []SARIFRule `json:"rules"`
	}
	// SARIFRule is an entry of the catalogue.
	SARIFRule struct {
		ID               string             `json:"id"`
		ShortDescription SARIFText          `json:"shortDescription"`
		FullDescription  SARIFText          `json:"fullDescription"`
		Help             SARIFText          `json:"help"`
		HelpURI          string             `json:"helpUri"`
		Configuration    SARIFConfiguration `json:"defaultConfiguration"`
	}
	// SARIFConfiguration has the level of a rule.
	SARIFConfiguration struct {
		Level string `json:"level"`
	}
	// SARIFText is a text, with or without markup.
	SARIFText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	// SARIFResult is a finding of a cell.
	SARIFResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      SARIFText         `json:"message"`
		Locations    []SARIFLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		State        string            `json:"baselineState,omitempty"` // with a baseline
		Properties   map[string]any    `json:"properties"`
	}
	// SARIFLocation is a place in a module.
	SARIFLocation struct {
		Physical SARIFPhysical  `json:"physicalLocation"`
		Logical  []SARIFLogical `json:"logicalLocations,omitempty"`
	}
	// SARIFPhysical is a module.
	SARIFPhysical struct {
		Artifact SARIFArtifact `json:"artifactLocation"`
	}
	// SARIFArtifact is a file. A path that is relative is so to where the check was run; to a
	// reader of the log that is the top of the sources, as GitHub reads it.
	SARIFArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId,omitempty"`
	}
	// SARIFLogical is a place in a file without lines.
	SARIFLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind,omitempty"`
	}
)

// Fingerprint is what a baseline recognises the result by, "" when it has none of ours.
func (r *SARIFResult) Fingerprint() string { return r.Fingerprints[fingerprintName] }

// Module is the label of the module, "" when the result does not say it.
func (r *SARIFResult) Module() string { return r.property("module") }

// Kernel is the label of the kernel, "" when the result does not say it.
func (r *SARIFResult) Kernel() string { return r.property("kernel") }

func (r *SARIFResult) property(name string) string {
	s, _ := r.Properties[name].(string)
	return s
}

// SARIF makes a log of what was found. version is that of the program.
func (m *Matrix) SARIF(version string) SARIFLog {
	run := SARIFRun{
		Tool: SARIFTool{SARIFDriver{
			Name: "klp-convert", Version: version, InformationURI: home, Rules: []SARIFRule{},
		}},
		Invocations: []SARIFInvocation{{Successful: true}},
		Results:     []SARIFResult{},
	}
	run.Invocations[0].Notifications = m.notifications()
	for i := range m.Modules {
		for k := range m.Kernels {
			c := &m.Cells[i][k]
			for n := range c.Findings {
				r := m.sarifResult(i, k, n)
				r.RuleIndex = run.ruleIndex(r.RuleID)
				run.Results = append(run.Results, r)
			}
		}
	}
	if m.Baseline != nil {
		for _, r := range m.Baseline.Gone {
			if diag.Lookup(diag.ID(r.RuleID)) == nil {
				continue // of another program
			}
			r.State, r.RuleIndex = stateAbsent, run.ruleIndex(r.RuleID)
			run.Results = append(run.Results, r)
		}
	}
	return SARIFLog{sarifSchema, sarifVersion, []SARIFRun{run}}
}

// notifications returns what is not a result. No results would read as "loads".
func (m *Matrix) notifications() []SARIFNotification {
	var all []SARIFNotification
	for k, x := range m.Kernels {
		for _, w := range x.Warnings {
			all = append(all, SARIFNotification{Level: "warning",
				Message: SARIFText{Text: x.Label + ": " + w}})
		}
		index := map[string]int{}
		for i := range m.Modules {
			for _, u := range m.Cells[i][k].NotJudged() {
				text := x.Label + ": not judged: " + u.What + ": " + u.Why
				at, seen := index[text]
				if !seen {
					at = len(all)
					index[text] = at
					all = append(all, SARIFNotification{Level: "note",
						Message: SARIFText{Text: text}})
				}
				if len(m.Modules) > 1 {
					all[at].Locations = append(all[at].Locations,
						SARIFLocation{Physical: SARIFPhysical{artifactOf(m.Modules[i].File)}})
				}
			}
		}
	}
	return all
}

// sarifResult makes a result of a finding of a cell.
func (m *Matrix) sarifResult(module, kernel, n int) SARIFResult {
	c := &m.Cells[module][kernel]
	f, mark := &c.Findings[n], c.Marks[n]
	label := m.Kernels[kernel].Label
	r := SARIFResult{RuleID: string(f.ID), Level: "error",
		Fingerprints: map[string]string{fingerprintName: mark.Fingerprint}}
	if f.Severity == diag.Note {
		r.Level = "note"
	}
	location := SARIFLocation{Physical: SARIFPhysical{artifactOf(m.Modules[module].File)}}
	if place := f.Where(); place != "" {
		location.Logical = []SARIFLogical{{Name: place, Kind: "object"}}
	}
	r.Locations = []SARIFLocation{location}
	r.Message.Text = label + ": " + f.Message
	if says := f.KernelSays(); !strings.HasPrefix(says, "no message") {
		r.Message.Text += ". The kernel says: " + says
	}
	r.Properties = map[string]any{"kernel": label, "module": m.Modules[module].Label,
		"cases": append([]diag.Case{}, f.Cases...), "fix": f.Hints}
	if len(f.Differences) > 0 {
		r.Properties["differences"] = f.Differences
	}
	if m.Baseline != nil {
		r.State = stateNew
		if mark.Known {
			r.State = stateUnchanged
		}
	}
	return r
}

// ruleIndex returns where the rule is among those of the run, and adds it.
func (r *SARIFRun) ruleIndex(id string) int {
	rules := &r.Tool.Driver.Rules
	index := slices.IndexFunc(*rules, func(x SARIFRule) bool { return x.ID == id })
	if index < 0 {
		index = len(*rules)
		*rules = append(*rules, sarifRuleOf(diag.Lookup(diag.ID(id))))
	}
	return index
}

// sarifRuleOf makes a rule of an entry of the catalogue. The description is the first
// paragraph, since readers of SARIF cut long ones; the help has the others, and the fix.
func sarifRuleOf(e *diag.Entry) SARIFRule {
	paragraphs := slices.Clone(e.Meaning)
	if e.Kernel != "" {
		paragraphs = slices.Insert(paragraphs, 0, e.Kernel)
	}
	help := slices.Clone(paragraphs[1:])
	for _, c := range e.Causes {
		help = append(help, c.Why+" "+c.Fix)
	}
	if e.Source != "" {
		help = append(help, "Decided by: "+e.Source)
	}
	if e.Fix != "" {
		help = append(help, "Fix: "+e.Fix)
	}
	plain := strings.Join(help, "\n\n")
	for _, page := range e.See {
		help = append(help, "More: ["+page+"]("+documents+page+")")
	}
	level := e.Severities[0].String() // SARIF's words are the same
	return SARIFRule{
		ID:               string(e.ID),
		ShortDescription: SARIFText{Text: diag.Plain(e.Title)},
		FullDescription:  SARIFText{Text: diag.Plain(paragraphs[0])},
		Help:             SARIFText{Text: diag.Plain(plain), Markdown: strings.Join(help, "\n\n")},
		HelpURI:          documents + "errors.md#" + string(e.ID),
		Configuration:    SARIFConfiguration{level},
	}
}

// artifactOf says where a file is.
func artifactOf(file string) SARIFArtifact {
	u := url.URL{Path: filepath.ToSlash(file)}
	switch {
	case file == "<stdin>":
		return SARIFArtifact{URI: "stdin"}
	case filepath.IsAbs(file):
		u.Scheme = "file"
		return SARIFArtifact{URI: u.String()}
	}
	return SARIFArtifact{URI: u.String(), Base: "%SRCROOT%"}
}
