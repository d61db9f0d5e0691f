// SPDX-License-Identifier: GPL-2.0-or-later

package explain

import (
	"regexp"
	"strings"
	"sync"

	"golang.org/x/exp/slices"
)

// Explanation is what there is to say about the lines of a text that are one
// message.
type Explanation struct {
	ID    string   `json:"id"`
	Lines []string `json:"lines"` // as they stand in the text, without what repeats
	Names []Names  `json:"names"` // of the lines that differ in them
	From  string   `json:"from"`
	When  string   `json:"when,omitempty"` // kernels that print the form seen first
	Means string   `json:"means"`
	Fine  bool     `json:"fine"`
	// Causes are the likely ones, most likely first.
	Causes []Reason `json:"causes"`
	Doc    string   `json:"doc"`

	entry *Entry
}

// Names are the parts of a message that vary: symbol, object, module, errno…
type Names map[string]string

// Reason is a Cause with the names of the messages in it.
type Reason struct {
	Why string   `json:"why"`
	Fix string   `json:"fix"`
	Run []string `json:"run,omitempty"`
}

// most is how many messages of one entry are kept.
const most = 20

// colour is what terminals take for one.
var colour = regexp.MustCompile(`\x1b\[[0-9;]*[mK]`)

// Text explains the lines of a text that it recognises, each message once, in the
// order of the text.
func Text(text string) []*Explanation {
	lines := strings.Split(strings.TrimSpace(text), "\n") // blank lines around one make no log
	var all []*Explanation
	var weak []*Explanation
	for _, line := range lines {
		if strings.Contains(line, "\x1b") { // dmesg --color=always
			line = colour.ReplaceAllString(line, "")
		}
		line = strings.TrimRight(line, "\r ")
		e, form, names := find(line)
		if e == nil && len(lines) == 1 {
			e, form, names = findPart(line)
		}
		if e == nil {
			continue
		}
		i := slices.IndexFunc(all, func(x *Explanation) bool { return x.entry == e || x.ID == e.ID })
		if i < 0 {
			i = len(all)
			all = append(all, newExplanation(e, form))
			if e.Weak {
				weak = append(weak, all[i])
			}
		}
		all[i].add(line, names)
	}
	if len(lines) > 1 && len(weak) == len(all) && !aboutLivepatch.MatchString(text) {
		return nil
	}
	for _, x := range all {
		x.finish()
	}
	return all
}

// aboutLivepatch tells a log in which weak messages are worth a word: one that
// names livepatching, or has an oops of a kernel with TAINT_LIVEPATCH.
var aboutLivepatch = regexp.MustCompile(`(?i)livepatch|\bklp_|\.klp\.|kpatch|Tainted: [A-Z ]*\bK\b`)

func newExplanation(e *Entry, f *Form) *Explanation {
	x := &Explanation{ID: e.ID, From: e.From, Fine: e.Fine, entry: e, Causes: []Reason{}, Doc: e.doc}
	if f != nil {
		x.When = f.When
	}
	if x.Doc == "" {
		x.Doc = "docs/messages.md"
	}
	x.Doc += "#" + e.ID
	return x
}

func (x *Explanation) add(line string, names Names) {
	line = strings.TrimSpace(line)
	if len(x.Lines) < most && !slices.ContainsFunc(x.Names, func(n Names) bool { return equal(n, names) }) {
		x.Lines = append(x.Lines, line)
		x.Names = append(x.Names, names)
	}
}

func equal(a, b Names) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

// finish fills the entry's texts with the names of every message. A command that
// names something is there once for each.
func (x *Explanation) finish() {
	first := x.Names[0]
	x.Means = fill(x.entry.Means, first)
	for _, c := range x.ranked() {
		r := Reason{Why: fill(c.Why, first), Fix: fill(c.Fix, first)}
		for _, run := range c.Run {
			for _, names := range x.Names {
				if s := fill(run, names); !slices.Contains(r.Run, s) {
					r.Run = append(r.Run, s)
				}
			}
		}
		x.Causes = append(x.Causes, r)
	}
}

// ranked returns the causes with those first that the message itself speaks for.
func (x *Explanation) ranked() []Cause {
	rank := func(c Cause) int {
		switch {
		case c.If == "":
			return 1
		case slices.ContainsFunc(x.Lines, func(l string) bool { return strings.Contains(l, c.If) }):
			return 0
		}
		return 2
	}
	causes := slices.Clone(x.entry.Causes)
	slices.SortStableFunc(causes, func(a, b Cause) int { return rank(a) - rank(b) })
	return causes
}

var patterns = sync.OnceValue(func() []*pattern {
	var all []*pattern
	for _, g := range Groups() {
		for i := range g.Entries {
			e := &g.Entries[i]
			for j := range e.Forms {
				all = append(all, compile(e, &e.Forms[j]))
			}
		}
	}
	return all
})

// find returns the entry for a line: a diagnostic's, or that whose form says most
// of the line.
func find(line string) (*Entry, *Form, Names) {
	if e, names := findOwn(line); e != nil {
		return e, nil, names
	}
	var best *pattern
	var found Names
	for _, p := range patterns() {
		if best != nil && p.literals <= best.literals {
			continue
		}
		if names, ok := p.match(line); ok {
			best, found = p, names
		}
	}
	if best == nil {
		return nil, nil, nil
	}
	return best.entry, best.form, found
}
