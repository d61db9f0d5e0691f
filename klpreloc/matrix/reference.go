// SPDX-License-Identifier: GPL-2.0-or-later

package matrix

import (
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// writeReference writes the text of docs/errors.md about an id.
func writeReference(p *page, e *diag.Entry) {
	p.raw("<details>\n<summary>")
	p.text(string(e.ID) + ": what it means, causes and fix")
	p.raw("</summary>\n<p>")
	p.prose(e.Sentence())
	p.raw("</p>\n")
	paragraphs := e.Meaning
	if e.Kernel != "" {
		paragraphs = slices.Insert(slices.Clone(paragraphs), 0, e.Kernel)
	}
	for _, s := range paragraphs {
		p.paragraph(s)
	}
	writeCases(p, e)
	if len(e.Causes) > 0 {
		p.raw("<p>Usual causes:</p>\n<ul>\n")
		for _, c := range e.Causes {
			p.raw("<li>")
			p.prose(strings.TrimSpace(c.Why + " " + c.Fix))
			p.raw("</li>\n")
		}
		p.raw("</ul>\n")
	}
	if e.Source != "" {
		p.paragraph("From: " + e.Source)
	}
	if e.Fix != "" {
		p.paragraph("Fix: " + e.Fix)
	}
	p.raw("<p>")
	p.reference("errors.md#"+string(e.ID), string(e.ID)+" in errors.md")
	for _, s := range e.See {
		p.raw(", ")
		p.reference(s, strings.Replace(s, "#", ": ", 1))
	}
	p.raw("</p>\n</details>\n")
}

// writeCases writes the table of an entry.
func writeCases(p *page, e *diag.Entry) {
	if len(e.Cases.Rows) == 0 {
		return
	}
	p.raw("<ul>\n")
	for _, row := range e.Cases.Rows {
		p.raw("<li>")
		for i, cell := range row {
			if cell == "" {
				continue
			}
			if i > 0 {
				p.raw("; ")
				p.prose(e.Cases.Columns[i] + ": ")
			}
			p.prose(cell)
		}
		p.raw("</li>\n")
	}
	p.raw("</ul>\n")
}

func (p *page) paragraph(s string) {
	p.raw("<p>")
	p.prose(s)
	p.raw("</p>\n")
}

// prose writes a text of the catalogue, in which code is in backquotes.
func (p *page) prose(s string) {
	for i, part := range strings.Split(s, "`") {
		if i%2 == 1 {
			p.in("code", part)
		} else {
			p.text(part)
		}
	}
}

// reference writes a link to a page of the project's documents.
func (p *page) reference(page, s string) {
	p.raw(`<a rel="noreferrer" href="`)
	p.text(documents + page)
	p.raw(`">`)
	p.text(s)
	p.raw("</a>")
}
