// SPDX-License-Identifier: GPL-2.0-or-later

package matrix

import (
	"strconv"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
)

// SeverityWord is what check calls the severity of a diagnostic.
func SeverityWord(s diag.Severity) string {
	if s == diag.Note {
		return "note"
	}
	return "finding"
}

// Moment says when a finding shows, and what insmod reports.
func Moment(k diag.Case) string {
	s := map[diag.When]string{
		diag.Loading:  "when it is loaded",
		diag.Enabling: "when it is enabled, by its init function",
		diag.Coming:   "when " + k.Object + " is loaded later",
		diag.Calling:  "when the code runs",
		diag.Again:    "when " + k.Object + " is loaded a second time",
		diag.Removing: "when it is removed",
	}[k.When]
	if k.When == diag.Enabling && k.Object != "" {
		s += ", if " + k.Object + " is loaded by then"
	}
	if k.When == diag.Loading && k.Object != "" {
		s += ", if " + k.Object + " is not there"
	}
	switch k.Errno {
	case "":
	case "killed":
		s += ", insmod is killed"
	default:
		s += ", " + k.Errno
	}
	if len(k.Messages) > 0 {
		return s + ":"
	}
	return s + ", without a message"
}

// Told are the cases of a diagnostic that say something: a note without a message of the
// kernel's has none.
func Told(d *diag.Diagnostic) []diag.Case {
	var all []diag.Case
	for _, k := range d.Cases {
		if d.Severity == diag.Note && k.When == diag.Loading && len(k.Messages) == 0 {
			continue
		}
		all = append(all, k)
	}
	return all
}

// own are the words that stand for a cell in its texts: hints name its file and its kernel,
// and the kernel's messages its module.
type own []string

func ownWords(file string, r *loader.Report) own {
	words := own{diag.ShellQuote(file), diag.ShellQuote(r.Kernel), file, r.Kernel, r.Module}
	return slices.DeleteFunc(words, func(w string) bool { return w == "" })
}

// key is equal for diagnostics that say the same of two cells.
func (o own) key(d *diag.Diagnostic) string {
	var b strings.Builder
	add := func(s string) { b.WriteString(s + "\x00") }
	add(string(d.ID) + " " + strconv.Itoa(int(d.Severity)))
	add(d.Symbol)
	add(o.general(d.Message))
	for _, c := range d.Cases {
		add(c.When.String() + " " + c.Errno + " " + c.Object)
		for _, m := range c.Messages {
			add(o.general(m.Text))
		}
	}
	for _, x := range d.Differences {
		add(x.Part + "\x01" + x.Declared + "\x01" + x.Kernel + "\x01" + x.Why)
	}
	for _, h := range d.Hints {
		add("fix " + o.general(h))
	}
	return b.String()
}

// general returns a text with the cell's own words replaced.
func (o own) general(s string) string {
	for _, w := range o {
		s = replaceWord(s, w, "\x02")
	}
	return s
}

// replaceWord replaces a word where no letter, digit or underscore is beside it.
func replaceWord(s, word, by string) string {
	var b strings.Builder
	last := byte(0) // before s
	for {
		i := strings.Index(s, word)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		end := i + len(word)
		if i > 0 {
			last = s[i-1]
		}
		whole := !inWord(last) && (end == len(s) || !inWord(s[end]))
		b.WriteString(s[:i])
		if whole {
			b.WriteString(by)
		} else {
			b.WriteString(word)
		}
		last, s = s[end-1], s[end:]
	}
}

func inWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// CellsLine names cells in one line: modules that have the same kernels are named together.
func (m *Matrix) CellsLine(cells []At) string {
	type group struct {
		modules []string
		kernels []int
	}
	var groups []group
	of := map[int][]int{}
	var modules []int
	for _, c := range cells {
		if of[c.Module] == nil {
			modules = append(modules, c.Module)
		}
		if !slices.Contains(of[c.Module], c.Kernel) {
			of[c.Module] = append(of[c.Module], c.Kernel)
		}
	}
	for _, i := range modules {
		at := slices.IndexFunc(groups, func(g group) bool { return slices.Equal(g.kernels, of[i]) })
		if at < 0 {
			at = len(groups)
			groups = append(groups, group{kernels: of[i]})
		}
		groups[at].modules = append(groups[at].modules, m.Modules[i].Label)
	}
	var all []string
	for _, g := range groups {
		all = append(all, some(g.modules, len(m.Modules), "modules")+" on "+
			some(m.kernelLabels(g.kernels), len(m.Kernels), "kernels"))
	}
	return strings.Join(all, "; ")
}

func (m *Matrix) kernelLabels(list []int) []string {
	labels := make([]string, len(list))
	for i, k := range list {
		labels[i] = m.Kernels[k].Label
	}
	return labels
}

// mostNamed is how many names of a list are printed.
const mostNamed = 8

// some names what is in a list of so many.
func some(names []string, of int, what string) string {
	switch n := len(names); {
	case n == of && n > 1:
		return "all " + what
	case n > mostNamed:
		return strings.Join(names[:mostNamed], ", ") + " and " + strconv.Itoa(n-mostNamed) + " more"
	}
	return strings.Join(names, ", ")
}
