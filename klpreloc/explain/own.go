// SPDX-License-Identifier: GPL-2.0-or-later

package explain

import (
	"regexp"
	"strings"
	"sync"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/docs"
)

// What klp-convert says ends in an id, and docs/errors.md has a section for each:
// a title, an example between fences, prose, and a paragraph that begins "Fix:".

var (
	ownLine    = regexp.MustCompile(`\[(KLP\d{3})\]\s*$`)
	ownAlone   = regexp.MustCompile(`(?i)^\s*\[?(KLP\d{3})\]?\s*$`)
	ownFile    = regexp.MustCompile(`^(\S+): (?:\x1b\[\d+m)?(?:error|warning|note)(?:\x1b\[0m)?: klp-convert: `)
	ownSection = regexp.MustCompile(`(?m)^## (KLP\d{3}) (.+)$`)
	ownSymbol  = regexp.MustCompile(`symbol "?([A-Za-z_.$][\w.$]*)"?`)
	fence      = regexp.MustCompile("(?ms)^```.*?^```$\n?")
	severities = regexp.MustCompile(` \([a-z;, -]*(?:error|warning|finding|note)[^)]*\)$`)
)

// findOwn returns the entry for a diagnostic or its id.
func findOwn(line string) (*Entry, Names) {
	m := ownLine.FindStringSubmatch(line)
	if m == nil {
		m = ownAlone.FindStringSubmatch(line)
	}
	if m == nil {
		return nil, nil
	}
	e := own()[strings.ToUpper(m[1])]
	if e == nil {
		return nil, nil
	}
	names := Names{}
	if f := ownFile.FindStringSubmatch(line); f != nil {
		names["file"] = f[1]
	}
	if s := ownSymbol.FindStringSubmatch(line); s != nil {
		names["symbol"] = s[1]
	}
	return e, names
}

// own reads docs/errors.md.
var own = sync.OnceValue(func() map[string]*Entry {
	all := map[string]*Entry{}
	text := docs.Errors
	heads := ownSection.FindAllStringSubmatchIndex(text, -1)
	for i, h := range heads {
		id, title := text[h[2]:h[3]], text[h[4]:h[5]]
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		} else if other := strings.Index(text[h[1]:], "\n## "); other >= 0 {
			end = h[1] + other
		}
		e := &Entry{ID: id, From: "klp-convert", doc: "docs/errors.md"}
		e.readSection(severities.ReplaceAllString(title, ""), text[h[1]:end])
		all[id] = e
	}
	return all
})

func (e *Entry) readSection(title, text string) {
	e.Means = strings.ToUpper(title[:1]) + title[1:] + "."
	prose := false
	for _, p := range strings.Split(fence.ReplaceAllString(text, ""), "\n\n") {
		p = strings.TrimSpace(p)
		switch {
		case p == "", strings.HasPrefix(p, "<a "), strings.HasPrefix(p, "|"), strings.HasPrefix(p, "#"), strings.HasPrefix(p, "- "):
			continue
		case strings.HasPrefix(p, "Fix: "):
			fix := unmark(strings.TrimPrefix(p, "Fix: "))
			if !strings.HasPrefix(p, "Fix: `") { // a command, or code
				fix = strings.ToUpper(fix[:1]) + fix[1:]
			}
			e.Causes = append(e.Causes, Cause{Fix: fix})
		case !prose:
			prose = true
			e.Means += " " + unmark(p)
		}
	}
}

var link = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)

// unmark makes plain text of a paragraph.
func unmark(s string) string {
	s = link.ReplaceAllString(s, "$1")
	s = strings.NewReplacer("`", "", "**", "", "{", "(", "}", ")").Replace(s)
	return strings.Join(strings.Fields(s), " ")
}

// Own returns the diagnostics that klp-convert itself has, by id.
func Own() []*Entry {
	all := make([]*Entry, 0, len(own()))
	for _, e := range own() {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *Entry) int { return strings.Compare(a.ID, b.ID) })
	return all
}
