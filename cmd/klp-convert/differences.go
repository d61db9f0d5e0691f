// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

const (
	// maxDifferences is how many rows are printed; --json has all.
	maxDifferences = 12
	// widest is where a cell of a table of differences is cut.
	widest = 56
)

// differenceLines returns the table of what differs between a module and a kernel, in lines
// that do not end in blanks.
func differenceLines(list []diag.Difference) []string {
	if len(list) == 0 {
		return nil
	}
	rows := [][4]string{{"", "DECLARED", "KERNEL", ""}}
	for _, d := range list[:min(len(list), maxDifferences)] {
		rows = append(rows, [4]string{clipCell(d.Part), clipCell(d.Declared), clipCell(d.Kernel),
			d.Why})
	}
	var width [3]int
	for _, r := range rows {
		for i := range width {
			width[i] = max(width[i], utf8.RuneCountInString(r[i]))
		}
	}
	lines := make([]string, len(rows))
	for n, r := range rows {
		var b strings.Builder
		for i, cell := range r[:3] {
			fmt.Fprintf(&b, "%s%*s", cell, width[i]-utf8.RuneCountInString(cell)+gap, "")
		}
		lines[n] = strings.TrimRight(b.String()+r[3], " ")
	}
	if n := len(list) - maxDifferences; n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	return lines
}

// clipCell cuts a cell that is too wide.
func clipCell(s string) string {
	if utf8.RuneCountInString(s) <= widest {
		return s
	}
	return truncate(s, widest-1) + "…"
}
