// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"cmp"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// source goes through the relocations of one table by their place. Linkers leave
// them in that order in one section, where nothing has to be kept; what was spread
// over sections, or turns out to be in another order, has to be sorted first.
type source struct {
	section *elfrw.Section // the only one
	stream  *elfrw.RelocReader
	list    []numbered // or all of them
	taken   int
}

type numbered struct {
	elfrw.Rela
	Reloc
}

// inOrder returns a source of relocations by place.
func inOrder(sections []*elfrw.Section) *source {
	var all []numbered
	for _, s := range sections {
		c := s.ReadRelocs()
		for i := range s.NumRelocs() {
			all = append(all, numbered{*c.Next(), Reloc{s, i}})
		}
	}
	slices.SortStableFunc(all, func(a, b numbered) int { return cmp.Compare(a.Offset, b.Offset) })
	return &source{list: all}
}

// refs returns which relocations are in the list.
func (s *source) refs() []Reloc {
	refs := make([]Reloc, len(s.list))
	for i := range s.list {
		refs[i] = s.list[i].Reloc
	}
	return refs
}

// rewind starts again at the first relocation.
func (s *source) rewind() {
	s.taken = 0
	if s.section != nil {
		s.stream = s.section.ReadRelocs()
	}
}

// next returns the next relocation, which is valid until the following call, or nil
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
