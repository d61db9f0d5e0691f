// SPDX-License-Identifier: GPL-2.0-or-later

package latereloc

import "github.com/klp-convert/klp-convert/klpreloc/diag"

// CheckTables refuses sections that look like special sections and are not: it is unknown which
// code their entries are about, and the kernel would patch something else.
func (t *Rules) CheckTables(unsafe bool) diag.List {
	var r diag.Reporter
	for _, x := range t.gates.Problems() {
		where := diag.In(x.Section)
		if x.Offset >= 0 {
			where = diag.At(x.Section, uint64(x.Offset))
		}
		if unsafe {
			r.Add(diag.Warnf(diag.StrangeTable, where, "",
				"%s: not what the kernel reads there; converted anyway (--unsafe)", x.Message))
			continue
		}
		r.Add(diag.Errorf(diag.StrangeTable, where, "",
			"%s: not what the kernel reads there, so it is not known which code it patches", x.Message))
	}
	return r.List()
}
