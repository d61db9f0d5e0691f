// SPDX-License-Identifier: GPL-2.0-or-later

package diag

import "golang.org/x/exp/slices"

// A Reporter collects what one stage finds. One cause is one diagnostic: a stage asks
// AddPlace first, and what it adds by AddFor then is known by its cause. A diagnostic that has
// been added is not changed: where else its cause shows is kept beside it, and List puts the
// two together. The zero Reporter is ready for use.
type Reporter struct {
	list   List
	causes map[cause]int // which of list is about each
	more   map[int]more  // of list
}

// cause is what one diagnostic is about, wherever it shows.
type cause struct {
	id   ID
	what string
}

// more is what came to a diagnostic after it had been added.
type more struct{ places, hints []string }

// List returns what has been collected, in the order in which it was added. The slice is the
// caller's.
func (r *Reporter) List() List {
	all := slices.Clone(r.list)
	for i, x := range r.more {
		all[i].Places = append(slices.Clip(all[i].Places), x.places...)
		all[i].Hints = append(slices.Clip(all[i].Hints), x.hints...)
	}
	return all
}

// Failed reports whether an error is among it.
func (r *Reporter) Failed() bool { return r.list.Failed() }

// Add adds diagnostics.
func (r *Reporter) Add(d ...Diagnostic) { r.list = append(r.list, d...) }

// AddFor adds a diagnostic that is about a cause, which AddPlace knows from then on.
func (r *Reporter) AddFor(what string, d Diagnostic) {
	if r.causes == nil {
		r.causes = map[cause]int{}
	}
	r.causes[cause{d.ID, what}] = len(r.list)
	r.list = append(r.list, d)
}

// AddPlace adds a place, a symbol and lines to the Places and Hints of the diagnostic with that
// id and cause. It returns false when none has been added by AddFor.
func (r *Reporter) AddPlace(id ID, what string, where Place, sym string, lines ...string) bool {
	i, known := r.causes[cause{id, what}]
	if !known {
		return false
	}
	if sym == r.list[i].Symbol && !where.IsNowhere() {
		sym = ""
	}
	text := where.String()
	switch {
	case text == "":
		text = sym
	case sym != "":
		text += " (" + sym + ")"
	}
	x := r.moreOf(i)
	if text != "" {
		x.places = append(x.places, text)
	}
	x.hints = append(x.hints, lines...)
	r.more[i] = x
	return true
}

// AddHints adds lines to the diagnostic with that id and cause, which has been added by AddFor.
func (r *Reporter) AddHints(id ID, what string, lines ...string) {
	if i, known := r.causes[cause{id, what}]; known {
		x := r.moreOf(i)
		x.hints = append(x.hints, lines...)
		r.more[i] = x
	}
}

func (r *Reporter) moreOf(i int) more {
	if r.more == nil {
		r.more = map[int]more{}
	}
	return r.more[i]
}
