// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table prints titled, aligned lists; a title without rows is not printed, and
// no line ends in blanks.
type table struct {
	w     io.Writer
	out   bytes.Buffer
	title []string // of the section that has no row yet
	rows  [][]string
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
		var b bytes.Buffer
		tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		if len(t.title) > 1 {
			fmt.Fprintln(tw, "  "+strings.Join(t.title[1:], "\t"))
		}
		for _, r := range t.rows {
			fmt.Fprintln(tw, "  "+strings.Join(r, "\t"))
		}
		tw.Flush()
		for _, l := range strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n") {
			fmt.Fprintln(&t.out, strings.TrimRight(l, " "))
		}
	}
	t.title, t.rows = nil, nil
}

// flush prints everything.
func (t *table) flush() error {
	t.end()
	_, err := t.w.Write(t.out.Bytes())
	return err
}
