// SPDX-License-Identifier: GPL-2.0-or-later

package declared

import "fmt"

// Severity is what a difference leads to.
type Severity int

const (
	Same Severity = iota // nothing, or a matter of spelling
	Note                 // the same machine code, with another meaning
	WrongCode
)

func (s Severity) String() string {
	switch s {
	case Note:
		return "note"
	case WrongCode:
		return "wrong code"
	}
	return "same"
}

// Subject is what differs.
type Subject int

const (
	ParameterCount Subject = iota + 1
	Variadic               // whether the parameters end with "..."
	Order                  // of two parameters
	Class                  // how a value is passed or stored: integer, struct, nothing
	Width                  // of a value, in bytes
	Sign
	Bool         // one side takes every value for 0 or 1
	PointedTo    // what a pointer points to
	PointerDepth // how many pointers follow each other
	Length       // of an array
	Constant     // the other side is read-only
	Size         // of a struct, union or enum
	Offset       // of a member
	Missing      // the kernel does not have the member or enumerator
	Added        // the livepatch does not have it
	Renamed      // the same member under another name
	Value        // of an enumerator
)

// A Difference is one difference between a declaration and the kernel.
type Difference struct {
	Severity Severity
	Subject  Subject
	// Place is where it is: "return value", "parameter 2", a member or an enumerator; "" if it is
	// the whole.
	Place string
	// Declared and Actual are the two sides for a table; "-" where a side has none.
	Declared, Actual string
	// Why is a clause that says what follows from it.
	Why string
}

// String returns the difference in one line.
func (d Difference) String() string {
	place := ""
	if d.Place != "" {
		place = d.Place + ": "
	}
	return fmt.Sprintf("%s: %s%s, actual %s: %s", d.Severity, place, d.Declared, d.Actual, d.Why)
}

// A Comparison is what comparing two types led to.
type Comparison struct {
	// Name is what was compared: a function, a variable, struct foo.
	Name string
	// Declared and Actual are the two types in C.
	Declared, Actual string
	// Differences are in the order of parameters and members; nil when there are none.
	Differences []Difference
	// Unjudged is what could not be compared and why, a line each.
	Unjudged []string
}

// Worst returns the highest severity among the differences.
func (c Comparison) Worst() Severity {
	worst := Same
	for _, d := range c.Differences {
		worst = max(worst, d.Severity)
	}
	return worst
}

// maxDifferences bounds a list: two structs that have nothing in common differ in all members.
const maxDifferences = 1000

func (c *Comparison) add(d Difference) {
	if len(c.Differences) < maxDifferences {
		c.Differences = append(c.Differences, d)
	}
}

func (c *Comparison) unjudged(format string, args ...any) {
	if len(c.Unjudged) < maxDifferences {
		c.Unjudged = append(c.Unjudged, fmt.Sprintf(format, args...))
	}
}
