// SPDX-License-Identifier: GPL-2.0-or-later

package typecheck

import (
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/declared"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// checkVariable compares a declaration of a variable with those that can be meant.
func (c *checker) checkVariable(ours []ctypes.Variable, of []Borrowed) {
	name := of[0].Name
	var actual []ctypes.Variable
	var object, why string
	for _, b := range of {
		d := c.object(b.Object)
		if d.types == nil {
			why = d.why
			continue
		}
		list, err := d.types.Variables(b.Name)
		if err != nil {
			why = err.Error()
		}
		list = slices.DeleteFunc(list, func(v ctypes.Variable) bool { return v.Declared })
		if len(list) == 0 && why == "" {
			why = "debug information of " + b.Object + " does not have it"
			if d.types.Format == "BTF" {
				why = "BTF of " + b.Object + " does not have it: of variables, that of kernels has " +
					"per-CPU ones only"
			}
		}
		if len(list) > 0 {
			actual, object = append(actual, list...), b.Object
		}
	}
	if len(actual) == 0 {
		c.answer.unjudged(name, why)
		return
	}
	seen := map[string]bool{}
	for _, our := range ours {
		best := -1
		var all []declared.Comparison
		for i, v := range actual {
			all = append(all, declared.Variable(c.machine, our, v))
			if best < 0 || wrong(all[i]) < wrong(all[best]) {
				best = i
			}
		}
		isLayout := isLayoutOnly(all[best]) &&
			haveSameTags(our.Type.Type(), actual[best].Type.Type())
		if wrong(all[best]) == 0 || isLayout {
			c.walk.visit(our.Type.Type(), actual[best].Type.Type(), name)
		}
		text := our.Type.Type().Declare(our.Name)
		if seen[text] || isLayout {
			continue
		}
		seen[text] = true
		for _, why := range all[best].Unjudged {
			c.answer.unjudged(name, why)
		}
		f := Finding{Kind: Declaration, Symbol: name,
			Message: fmt.Sprintf("%s of %s is declared with another type than it has", name, object)}
		if our.Name != name {
			f.Message = fmt.Sprintf("%s is declared with another type than %s of %s has", our.Name, name,
				object)
		}
		if text := actual[best].Type.Type().Declare(our.Name); !strings.Contains(text, "{...}") {
			f.Hints = []string{fmt.Sprintf("extern %s;", text)}
		}
		c.answer.add(f, all[best])
		if all[best].Worst() != declared.Same {
			return
		}
	}
}
