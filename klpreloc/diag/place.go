// SPDX-License-Identifier: GPL-2.0-or-later

package diag

import (
	"fmt"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Place is where a diagnostic points: to a section as a whole, to an offset in one, or
// nowhere.
type Place struct {
	section *elfrw.Section
	offset  uint64
	whole   bool // offset says nothing
}

// Nowhere is the place of what is about the module as a whole, or about a symbol.
var Nowhere = Place{whole: true}

// In is a section as a whole.
func In(s *elfrw.Section) Place { return Place{section: s, whole: true} }

// At is a place in a section; off is in bytes.
func At(s *elfrw.Section, off uint64) Place { return Place{section: s, offset: off} }

// String returns the place as Diagnostic.String prints it, "" for Nowhere.
func (p Place) String() string {
	switch {
	case p.section == nil:
		return ""
	case p.whole:
		return SectionName(p.section)
	}
	return fmt.Sprintf("%s+%#x", SectionName(p.section), p.offset)
}
