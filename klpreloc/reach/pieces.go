// SPDX-License-Identifier: GPL-2.0-or-later

package reach

import (
	"debug/elf"
	"sort"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
)

// area is a loaded section, cut into pieces. Piece first+i is what begins at
// starts[i], up to the next.
type area struct {
	section *elfrw.Section
	starts  []uint64
	first   int
	marks   []uint64 // where to cut what no symbol covers
	forced  []uint64 // where to cut in any case
	covered []extent // by symbols, sorted, apart from each other
}

// extent is a range of offsets.
type extent struct {
	from, to uint64
}

// graph is the module in pieces.
type graph struct {
	f      *elfrw.File
	areas  map[*elfrw.Section]*area
	order  []*area
	pieces int
}

func newGraph(f *elfrw.File) *graph {
	g := &graph{f: f, areas: map[*elfrw.Section]*area{}}
	for _, s := range f.Sections {
		if s.Alloc() && !s.HasRelocs() {
			a := &area{section: s}
			g.areas[s] = a
			g.order = append(g.order, a)
		}
	}
	return g
}

// forceCuts makes pieces begin at from and size bytes after it.
func (g *graph) forceCuts(s *elfrw.Section, from, size uint64) {
	if a := g.areas[s]; a != nil {
		a.forced = append(a.forced, from, from+size)
	}
}

// collectSymbols collects what symbols cover, and where they begin.
func (g *graph) collectSymbols() {
	type span struct {
		from, size uint64
	}
	spans := map[*area][]span{}
	for _, y := range g.f.Symbols {
		a := g.areas[y.Section]
		if y.Section == nil || a == nil || y.Value >= y.Section.Size() {
			continue
		}
		switch y.Type() {
		case elf.STT_FUNC, elf.STT_OBJECT, elf.STT_NOTYPE:
		default:
			continue
		}
		// Mapping symbols mark code and data (AArch64 ELF, "Mapping
		// symbols"); a symbol without a name is skipped too.
		if y.Name == "" || strings.HasPrefix(y.Name, "$") {
			continue
		}
		spans[a] = append(spans[a], span{y.Value, min(y.Size, y.Section.Size()-y.Value)})
	}
	for a, all := range spans {
		slices.SortFunc(all, func(x, y span) int {
			switch {
			case x.from < y.from, x.from == y.from && x.size > y.size:
				return -1
			case x == y:
				return 0
			}
			return 1
		})
		for i, s := range all {
			last := len(a.covered) - 1
			switch {
			case last >= 0 && s.from < a.covered[last].to: // a label within it, or an alias
				a.covered[last].to = max(a.covered[last].to, s.from+s.size)
			case s.size != 0:
				a.covered = append(a.covered, extent{s.from, s.from + s.size})
			case !arch.Executable(a.section): // something begins here
				a.marks = append(a.marks, s.from)
			default: // assembly without .size: up to the next symbol
				end := a.section.Size()
				for _, next := range all[i+1:] {
					if next.from > s.from {
						end = next.from
						break
					}
				}
				a.covered = append(a.covered, extent{s.from, end})
			}
		}
	}
}

// addMark notes an offset at which to cut what has no symbol.
func (g *graph) addMark(s *elfrw.Section, offset uint64) {
	if a := g.areas[s]; a != nil && isCutAtMarks(s) {
		a.marks = append(a.marks, offset)
	}
}

// isCutAtMarks reports whether a section's parts without symbols are cut where
// something refers to them. In code that would cut where it falls through,
// except where each part ends with a jump.
func isCutAtMarks(s *elfrw.Section) bool {
	return !arch.Executable(s) || s.Name == ".altinstr_replacement" || s.Name == ".fixup"
}

// cutPieces divides the areas into pieces.
func (g *graph) cutPieces() {
	for _, a := range g.order {
		starts := append([]uint64{0}, a.forced...)
		for _, c := range a.covered {
			starts = append(starts, c.from, c.to)
		}
		slices.Sort(a.marks)
		i, last := 0, ^uint64(0)
		for _, m := range a.marks {
			if m == last {
				continue
			}
			last = m
			for i < len(a.covered) && a.covered[i].to <= m {
				i++
			}
			if i == len(a.covered) || m < a.covered[i].from {
				starts = append(starts, m)
			}
		}
		slices.Sort(starts)
		starts = slices.Compact(starts)
		if n := sort.Search(len(starts), func(i int) bool {
			return starts[i] >= a.section.Size()
		}); n < len(starts) {
			starts = starts[:max(n, 1)]
		}
		a.starts, a.first = slices.Clip(starts), g.pieces
		a.marks, a.forced, a.covered = nil, nil, nil
		g.pieces += len(starts)
	}
}

// piece returns the piece that holds that place, -1 when there is none.
func (g *graph) piece(s *elfrw.Section, offset uint64) int {
	a := g.areas[s]
	if a == nil || offset > s.Size() { // at the end: a pointer past the last
		return -1
	}
	return a.piece(offset)
}

func (a *area) piece(offset uint64) int {
	lo, hi := 0, len(a.starts) // the answer is before hi
	for lo < hi {
		if mid := int(uint(lo+hi) / 2); a.starts[mid] <= offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return a.first + lo - 1
}

// within returns the pieces that begin in the size bytes from offset on: those with numbers
// from <= n < to.
func (g *graph) within(s *elfrw.Section, offset, size uint64) (from, to int) {
	a := g.areas[s]
	if a == nil {
		return 0, 0
	}
	at := func(offset uint64) int {
		return a.first + sort.Search(len(a.starts), func(i int) bool { return a.starts[i] >= offset })
	}
	return at(offset), at(offset + size)
}
