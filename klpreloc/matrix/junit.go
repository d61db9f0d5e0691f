// SPDX-License-Identifier: GPL-2.0-or-later

package matrix

import (
	"fmt"
	"strings"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// JUnit's XML has no standard; this is what Jenkins, GitLab and others read alike: a suite for
// each module, a case for each kernel. A case with findings fails, but for known ones; one of
// which something was not judged is skipped, with Strict it fails; notes and known findings
// are its output. Times are 0: the same matrix gives the same bytes.

// JUnit returns the matrix as an XML file.
func (m *Matrix) JUnit() []byte {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	var suites strings.Builder
	var all junitCounts
	for i := range m.Modules {
		all.add(m.writeSuite(&suites, i))
	}
	fmt.Fprintf(&b, "<testsuites name=\"klp-convert check\" %s>\n", all)
	b.WriteString(suites.String())
	b.WriteString("</testsuites>\n")
	return []byte(b.String())
}

// junitCounts are the numbers of cases.
type junitCounts struct{ tests, failures, skipped int }

func (c *junitCounts) add(x junitCounts) {
	c.tests, c.failures, c.skipped = c.tests+x.tests, c.failures+x.failures, c.skipped+x.skipped
}

// String returns them as attributes.
func (c junitCounts) String() string {
	return fmt.Sprintf(`tests="%d" failures="%d" errors="0" skipped="%d" time="0"`, c.tests,
		c.failures, c.skipped)
}

// writeSuite writes the cases of a module.
func (m *Matrix) writeSuite(to *strings.Builder, module int) (n junitCounts) {
	label := escapeXML(m.Modules[module].Label)
	var b strings.Builder
	for k := range m.Kernels {
		c := &m.Cells[module][k]
		fmt.Fprintf(&b, "    <testcase classname=\"%s\" name=\"%s\" time=\"0\">\n", label,
			escapeXML(m.Kernels[k].Label))
		n.tests++
		switch fresh, _ := c.Counts(); {
		case fresh > 0:
			n.failures++
			f := c.firstFresh()
			fmt.Fprintf(&b, "      <failure type=\"%s\" message=\"%s\">%s</failure>\n", f.ID,
				escapeXML(f.KernelSays()), escapeXML(c.text(func(n int) bool {
					return c.Findings[n].Severity == diag.Error && !c.Marks[n].Known
				})))
		case !c.Passes(m.Strict):
			n.failures++
			fmt.Fprintf(&b, "      <failure type=\"not judged\" message=\"%s\">%s</failure>\n",
				escapeXML(Verdict(c.Report)), escapeXML(c.gapText()))
		case c.First() == nil && len(c.NotJudged()) > 0:
			n.skipped++
			fmt.Fprintf(&b, "      <skipped message=\"%s\"/>\n", escapeXML(Verdict(c.Report)))
		}
		other := c.text(func(n int) bool {
			return c.Findings[n].Severity != diag.Error || c.Marks[n].Known
		}) + c.gapText()
		if other != "" {
			fmt.Fprintf(&b, "      <system-out>%s</system-out>\n", escapeXML(other))
		}
		b.WriteString("    </testcase>\n")
	}
	fmt.Fprintf(to, "  <testsuite name=\"%s\" %s>\n%s  </testsuite>\n", label, n, b.String())
	return n
}

// firstFresh is the first finding that fails the cell, nil when none does.
func (c *Cell) firstFresh() *diag.Diagnostic {
	for n := range c.Findings {
		if c.Findings[n].Severity == diag.Error && !c.Marks[n].Known {
			return &c.Findings[n]
		}
	}
	return nil
}

// text returns the findings of the cell that are wanted, as lines.
func (c *Cell) text(wanted func(n int) bool) string {
	var b strings.Builder
	for n := range c.Findings {
		if !wanted(n) {
			continue
		}
		d := &c.Findings[n]
		known := ""
		if c.Marks[n].Known {
			known = "known "
		}
		fmt.Fprintf(&b, "%s%s: %s [%s]\n", known, SeverityWord(d.Severity), Placed(d), d.ID)
		for _, x := range d.Differences {
			fmt.Fprintf(&b, "    %s: declared %s, kernel %s: %s\n", x.Part, x.Declared, x.Kernel, x.Why)
		}
		if len(d.Places) > 0 {
			fmt.Fprintf(&b, "    also %s\n", some(d.Places, 0, ""))
		}
		for _, k := range Told(d) {
			fmt.Fprintf(&b, "    %s\n", Moment(k))
			for _, x := range k.Messages {
				fmt.Fprintf(&b, "        %s\n", x.Text)
			}
		}
		for _, h := range d.Hints {
			fmt.Fprintf(&b, "    fix: %s\n", h)
		}
	}
	return b.String()
}

// Placed returns the message of a finding, after its place.
func Placed(d *diag.Diagnostic) string {
	place := d.Where()
	if d.Section != "" && d.Symbol != "" {
		place += " " + d.Symbol
	}
	if place == "" {
		return d.Message
	}
	return place + ": " + d.Message
}

// gapText returns what was not judged, as lines.
func (c *Cell) gapText() string {
	var b strings.Builder
	for _, u := range c.NotJudged() {
		fmt.Fprintf(&b, "not judged: %s: %s\n", u.What, u.Why)
	}
	return b.String()
}

// escapeXML returns a text for XML 1.0, in an element or in an attribute in double quotes.
// What XML cannot have becomes U+FFFD.
func escapeXML(s string) string {
	var b strings.Builder
	for _, r := range s { // what is not UTF-8 is U+FFFD here
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '"':
			b.WriteString("&quot;")
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff:
			b.WriteRune('\uFFFD')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
