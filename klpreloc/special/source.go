// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"cmp"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// source goes through the relocations of one table by their place. Linkers leave
// them in that order in one section, where nothing has to be kept; what is in
// another order, or was spread over sections, is sorted first.
type source struct {
	section *elfrw.Section // the only one, in order
	stream  *elfrw.RelocReader
	list    []numbered // otherwise
	taken   int
}

type numbered struct {
	elfrw.Rela
	Reloc
}

// newSource returns a source of all relocations in sections and, where their
// numbers do not follow from the order, these.
func newSource(sections []*elfrw.Section) (*source, []Reloc) {
	if len(sections) == 1 && sorted(sections[0]) {
		return &source{section: sections[0]}, nil
	}
	var all []numbered
	for _, s := range sections {
		c := s.ReadRelocs()
		for i := range s.NumRelocs() {
			all = append(all, numbered{*c.Next(), Reloc{s, i}})
		}
	}
	slices.SortStableFunc(all, func(a, b numbered) int { return cmp.Compare(a.Offset, b.Offset) })
	refs := make([]Reloc, len(all))
	for i := range all {
		refs[i] = all[i].Reloc
	}
	return &source{list: all}, refs
}

func sorted(s *elfrw.Section) bool {
	last := uint64(0)
	for c := s.ReadRelocs(); ; {
		x := c.Next()
		switch {
		case x == nil:
			return true
		case x.Offset < last:
			return false
		}
		last = x.Offset
	}
}

// rewind starts again at the first relocation.
func (s *source) rewind() {
	s.taken = 0
	if s.section != nil {
		s.stream = s.section.ReadRelocs()
	}
}

// next returns the next relocation, which is good until the call after, or nil
// when there is none; taken counts the calls.
func (s *source) next() *elfrw.Rela {
	s.taken++
	switch {
	case s.section != nil:
		return s.stream.Next()
	case s.taken > len(s.list):
		return nil
	}
	return &s.list[s.taken-1].Rela
}

// ref returns the number of the relocation that next returned.
func (s *source) ref() Reloc {
	if s.section != nil {
		return Reloc{s.section, s.taken - 1}
	}
	return s.list[s.taken-1].Reloc
}
