// SPDX-License-Identifier: GPL-2.0-or-later

package debuginfo

import "fmt"

// Bounds on a table of abbreviations and a unit. A unit of a kernel has some hundred
// abbreviations of a dozen attributes each.
const (
	maxAbbrevs = 1 << 16
	maxAttrs   = 1 << 10
	maxUnit    = 256 << 20
)

// abbrevs is a table of abbreviations, by code.
type abbrevs struct {
	direct []abbrev // by code-1, for small codes
	others map[uint64]*abbrev
	attrs  []attr
	steps  []step // see compile
}

type abbrev struct {
	tag      uint64
	from, to int // in attrs
	// Its steps are those from firstStep up to endStep.
	firstStep, endStep int
	found              bool // the table has this code
	children           bool // entries with this code have children
}

type attr struct {
	name, form uint64
	implicit   uint64
}

// A step of reading an entry skips a known number of bytes, or reads one value.
type step struct {
	skip     int
	form     uint64
	location bool
}

// find returns the abbreviation of that code, or nil.
func (t *abbrevs) find(code uint64) *abbrev {
	if code-1 < uint64(len(t.direct)) {
		if a := &t.direct[code-1]; a.found {
			return a
		}
		return nil
	}
	return t.others[code]
}

// abbrevsAt returns the table at off, valid until the next call.
func (d *reader) abbrevsAt(off uint64) (*abbrevs, error) {
	if d.table.others != nil && d.tableAt == off {
		return &d.table, nil
	}
	for n := 8 << 10; ; n *= 4 {
		b, err := d.abbrev.at(off, n)
		if err != nil {
			return nil, err
		}
		c := cursor{b: b, order: d.f.Order}
		t := abbrevs{others: map[uint64]*abbrev{}, direct: d.table.direct[:0],
			attrs: d.table.attrs[:0], steps: d.table.steps[:0]}
		count := 0
		for !c.bad {
			code := c.uleb()
			if code == 0 || c.bad {
				break
			}
			a := abbrev{tag: c.uleb(), from: len(t.attrs), found: true}
			a.children = c.u8() != 0
			for !c.bad {
				x := attr{name: c.uleb(), form: c.uleb()}
				if x.form == 0x21 { // DW_FORM_implicit_const
					x.implicit = uint64(c.sleb())
				}
				if x.name == 0 && x.form == 0 {
					break
				}
				if t.attrs = append(t.attrs, x); len(t.attrs)-a.from > maxAttrs {
					return nil, fmt.Errorf("abbreviation of more than %d attributes: %w", maxAttrs,
						errTooLarge)
				}
			}
			a.to = len(t.attrs)
			if count++; count > maxAbbrevs {
				return nil, fmt.Errorf("%d abbreviations: %w", count, errTooLarge)
			}
			// Compilers number them from 1 on, in any order.
			if code <= uint64(maxAbbrevs) {
				for uint64(len(t.direct)) < code {
					t.direct = append(t.direct, abbrev{})
				}
				t.direct[code-1] = a
			} else {
				other := a
				t.others[code] = &other
			}
		}
		if c.bad && len(b) == n { // not all of it
			continue
		}
		d.table, d.tableAt = t, off
		return &d.table, d.spend(len(b) + 64*len(t.direct))
	}
}

// compile makes the steps in which entries of the unit are read, most of which are
// skipped.
func (t *abbrevs) compile(u *Unit) {
	t.steps = t.steps[:0]
	of := func(a *abbrev) {
		a.firstStep = len(t.steps)
		for _, x := range t.attrs[a.from:a.to] {
			n := fixedSize(x.form, u)
			wanted := a.tag == tagVariable && x.name == atLocation
			switch {
			case n == 0:
			case n > 0 && len(t.steps) > a.firstStep && t.steps[len(t.steps)-1].skip > 0:
				t.steps[len(t.steps)-1].skip += n
			case n > 0:
				t.steps = append(t.steps, step{skip: n})
			default:
				t.steps = append(t.steps, step{form: x.form, location: wanted})
			}
		}
		a.endStep = len(t.steps)
	}
	for i := range t.direct {
		of(&t.direct[i])
	}
	for _, a := range t.others {
		of(a)
	}
}
