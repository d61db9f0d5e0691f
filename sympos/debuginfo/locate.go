// SPDX-License-Identifier: GPL-2.0-or-later

package debuginfo

import (
	"cmp"
	"path"

	"golang.org/x/exp/slices"
)

// A Target is what is at an address.
type Target struct {
	// Address is that of a linked file, or what File.Place returns. 0 is no address.
	Address uint64
	// File is the name of the source file that the symbol table gives, "" if none.
	File string
	// Object tells the object files that were linked apart: targets with the same
	// number other than 0 are of one.
	Object int
	// Unit is set by Locate; nil when no unit was found.
	Unit *Unit
}

// Locate finds the units of the targets, which are in the order of the symbol table; it
// sorts them by address. It returns all units
// that have code or data and a path. On an error, what it set in the targets before is
// not reliable.
func Locate(f *File, targets []*Target) ([]*Unit, error) {
	d, err := newReader(f)
	if err != nil {
		return nil, err
	}
	defer d.close()
	return d.locate(targets)
}

func (d *reader) locate(targets []*Target) ([]*Unit, error) {
	slices.SortStableFunc(targets, func(a, b *Target) int {
		return cmp.Compare(a.Address, b.Address)
	})
	units, err := d.locateCode(targets)
	if err != nil {
		return nil, err
	}
	rest := slices.DeleteFunc(slices.Clone(targets), func(t *Target) bool { return t.Unit != nil })
	return units, d.locateData(units, rest)
}

// locateCode sets the units of targets in code, and returns all units with a path.
func (d *reader) locateCode(targets []*Target) ([]*Unit, error) {
	var units []*Unit
	err := d.visitUnits(func(u *Unit) error {
		if u.Path() == "" {
			return nil
		}
		units = append(units, u)
		return d.visitRanges(u, func(low, high uint64) {
			found := between(targets, low, high)
			_ = d.spend(16 * len(found)) // the next read reports it
			for _, t := range found {
				t.Unit = u
			}
		})
	})
	return units, err
}

// locateData sets the units of targets that are variables.
func (d *reader) locateData(units []*Unit, targets []*Target) error {
	names := map[string]bool{} // files that targets name; "": a target names none
	for _, t := range targets {
		names[t.File] = true
	}
	left := len(targets)
	for _, u := range units {
		name := path.Base(u.Name)
		if left == 0 || !names[name] && !names[""] {
			continue
		}
		err := d.visitVariables(u, func(address uint64) {
			found := between(targets, address, address+1)
			_ = d.spend(16 * len(found)) // the next read reports it
			// Linkers merge equal constants of several units, and objects of
			// size 0 share an address. Their symbols come in the order of the
			// units, those of one unit together.
			if slices.ContainsFunc(found, func(t *Target) bool {
				return t.Unit != nil && t.Unit.Path() == u.Path()
			}) {
				return
			}
			for _, file := range []string{name, ""} {
				for _, t := range found {
					if t.Unit == nil && t.File == file {
						left -= setUnit(found, t, u)
						return
					}
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// setUnit sets the unit of t and of what else among the targets is of its object file, and
// returns how many that were.
func setUnit(targets []*Target, t *Target, u *Unit) (n int) {
	for _, x := range targets {
		if x == t || x.Unit == nil && x.Object != 0 && x.Object == t.Object {
			x.Unit = u
			n++
		}
	}
	return n
}

// between returns those of the targets, sorted by address, from low up to but not
// including high.
func between(targets []*Target, low, high uint64) []*Target {
	if high <= low {
		return nil
	}
	from, _ := slices.BinarySearchFunc(targets, low, func(t *Target, a uint64) int {
		return cmp.Compare(t.Address, a)
	})
	n := 0
	for from+n < len(targets) && targets[from+n].Address < high {
		n++
	}
	return targets[from : from+n]
}
