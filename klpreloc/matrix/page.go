// SPDX-License-Identifier: GPL-2.0-or-later

package matrix

import (
	_ "embed"
	"fmt"
	"html"
	"strconv"
	"strings"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
)

// The page is one file that works where scripts and other hosts do not: in a mail, without a
// network. What it can open is <details>, where it can lead is an anchor. Its parts:
//
//	table     a row for each module; a cell links what it has: #f1, #u1
//	#f1       a finding: cause, cells, when, fix, and the reference's text
//	#u1       what was not judged, and where
//	#gone     what the baseline has and the check did not find
//
// Package html/template is not used: its tables are made whenever the program starts, for
// each command. The rule instead: raw gets what is written here, text and all else escapes.

//go:embed page.css
var style string

// page writes HTML.
type page struct{ strings.Builder }

// raw writes markup. It must not be given anything of a file.
func (p *page) raw(markup string) { p.WriteString(markup) }

// text writes a text. What cannot be printed, direction marks among them, becomes U+FFFD.
func (p *page) text(s string) {
	p.WriteString(html.EscapeString(strings.Map(func(r rune) rune {
		if r != '\n' && !strconv.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))))
}

// in writes a text between a start tag and an end tag of that name.
func (p *page) in(start, s string) {
	p.raw("<" + start + ">")
	p.text(s)
	name, _, _ := strings.Cut(start, " ")
	p.raw("</" + name + ">")
}

// link writes a link to an anchor of this page.
func (p *page) link(anchor, s string) {
	p.raw(`<a href="#` + anchor + `">`)
	p.text(s)
	p.raw("</a>")
}

// HTML returns the matrix as a page that needs no other file. version is the program's.
func (m *Matrix) HTML(version string) []byte {
	p := new(page)
	p.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n" +
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n" +
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; " +
		"style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n")
	p.in("title", "klp-convert check: "+m.Summary())
	p.raw("\n<style>\n" + style + "</style>\n</head>\n<body>\n" +
		"<a class=\"skip\" href=\"#findings\">Skip to the findings</a>\n<header>\n" +
		"<h1>Do these livepatches load?</h1>\n")
	p.in("p", m.Summary()+".")
	m.writeBaselineLine(p)
	p.in(`p class="soft"`, "Predicted by klp-convert "+version+" from the files of the kernels. "+
		"Nothing was loaded.")
	p.raw("\n</header>\n<main>\n")
	m.writeTable(p)
	m.writeFindings(p)
	gaps := m.Gaps(true, anyCell)
	m.writeGaps(p, gaps)
	m.writeGone(p)
	m.writeKernels(p)
	p.raw("</main>\n</body>\n</html>\n")
	return []byte(p.String())
}

// Summary counts the cells in one line, by what is said of them.
func (m *Matrix) Summary() string {
	var loads, fails, known, open int
	for i := range m.Modules {
		for k := range m.Kernels {
			switch c := &m.Cells[i][k]; {
			case c.First() == nil && len(c.NotJudged()) > 0:
				open++
			case c.First() == nil:
				loads++
			case c.Passes(false):
				known++
			default:
				fails++
			}
		}
	}
	s := fmt.Sprintf("%s on %s: %d of %d load", diag.Count(len(m.Modules), "module"),
		diag.Count(len(m.Kernels), "kernel"), loads, len(m.Modules)*len(m.Kernels))
	for _, x := range []struct {
		n    int
		what string
	}{{fails, "with findings"}, {known, "with known findings only"},
		{open, "not judged as a whole"}} {
		if x.n > 0 {
			s += fmt.Sprintf(", %d %s", x.n, x.what)
		}
	}
	return s
}

func (m *Matrix) writeTable(p *page) {
	p.raw("<h2 id=\"matrix\">Modules and kernels</h2>\n" +
		"<div class=\"scroll\" role=\"region\" aria-labelledby=\"matrix\" tabindex=\"0\">\n" +
		"<table class=\"matrix\">\n<caption>A row for each module, a column for each kernel. " +
		"Numbers lead to findings.</caption>\n<thead>\n<tr><th scope=\"col\">module</th>")
	for _, k := range m.Kernels {
		p.in(`th scope="col"`, k.Label)
	}
	p.raw("</tr>\n</thead>\n<tbody>\n")
	gapOf := map[[2]int]int{}
	for n, g := range m.Gaps(true, anyCell) {
		for _, at := range g.Cells {
			gapOf[[2]int{at.Module, at.Kernel}] = n + 1
		}
	}
	for i, x := range m.Modules {
		p.raw("<tr>")
		p.in(`th scope="row"`, x.Label)
		for k := range m.Kernels {
			m.writeCell(p, i, k, gapOf[[2]int{i, k}])
		}
		p.raw("</tr>\n")
	}
	p.raw("</tbody>\n</table>\n</div>\n")
}

// mostLinks is how many findings a cell links without being opened.
const mostLinks = 3

// writeCell writes a cell. gap is the number of what was not judged, 0 for nothing.
func (m *Matrix) writeCell(p *page, module, kernel, gap int) {
	c := &m.Cells[module][kernel]
	fresh, known := c.Counts()
	class, word := "good", "loads"
	switch lacking := len(c.NotJudged()); {
	case fresh > 0:
		class, word = "bad", ""
	case known > 0:
		class, word = "dim", "known:"
	case lacking > 0:
		class, word = "dim", ""
	}
	fmt.Fprintf(&p.Builder, `<td id="c%d-%d" class="%s">`, module+1, kernel+1, class)
	p.text(word)
	if f := c.First(); f == nil && gap > 0 {
		p.link("u"+strconv.Itoa(gap), diag.Count(len(c.NotJudged()), "check")+" not judged")
	}
	numbers := c.Numbers()
	links := func(list []int) {
		for _, n := range list {
			p.raw(" ")
			p.link("f"+strconv.Itoa(n), fmt.Sprintf("%s #%d", m.Findings[n-1].ID, n))
		}
	}
	links(numbers[:min(len(numbers), mostLinks)])
	if more := numbers[min(len(numbers), mostLinks):]; len(more) > 0 {
		p.raw("<details>")
		p.in("summary", strconv.Itoa(len(more))+" more")
		links(more)
		p.raw("</details>")
	}
	if f := c.First(); f != nil {
		p.in(`span class="says"`, f.KernelSays())
	}
	p.raw("</td>")
}

func (m *Matrix) writeFindings(p *page) {
	p.raw("<h2 id=\"findings\">Findings</h2>\n")
	if len(m.Findings) == 0 {
		p.raw("<p>None.</p>\n")
	}
	for n := range m.Findings {
		m.writeFinding(p, n+1, &m.Findings[n])
	}
}

func (m *Matrix) writeFinding(p *page, number int, f *Finding) {
	fmt.Fprintf(&p.Builder, "<article id=\"f%d\" aria-labelledby=\"h%d\">\n<h3 id=\"h%d\">", number,
		number, number)
	word := SeverityWord(f.Severity)
	if f.Known() {
		word = "known " + word
	}
	symbol := ""
	if f.Symbol != "" {
		symbol = f.Symbol + ": "
	}
	p.text(fmt.Sprintf("#%d %s: %s%s [%s]", number, word, symbol, f.Message, f.ID))
	p.raw("</h3>\n")
	m.writeWhere(p, f)
	first := f.Cells[0]
	of := ""
	if len(f.Cells) > 1 {
		of = ", for " + m.Modules[first.Module].Label + " on " + m.Kernels[first.Kernel].Label
	}
	p.raw("<dl>\n")
	if told := Told(&f.Diagnostic); len(told) > 0 {
		p.in("dt", "What happens"+of)
		for _, k := range told {
			p.raw("<dd>")
			p.text(Moment(k))
			for _, x := range k.Messages {
				p.in("pre", x.Text)
			}
			p.raw("</dd>\n")
		}
	}
	if len(f.Differences) > 0 {
		p.in("dt", "What differs")
		p.raw("<dd>")
		writeDifferences(p, f.Differences, number)
		p.raw("</dd>\n")
	}
	if len(f.Places) > 0 {
		p.in("dt", "Also at"+of)
		p.in("dd", some(f.Places, 0, ""))
	}
	if len(f.Hints) > 0 {
		p.in("dt", "Fix"+of)
		p.raw("<dd>")
		p.in("pre", strings.Join(f.Hints, "\n"))
		p.raw("</dd>\n")
	}
	p.raw("</dl>\n")
	if e := diag.Lookup(f.ID); e != nil {
		writeReference(p, e)
	}
	p.raw(`<p><a href="#matrix">Back to the table`)
	fmt.Fprintf(&p.Builder, " from #%d</a></p>\n</article>\n", number)
}

// mostRows is how many modules of a finding are listed without being opened.
const mostRows = 6

// writeWhere lists the cells of a finding, a line for each module.
func (m *Matrix) writeWhere(p *page, f *Finding) {
	var rows [][]At
	for _, at := range f.Cells {
		if n := len(rows); n > 0 && rows[n-1][0].Module == at.Module && rows[n-1][0].Where == at.Where {
			rows[n-1] = append(rows[n-1], at)
		} else {
			rows = append(rows, []At{at})
		}
	}
	if len(rows) > mostRows {
		p.raw("<details>")
		p.in("summary", "Where: "+m.CellsLine(f.Cells))
	}
	p.raw("<ul>\n")
	for _, row := range rows {
		p.raw("<li>")
		p.text(m.Modules[row[0].Module].Label)
		if row[0].Where != "" {
			p.raw(", ")
			p.in("code", row[0].Where)
		}
		p.raw(", on ")
		for i, at := range row {
			if i > 0 {
				p.raw(", ")
			}
			p.link(fmt.Sprintf("c%d-%d", at.Module+1, at.Kernel+1), m.Kernels[at.Kernel].Label)
			if at.Known {
				p.raw(" (known)")
			}
		}
		p.raw("</li>\n")
	}
	p.raw("</ul>\n")
	if len(rows) > mostRows {
		p.raw("</details>\n")
	}
}

func writeDifferences(p *page, list []diag.Difference, number int) {
	fmt.Fprintf(&p.Builder, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" "+
		"aria-label=\"what differs, #%d\">\n<table>\n<thead><tr>", number)
	p.raw("<th scope=\"col\">part</th><th scope=\"col\">declared</th><th scope=\"col\">kernel</th>" +
		"<th scope=\"col\">what follows</th></tr></thead>\n<tbody>\n")
	for _, x := range list {
		p.raw("<tr>")
		p.in(`th scope="row"`, x.Part)
		for _, s := range []string{x.Declared, x.Kernel, x.Why} {
			p.in("td", s)
		}
		p.raw("</tr>\n")
	}
	p.raw("</tbody>\n</table>\n</div>\n")
}

func (m *Matrix) writeGaps(p *page, gaps []Gap) {
	if len(gaps) == 0 {
		return
	}
	p.raw("<h2 id=\"unjudged\">Not judged</h2>\n" +
		"<p>A file that would tell is not available, or the module does not tell.</p>\n")
	for n, g := range gaps {
		fmt.Fprintf(&p.Builder, "<article id=\"u%d\" aria-labelledby=\"uh%d\">\n<h3 id=\"uh%d\">", n+1,
			n+1, n+1)
		p.text(m.CellsLine(g.Cells))
		p.raw("</h3>\n")
		writeItems(p, g.Items)
		p.raw("</article>\n")
	}
}

func writeItems(p *page, items []loader.Unchecked) {
	p.raw("<ul>\n")
	for _, u := range items {
		p.in("li", u.What+": "+u.Why)
		p.raw("\n")
	}
	p.raw("</ul>\n")
}

func (m *Matrix) writeBaselineLine(p *page) {
	if m.Baseline == nil {
		return
	}
	p.raw("<p>")
	p.text(m.Baseline.String())
	if len(m.Baseline.Gone) > 0 {
		p.raw(" ")
		p.link("gone", "What is gone")
	}
	p.raw("</p>\n")
}

func (m *Matrix) writeGone(p *page) {
	if m.Baseline == nil || len(m.Baseline.Gone) == 0 {
		return
	}
	p.raw("<h2 id=\"gone\">Gone</h2>\n<p>The baseline has these, and the check did not find them." +
		"</p>\n<ul>\n")
	for _, g := range m.Baseline.Gone {
		p.in("li", g.Module()+" on "+g.Message.Text+" ["+g.RuleID+"]")
		p.raw("\n")
	}
	p.raw("</ul>\n")
}

// String says in a sentence what came of the comparison.
func (b *Baseline) String() string {
	s := fmt.Sprintf("Compared with %s: %s known, %d gone", printable(b.File),
		diag.Count(b.Known, "finding"), len(b.Gone))
	if b.Elsewhere > 0 {
		s += fmt.Sprintf("; %d of modules and kernels that were not checked", b.Elsewhere)
	}
	return s + "."
}

// printable returns a name, quoted if it has characters that are not printable.
func printable(name string) string {
	for _, r := range name {
		if !strconv.IsPrint(r) {
			return strconv.Quote(name)
		}
	}
	return name
}

// writeKernels lists the kernels as they were asked for, and the files of the modules.
func (m *Matrix) writeKernels(p *page) {
	p.raw("<h2 id=\"inputs\">What was checked</h2>\n<h3>Kernels</h3>\n<ul>\n")
	for _, k := range m.Kernels {
		p.raw("<li>")
		p.text(k.Label)
		if k.Name != k.Label {
			p.text(": " + printable(k.Name))
		}
		if k.Version != "" {
			p.text(", rules of " + k.Version)
		}
		if len(k.Warnings) > 0 {
			p.raw("\n<ul>\n")
			for _, w := range k.Warnings {
				p.in("li", "warning: "+w)
				p.raw("\n")
			}
			p.raw("</ul>\n")
		}
		p.raw("</li>\n")
	}
	p.raw("</ul>\n<h3>Modules</h3>\n<ul>\n")
	for _, x := range m.Modules {
		p.in("li", x.Label+": "+printable(x.File))
		p.raw("\n")
	}
	p.raw("</ul>\n")
}
