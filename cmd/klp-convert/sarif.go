// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"net/url"
	"path/filepath"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// SARIF 2.1.0 (OASIS, sarif-v2.1.0): one run, a rule for each id that was found, a
// result for each finding of each kernel. A module has no lines, so a result's place is
// a logical one: section and offset, or a symbol.

const (
	sarifSchema = "https://json.schemastore.org/sarif-2.1.0.json"
	sarifHome   = "https://github.com/klp-convert/klp-convert"
	sarifHelp   = sarifHome + "/blob/main/docs/"
)

type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	// Doubts about the files of a kernel are not about the module, and what was not judged is
	// not a result.
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string             `json:"id"`
		ShortDescription sarifText          `json:"shortDescription"`
		FullDescription  sarifText          `json:"fullDescription"`
		Help             sarifText          `json:"help"`
		HelpURI          string             `json:"helpUri"`
		Configuration    sarifConfiguration `json:"defaultConfiguration"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifResult struct {
		RuleID     string          `json:"ruleId"`
		RuleIndex  int             `json:"ruleIndex"`
		Level      string          `json:"level"`
		Message    sarifText       `json:"message"`
		Locations  []sarifLocation `json:"locations"`
		Properties map[string]any  `json:"properties"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
	}
	// A path that is relative is so to where the check was run; to a reader of the log
	// that is the top of the sources, as GitHub reads it.
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind,omitempty"`
	}
)

// sarifOf makes a log of what was found.
func sarifOf(file string, all []verdict) sarifLog {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{
			Name: "klp-convert", Version: version(), InformationURI: sarifHome, Rules: []sarifRule{},
		}},
		Invocations: []sarifInvocation{{Successful: true}},
		Results:     []sarifResult{},
	}
	artifact := artifactOf(file)
	for _, v := range all {
		to := &run.Invocations[0].Notifications
		for _, w := range v.Warnings {
			*to = append(*to, sarifNotification{"warning", sarifText{Text: v.label + ": " + w}})
		}
		for _, u := range v.NotJudged() { // no results would read as "loads"
			text := v.label + ": not judged: " + u.What + ": " + u.Why
			*to = append(*to, sarifNotification{"note", sarifText{Text: text}})
		}
		for i := range v.Findings {
			f := &v.Findings[i]
			id := string(f.ID)
			index := slices.IndexFunc(run.Tool.Driver.Rules, func(r sarifRule) bool { return r.ID == id })
			if index < 0 {
				index = len(run.Tool.Driver.Rules)
				run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(diag.Lookup(diag.ID(id))))
			}
			level := "error"
			if f.Severity == diag.Note {
				level = "note"
			}
			location := sarifLocation{Physical: sarifPhysical{artifact}}
			if place := f.Where(); place != "" {
				location.Logical = []sarifLogical{{Name: place, Kind: "object"}}
			}
			text := v.label + ": " + f.Message
			if m := f.KernelSays(); !strings.HasPrefix(m, "no message") {
				text += ". The kernel says: " + m
			}
			properties := map[string]any{
				"kernel": v.label, "cases": append([]diag.Case{}, f.Cases...), "fix": f.Hints,
			}
			if len(f.Differences) > 0 {
				properties["differences"] = f.Differences
			}
			run.Results = append(run.Results, sarifResult{
				RuleID: id, RuleIndex: index, Level: level, Message: sarifText{Text: text},
				Locations: []sarifLocation{location}, Properties: properties,
			})
		}
	}
	return sarifLog{sarifSchema, "2.1.0", []sarifRun{run}}
}

// sarifRuleOf makes a rule of an entry of the catalogue. The description is the first
// paragraph, since readers of SARIF cut long ones; the help has the others, and the fix.
func sarifRuleOf(e *diag.Entry) sarifRule {
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
		help = append(help, "More: ["+page+"]("+sarifHelp+page+")")
	}
	level := e.Severities[0].String() // SARIF's words are the same
	return sarifRule{
		ID:               string(e.ID),
		ShortDescription: sarifText{Text: diag.Plain(e.Title)},
		FullDescription:  sarifText{Text: diag.Plain(paragraphs[0])},
		Help:             sarifText{Text: diag.Plain(plain), Markdown: strings.Join(help, "\n\n")},
		HelpURI:          sarifHelp + "errors.md#" + string(e.ID),
		Configuration:    sarifConfiguration{level},
	}
}

// artifactOf says where a file is.
func artifactOf(file string) sarifArtifact {
	u := url.URL{Path: filepath.ToSlash(file)}
	switch {
	case file == "<stdin>":
		return sarifArtifact{URI: "stdin"}
	case filepath.IsAbs(file):
		u.Scheme = "file"
		return sarifArtifact{URI: u.String()}
	}
	return sarifArtifact{URI: u.String(), Base: "%SRCROOT%"}
}
