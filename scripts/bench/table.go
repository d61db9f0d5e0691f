// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

var columns = []string{"question", "against", "CPU", "wall", "memory", "growth of CPU",
	"asked, at most", "reached"}

// table writes the answers as a table in Markdown, padded to be read as it is.
func table(answers []Answer) string {
	rows := [][]string{columns}
	for i := range answers {
		rows = append(rows, cells(&answers[i]))
	}
	width := make([]int, len(columns))
	for _, row := range rows {
		for i, c := range row {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for k, row := range rows {
		for i, c := range row {
			b.WriteString("| " + c + strings.Repeat(" ", width[i]-utf8.RuneCountInString(c)+1))
		}
		b.WriteString("|\n")
		if k == 0 {
			for _, w := range width {
				b.WriteString("|" + strings.Repeat("-", w+2))
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}

// notReached lists the limits that are not kept, as Markdown.
func notReached(answers []Answer) string {
	var b strings.Builder
	for i := range answers {
		a := &answers[i]
		for k := range a.Line.Asked {
			l := &a.Line.Asked[k]
			if a.NotRun != "" {
				continue
			}
			if text, kept := l.measured(a); !kept {
				fmt.Fprintf(&b, "- %s: %s %s, asked at most %s\n", a.Line.Question, text,
					l.Unit, number(l.Most))
			}
		}
	}
	if b.Len() == 0 {
		return "All that is asked and was run is reached.\n"
	}
	return "Not reached:\n\n" + b.String()
}

// cells returns a line of the table.
func cells(a *Answer) []string {
	var asked, reached []string
	for i := range a.Line.Asked {
		l := &a.Line.Asked[i]
		asked = append(asked, l.String())
		if a.NotRun == "" {
			text, kept := l.measured(a)
			word := "no: "
			if kept {
				word = "yes: "
			}
			reached = append(reached, word+text)
		}
	}
	if len(asked) == 0 {
		asked, reached = []string{"-"}, []string{"-"}
	}
	row := []string{a.Line.Question, cmp.Or(a.Against, "-"), "-", "-", "-", "-", strings.Join(asked, ", "),
		strings.Join(reached, ", ")}
	if a.NotRun != "" {
		row[len(row)-1] = "not run: " + a.NotRun
		return row
	}
	row[2], row[3] = compared(a, cpu), compared(a, wall)
	row[4] = megabyte(middle(last(a.Ours), memory), a.Floor)
	if a.Line.Theirs != "" {
		row[4] += " / " + megabyte(middle(last(a.Theirs), memory), a.Floor)
	}
	row[4] += " MB"
	if len(a.Sizes) > 0 {
		all, end := growth(a.Sizes, a.Ours, cpu)
		row[5] = fmt.Sprintf("%.2f, at the end %.2f", all, end)
		if a.Line.Theirs != "" {
			all, end := growth(a.Sizes, a.Theirs, cpu)
			row[5] += fmt.Sprintf(" (its %.2f, %.2f)", all, end)
		}
	}
	return row
}

// compared writes the ratio of times, and in parentheses ours and theirs; or ours alone, where
// there is nothing to compare it with.
func compared(a *Answer, q quantity) string {
	ours := middle(last(a.Ours), q)
	if a.Line.Theirs == "" {
		return times(ours)
	}
	return fmt.Sprintf("%s × (%s)", number(ratio(last(a.Ours), last(a.Theirs), q)),
		times(ours, middle(last(a.Theirs), q)))
}

// times writes seconds, in milliseconds if one of them is below a second.
func times(values ...float64) string {
	scale, unit := 1.0, " s"
	for _, v := range values {
		if v < 1 {
			scale, unit = 1e3, " ms"
		}
	}
	var words []string
	for _, v := range values {
		words = append(words, number(v*scale))
	}
	return strings.Join(words, " / ") + unit
}

// megabyte writes a number of bytes. Of at most floor it is only known that it is no more.
func megabyte(bytes float64, floor int64) string {
	if bytes <= float64(floor) {
		return "≤ " + number(float64(floor)/1e6)
	}
	return number(bytes / 1e6)
}

// number writes three digits, or all that are before the point.
func number(v float64) string {
	digits := 2
	for limit := 10.0; digits > 0 && v >= limit; limit *= 10 {
		digits--
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}
