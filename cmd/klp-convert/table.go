// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/exp/slices"
)

// table prints titled, aligned lists; a title without rows is not printed, and
// no line ends in blanks. Where a few long names would push everything behind them off
// the terminal, their rows are continued on the next line, below their columns.
type table struct {
	w     io.Writer
	out   bytes.Buffer
	title []string // of the section that has no row yet
	rows  [][]string
	whole bool // a line for each row, however long
}

func newTable(w io.Writer) *table { return &table{w: w} }

// section starts a list.
func (t *table) section(title string, columns ...string) {
	t.end()
	t.title = append([]string{title}, columns...)
}

// row adds a line to the list.
func (t *table) row(cells ...any) {
	r := make([]string, len(cells))
	for i, c := range cells {
		r[i] = fmt.Sprint(c)
	}
	t.rows = append(t.rows, r)
}

// line prints a line of its own.
func (t *table) line(format string, args ...any) {
	t.end()
	fmt.Fprintf(&t.out, format+"\n", args...)
}

func (t *table) end() {
	if len(t.rows) > 0 {
		if t.out.Len() > 0 {
			t.out.WriteByte('\n')
		}
		fmt.Fprintln(&t.out, t.title[0])
		rows := t.rows
		if len(t.title) > 1 {
			rows = append([][]string{t.title[1:]}, rows...)
		}
		t.align(rows)
	}
	t.title, t.rows = nil, nil
}

const (
	lineWidth = 80 // of a terminal
	gap       = 2  // in front of each column
	modest    = 24 // width that is no reason to break lines
)

// align writes rows, of which the first may be the head.
func (t *table) align(rows [][]string) {
	widths := t.widths(rows)
	for _, r := range rows {
		var b strings.Builder
		at, column := 0, 0 // where the line ends, and the column begins
		for i, cell := range r {
			column += gap
			if at+1 > column { // the cell in front reaches into this column
				b.WriteByte('\n')
				at = 0
			}
			if cell != "" {
				b.WriteString(strings.Repeat(" ", column-at) + cell)
				at = column + utf8.RuneCountInString(cell)
			}
			if i < len(widths) {
				column += widths[i]
			}
		}
		fmt.Fprintln(&t.out, strings.TrimRight(b.String(), " "))
	}
}

// widths returns how wide the columns are, the last aside. While the table is wider than a
// terminal, the widest gives way: its longest cells don't count any more.
func (t *table) widths(rows [][]string) []int {
	var cells [][]int // of each column
	for _, r := range rows {
		for i, cell := range r {
			if i == len(cells) {
				cells = append(cells, nil)
			}
			cells[i] = append(cells[i], utf8.RuneCountInString(cell))
		}
	}
	widths := make([]int, len(cells))
	total := 0
	for i, c := range cells {
		widths[i] = slices.Max(c)
		total += gap + widths[i]
	}
	last := len(cells) - 1
	total -= max(widths[last]-modest, 0) // what is long at the end is in nobody's way
	for !t.whole && total > lineWidth {
		widest := 0
		for i, w := range widths[:last] {
			if w > widths[widest] {
				widest = i
			}
		}
		next := 0
		for _, c := range cells[widest] {
			if c < widths[widest] {
				next = max(next, c)
			}
		}
		if widths[widest] <= modest || last == 0 {
			break
		}
		total -= widths[widest] - next
		widths[widest] = next
	}
	return widths[:last]
}

// flush prints everything.
func (t *table) flush() error {
	t.end()
	_, err := t.w.Write(t.out.Bytes())
	return err
}
