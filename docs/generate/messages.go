// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"

	"github.com/klp-convert/klp-convert/klpreloc/explain"
)

//go:embed messages-opening.txt
var messagesOpening string

// messagesPage returns docs/messages.md.
func messagesPage() string {
	var b strings.Builder
	b.WriteString(messagesOpening)
	fmt.Fprintf(&b, "\n"+generated, "klpreloc/explain")
	for _, g := range explain.Groups() {
		links := make([]string, len(g.Entries))
		for i, e := range g.Entries {
			links[i] = fmt.Sprintf("[%s](#%s)", e.ID, e.ID)
		}
		b.WriteString("\n" + wrap("- ", g.Title+": "+strings.Join(links, ", ")))
	}
	for _, g := range explain.Groups() {
		fmt.Fprintf(&b, "\n# %s\n", g.Title)
		for i := range g.Entries {
			writeMessage(&b, &g.Entries[i])
		}
	}
	return b.String()
}

func writeMessage(b *strings.Builder, e *explain.Entry) {
	// The heading is the anchor.
	fmt.Fprintf(b, "\n## %s\n\n```\n", e.ID)
	for _, f := range e.Forms {
		fmt.Fprintln(b, capitals(f.Text))
	}
	b.WriteString("```\n\n" + wrap("", "From: "+prose(e.From+"."+printedBy(e))))
	b.WriteString("\n" + wrap("", prose(e.Means)))
	if len(e.Causes) > 0 {
		b.WriteByte('\n')
	}
	for i, c := range e.Causes {
		when := ""
		if c.When != "" {
			when = "Kernels " + c.When + ": "
		}
		b.WriteString(wrap(fmt.Sprintf("%d. ", i+1), when+prose(c.Why)+" "+prose(c.Fix)))
		if len(c.Run) > 0 {
			b.WriteString("\n   ```\n")
			for _, r := range c.Run {
				fmt.Fprintf(b, "   %s\n", capitals(r))
			}
			b.WriteString("   ```\n")
			if i+1 < len(e.Causes) {
				b.WriteByte('\n')
			}
		}
	}
}

// printedBy says which kernels print which form: once where all are alike.
func printedBy(e *explain.Entry) string {
	for _, f := range e.Forms {
		if f.When != e.Forms[0].When {
			var all []string
			for i, f := range e.Forms {
				if f.When != "" {
					all = append(all, fmt.Sprintf("%d: %s", i+1, f.When))
				}
			}
			return " Lines: " + strings.Join(all, "; ") + "."
		}
	}
	if e.Forms[0].When == "" {
		return ""
	}
	return " Printed by: " + e.Forms[0].When + "."
}

var (
	placeholder = regexp.MustCompile(`\{(\w+)\}`)
	markup      = regexp.MustCompile(`([*_<\x60\[\]|])`)
)

// capitals returns a text with its placeholders in capitals.
func capitals(s string) string {
	return placeholder.ReplaceAllStringFunc(s, func(n string) string {
		return strings.ToUpper(n[1 : len(n)-1])
	})
}

// prose returns a text of package explain, which has no markup, as Markdown.
func prose(s string) string {
	return linkIDs(markup.ReplaceAllString(capitals(s), `\$1`), "errors.md")
}
