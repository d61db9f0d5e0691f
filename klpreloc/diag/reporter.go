// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// A Reporter collects what one stage finds. One cause is one diagnostic: a stage asks
// Repeats first, and what it adds by AddFor then is known by its cause. The zero Reporter
// is ready for use.
type Reporter struct {
	list   List
	causes map[cause]int // which of list is about each
}

// cause is what one diagnostic is about, wherever it shows.
type cause struct {
	id   ID
	what string
}

// List returns what has been collected, in the order in which it was added. The slice is
// the reporter's.
func (r *Reporter) List() List { return r.list }

// Failed reports whether an error is among it.
func (r *Reporter) Failed() bool { return r.list.Failed() }

// Add adds diagnostics.
func (r *Reporter) Add(d ...Diagnostic) { r.list = append(r.list, d...) }

// AddFor adds a diagnostic that is about a cause, which Repeats knows from then on.
func (r *Reporter) AddFor(what string, d Diagnostic) {
	if r.causes == nil {
		r.causes = map[cause]int{}
	}
	r.causes[cause{d.ID, what}] = len(r.list)
	r.list = append(r.list, d)
}

// Repeats reports whether a diagnostic with that id and cause has been added. The place and
// the symbol are then one more of its Places, and the lines more of its Hints.
func (r *Reporter) Repeats(id ID, what string, where Place, sym string, lines ...string) bool {
	i, known := r.causes[cause{id, what}]
	if !known {
		return false
	}
	d := &r.list[i]
	d.Hints = append(d.Hints, lines...)
	if sym == d.Symbol && where.at.Section != nil {
		sym = ""
	}
	text := where.String()
	switch {
	case text == "":
		text = sym
	case sym != "":
		text += " (" + sym + ")"
	}
	if text != "" {
		d.Places = append(d.Places, text)
	}
	return true
}

// HintFor adds lines to the diagnostic with that id and cause, which has been added by
// AddFor.
func (r *Reporter) HintFor(id ID, what string, lines ...string) {
	if i, known := r.causes[cause{id, what}]; known {
		r.list[i].Hints = append(r.list[i].Hints, lines...)
	}
}
