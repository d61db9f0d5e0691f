// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"fmt"

	"github.com/klp-convert/klp-convert/klpreloc/resolve"
	"github.com/klp-convert/klp-convert/sympos"
)

// A name that the kernel does not have is one that it has in another form, mostly. What
// could have been meant, conversion knows (klpreloc, nearmiss.go).

// missing is a finding about a name that is not there.
type missing struct {
	finding int // index into the report's
	lookup
}

// mostMissing is for how many names of one module others are looked for: one that misses
// more is for another kernel.
const mostMissing = 32

// offerNear adds to such findings what could have been meant, as lines to paste. All of
// the kernel is read once more for that, if there is one.
func offerNear(k *sympos.Kernel, read *sympos.Table, checkers []*checker) {
	var names []resolve.Sought
	for _, c := range checkers {
		for _, m := range c.missing[:min(len(c.missing), mostMissing)] {
			names = append(names, resolve.Sought{Object: m.object, Name: m.name})
		}
	}
	if len(names) == 0 {
		return
	}
	lists, _ := resolve.NearMisses(k, read, names...)
	for _, c := range checkers {
		n := min(len(c.missing), mostMissing)
		for i, m := range c.missing[:n] {
			f := &c.report.Findings[m.finding]
			var rows [][2]string
			for _, x := range lists[i] {
				line := x.Line(m.object)
				if m.ids[0] == NoFunction {
					line = declaration(x)
				}
				rows = append(rows, [2]string{line, x.Why})
			}
			lines := resolve.Aligned(rows)
			for i := range lines {
				lines[i] = printable(lines[i])
			}
			f.Fix = append(lines, f.Fix...)
		}
		lists = lists[n:]
	}
}

// declaration is what a klp_func for the symbol says.
func declaration(x resolve.Near) string {
	position, ok := x.Chosen()
	switch {
	case !ok:
		return x.Name
	case position > 0:
		return fmt.Sprintf(".old_name = %q, .old_sympos = %d,", x.Name, position)
	}
	return fmt.Sprintf(".old_name = %q,", x.Name)
}
