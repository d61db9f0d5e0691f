// SPDX-License-Identifier: GPL-2.0-or-later

package typecheck

import (
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/declared"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// checkBorrowedFunction compares declarations of a function with those that can be meant.
func (c *checker) checkBorrowedFunction(ours []ctypes.Function, of []Borrowed) {
	var actual []ctypes.Function
	object, why := of[0].Object, ""
	for _, b := range of {
		list, reason := c.functions(b.Object, b.Name, b.Position)
		actual = append(actual, list...)
		if len(list) > 0 && len(actual) == len(list) {
			object = b.Object
		}
		if reason != "" {
			why = reason
		}
	}
	if len(actual) == 0 {
		if why == "" {
			why = leftOut(object, c.object(object).types)
		}
		c.answer.unjudged(of[0].Name, why)
		return
	}
	c.compareFunctions(Finding{Kind: Declaration, Symbol: of[0].Name}, declared.Borrowed, ours,
		actual, object)
}

// leftOut says why types do not have a function that exists.
func leftOut(object string, types *ctypes.Types) string {
	if types != nil && types.Format == "BTF" {
		return "BTF of " + object + " does not have it: pahole leaves out functions that the " +
			"compiler changed, and those of one name that differ"
	}
	return "debug information of " + object + " does not have it"
}

// checkReplaced compares a function that the livepatch defines with the one that it replaces.
func (c *checker) checkReplaced(r Replaced) {
	if r.New == "" {
		c.answer.unjudged(r.Name, "its replacement has no symbol")
		return
	}
	ours, err := c.ours.Functions(r.New)
	if err != nil {
		c.answer.unjudged(r.Name, err.Error())
		return
	}
	ours = slices.DeleteFunc(ours, func(f ctypes.Function) bool { return f.Declared })
	if len(ours) == 0 {
		c.answer.unjudged(r.Name, "type information of the livepatch does not have its replacement")
		return
	}
	actual, why := c.functions(r.Object, r.Name, r.Position)
	if len(actual) == 0 {
		if why == "" {
			why = leftOut(r.Object, c.object(r.Object).types)
		}
		c.answer.unjudged(r.Name, why)
		return
	}
	for i := range actual { // what can be replaced calls ftrace, so a compiler made it
		actual[i].Compiled = true
	}
	c.compareFunctions(Finding{Kind: Replacement, Symbol: r.Name}, declared.Replaced, ours, actual,
		r.Object)
}

// compareFunctions compares each declaration with all functions that can be meant. f is completed
// and added for the first declaration that fits none.
func (c *checker) compareFunctions(f Finding, use declared.Use, ours, actual []ctypes.Function,
	object string,
) {
	seen := map[string]bool{}
	reported := false
	for _, our := range ours {
		text := our.Type.Type().Declare(our.Name)
		all, fits := declared.Functions(c.machine, use, our, actual)
		best := 0
		if len(fits) > 0 {
			best = fits[0]
		} else {
			for i := range all {
				if wrong(all[i]) < wrong(all[best]) {
					best = i
				}
			}
		}
		isLayout := len(actual) == 1 && isLayoutOnly(all[best]) &&
			haveSameTags(our.Type.Type(), actual[best].Type.Type())
		if len(fits) > 0 || isLayout {
			c.walk.function(our.Name, our.Type.Type(), actual[best].Type.Type())
		}
		if seen[text] || reported || isLayout {
			continue
		}
		seen[text] = true
		for _, why := range all[best].Unjudged {
			c.answer.unjudged(f.Symbol, why)
		}
		if len(all) > 1 && len(fits) > 0 {
			c.answer.unjudged(f.Symbol, fmt.Sprintf("%s has %d functions of the name with different "+
				"types, and nothing tells which of them is meant: fits %s", object, len(all),
				all[best].Actual))
		}
		if all[best].Worst() == declared.Same {
			continue
		}
		reported = true
		c.addFunction(f, our, object, all, actual, best)
	}
}

// addFunction adds the finding about a function.
func (c *checker) addFunction(f Finding, our ctypes.Function, object string,
	all []declared.Comparison, actual []ctypes.Function, best int,
) {
	what := fmt.Sprintf("%s of %s is declared with other types than it has", f.Symbol, object)
	if our.Name != f.Symbol {
		what = fmt.Sprintf("%s is declared with other types than %s of %s has", our.Name, f.Symbol,
			object)
	}
	fix := "extern %s;"
	if f.Kind == Replacement {
		what = fmt.Sprintf("%s replaces %s of %s, which has other types", our.Name, f.Symbol, object)
		fix = "%s"
	}
	f.Message = what
	if len(all) > 1 {
		f.Message += fmt.Sprintf(" (the nearest of %d of the name)", len(all))
	}
	for i := range actual {
		if i != best && all[i].Actual == all[best].Actual {
			continue
		}
		if text := actual[i].Type.Type().Declare(our.Name); !strings.Contains(text, "{...}") {
			f.Hints = append(f.Hints, fmt.Sprintf(fix, text))
		}
		const most = 4
		if len(f.Hints) == most {
			break
		}
	}
	c.answer.add(f, all[best])
}

// isLayoutOnly reports whether only the sizes of structs differ. Where they have the same tags, that
// is a matter of their layout, which gets its own finding.
func isLayoutOnly(c declared.Comparison) bool {
	for _, d := range c.Differences {
		if d.Severity == declared.WrongCode && d.Subject != declared.Size {
			return false
		}
	}
	return wrong(c) > 0
}

// haveSameTags reports whether the structs in two variables, or those that two functions pass and
// return, have the same tags.
func haveSameTags(a, b *ctypes.Type) bool {
	if x, y := a.Bare(), b.Bare(); x.Kind == ctypes.Func && y.Kind == ctypes.Func {
		same := len(x.Params) == len(y.Params) && haveSameTags(x.Elem.Type(), y.Elem.Type())
		for i := range min(len(x.Params), len(y.Params)) {
			same = same && haveSameTags(x.Params[i].Type.Type(), y.Params[i].Type.Type())
		}
		return same
	}
	_, a = a.Elements()
	_, b = b.Elements()
	isStruct := func(t *ctypes.Type) bool {
		return t.Bare().Kind == ctypes.Struct || t.Bare().Kind == ctypes.Union
	}
	return !isStruct(a) || !isStruct(b) || tagOf(a) == tagOf(b)
}

// wrong counts the differences that lead to wrong code.
func wrong(c declared.Comparison) (n int) {
	for _, d := range c.Differences {
		if d.Severity == declared.WrongCode {
			n++
		}
	}
	return n
}
