// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/klp-convert/klp-convert/klpreloc/matrix"
)

// pipeWidth is how wide a table of modules and kernels gets where there is no terminal, before
// its kernels become numbers.
const pipeWidth = 100

// printMatrix writes a table of modules and kernels, and below it each finding once.
func (c *checking) printMatrix(w io.Writer, m *matrix.Matrix) error {
	t := newTable(w)
	title := m.Summary()
	rows := make([][]string, len(m.Modules))
	widths := []int{len("MODULE")}
	for i, x := range m.Modules {
		rows[i] = []string{x.Label}
		for k := range m.Kernels {
			rows[i] = append(rows[i], m.Word(&m.Cells[i][k]))
		}
	}
	heads := []string{"MODULE"}
	for _, k := range m.Kernels {
		heads, widths = append(heads, k.Label), append(widths, utf8.RuneCountInString(k.Label))
	}
	room, total := terminalWidth(w), 0
	if room == 0 {
		room = pipeWidth
	}
	for n := range heads {
		for i := range rows {
			widths[n] = max(widths[n], utf8.RuneCountInString(rows[i][n]))
		}
		total += gap + widths[n]
	}
	if total > room {
		t.section("kernels")
		for n, k := range m.Kernels {
			heads[n+1] = "K" + strconv.Itoa(n+1)
			t.row(heads[n+1], k.Label)
		}
	}
	t.section(title, heads...)
	for _, r := range rows {
		cells := make([]any, len(r))
		for n, s := range r {
			cells[n] = s
		}
		t.row(cells...)
	}
	if err := t.flush(); err != nil {
		return err
	}
	b := new(strings.Builder)
	for n := range m.Findings {
		f := &m.Findings[n]
		known := ""
		if f.Known() {
			known = "known "
		}
		fmt.Fprintf(b, "\n#%d %s%s: %s [%s]\n", n+1, known, matrix.SeverityWord(f.Severity),
			matrix.Placed(&f.Diagnostic), f.ID)
		fmt.Fprintf(b, "      %s\n", m.CellsLine(f.Cells))
		writeDetails(b, &f.Diagnostic)
	}
	c.writeGaps(b, m, "not judged", true)
	if c.verbose {
		c.writeGaps(b, m, "not checked", false)
	}
	if m.Baseline != nil {
		fmt.Fprintf(b, "\n%s\n", m.Baseline)
		for _, g := range m.Baseline.Gone {
			fmt.Fprintf(b, "  gone: %s on %s [%s]\n", clean(g.Module()), clean(g.Message.Text),
				clean(g.RuleID))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeGaps writes what was not checked, each list once.
func (c *checking) writeGaps(b *strings.Builder, m *matrix.Matrix, title string, lacking bool) {
	shown := func(cell *matrix.Cell) bool { return c.verbose || cell.First() == nil }
	for _, g := range m.Gaps(lacking, shown) {
		fmt.Fprintf(b, "\n%s\n", m.CellsLine(g.Cells))
		writeUnchecked(b, title, g.Items, lacking)
	}
}
