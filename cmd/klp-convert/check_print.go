// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/klpreloc/matrix"
)

// print writes a table of verdicts, and below it the findings.
func (c *checking) print(w io.Writer, m *matrix.Matrix) error {
	t := newTable(w)
	t.section("check of "+oneLine(m.Modules[0].File), "KERNEL", "VERDICT")
	// A verdict is shortened to the terminal: its message is printed whole below the table.
	label, room := len("KERNEL"), terminalWidth(w)
	for _, k := range m.Kernels {
		label = max(label, utf8.RuneCountInString(k.Label))
	}
	for i, k := range m.Kernels {
		message := matrix.Verdict(m.Cells[0][i].Report)
		most := room - 1 - label - 2*gap
		if room > 0 && most > gap && utf8.RuneCountInString(message) > most {
			message = truncate(message, most-1) + "…"
		}
		t.row(k.Label, message)
	}
	if err := t.flush(); err != nil {
		return err
	}
	// Findings that several kernels share are printed once.
	var texts []string
	of := map[string][]string{}
	for i, k := range m.Kernels {
		text := c.details(m.Cells[0][i].Report)
		if text != "" && of[text] == nil {
			texts = append(texts, text)
		}
		of[text] = append(of[text], k.Label)
	}
	for _, text := range texts {
		if _, err := fmt.Fprintf(w, "\n%s\n%s", strings.Join(of[text], "\n"), text); err != nil {
			return err
		}
	}
	return nil
}

// details returns the findings for one kernel.
func (c *checking) details(r *loader.Report) string {
	b := new(strings.Builder)
	for i := range r.Findings {
		f := &r.Findings[i]
		fmt.Fprintf(b, "  %s: %s [%s]\n", matrix.SeverityWord(f.Severity), matrix.Placed(f), f.ID)
		writeDetails(b, f)
	}
	if c.verbose || r.First() == nil {
		writeUnchecked(b, "not judged", r.Unchecked, true)
	}
	if c.verbose {
		writeUnchecked(b, "not checked", r.Unchecked, false)
	}
	return b.String()
}

// writeDetails writes what there is to say below the first line of a finding.
func writeDetails(b *strings.Builder, f *diag.Diagnostic) {
	for _, line := range differenceLines(f.Differences) {
		fmt.Fprintf(b, "      %s\n", line)
	}
	for _, line := range alsoAt(f.Places) {
		fmt.Fprintf(b, "      %s\n", line)
	}
	for _, k := range matrix.Told(f) {
		fmt.Fprintf(b, "      %s\n", matrix.Moment(k))
		for _, m := range k.Messages {
			fmt.Fprintf(b, "          %s\n", m.Text)
		}
	}
	for _, x := range f.Hints {
		fmt.Fprintf(b, "      fix: %s\n", x)
	}
}

// writeUnchecked writes the checks that could not be made: those that lack a file of the
// kernel, or those that only a running kernel can make.
func writeUnchecked(b *strings.Builder, title string, list []loader.Unchecked, lacking bool) {
	for _, u := range list {
		if u.NotJudged != lacking {
			continue
		}
		if title != "" {
			fmt.Fprintf(b, "  %s:\n", title)
			title = ""
		}
		fmt.Fprintf(b, "      %s: %s\n", u.What, u.Why)
	}
}
