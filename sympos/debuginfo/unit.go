// SPDX-License-Identifier: GPL-2.0-or-later

package debuginfo

import (
	"fmt"
	"path"
)

// Numbers of DWARF 5, section 7.
const (
	tagCompileUnit  = 0x11
	tagVariable     = 0x34
	tagPartialUnit  = 0x3c
	tagSkeletonUnit = 0x4a

	atLocation     = 0x02
	atName         = 0x03
	atLowPC        = 0x11
	atLanguage     = 0x13
	atHighPC       = 0x12
	atCompDir      = 0x1b
	atRanges       = 0x55
	atStrOffsets   = 0x72
	atAddrBase     = 0x73
	atRnglistsBase = 0x74
	atGNUAddrBase  = 0x2133

	opAddr         = 0x03
	opAddrx        = 0xa1
	opGNUAddrIndex = 0xfb
)

// A Unit is what the header and the first entry of a unit say.
type Unit struct {
	// Name is the path of the source file as the compiler was given it.
	Name string
	// Dir is the directory in which the compiler ran, "" if not known.
	Dir string
	// Assembler is set for units that no compiler made: their functions have no types.
	Assembler bool

	section    int    // of Info.sections
	header     uint64 // where it begins in .debug_info
	start, end uint64 // of its entries
	kind       uint8
	signature  uint64 // of a type unit
	typeAt     uint64 // where the entry of its type is
	abbrevs    uint64
	version    int
	wide       bool // 64-bit DWARF
	address    int  // bytes of an address

	low, high            uint64 // high 0: none
	ranges               uint64
	hasRanges, rangeList bool // rangeList: an index (DW_FORM_rnglistx)
	addrBase, strBase    uint64
	listBase             uint64
}

// Path returns the path of the unit's file, absolute if the unit has the directory in
// which the compiler ran; "" when the unit has no file.
func (u *Unit) Path() string {
	switch {
	case u.Name == "" || u.Name[len(u.Name)-1] == '/':
		return ""
	case path.IsAbs(u.Name):
		return path.Clean(u.Name)
	}
	return path.Join(u.Dir, u.Name)
}

// Kinds of units (DWARF 5, 7.5.1). Those of older versions have none written down.
const (
	unitCompile   = 1
	unitType      = 2
	unitPartial   = 3
	unitSkeleton  = 4
	unitSplit     = 5
	unitSplitType = 6
)

// readHeader reads the header of the unit at off in a section of units. next is where the next
// unit begins. ok is false if the unit is of a later version or empty.
func (d *reader) readHeader(s *section, off uint64) (u *Unit, next uint64, ok bool, err error) {
	b, err := s.at(off, 40)
	if err != nil {
		return nil, 0, false, err
	}
	c := cursor{b: b, order: d.f.Order}
	u = &Unit{header: off, kind: unitCompile}
	length := uint64(c.u32())
	if length == 0xffffffff {
		u.wide, length = true, c.u64()
	}
	if c.bad || length > s.size-off-uint64(c.pos) {
		return nil, 0, false, fmt.Errorf("unit at %#x: %w", off, errUnreadable)
	}
	u.end = off + uint64(c.pos) + length
	u.version = int(c.u16())
	if u.version >= 5 {
		u.kind, u.address = c.u8(), int(c.u8())
		u.abbrevs = c.offset(u.wide)
	} else {
		u.abbrevs = c.offset(u.wide)
		u.address = int(c.u8())
		if s.types {
			u.kind = unitType
		}
	}
	switch u.kind {
	case unitSkeleton, unitSplit: // an id
		c.skip(8)
	case unitType, unitSplitType:
		u.signature, u.typeAt = c.u64(), off+c.offset(u.wide)
	}
	u.start = off + uint64(c.pos)
	return u, u.end, !c.bad && u.version >= 2 && u.version <= 5 &&
		(u.address == 4 || u.address == 8) && u.start <= u.end, nil
}

// visitUnits visits the units that have entries for code and data.
func (d *reader) visitUnits(visit func(*Unit) error) error {
	for off := uint64(0); off < d.info.size; {
		u, next, ok, err := d.readHeader(d.info, off)
		if err != nil {
			return err
		}
		if off = next; !ok || u.kind == unitType || u.kind == unitSplitType {
			continue
		}
		if ok, err = d.readRoot(u); err != nil {
			return err
		}
		if ok {
			if err := visit(u); err != nil {
				return err
			}
		}
	}
	return nil
}

// readRoot reads the unit's first entry, in .debug_info, and reports whether it is that of a unit
// for code and data, or of a partial unit: dwz moves to these what several units have in common.
func (d *reader) readRoot(u *Unit) (bool, error) {
	// Most entries are short. Their longest string is the compiler's flags.
	for n := 256; ; n *= 16 {
		b, err := d.info.at(u.start, int(min(uint64(n), u.end-u.start)))
		if err != nil {
			return false, err
		}
		c := cursor{b: b, order: d.f.Order}
		code := c.uleb()
		if code == 0 || c.bad {
			return false, nil
		}
		table, err := d.abbrevsAt(u.abbrevs)
		if err != nil {
			return false, err
		}
		a := table.find(code)
		if a == nil {
			return false, nil
		}
		switch a.tag {
		case tagCompileUnit, tagPartialUnit, tagSkeletonUnit:
		default:
			return false, nil
		}
		var name, dir, low, high, ranges value
		*u = Unit{header: u.header, start: u.start, end: u.end, kind: u.kind, abbrevs: u.abbrevs,
			version: u.version, wide: u.wide, address: u.address}
		if u.version >= 5 { // unless an attribute has another base
			u.strBase, u.listBase, u.addrBase = 8, 12, 8
			if u.wide {
				u.strBase, u.listBase, u.addrBase = 16, 20, 16
			}
		}
		for _, at := range table.attrs[a.from:a.to] {
			v := c.value(at.form, at.implicit, u)
			switch at.name {
			case atName:
				name = v
			case atCompDir:
				dir = v
			case atLanguage:
				const assembler = 0x8001 // DW_LANG_Mips_Assembler, which gas uses on all machines
				u.Assembler = v.n == assembler
			case atLowPC:
				low = v
			case atHighPC:
				high = v
			case atRanges:
				ranges = v
			case atStrOffsets:
				u.strBase = v.n
			case atAddrBase, atGNUAddrBase:
				u.addrBase = v.n
			case atRnglistsBase:
				u.listBase = v.n
			}
		}
		if c.bad {
			if uint64(n) >= u.end-u.start || n > 1<<20 {
				return false, nil
			}
			continue
		}
		// The strings are copied out of b before any section is read again.
		for _, s := range []struct {
			to *string
			v  value
		}{{&u.Name, name}, {&u.Dir, dir}} {
			if s.v.bytes != nil {
				*s.to, s.v.bytes = string(s.v.bytes), nil
			}
		}
		for _, s := range []struct {
			to *string
			v  value
		}{{&u.Name, name}, {&u.Dir, dir}} {
			if s.v.bytes != nil {
				continue
			}
			if *s.to, err = d.stringOf(u, s.v); err != nil {
				return false, err
			}
		}
		return true, d.setExtent(u, low, high, ranges)
	}
}

// setExtent sets where the unit's code is.
func (d *reader) setExtent(u *Unit, low, high, ranges value) error {
	var err error
	if u.low, err = d.addressOf(u, low); err != nil {
		return err
	}
	switch high.class {
	case classConstant:
		u.high = u.low + high.n
	case classAddress, classAddrIndex:
		if u.high, err = d.addressOf(u, high); err != nil {
			return err
		}
	}
	switch ranges.class {
	case classRangeIndex:
		u.hasRanges, u.rangeList = true, true
	case classConstant, classOffset: // data4 and data8 up to DWARF 3
		u.hasRanges = true
	}
	u.ranges = ranges.n
	return nil
}

// stringOf returns the string that a value refers to, or "".
func (d *reader) stringOf(u *Unit, v value) (string, error) {
	switch v.class {
	case classStr:
		return d.str.cString(v.n)
	case classLineStr:
		return d.lineStr.cString(v.n)
	case classStrIndex:
		size := uint64(4)
		if u.wide {
			size = 8
		}
		if v.n > maxUnit {
			return "", nil
		}
		b, err := d.strOffsets.at(u.strBase+v.n*size, int(size))
		if err != nil {
			return "", err
		}
		c := cursor{b: b, order: d.f.Order}
		if off := c.offset(u.wide); !c.bad {
			return d.str.cString(off)
		}
	}
	return "", nil
}

// addressOf returns the address that a value is or refers to, 0 if it does neither.
func (d *reader) addressOf(u *Unit, v value) (uint64, error) {
	switch v.class {
	case classAddress:
		return v.n, nil
	case classAddrIndex:
		if v.n > maxUnit {
			return 0, nil
		}
		b, err := d.addr.at(u.addrBase+v.n*uint64(u.address), u.address)
		if err != nil {
			return 0, err
		}
		c := cursor{b: b, order: d.f.Order}
		if a := c.sized(u.address); !c.bad {
			return a, nil
		}
	}
	return 0, nil
}

// visitVariables visits the addresses of the unit's variables, also of those in functions.
func (d *reader) visitVariables(u *Unit, visit func(address uint64)) error {
	if u.end-u.start > maxUnit {
		return fmt.Errorf("unit of %d bytes: %w", u.end-u.start, errTooLarge)
	}
	table, err := d.abbrevsAt(u.abbrevs)
	if err != nil {
		return err
	}
	b, err := d.info.at(u.start, int(u.end-u.start))
	if err != nil {
		return err
	}
	table.compile(u)
	c := cursor{b: b, order: d.f.Order}
	for c.pos < len(c.b) && !c.bad {
		code := c.uleb()
		if code == 0 {
			continue // end of a list of children
		}
		a := table.find(code)
		if a == nil {
			return nil // the next entry can't be found
		}
		for _, s := range table.steps[a.firstStep:a.endStep] {
			if s.skip > 0 {
				c.skip(s.skip)
				continue
			}
			v := c.value(s.form, 0, u)
			if !s.location || c.bad || len(v.bytes) == 0 {
				continue
			}
			e := cursor{b: v.bytes, order: c.order}
			var at value
			switch e.u8() {
			case opAddr:
				at = value{class: classAddress, n: e.sized(u.address)}
			case opAddrx, opGNUAddrIndex:
				at = value{class: classAddrIndex, n: e.uleb()}
			}
			if e.bad || e.pos != len(e.b) {
				continue
			}
			address, err := d.addressOf(u, at)
			if err != nil {
				return err
			}
			if address != 0 {
				visit(address)
			}
		}
	}
	return nil
}
