// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos"
)

// One cause is one finding. A mistake that shows at many places is found at each of
// them; here they become one finding with the places as its list, and what only
// follows from a finding goes.

// causes makes one finding of each cause.
func (c *checker) causes() {
	c.consequences()
	first := map[string]int{}
	merged := c.report.Findings[:0]
	for i := range c.report.Findings {
		f := c.report.Findings[i]
		key := f.key()
		at, known := first[key]
		if !known {
			first[key] = len(merged)
			merged = append(merged, f)
			continue
		}
		merged[at].join(&f)
	}
	c.report.Findings = merged
}

// key is equal for findings of one cause: what is said of them is the same, or it is about
// one section that is wrong for all that it holds.
func (f *Finding) key() string {
	what := f.Cause + "\x00" + strings.Join(f.Fix, "\x00")
	if f.cause != "" {
		what = f.cause
	}
	if f.Section == "" {
		what += "\x00" + f.Symbol
	}
	return fmt.Sprintf("%s\x00%d\x00%s", f.ID, f.Severity, what)
}

// same names the cause of f, where what is said of it differs from place to place.
func (f *Finding) same(cause string) *Finding {
	f.cause = cause
	return f
}

// join makes other one more place of f. What it adds to the cases is kept, up to a bound.
func (f *Finding) join(other *Finding) {
	place := other.Place()
	if other.Section != "" && other.Symbol != "" && other.Symbol != f.Symbol {
		place += " (" + other.Symbol + ")"
	}
	if place != "" && place != f.Place() {
		f.Places = append(f.Places, place)
	}
	for _, x := range other.Cases {
		if len(f.Cases) < mostOfAKind && !slices.ContainsFunc(f.Cases, x.equal) {
			f.Cases = append(f.Cases, x)
		}
	}
	slices.SortStableFunc(f.Cases, func(a, b Case) int { return int(a.When - b.When) })
	for _, x := range other.Fix {
		if len(f.Fix) < mostOfAKind && !slices.Contains(f.Fix, x) {
			f.Fix = append(f.Fix, x)
		}
	}
}

func (c Case) equal(d Case) bool {
	return c.When == d.When && c.Object == d.Object && c.Errno == d.Errno && slices.Equal(c.Messages, d.Messages)
}

// consequences takes away what follows from another finding alone.
func (c *checker) consequences() {
	bad := map[string]bool{} // symbols that are reported as such
	isVmlinux := false       // the livepatch is called so, and its own object is looked up in it
	for _, f := range c.report.Findings {
		switch {
		case f.ID == UnknownSymbol || f.ID == SymbolIndex || f.ID == CommonSymbol:
			bad[f.Symbol] = true
		case f.ID == ModuleName && f.Severity == Problem:
			isVmlinux = isVmlinux || c.name == "vmlinux"
		}
	}
	c.report.Findings = slices.DeleteFunc(c.report.Findings, func(f Finding) bool {
		switch f.ID {
		case NotKlpSymbol:
			return bad[f.Symbol]
		case NoFunction, AmbiguousFunction, FunctionPosition:
			return isVmlinux && f.object == sympos.Vmlinux || c.sharing[f.object]
		}
		return false
	})
}
