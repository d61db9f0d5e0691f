// SPDX-License-Identifier: GPL-2.0-or-later

package explain

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/exp/slices"
)

// Explanation explains the lines of a text that are one message.
type Explanation struct {
	ID    string   `json:"id"`
	Lines []string `json:"lines"` // as in the text, without repetitions
	Names []Names  `json:"names"` // of each of Lines
	From  string   `json:"from"`
	When  string   `json:"when,omitempty"` // kernels that print the form seen first
	Means string   `json:"means"`
	// Details are paragraphs that follow Means, Cases a list after these.
	Details []string `json:"details,omitempty"`
	Cases   []string `json:"cases,omitempty"`
	Fine    bool     `json:"fine"`
	// Causes are the likely ones, most likely first.
	Causes []Reason `json:"causes"`
	Doc    string   `json:"doc"`
	See    []string `json:"see,omitempty"` // places in documents that say more

	entry   *Entry
	kernels kernels // that may have printed the lines
}

// Names are the parts of a message that vary: symbol, object, module, errno…
type Names map[string]string

// Reason is a Cause with the names of the messages in it.
type Reason struct {
	When string   `json:"when,omitempty"` // kernels on which it can be the cause; "": all
	Why  string   `json:"why"`
	Fix  string   `json:"fix"`
	Run  []string `json:"run,omitempty"`
}

// most is how many messages of one entry are kept.
const most = 20

// colour matches what terminals read as a change of colour.
var colour = lazily(`\x1b\[[0-9;]*[mK]`)

// Text explains the lines of a text that it recognises, each message once, in the
// order of the text.
func Text(text string) []*Explanation {
	all, _ := Read(strings.NewReader(text))
	return all
}

// Read is Text for what r has. It keeps messages only, and of each at most as many as it
// explains, so that a log may have any length. The error is that of r.
func Read(r io.Reader) ([]*Explanation, error) {
	var (
		in      = bufio.NewReaderSize(r, maxLine)
		log     reading
		pending string // the last line that is not blank
		count   int    // of lines that are not blank, which do not make a message a log
		err     error
	)
	for err == nil {
		var line string
		if line, err = readLine(in); strings.TrimSpace(line) == "" {
			continue
		}
		if count++; count == 1 {
			line = strings.TrimLeftFunc(line, unicode.IsSpace)
		} else {
			log.add(pending, false)
		}
		pending = line
	}
	if count > 0 {
		log.add(strings.TrimRightFunc(pending, unicode.IsSpace), count == 1)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return log.finish(count > 1), err
}

// maxLine is how long a line may be; the rest of a longer one is not read.
const maxLine = 64 << 10

// readLine returns the next line without its end.
func readLine(in *bufio.Reader) (string, error) {
	b, err := in.ReadSlice('\n')
	line := string(b)
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = in.ReadSlice('\n')
	}
	return strings.TrimSuffix(line, "\n"), err
}

// A reading is a log being read.
type reading struct {
	boot  boot
	all   []*Explanation
	weak  int  // of all
	about bool // it is about livepatching: see aboutLivepatch
}

// add adds a line. One that is the whole text may be part of a message.
func (r *reading) add(line string, whole bool) {
	r.about = r.about || mayBeAbout(line) && aboutLivepatch().MatchString(line)
	if strings.Contains(line, "\x1b") { // dmesg --color=always
		line = colour().ReplaceAllString(line, "")
	}
	line = strings.TrimRight(line, "\r ")
	l := find(line)
	if l.entry == nil && whole {
		l = findPart(line)
	}
	l.text = line
	if strings.Contains(line, banner) {
		r.endBoot()
	}
	r.boot.add(l)
}

// endBoot explains the messages of the boot that has been read.
func (r *reading) endBoot() {
	r.boot.setKernels()
	for _, l := range r.boot.lines {
		e := l.entry
		i := slices.IndexFunc(r.all, func(x *Explanation) bool {
			return x.entry == e || x.ID == e.ID
		})
		if i < 0 {
			i = len(r.all)
			r.all = append(r.all, newExplanation(e, l.form()))
			if e.Weak {
				r.weak++
			}
		}
		r.all[i].add(l)
	}
	r.boot = boot{}
}

func (r *reading) finish(isLog bool) []*Explanation {
	r.endBoot()
	if isLog && r.weak == len(r.all) && !r.about {
		return nil
	}
	for _, x := range r.all {
		x.finish()
	}
	return r.all
}

// aboutLivepatch matches a log in which weak messages are explained: one that names
// livepatching, or has an oops of a kernel with TAINT_LIVEPATCH.
var aboutLivepatch = lazily(`(?i)livepatch|\bklp_|\.klp\.|kpatch|Tainted: [A-Z ]*\bK\b`)

// mayBeAbout reports whether line has a part of which aboutLivepatch needs one: most lines of
// most logs do not, and an expression that ignores case is slow. No part has a k or an s, which
// other letters than those of ASCII are equal to.
func mayBeAbout(line string) bool {
	for i := range len(line) {
		var part string
		switch line[i] | 0x20 {
		case 'l':
			part = "lp"
		case 'p':
			part = "patch"
		case 't':
			part = "tainted"
		default:
			continue
		}
		if len(line)-i >= len(part) && strings.EqualFold(line[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

func newExplanation(e *Entry, f *Form) *Explanation {
	x := &Explanation{
		ID: e.ID, From: e.From, Fine: e.Fine, Causes: []Reason{}, Doc: e.doc, See: e.see, entry: e,
	}
	if f != nil {
		x.When = f.When
	}
	if x.Doc == "" {
		x.Doc = "docs/messages.md"
	}
	x.Doc += "#" + e.ID
	return x
}

func (x *Explanation) add(l found) {
	line, names := strings.TrimSpace(l.text), l.names
	for _, k := range l.kernels {
		if !slices.Contains(x.kernels, k) {
			x.kernels = append(x.kernels, k)
		}
	}
	if len(x.kernels) > most { // a log of very many boots
		x.kernels = always
	}
	known := slices.ContainsFunc(x.Names, func(n Names) bool { return equal(n, names) })
	if len(x.Lines) < most && !known {
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

// finish fills the texts of the entry with the names of the messages. A command with a
// name in it is listed once for each.
func (x *Explanation) finish() {
	first := x.Names[0]
	x.Means = fill(x.entry.Means, first)
	x.Details, x.Cases = x.entry.details, x.entry.cases
	for _, c := range x.ranked() {
		r := Reason{When: c.When, Why: fill(c.Why, first), Fix: fill(c.Fix, first)}
		for _, run := range c.Run {
			for _, names := range x.Names {
				if s := fillRun(run, names); !slices.Contains(r.Run, s) {
					r.Run = append(r.Run, s)
				}
			}
		}
		x.Causes = append(x.Causes, r)
	}
}

// ranked returns the causes that are possible on the kernel that printed the message,
// those first that the message itself indicates.
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
	var causes []Cause
	for _, c := range x.entry.Causes {
		if c.When == "" || x.kernels.and(parseDates(c.When)) != nil {
			causes = append(causes, c)
		}
	}
	slices.SortStableFunc(causes, func(a, b Cause) int { return rank(a) - rank(b) })
	return causes
}

var patterns = sync.OnceValue(func() []*pattern {
	var all []*pattern
	for _, g := range Groups() {
		for i := range g.Entries {
			e := &g.Entries[i]
			for j := range e.Forms {
				p := compile(e, &e.Forms[j])
				p.kernel = strings.HasPrefix(g.Title, "The kernel: ")
				all = append(all, p)
			}
		}
	}
	return all
})

// A found is a line and the entry and pattern that it matched, if it did.
type found struct {
	text    string
	entry   *Entry
	pattern *pattern // nil for a diagnostic of klp-convert
	names   Names
	kernels kernels
}

// form returns the wording of a line, or nil.
func (f *found) form() *Form {
	if f.pattern == nil {
		return nil
	}
	return f.pattern.form
}

// find returns what a line is: a diagnostic, or the form that matches most of it.
func find(line string) found {
	if e, names := findOwn(line); e != nil {
		return found{entry: e, names: names}
	}
	var best found
	allPatterns().with(line, func(p *pattern) {
		if best.pattern != nil && p.literals <= best.pattern.literals {
			return
		}
		if names, ok := p.match(line); ok {
			best = found{entry: p.entry, pattern: p, names: names}
		}
	})
	return best
}

// FormOf returns the form that a line is recognised by, nil for a line that is not. It
// must not be changed.
func FormOf(line string) *Form {
	f := find(line)
	return f.form()
}
