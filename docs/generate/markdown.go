// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// columns is how long a line of prose can be: below 100, so that diffs can be read.
const columns = 99

// lineStart matches words that begin a list, a heading or a quotation at the start of a
// line.
var lineStart = regexp.MustCompile(`^(?:[-+*>]|#+|\d+[.)])$`)

// wrap breaks a paragraph into lines. The first begins with lead, the others with as many
// blanks. Short code in backquotes is not broken.
func wrap(lead, text string) string {
	var b strings.Builder
	line := lead
	margin := strings.Repeat(" ", utf8.RuneCountInString(lead))
	for i, w := range words(text) {
		switch {
		case i == 0:
			line += w
		case length(line)+1+length(w) > columns && !lineStart.MatchString(w):
			b.WriteString(line + "\n")
			line = margin + w
		default:
			line += " " + w
		}
	}
	b.WriteString(line + "\n")
	return b.String()
}

func length(s string) int { return utf8.RuneCountInString(s) }

// longCode is how long code can be that stays in one line.
const longCode = 60

// words splits a text at blanks outside of short code.
func words(text string) []string {
	var all []string
	glued := ""
	for i, part := range strings.Split(text, "`") {
		inCode := i%2 == 1
		if i > 0 {
			glued += "`"
		}
		if inCode && length(part) <= longCode {
			glued += part
			continue
		}
		pieces := strings.Split(part, " ")
		for _, p := range pieces[:len(pieces)-1] {
			if glued += p; glued != "" {
				all = append(all, glued)
			}
			glued = ""
		}
		glued += pieces[len(pieces)-1]
	}
	if glued != "" {
		all = append(all, glued)
	}
	return all
}

// outsideCode returns a text with f done to what is outside of backquotes.
func outsideCode(text string, f func(string) string) string {
	parts := strings.Split(text, "`")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = f(parts[i])
	}
	return strings.Join(parts, "`")
}

var id = regexp.MustCompile(`\bKLP\d{3}\b`)

// linkIDs makes a link of each id outside of code, to its section of page.
func linkIDs(text, page string) string {
	return outsideCode(text, func(s string) string {
		return id.ReplaceAllString(s, "[$0]("+page+"#$0)")
	})
}

// tableCell is a text in a table.
func tableCell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// codeCell is a text as code in a table.
func codeCell(s string) string {
	s = tableCell(s)
	if strings.Contains(s, "`") {
		return "`` " + s + " ``"
	}
	return "`" + s + "`"
}
