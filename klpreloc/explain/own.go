// SPDX-License-Identifier: GPL-2.0-or-later

package explain

import (
	"strings"
	"sync"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// A diagnostic of klp-convert ends in its id, by which diag's catalogue has its
// explanation.

var (
	ownLine  = lazily(`\[(KLP\d{3})\]\s*$`)
	ownAlone = lazily(`(?i)^\s*\[?(KLP\d{3})\]?\s*$`)
	ownFile  = lazily(`^(\S+): (?:\x1b\[\d+m)?(?:error|warning|note)` +
		`(?:\x1b\[0m)?: klp-convert: `)
	ownSymbol = lazily(`symbol "?([A-Za-z_.$][\w.$]*)"?`)
)

// findOwn returns the entry for a diagnostic or its id.
func findOwn(line string) (*Entry, Names) {
	if !strings.Contains(line, "[KLP") && len(strings.TrimSpace(line)) > len("[KLP000]") {
		return nil, nil // neither can match
	}
	m := ownLine().FindStringSubmatch(line)
	if m == nil {
		m = ownAlone().FindStringSubmatch(line)
	}
	if m == nil {
		return nil, nil
	}
	e := ownEntries()[diag.ID(strings.ToUpper(m[1]))]
	if e == nil {
		return nil, nil
	}
	names := Names{}
	if f := ownFile().FindStringSubmatch(line); f != nil {
		names["file"] = f[1]
	}
	if s := ownSymbol().FindStringSubmatch(line); s != nil {
		names["symbol"] = s[1]
	}
	return e, names
}

// ownEntries returns the entries of klp-convert's own diagnostics.
var ownEntries = sync.OnceValue(func() map[diag.ID]*Entry {
	all := map[diag.ID]*Entry{}
	for _, d := range diag.Catalogue() {
		all[d.ID] = newOwnEntry(d)
	}
	return all
})

// newOwnEntry makes an entry of one of diag's catalogue: the first paragraph is what the
// diagnostic means, the others are its details.
func newOwnEntry(d *diag.Entry) *Entry {
	e := &Entry{ID: string(d.ID), From: "klp-convert", Means: d.Sentence(), doc: "docs/errors.md"}
	var paragraphs []string
	if d.Kernel != "" {
		paragraphs = append(paragraphs, d.Kernel)
	}
	paragraphs = append(paragraphs, d.Meaning...)
	for _, row := range d.Cases.Rows {
		e.cases = append(e.cases, rowText(d.Cases.Columns, row))
	}
	if d.Source != "" {
		paragraphs = append(paragraphs, "Decided by: "+d.Source)
	}
	for i, p := range paragraphs {
		if i == 0 {
			e.Means += " " + diag.Plain(p)
		} else {
			e.details = append(e.details, diag.Plain(p))
		}
	}
	for _, c := range d.Causes {
		e.Causes = append(e.Causes, Cause{Why: diag.Plain(c.Why), Fix: diag.Plain(c.Fix)})
	}
	if d.Fix != "" {
		e.Causes = append(e.Causes, Cause{Fix: diag.Plain(d.Fix)})
	}
	for _, s := range d.See {
		e.see = append(e.see, "docs/"+s)
	}
	return e
}

// rowText returns a row of a table as a line: the first cell, then the others, with their
// headings where there are several.
func rowText(columns, row []string) string {
	text := diag.Plain(row[0])
	for i := 1; i < len(row); i++ {
		switch {
		case row[i] == "":
			continue
		case len(columns) == 2:
			text += ": "
		case i == 1:
			text += ": " + columns[i] + ": "
		default:
			text += "; " + columns[i] + ": "
		}
		text += diag.Plain(row[i])
	}
	return text
}
