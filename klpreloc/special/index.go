// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// index is what Sites or Replacements looks up: by section, then by place.
type index map[*elfrw.Section]*spans[entryNum]

// entryNum identifies an entry: the number of its table in Tables.All, then its
// own. A pointer would make the index something that the garbage collector has to
// look through.
type entryNum struct{ table, entry uint32 }

func (t *Tables) entry(n entryNum) *Entry { return t.All[n.table].Entry(int(n.entry)) }

// batch is what one table adds to an index: by entry, and where the section changes.
type batch struct {
	spans spans[entryNum]
	runs  []run
}

type run struct {
	section *elfrw.Section
	first   int // in spans
}

// reset empties b and makes room for n spans.
func (b *batch) reset(n int) {
	if cap(b.spans) < n {
		b.spans = make(spans[entryNum], 0, n)
	}
	b.spans, b.runs = b.spans[:0], nil
}

func (b *batch) add(r elfrw.Range, n entryNum) {
	if r.Section == nil {
		return
	}
	if len(b.runs) == 0 || b.runs[len(b.runs)-1].section != r.Section {
		b.runs = append(b.runs, run{r.Section, len(b.spans)})
	}
	b.spans = append(b.spans, span[entryNum]{from: r.Offset, to: r.Offset + r.Size, what: n})
}

// add takes a batch over.
func (x index) add(b *batch) {
	for i, r := range b.runs {
		end := len(b.spans)
		if i+1 < len(b.runs) {
			end = b.runs[i+1].first
		}
		list := b.spans[r.first:end:end]
		if x[r.section] == nil {
			x[r.section] = &list
		} else {
			*x[r.section] = append(*x[r.section], list...)
		}
	}
}

// dropRemoved removes the entries that their tables have lost.
func (x index) dropRemoved(t *Tables) {
	for s, list := range x {
		left := slices.DeleteFunc(*list, func(y span[entryNum]) bool {
			return int(y.what.entry) >= t.All[y.what.table].n
		})
		x[s] = &left
	}
}

// overlapping returns the entries of x that have one of the width bytes at offset.
func (t *Tables) overlapping(x index, s *elfrw.Section, offset, width uint64) []*Entry {
	list := x[s]
	if list == nil {
		return nil
	}
	end := offset + max(width, 1)
	if end < offset {
		end = ^uint64(0)
	}
	var found []*Entry
	list.overlap(offset, end, func(y *span[entryNum]) bool {
		found = append(found, t.entry(y.what))
		return true
	})
	return found
}

// maxCover is how many entries may cover one byte of code. The kernel's macros
// give it four or five (ALTERNATIVE_3, or a jump label within an alternative); a
// bound keeps the look-ups from being quadratic in a hostile file.
const maxCover = 256

// findCrowded adds to found, by table, the first entry that is one too many at a place.
func (x index) findCrowded(found map[uint32]uint32) {
	for _, list := range x {
		reach := uint64(0)
		for i := range *list {
			y := &(*list)[i]
			if reach > y.from { // something that started before is still there
				n := 0
				list.overlap(y.from, y.from+1, func(x *span[entryNum]) bool {
					n++
					return x != y && n <= maxCover
				})
				if n > maxCover {
					first, ok := found[y.what.table]
					if !ok || y.what.entry < first {
						found[y.what.table] = y.what.entry
					}
				}
			}
			reach = max(reach, y.to)
		}
	}
}

// index makes sites and replacements ready for look-ups. Tables that crowd a
// place lose their entries from there on.
func (t *Tables) index() []Problem {
	first := map[uint32]uint32{}
	for _, x := range []index{t.sites, t.replacements} {
		for _, list := range x {
			list.index()
		}
		x.findCrowded(first)
	}
	if len(first) == 0 {
		return nil
	}
	var problems []Problem
	for i, table := range t.All {
		if e, ok := first[uint32(i)]; ok {
			problems = append(problems, *table.problem(int64(uint64(e)*table.Stride),
				"more than %d entries are about the same code", maxCover))
			table.n = int(e)
		}
	}
	for _, x := range []index{t.sites, t.replacements} {
		x.dropRemoved(t)
		for _, list := range x {
			list.index()
		}
	}
	return problems
}
