// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"errors"
	"fmt"
	"strings"
)

// Sentinels for what callers branch on; errors.Is finds them inside an Error.
var (
	// ErrNotELF is what Parse returns for input without the ELF magic.
	ErrNotELF = errors.New("not an ELF file")
	// ErrNotRelocatable is what Parse returns for executables, shared
	// objects and core files.
	ErrNotRelocatable = errors.New("not a relocatable file (ET_REL)")
	// ErrIrregular is what Editable returns for a file whose contents no linker
	// would place like this, and Write when such a file was changed: it can be
	// copied, but not laid out again.
	ErrIrregular = errors.New("irregular layout")
	// ErrReferred is what Remove returns when something that stays refers
	// to what would be removed.
	ErrReferred = errors.New("still referred to")
)

// Error is an error at a place in a file. It prints as
//
//	file: section+0xoffset: message
//
// without the parts that are not known.
type Error struct {
	File    string
	Section string // name of the section, with its number where that is known
	Offset  int64  // offset within the section or, without one, the file; -1 when unknown
	Err     error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		b.WriteString(": ")
	}
	b.WriteString(e.Section)
	if e.Offset >= 0 {
		if e.Section == "" {
			b.WriteString("file")
		}
		fmt.Fprintf(&b, "+%#x", e.Offset)
	}
	if e.Section != "" || e.Offset >= 0 {
		b.WriteString(": ")
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// errorf makes an Error about section s (nil: about the file) at offset off
// (-1: none).
func (f *File) errorf(s *Section, off int64, format string, args ...any) *Error {
	e := &Error{File: f.Name, Offset: off, Err: fmt.Errorf(format, args...)}
	if s != nil {
		e.Section = s.String()
	}
	return e
}
