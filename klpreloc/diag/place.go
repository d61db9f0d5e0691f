// SPDX-License-Identifier: GPL-2.0-or-later

package diag

import (
	"fmt"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Place is where a diagnostic points: to a section as a whole, to an offset in one, to a line
// of a file beside the module, or nowhere.
type Place struct {
	at    elfrw.Place
	whole bool // the offset says nothing
	file  string
	line  int // of file, from 1 on; 0 where there is no such file
}

// Nowhere is the place of what is about the module as a whole, or about a symbol.
var Nowhere = Place{whole: true}

// In is a section as a whole.
func In(s *elfrw.Section) Place { return Place{at: elfrw.Place{Section: s}, whole: true} }

// At is a place in a section; off is in bytes.
func At(s *elfrw.Section, off uint64) Place {
	return Place{at: elfrw.Place{Section: s, Offset: off}}
}

// Line is a line of a text file, from 1 on. The file's name is as the user gave it.
func Line(file string, line int) Place { return Place{whole: true, file: file, line: line} }

// IsNowhere reports whether the place says nothing.
func (p Place) IsNowhere() bool { return p.at.Section == nil && p.line == 0 }

// FileLine returns the file and the line that Line made the place of, "" and 0 for other places.
func (p Place) FileLine() (file string, line int) { return p.file, p.line }

// String returns the place as Diagnostic.String prints it, "" for Nowhere.
func (p Place) String() string {
	switch {
	case p.line > 0:
		return fmt.Sprintf("%s:%d", p.file, p.line)
	case p.at.Section == nil:
		return ""
	case p.whole:
		return SectionName(p.at.Section)
	}
	return fmt.Sprintf("%s+%#x", SectionName(p.at.Section), p.at.Offset)
}
