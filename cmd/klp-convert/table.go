// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table prints titled lists, aligned in columns, one line for each row. A list without rows
// is not printed, not even its title, and no line ends in blanks. Cells may be names from a
// hostile file: they are printed without control characters.
type table struct {
	w       io.Writer
	out     bytes.Buffer
	title   string // of the list whose rows these are
	columns []string
	rows    [][]string
}

const (
	lineWidth = 80 // of a terminal whose width is not known
	gap       = 2  // in front of each column
)

func newTable(w io.Writer) *table { return &table{w: w} }

// section starts a list.
func (t *table) section(title string, columns ...string) {
	t.endSection()
	t.title, t.columns = title, columns
}

// row adds a line to the list.
func (t *table) row(cells ...any) {
	r := make([]string, len(cells))
	for i, c := range cells {
		r[i] = clean(fmt.Sprint(c))
	}
	t.rows = append(t.rows, r)
}

// line prints a line of its own.
func (t *table) line(format string, args ...any) {
	t.endSection()
	fmt.Fprintf(&t.out, format+"\n", args...)
}

func (t *table) endSection() {
	if len(t.rows) > 0 {
		if t.out.Len() > 0 {
			t.out.WriteByte('\n')
		}
		fmt.Fprintln(&t.out, t.title)
		rows := t.rows
		if len(t.columns) > 0 {
			rows = append([][]string{t.columns}, rows...)
		}
		t.align(rows)
	}
	t.rows = nil
}

// align writes rows in columns. Every row gets as many cells as the longest, since
// tabwriter ends a column at a row that does not have it, and pads cells that are empty.
func (t *table) align(rows [][]string) {
	columns := 0
	for _, r := range rows {
		columns = max(columns, len(r))
	}
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, gap, ' ', 0)
	for _, r := range rows {
		empty := strings.Repeat("\t", columns-len(r))
		fmt.Fprintf(w, "%*s%s%s\n", gap, "", strings.Join(r, "\t"), empty)
	}
	w.Flush()
	for _, line := range strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n") {
		fmt.Fprintln(&t.out, strings.TrimRight(line, " "))
	}
}

// flush prints everything.
func (t *table) flush() error {
	t.endSection()
	_, err := t.w.Write(t.out.Bytes())
	return err
}
