// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import "fmt"

// Place is an offset in a section.
type Place struct {
	Section *Section // nil: nowhere
	Offset  uint64   // in bytes
}

// String returns the place as messages have it, ".text+0x48".
func (p Place) String() string {
	if p.Section == nil {
		return "nothing"
	}
	return fmt.Sprintf("%s+%#x", p.Section, p.Offset)
}

// Range is a stretch of a section, from a place on.
type Range struct {
	Place
	Size uint64 // in bytes; may be 0
}

// RangeOf returns the stretch of s from an offset on.
func RangeOf(s *Section, offset, size uint64) Range { return Range{Place{s, offset}, size} }
