// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
)

// One cause is one finding. A mistake that shows at many places is found at each of them;
// here they become one finding with the places as its list, and what only follows from
// another finding is left out.

// onePerCause returns one finding of each cause, in the order in which they were found.
func onePerCause(found []finding) []finding {
	first := map[string]int{}
	var merged []finding
	for i := range found {
		f := &found[i]
		key := f.key()
		at, known := first[key]
		if !known {
			first[key] = len(merged)
			merged = append(merged, *f)
			continue
		}
		merged[at] = merged[at].joined(f)
	}
	return merged
}

// key is equal for findings of one cause: what is said of them is the same, or it is about
// one section that is wrong for all that it holds.
func (f *finding) key() string {
	what := f.Message + "\x00" + strings.Join(f.Hints, "\x00")
	if f.cause != "" {
		what = f.cause
	}
	if f.Section == "" {
		what += "\x00" + f.Symbol
	}
	return fmt.Sprintf("%s\x00%d\x00%s", f.ID, f.Severity, what)
}

// joined returns f with the place of other, and with what that adds to the cases and hints,
// up to a bound.
func (f finding) joined(other *finding) finding {
	place := other.Where()
	if other.Section != "" && other.Symbol != "" && other.Symbol != f.Symbol {
		place += " (" + other.Symbol + ")"
	}
	if place != "" && place != f.Where() {
		f.Places = append(f.Places, place)
	}
	cases := slices.Clip(f.Cases)
	for _, x := range other.Cases {
		if len(cases) < mostOfAKind &&
			!slices.ContainsFunc(cases, func(y diag.Case) bool { return sameCase(x, y) }) {
			cases = append(cases, x)
		}
	}
	if len(cases) > len(f.Cases) {
		slices.SortStableFunc(cases, func(a, b diag.Case) int { return int(a.When - b.When) })
		f.Cases = cases
	}
	hints := slices.Clip(f.Hints)
	for _, x := range other.Hints {
		if len(hints) < mostOfAKind && !slices.Contains(hints, x) {
			hints = append(hints, x)
		}
	}
	f.Hints = hints
	return f
}

func sameCase(a, b diag.Case) bool {
	return a.When == b.When && a.Object == b.Object && a.Errno == b.Errno &&
		slices.Equal(a.Messages, b.Messages)
}

// withoutConsequences returns the findings without those that follow from another one alone.
func withoutConsequences(m *view, found []finding) []finding {
	bad := map[string]bool{} // symbols that are reported as such
	isVmlinux := false       // the livepatch has that name, and its own object is looked up in it
	for i := range found {
		switch f := &found[i]; {
		case f.ID == diag.UnknownSymbol || f.ID == diag.SymbolIndex || f.ID == diag.CommonSymbol:
			bad[f.Symbol] = true
		case f.ID == diag.BadModuleName && f.Severity == diag.Error:
			isVmlinux = isVmlinux || m.name == "vmlinux"
		}
	}
	var rest []finding
	for i := range found {
		f := &found[i]
		follows := false
		switch f.ID {
		case diag.NotKlpSymbol:
			follows = bad[f.Symbol]
		case diag.FunctionAbsent, diag.FunctionAmbiguous, diag.FunctionPositionAbsent:
			follows = isVmlinux && f.object == sympos.Vmlinux || m.sharesFunctions(f.object)
		}
		if !follows {
			rest = append(rest, *f)
		}
	}
	return rest
}
