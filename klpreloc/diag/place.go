// SPDX-License-Identifier: GPL-2.0-or-later

package diag

import (
	"fmt"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Place is where a diagnostic points: to a section as a whole, to an offset in one, or
// nowhere.
type Place struct {
	at    elfrw.Place
	whole bool // the offset says nothing
}

// Nowhere is the place of what is about the module as a whole, or about a symbol.
var Nowhere = Place{whole: true}

// In is a section as a whole.
func In(s *elfrw.Section) Place { return Place{at: elfrw.Place{Section: s}, whole: true} }

// At is a place in a section; off is in bytes.
func At(s *elfrw.Section, off uint64) Place {
	return Place{at: elfrw.Place{Section: s, Offset: off}}
}

// String returns the place as Diagnostic.String prints it, "" for Nowhere.
func (p Place) String() string {
	switch {
	case p.at.Section == nil:
		return ""
	case p.whole:
		return SectionName(p.at.Section)
	}
	return fmt.Sprintf("%s+%#x", SectionName(p.at.Section), p.at.Offset)
}
