// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

// Inside is the table that a vmlinux has for itself, whether or not it has a
// symbol table as well.
func Inside(path string) Source { return inside(path) }

type inside string

func (s inside) String() string { return string(s) }

func (s inside) Scan(visit func(*Entry)) (Facts, error) {
	src, err := Open(string(s))
	if err != nil {
		return Facts{}, err
	}
	r, size, done, err := src.(*fileSource).open()
	if err != nil {
		return Facts{}, err
	}
	defer done()
	return scanStripped(&input{name: string(s), r: r, size: size}, visit)
}
