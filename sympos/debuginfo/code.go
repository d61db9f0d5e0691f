// SPDX-License-Identifier: GPL-2.0-or-later

package debuginfo

import "golang.org/x/exp/slices"

// Walk calls visit with the unit's entries in the order of the file, the first one included, each
// valid during the call. depth is 0 for the unit itself. Where visit returns false, the entries
// below the entry are passed over. visit may call At.
func (i *Info) Walk(u *Unit, visit func(e *Entry, depth int) (below bool, err error)) error {
	l, err := i.load(u, true)
	if err != nil {
		return err
	}
	e := &Entry{}
	hidden := -1 // depth of the entry below which nothing is visited
	for depth, pos := 0, 0; pos < len(l.bytes); {
		at := pos
		ok, err := i.read(l, pos, e)
		if err != nil {
			return err
		}
		if pos = e.end; !ok { // the end of a list
			if depth--; depth <= 0 {
				return nil
			}
			if depth <= hidden {
				hidden = -1
			}
			continue
		}
		below := false
		if hidden < 0 {
			if below, err = visit(e, depth); err != nil {
				return err
			}
		}
		switch {
		case !e.HasChildren && depth == 0:
			return nil
		case !e.HasChildren:
			continue
		case !below:
			if to, ok := i.sibling(e, at); ok {
				pos = to
				continue
			}
			if hidden < 0 {
				hidden = depth
			}
		}
		depth++
	}
	return nil
}

// sibling returns where the entry after e and those below it is in its unit, if e says so.
func (i *Info) sibling(e *Entry, at int) (pos int, ok bool) {
	const atSibling = 0x01
	next, ok, err := i.Reference(e, atSibling)
	if !ok || err != nil {
		return 0, false
	}
	to := int(next&(1<<sectionShift-1)) - int(e.Unit.start)
	return to, to > at && to >= e.end && to <= len(e.of.bytes)
}

// Address returns where the code that an entry describes begins: in a linked file the address,
// in a module what File.Place returns. Code in several pieces begins with the first one. ok is
// false if the entry describes no code.
func (i *Info) Address(e *Entry) (address uint64, ok bool, err error) {
	if address, ok, err = i.AddressOf(e, atLowPC); ok || err != nil {
		return address, ok, err
	}
	v, has := e.Value(atRanges)
	if !has {
		return 0, false, nil
	}
	of := *e.Unit
	low := value{class: classAddress, n: of.low}
	if err := i.d.setExtent(&of, low, value{}, v.value()); err != nil {
		return 0, false, err
	}
	err = i.d.visitRanges(&of, func(low, high uint64) {
		if !ok && low < high {
			address, ok = low, true
		}
	})
	return address, ok, err
}

// AddressOf returns an attribute that is an address, as Address does. ok is false if the entry
// does not have it.
func (i *Info) AddressOf(e *Entry, attribute uint64) (address uint64, ok bool, err error) {
	v, has := e.Value(attribute)
	if !has {
		return 0, false, nil
	}
	address, err = i.d.addressOf(e.Unit, v.value())
	return address, err == nil, err
}

// Covering returns the units whose code has one of the addresses, in the order of the file.
// The addresses are ascending, and as Address returns them.
func (i *Info) Covering(addresses []uint64) ([]*Unit, error) {
	var units []*Unit
	for _, u := range i.units {
		covers := false
		err := i.d.visitRanges(u, func(low, high uint64) {
			n, _ := slices.BinarySearch(addresses, low)
			covers = covers || n < len(addresses) && addresses[n] < high
		})
		if err != nil {
			return nil, err
		}
		if covers {
			units = append(units, u)
		}
	}
	return units, nil
}

// RefersOutside reports whether entries of the unit with one of the tags may refer to entries of
// other units by one of the attributes: its abbreviations tell.
func (i *Info) RefersOutside(u *Unit, tags, attributes []uint64) (bool, error) {
	const refAddr, indirect = 0x10, 0x16
	table, err := i.d.abbrevsAt(u.abbrevs)
	if err != nil {
		return false, err
	}
	refers := func(a *abbrev) bool {
		return a.found && slices.Contains(tags, a.tag) &&
			slices.ContainsFunc(table.attrs[a.from:a.to], func(x attr) bool {
				return (x.form == refAddr || x.form == indirect) && slices.Contains(attributes, x.name)
			})
	}
	for n := range table.direct {
		if refers(&table.direct[n]) {
			return true, nil
		}
	}
	for _, a := range table.others {
		if refers(a) {
			return true, nil
		}
	}
	return false, nil
}

// Contains reports whether a unit has entries at the offset.
func (i *Info) Contains(offset uint64) bool { return i.unitAt(offset) != nil }
