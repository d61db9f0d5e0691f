// SPDX-License-Identifier: GPL-2.0-or-later

package diag

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Severity says what follows from a diagnostic.
type Severity int

const (
	Note    Severity = iota // shown on request; a kernel that check knows works
	Warning                 // shown; the module is converted
	// Error is shown, and nothing is written. For check: the module or its target is refused,
	// is never applied, oopses, makes the kernel warn, or works by load order only.
	Error
)

func (s Severity) String() string { return [...]string{"note", "warning", "error"}[s] }

// MarshalText makes JSON hold the word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Diagnostic is one fact about a module. It prints as one line without
// the file's name; hints are lines that can be pasted.
type Diagnostic struct {
	ID       ID       `json:"id"`
	Severity Severity `json:"severity"`
	Section  string   `json:"section,omitempty"` // printable
	Offset   *uint64  `json:"offset,omitempty"`  // in Section, in bytes
	File     string   `json:"file,omitempty"`    // beside the module, that Line is in
	Line     int      `json:"line,omitempty"`    // from 1 on
	Symbol   string   `json:"symbol,omitempty"`
	Message  string   `json:"message"`
	// Cases are what a kernel makes of it, and when; only check knows.
	Cases []Case `json:"cases,omitempty"`
	// Differences are the parts in which the module and the kernel differ, for a table.
	Differences []Difference `json:"differences,omitempty"`
	// Places are where else the same cause shows: "section+0xoff", a symbol, or both.
	Places []string `json:"places,omitempty"`
	Hints  []string `json:"hints,omitempty"`
}

// Difference is one row of a table: a parameter or a member, as the module and as the kernel have
// it, and what follows from it. A side that does not have it is "-".
type Difference struct {
	Part     string `json:"part"`
	Declared string `json:"declared"`
	Kernel   string `json:"kernel"`
	Why      string `json:"why"`
}

// String returns "section+0xoff: message" or "file:line: message".
func (d Diagnostic) String() string {
	if place := d.place(); place != "" {
		return place + ": " + d.Message
	}
	return d.Message
}

// Where returns the place in the file: "section+0xoff", the section or else the symbol; ""
// for all of it.
func (d *Diagnostic) Where() string {
	if place := d.place(); place != "" {
		return place
	}
	return d.Symbol
}

// place returns "section+0xoff", the section, "file:line" or "".
func (d *Diagnostic) place() string {
	switch {
	case d.Line > 0:
		return fmt.Sprintf("%s:%d", d.File, d.Line)
	case d.Section != "" && d.Offset != nil:
		return fmt.Sprintf("%s+%#x", d.Section, *d.Offset)
	}
	return d.Section
}

// List are the diagnostics of one run.
type List []Diagnostic

// Failed reports whether an error is among them.
func (d List) Failed() bool {
	return slices.ContainsFunc(d, func(x Diagnostic) bool { return x.Severity == Error })
}

// Sort puts errors first, then warnings, then notes, each by place (in the module, then in
// files beside it) and then by text, so that the same input says the same in the same order.
func (d List) Sort() {
	slices.SortStableFunc(d, func(a, b Diagnostic) int {
		if a.Severity != b.Severity {
			return int(b.Severity) - int(a.Severity)
		}
		if c := strings.Compare(a.Section, b.Section); c != 0 {
			return c
		}
		if x, y := offsetOf(a), offsetOf(b); x != y {
			if x < y {
				return -1
			}
			return 1
		}
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return strings.Compare(a.Message, b.Message)
	})
}

func offsetOf(d Diagnostic) uint64 {
	if d.Offset == nil {
		return 0
	}
	return *d.Offset
}

// Errorf makes an error: what keeps the module from being written.
func Errorf(id ID, where Place, sym, format string, args ...any) Diagnostic {
	return newDiagnostic(Error, id, where, sym, format, args)
}

// Warnf makes a warning: the module is written.
func Warnf(id ID, where Place, sym, format string, args ...any) Diagnostic {
	return newDiagnostic(Warning, id, where, sym, format, args)
}

// Notef makes a note, which is shown on request.
func Notef(id ID, where Place, sym, format string, args ...any) Diagnostic {
	return newDiagnostic(Note, id, where, sym, format, args)
}

func newDiagnostic(sev Severity, id ID, where Place, sym, format string, args []any) Diagnostic {
	d := Diagnostic{ID: id, Severity: sev, Symbol: sym, Message: fmt.Sprintf(format, args...),
		File: where.file, Line: where.line}
	if where.at.Section != nil {
		d.Section = SectionName(where.at.Section)
		if !where.whole {
			off := where.at.Offset
			d.Offset = &off
		}
	}
	return d
}

// Hint returns d with one more line that helps.
func (d Diagnostic) Hint(format string, args ...any) Diagnostic {
	return d.WithHints(fmt.Sprintf(format, args...))
}

// WithHints returns d with more lines that help.
func (d Diagnostic) WithHints(lines ...string) Diagnostic {
	d.Hints = append(slices.Clip(d.Hints), lines...)
	return d
}

// CauseOf returns what an elfrw error says without the file it is about, which
// the caller prints before it.
func CauseOf(err error) error {
	var e *elfrw.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// OfFile makes a diagnostic of an error of package elfrw.
func OfFile(err error) Diagnostic {
	d := Diagnostic{ID: BrokenFile, Severity: Error, Message: err.Error()}
	var e *elfrw.Error
	if errors.As(err, &e) {
		d.Section, d.Message = e.Section, e.Err.Error()
		if e.Offset >= 0 {
			off := uint64(e.Offset)
			if d.Section == "" {
				d.Section = "file"
			}
			d.Offset = &off
		}
	}
	return d
}
