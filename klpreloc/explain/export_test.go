// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// FormOf returns the form that a line is recognised by.
func FormOf(line string) *Form {
	f := find(line)
	return f.form()
}
