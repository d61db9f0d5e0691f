// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"fmt"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// finding is a diagnostic with what its collection into a report asks about it. It is a value:
// its methods return it with something added, and a rule adds it to its result last.
type finding struct {
	diag.Diagnostic
	cause  string  // that it shares with others; "": what its message and hints say
	object string  // whose function it is about
	sought *lookup // name that the kernel does not have, and for which another may be meant
}

// problem makes a finding of what the kernel refuses, or of what breaks.
func problem(id diag.ID, cause string) finding {
	return finding{Diagnostic: diag.Diagnostic{ID: id, Severity: diag.Error,
		Message: diag.Printable(cause)}}
}

// note makes a finding of what works.
func note(id diag.ID, cause string) finding {
	f := problem(id, cause)
	f.Severity = diag.Note
	return f
}

// at returns f with the place of an offset in a section, in bytes.
func (f finding) at(s *elfrw.Section, offset uint64) finding {
	f = f.in(s)
	f.Offset = &offset
	return f
}

// in returns f with a section as its place.
func (f finding) in(s *elfrw.Section) finding {
	if s != nil {
		f.Section = diag.Printable(s.String())
	}
	return f
}

// of returns f with the name of what it is about.
func (f finding) of(symbol string) finding {
	f.Symbol = diag.Printable(symbol)
	return f
}

// fix returns f with one more line that helps.
func (f finding) fix(format string, args ...any) finding {
	f.Hints = append(slices.Clip(f.Hints), diag.Printable(fmt.Sprintf(format, args...)))
	return f
}

// when returns f with one more case.
func (f finding) when(w diag.When, object, errno string, messages ...diag.KernelMessage) finding {
	f.Cases = append(slices.Clip(f.Cases), diag.Case{When: w, Object: object, Messages: messages,
		Errno: errno})
	return f
}

// because names the cause of f, where what is said of it differs from place to place.
func (f finding) because(cause string) finding {
	f.cause = cause
	return f
}

// result is what a rule finds, for one module and one kernel.
type result struct {
	found     []finding
	unchecked []Unchecked
	chosen    []Chosen
	ends      bool            // nothing that comes after can be judged
	seen      map[string]bool // what this rule reports once
}

// add adds a finding. It is complete by then.
func (r *result) add(f finding) { r.found = append(r.found, f) }

// end adds a finding after which nothing can be judged.
func (r *result) end(f finding) {
	r.add(f)
	r.ends = true
}

// notChecked adds something that was not checked, and that no file of the kernel tells.
func (r *result) notChecked(what, why string) { r.leave(Unchecked{What: what, Why: why}) }

// notJudged adds something that was not checked for want of a file, or because this one does
// not tell. "loads" has to be qualified then.
func (r *result) notJudged(what, why string) {
	r.leave(Unchecked{What: what, Why: why, NotJudged: true})
}

// leave adds u once: a rule may meet it at many places.
func (r *result) leave(u Unchecked) {
	u.What, u.Why = diag.Printable(u.What), diag.Printable(u.Why)
	if r.first("unchecked " + u.What + "\x00" + u.Why) {
		r.unchecked = append(r.unchecked, u)
	}
}

// first reports whether the rule asks for the first time. It is for what a rule meets at many
// places and reports at the first.
func (r *result) first(what string) bool {
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	again := r.seen[what]
	r.seen[what] = true
	return !again
}

// join adds what another rule found.
func (r *result) join(other result) {
	r.found = append(r.found, other.found...)
	r.unchecked = append(r.unchecked, other.unchecked...)
	r.chosen = append(r.chosen, other.chosen...)
	r.ends = r.ends || other.ends
}
