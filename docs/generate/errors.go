// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/explain"
)

const generated = "<!-- Made by \"go generate ./docs\". Do not edit it: edit %s. -->\n"

var (
	//go:embed errors-opening.txt
	errorsOpening string
	//go:embed errors-check.txt
	errorsCheck string
	//go:embed errors-kernel.txt
	errorsKernel string
	//go:embed errors-usage.txt
	errorsUsage string
)

// errorsPage returns docs/errors.md, with the outputs that examples has.
func errorsPage(examples string) (string, error) {
	var b strings.Builder
	b.WriteString(errorsOpening)
	fmt.Fprintf(&b, "\n"+generated, "klpreloc/diag and docs/examples")
	b.WriteString("\nQuick finder:\n\n")
	writeFinder(&b)
	for i, e := range diag.Catalogue() {
		if e.FromCheck() && !diag.Catalogue()[i-1].FromCheck() {
			b.WriteString("\n" + errorsCheck)
		}
		if err := writeDiagnostic(&b, e, examples); err != nil {
			return "", err
		}
	}
	b.WriteString("\n" + errorsKernel)
	if err := writeKernelMessages(&b); err != nil {
		return "", err
	}
	b.WriteString("\n" + errorsUsage + "\n")
	if err := writeExample(&b, examples, "usage"); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

func writeFinder(b *strings.Builder) {
	b.WriteString("| about | ids |\n|---|---|\n")
	for _, t := range diag.Topics() {
		var ids []string
		for _, e := range diag.Catalogue() {
			if slices.Contains(e.Topics, t) {
				number := strings.TrimPrefix(string(e.ID), "KLP")
				ids = append(ids, fmt.Sprintf("[%s](#%s)", number, e.ID))
			}
		}
		fmt.Fprintf(b, "| %s | %s |\n", t, strings.Join(ids, " "))
	}
	b.WriteString("| a message of the kernel | [the list](#kernel-messages) |\n")
	b.WriteString("| the command line | [without an id](#usage) |\n")
}

// writeDiagnostic writes the section of an entry.
func writeDiagnostic(to *strings.Builder, e *diag.Entry, examples string) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "\n<a id=%q></a>\n## %s %s (%s)\n\n", e.ID, e.ID, e.Title, severities(e))
	if err := writeExample(b, examples, string(e.ID)); err != nil {
		return err
	}
	paragraphs := slices.Clone(e.Meaning)
	if e.Kernel != "" {
		paragraphs = slices.Insert(paragraphs, 0, e.Kernel)
	}
	for _, p := range paragraphs {
		b.WriteString(wrap("", linkIDs(p, "")) + "\n")
	}
	writeTable(b, e.Cases)
	if len(e.Causes) > 0 {
		b.WriteString("Usual causes:\n\n")
		for _, c := range e.Causes {
			b.WriteString(wrap("- ", linkIDs(strings.TrimSpace(c.Why+" "+c.Fix), "")))
		}
		b.WriteString("\n")
	}
	if e.Source != "" {
		b.WriteString(wrap("", "From: "+linkIDs(e.Source, "")) + "\n")
	}
	if e.Fix != "" {
		b.WriteString(wrap("", "Fix: "+linkIDs(e.Fix, "")) + "\n")
	}
	if len(e.See) > 0 {
		var links []string
		for _, s := range e.See {
			page, place, _ := strings.Cut(s, "#")
			if place != "" {
				page += ": " + strings.ReplaceAll(place, "-", " ")
			}
			links = append(links, "["+page+"]("+s+")")
		}
		b.WriteString(wrap("", "More: "+strings.Join(links, ", ")+".") + "\n")
	}
	to.WriteString(strings.TrimSuffix(b.String(), "\n"))
	return nil
}

// severities names the severities of an entry as a reader of an output meets them.
func severities(e *diag.Entry) string {
	var all []string
	for _, s := range e.Severities {
		word := s.String()
		if s == diag.Error && e.FromCheck() {
			word = "finding"
		}
		all = append(all, word)
	}
	if e.When != "" {
		return all[0] + "; " + e.When
	}
	return strings.Join(all, ", ")
}

func writeTable(b *strings.Builder, t diag.Table) {
	if len(t.Rows) == 0 {
		return
	}
	b.WriteString("| " + strings.Join(t.Columns, " | ") + " |\n")
	b.WriteString("|" + strings.Repeat("---|", len(t.Columns)) + "\n")
	for _, row := range t.Rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = linkIDs(tableCell(c), "")
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
	b.WriteString("\n")
}

// writeExample writes the commands and outputs of examples/NAME.txt, if there are any.
func writeExample(b *strings.Builder, examples, name string) error {
	text, err := os.ReadFile(filepath.Join(examples, name+".txt"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "```\n%s```\n\n", text)
	return nil
}

// writeKernelMessages writes a table for each of the kernel's groups, a line for each
// wording.
func writeKernelMessages(b *strings.Builder) error {
	predicted, err := predictedBy()
	if err != nil {
		return err
	}
	for _, g := range explain.Groups() {
		speaker, ok := strings.CutPrefix(g.Title, "The kernel: ")
		if !ok {
			continue
		}
		fmt.Fprintf(b, "\n### Kernel: %s\n\n", speaker)
		b.WriteString("| message | printed by | meaning and fix | check |\n|---|---|---|---|\n")
		for _, e := range g.Entries {
			for i := range e.Forms {
				f := &e.Forms[i]
				var ids []string
				for _, id := range predicted[f] {
					ids = append(ids, fmt.Sprintf("[%s](#%s)", id, id))
				}
				anchor := "message-" + e.ID
				if i > 0 {
					anchor = fmt.Sprintf("%s-%d", anchor, i+1)
				}
				fmt.Fprintf(b, "| <a id=%q></a>%s | %s | [%s](messages.md#%s) | %s |\n",
					anchor, codeCell(capitals(f.Text)), f.When, e.ID, e.ID, strings.Join(ids, " "))
			}
		}
	}
	return nil
}

var (
	quoted = regexp.MustCompile("`([^`]+)`")
	verb   = regexp.MustCompile(`%[0-9]*[a-zA-Z]+`)
	values = strings.NewReplacer("(null)", "vmlinux", "%u", "7", "%d", "7", "%lu", "7", "%llu", "7",
		"%Lx", "7f", "%08x", "00000007", "%pS", "f+0x0/0x4")
)

// predictedBy returns for each wording of the kernel the ids of check that quote it. A
// quoted message that explain does not know is an error.
func predictedBy() (map[*explain.Form][]diag.ID, error) {
	ids := map[*explain.Form][]diag.ID{}
	for _, e := range diag.Catalogue() {
		for _, q := range quoted.FindAllStringSubmatch(e.Kernel, -1) {
			if strings.Contains(q[1], "…") || !strings.Contains(q[1], " ") {
				continue // a part of a message, or not a message
			}
			f := explain.FormOf(verb.ReplaceAllString(values.Replace(q[1]), "name"))
			if f == nil {
				return nil, fmt.Errorf("%s: klpreloc/explain does not know %q", e.ID, q[1])
			}
			if !slices.Contains(ids[f], e.ID) {
				ids[f] = append(ids[f], e.ID)
			}
		}
	}
	return ids, nil
}
