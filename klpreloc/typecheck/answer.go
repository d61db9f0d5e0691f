// SPDX-License-Identifier: GPL-2.0-or-later

package typecheck

import (
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/declared"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// Kind is what a finding is about.
type Kind int

const (
	Declaration Kind = iota // of a borrowed function or variable
	Replacement             // of a function of the kernel
	Layout                  // of a struct, union or enum
)

// Finding is one thing that the livepatch declares otherwise than the kernel has it.
type Finding struct {
	Kind Kind
	// Symbol is what it is about: a function, a variable, struct foo.
	Symbol  string
	Message string
	// Note: the machine code is the same.
	Note        bool
	Differences []diag.Difference
	Places      []string // where else the same cause shows
	Hints       []string
}

// Unjudged is what could not be compared for one reason.
type Unjudged struct {
	Names []string // sorted; at least one
	Why   string
}

// What returns the names in one line, which is cut after some of them.
func (u Unjudged) What() string {
	const most = 8
	shown := u.Names[:min(len(u.Names), most)]
	text := strings.Join(shown, ", ")
	if n := len(u.Names) - len(shown); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// Answer is what comparing a livepatch with one kernel led to.
type Answer struct {
	Findings []Finding
	Unjudged []Unjudged
	// Nothing is why nothing was compared, in one line; "" if something was, or if there was
	// nothing to compare.
	Nothing string
	// Damaged: Nothing is about type information of the livepatch that can't be read.
	Damaged bool
	// Hint is what to do about Nothing.
	Hint string
}

// unjudged adds a name that could not be judged.
func (a *Answer) unjudged(name, why string) {
	name, why = diag.Printable(name), diag.Printable(why)
	for i := range a.Unjudged {
		if u := &a.Unjudged[i]; u.Why == why {
			if at, found := slices.BinarySearch(u.Names, name); !found {
				u.Names = slices.Insert(u.Names, at, name)
			}
			return
		}
	}
	a.Unjudged = append(a.Unjudged, Unjudged{[]string{name}, why})
}

// add adds a finding of what a comparison says, unless both sides are the same.
func (a *Answer) add(f Finding, c declared.Comparison) {
	if c.Worst() == declared.Same {
		return
	}
	f.Note = c.Worst() == declared.Note
	f.Differences = rows(c)
	f.Symbol, f.Message = diag.Printable(f.Symbol), diag.Printable(f.Message)
	a.Findings = append(a.Findings, f)
}

// rows are the differences for a table, those that lead to wrong code first.
func rows(c declared.Comparison) (list []diag.Difference) {
	differences := slices.Clone(c.Differences)
	slices.SortStableFunc(differences,
		func(a, b declared.Difference) int { return int(b.Severity - a.Severity) })
	for _, d := range differences {
		part := d.Place
		if part == "" {
			switch d.Subject {
			case declared.Size:
				part = "size"
			case declared.ParameterCount, declared.Variadic:
				part = "parameters"
			default:
				part = "type"
			}
		}
		list = append(list, diag.Difference{Part: diag.Printable(part),
			Declared: diag.Printable(d.Declared), Kernel: diag.Printable(d.Actual),
			Why: diag.Printable(d.Why)})
	}
	return list
}
