// SPDX-License-Identifier: GPL-2.0-or-later

package explain

import "regexp"

// CountExpressions returns how often f uses the regular expression of a form.
func CountExpressions(f func()) int {
	uses := 0
	for _, p := range patterns() {
		re := p.re
		p.re = func() *regexp.Regexp { uses++; return re() }
		defer func() { p.re = re }()
	}
	f()
	return uses
}
