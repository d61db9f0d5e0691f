// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"fmt"

	"github.com/klp-convert/klp-convert/elfrw"
)

// index is what Sites or Replacements looks up: by section, then by place.
type index map[*elfrw.Section]*spans[*Entry]

// tally counts entries by the section that one of their ranges is in, so that an
// index can be made at once: hostile files have as many sections as entries, so
// there is no reserving room for all entries in each.
type tally struct {
	counts map[*elfrw.Section]*int
	last   *elfrw.Section // entries side by side are mostly about one section
	n      *int           // of last
}

func (c *tally) add(s *elfrw.Section) {
	if s == nil {
		return
	}
	if s != c.last {
		c.last, c.n = s, c.counts[s]
		if c.n == nil {
			if c.counts == nil {
				c.counts = map[*elfrw.Section]*int{}
			}
			c.n = new(int)
			c.counts[s] = c.n
		}
	}
	*c.n++
}

// index makes an index of one range of each entry, which c has counted.
func (c *tally) index(all []*Table, of func(*Entry) Range) index {
	x := make(index, len(c.counts))
	for s, n := range c.counts {
		list := make(spans[*Entry], 0, *n)
		x[s] = &list
	}
	var last *elfrw.Section
	var list *spans[*Entry]
	each(all, of, func(e *Entry, r Range) {
		if r.Section != last {
			last, list = r.Section, x[r.Section]
		}
		*list = append(*list, span[*Entry]{from: r.Offset, to: r.Offset + r.Size, what: e})
	})
	for _, list := range x {
		list.index()
	}
	return x
}

// each calls visit for each entry that has such a range.
func each(all []*Table, of func(*Entry) Range, visit func(*Entry, Range)) {
	for _, t := range all {
		for i := range t.Entries {
			if r := of(&t.Entries[i]); r.Section != nil {
				visit(&t.Entries[i], r)
			}
		}
	}
}

func (x index) at(s *elfrw.Section, offset, width uint64) []*Entry {
	list := x[s]
	if list == nil {
		return nil
	}
	end := offset + max(width, 1)
	if end < offset {
		end = ^uint64(0)
	}
	var found []*Entry
	list.overlap(offset, end, func(y *span[*Entry]) bool {
		found = append(found, y.what)
		return true
	})
	return found
}

// maxCover is how many entries may cover one byte of code. The kernel's macros
// give it four or five (ALTERNATIVE_3, or a jump label within an alternative); a
// bound keeps the look-ups from being quadratic in a hostile file.
const maxCover = 256

// crowded reports, by table, the first entry that is one too many at a place.
func (x index) crowded(found map[*Table]*Entry) {
	for _, list := range x {
		reach := uint64(0)
		for i := range *list {
			y := &(*list)[i]
			if reach > y.from { // something that started before is still there
				n := 0
				list.overlap(y.from, y.from+1, func(x *span[*Entry]) bool {
					n++
					return x != y && n <= maxCover
				})
				if e := found[y.what.Table]; n > maxCover && (e == nil || y.what.Offset < e.Offset) {
					found[y.what.Table] = y.what
				}
			}
			reach = max(reach, y.to)
		}
	}
}

// index makes sites and replacements ready for look-ups. Tables that crowd a
// place lose their entries from there on.
func (t *Tables) index(sites, replacements *tally) []Problem {
	build := func() {
		t.sites = sites.index(t.All, func(e *Entry) Range { return e.Site })
		t.replacements = replacements.index(t.All, func(e *Entry) Range { return e.Replacement })
	}
	build()
	first := map[*Table]*Entry{}
	t.sites.crowded(first)
	t.replacements.crowded(first)
	if len(first) == 0 {
		return nil
	}
	var problems []Problem
	for _, table := range t.All {
		if e := first[table]; e != nil {
			problems = append(problems, Problem{table.Section, int64(e.Offset), fmt.Sprintf("more than %d entries are about the same code", maxCover)})
			table.Entries = table.Entries[:e.Offset/table.Stride]
		}
	}
	build()
	return problems
}
