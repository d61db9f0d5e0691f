// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"encoding/binary"
	"fmt"
)

// As much of DWARF (versions 2 to 5) as it takes to find out which unit has an
// address:
//
//	.debug_info     unit header │ entry │ entry …        entry: code, values
//	.debug_abbrev   table: code → tag, attributes and the forms of their values
//	.debug_ranges, .debug_rnglists                       code of a unit, in pieces
//	.debug_addr                                          addresses, by index
//	.debug_str, .debug_line_str, .debug_str_offsets      names
//
// The standard library's debug/dwarf takes 4 to 9 times the time and 1.5 to 2 times the
// memory on Debian's vmlinux of 633 MB (BenchmarkFiles): it reads the abbreviations of all
// units first and makes values of all attributes. It also takes the addresses of all
// sections of a module for those of one.

// Numbers of DWARF 5, section 7.
const (
	tagCompileUnit  = 0x11
	tagVariable     = 0x34
	tagSkeletonUnit = 0x4a

	atLocation     = 0x02
	atName         = 0x03
	atLowPC        = 0x11
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

// Bounds on what a table of abbreviations may hold. A kernel's units have some
// hundred of a dozen attributes each.
const (
	maxAbbrevs = 1 << 16
	maxAttrs   = 1 << 10
	maxUnit    = 256 << 20
)

type dwarf struct {
	f       *elfFile
	budget  int64
	widths  map[uint32]int
	closers []func()

	info, abbrev, str, lineStr, strOffsets, addr, oldRanges, rnglists *dwarfSection

	table   abbrevs // the one read last
	tableAt uint64
}

// dwarf opens the file's debug information.
func (f *elfFile) dwarf() (*dwarf, error) {
	d := &dwarf{f: f, budget: budgetOf(f.in.size), widths: dwarfWidths[f.machine]}
	for _, s := range []struct {
		to   **dwarfSection
		name string
	}{
		{&d.info, "info"}, {&d.abbrev, "abbrev"}, {&d.str, "str"}, {&d.lineStr, "line_str"},
		{&d.strOffsets, "str_offsets"}, {&d.addr, "addr"}, {&d.oldRanges, "ranges"}, {&d.rnglists, "rnglists"},
	} {
		var err error
		if *s.to, err = d.section(s.name); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *dwarf) close() {
	for _, c := range d.closers {
		c()
	}
}

// A unit is what its header and its first entry say.
type unit struct {
	name, dir string

	start, end uint64 // of its entries in .debug_info
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

// units visits the units of code.
func (d *dwarf) units(visit func(*unit) error) error {
	for off := uint64(0); off < d.info.size; {
		b, err := d.info.at(off, 40)
		if err != nil {
			return err
		}
		c := cursor{b: b, order: d.f.order}
		u := &unit{}
		length := uint64(c.u32())
		if length == 0xffffffff {
			u.wide, length = true, c.u64()
		}
		if c.bad || length > d.info.size-off-uint64(c.pos) {
			return fmt.Errorf("unit at %#x: %w", off, errDwarf)
		}
		u.end = off + uint64(c.pos) + length
		u.version = int(c.u16())
		kind := uint8(1) // DW_UT_compile
		if u.version >= 5 {
			kind, u.address = c.u8(), int(c.u8())
			u.abbrevs = c.offset(u.wide)
		} else {
			u.abbrevs = c.offset(u.wide)
			u.address = int(c.u8())
		}
		next := u.end
		switch kind {
		case 4, 5: // skeleton, split: an id
			c.skip(8)
		case 2, 6: // types
			off = next
			continue
		}
		u.start = off + uint64(c.pos)
		if off = next; c.bad || u.version < 2 || u.version > 5 || u.address != 4 && u.address != 8 || u.start > u.end {
			continue // of a later version, or empty
		}
		ok, err := d.root(u)
		if err != nil {
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

// root reads the unit's first entry and reports whether it is one of code.
func (d *dwarf) root(u *unit) (bool, error) {
	// Most are short. The longest string in one is the compiler's flags.
	for n := 256; ; n *= 16 {
		b, err := d.info.at(u.start, int(min(uint64(n), u.end-u.start)))
		if err != nil {
			return false, err
		}
		c := cursor{b: b, order: d.f.order}
		code := c.uleb()
		if code == 0 || c.bad {
			return false, nil
		}
		table, err := d.abbrevsAt(u.abbrevs)
		if err != nil {
			return false, err
		}
		a := table.find(code)
		if a == nil || a.tag != tagCompileUnit && a.tag != tagSkeletonUnit {
			return false, nil
		}
		var name, dir, low, high, ranges value
		*u = unit{start: u.start, end: u.end, abbrevs: u.abbrevs, version: u.version, wide: u.wide, address: u.address}
		if u.version >= 5 { // when no attribute says where
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
		}{{&u.name, name}, {&u.dir, dir}} {
			if s.v.bytes != nil {
				*s.to, s.v.bytes = string(s.v.bytes), nil
			}
		}
		for _, s := range []struct {
			to *string
			v  value
		}{{&u.name, name}, {&u.dir, dir}} {
			if s.v.bytes != nil {
				continue
			}
			if *s.to, err = d.text(u, s.v); err != nil {
				return false, err
			}
		}
		return true, d.extent(u, low, high, ranges)
	}
}

// extent notes where the unit's code is.
func (d *dwarf) extent(u *unit, low, high, ranges value) error {
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

// text returns a string that is kept elsewhere.
func (d *dwarf) text(u *unit, v value) (string, error) {
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
		c := cursor{b: b, order: d.f.order}
		if off := c.offset(u.wide); !c.bad {
			return d.str.cString(off)
		}
	}
	return "", nil
}

// addressOf returns the address that a value is, 0 if it is none.
func (d *dwarf) addressOf(u *unit, v value) (uint64, error) {
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
		c := cursor{b: b, order: d.f.order}
		if a := c.sized(u.address); !c.bad {
			return a, nil
		}
	}
	return 0, nil
}

// ranges visits the pieces of code that a unit has.
func (d *dwarf) ranges(u *unit, visit func(low, high uint64)) error {
	switch {
	case !u.hasRanges:
		visit(u.low, u.high)
		return nil
	case u.version < 5:
		return d.rangesOf4(u, visit)
	}
	off := u.ranges
	if u.rangeList {
		size := 4
		if u.wide {
			size = 8
		}
		if off > maxUnit {
			return nil
		}
		b, err := d.rnglists.at(u.listBase+off*uint64(size), size)
		if err != nil {
			return err
		}
		c := cursor{b: b, order: d.f.order}
		off = u.listBase + c.offset(u.wide)
		if c.bad {
			return nil
		}
	}
	base := u.low
	for {
		b, err := d.rnglists.at(off, 32)
		if err != nil {
			return err
		}
		c := cursor{b: b, order: d.f.order}
		var low, high uint64
		var index [2]value
		switch c.u8() {
		case 0: // DW_RLE_end_of_list
			return nil
		case 1: // base_addressx
			index[0] = value{class: classAddrIndex, n: c.uleb()}
			if base, err = d.addressOf(u, index[0]); err != nil {
				return err
			}
		case 2: // startx_endx
			index[0], index[1] = value{class: classAddrIndex, n: c.uleb()}, value{class: classAddrIndex, n: c.uleb()}
			if low, err = d.addressOf(u, index[0]); err != nil {
				return err
			}
			if high, err = d.addressOf(u, index[1]); err != nil {
				return err
			}
		case 3: // startx_length
			index[0] = value{class: classAddrIndex, n: c.uleb()}
			length := c.uleb()
			if low, err = d.addressOf(u, index[0]); err != nil {
				return err
			}
			high = low + length
		case 4: // offset_pair
			low, high = base+c.uleb(), base+c.uleb()
		case 5: // base_address
			base = c.sized(u.address)
		case 6: // start_end
			low, high = c.sized(u.address), c.sized(u.address)
		case 7: // start_length
			low = c.sized(u.address)
			high = low + c.uleb()
		default:
			return nil
		}
		if c.bad {
			return nil
		}
		visit(low, high)
		if off += uint64(c.pos); d.spend(c.pos) != nil {
			return d.spend(0)
		}
	}
}

// rangesOf4 is ranges for DWARF up to 4: pairs of offsets from the unit's low pc.
func (d *dwarf) rangesOf4(u *unit, visit func(low, high uint64)) error {
	base, size := u.low, u.address
	last := uint64(1)<<(8*size-1)<<1 - 1
	for off := u.ranges; ; off += uint64(2 * size) {
		b, err := d.oldRanges.at(off, 2*size)
		if err != nil {
			return err
		}
		c := cursor{b: b, order: d.f.order}
		low, high := c.sized(size), c.sized(size)
		switch {
		case c.bad || low == 0 && high == 0:
			return nil
		case low == last:
			base = high
		default:
			visit(base+low, base+high)
		}
		if err := d.spend(2 * size); err != nil {
			return err
		}
	}
}

// variables visits the addresses of the unit's variables, those inside of functions too.
func (d *dwarf) variables(u *unit, visit func(address uint64)) error {
	if u.end-u.start > maxUnit {
		return fmt.Errorf("unit of %d bytes: %w", u.end-u.start, ErrTooLarge)
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
	c := cursor{b: b, order: d.f.order}
	for c.pos < len(c.b) && !c.bad {
		code := c.uleb()
		if code == 0 {
			continue // end of a list of children
		}
		a := table.find(code)
		if a == nil {
			return nil // nothing tells where the next one begins
		}
		for _, s := range table.steps[a.first:a.behind] {
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

// abbrevs is a table of abbreviations, by code.
type abbrevs struct {
	direct []abbrev // code i+1, where the codes are 1, 2, 3 …
	others map[uint64]*abbrev
	attrs  []attr
	steps  []step // see compile
}

type abbrev struct {
	tag      uint64
	from, to int // in attrs
	// The first and behind the last of its steps.
	first, behind int
	found         bool
}

type attr struct {
	name, form uint64
	implicit   uint64
}

// A step is a stretch of an entry of known length, or one value.
type step struct {
	skip     int
	form     uint64
	location bool
}

func (t *abbrevs) find(code uint64) *abbrev {
	if code-1 < uint64(len(t.direct)) {
		if a := &t.direct[code-1]; a.found {
			return a
		}
		return nil
	}
	return t.others[code]
}

// abbrevsAt reads the table at off.
func (d *dwarf) abbrevsAt(off uint64) (*abbrevs, error) {
	if d.table.others != nil && d.tableAt == off {
		return &d.table, nil
	}
	for n := 8 << 10; ; n *= 4 {
		b, err := d.abbrev.at(off, n)
		if err != nil {
			return nil, err
		}
		c := cursor{b: b, order: d.f.order}
		t := abbrevs{others: map[uint64]*abbrev{}, direct: d.table.direct[:0], attrs: d.table.attrs[:0], steps: d.table.steps[:0]}
		count := 0
		for !c.bad {
			code := c.uleb()
			if code == 0 || c.bad {
				break
			}
			a := abbrev{tag: c.uleb(), from: len(t.attrs), found: true}
			c.u8()
			for !c.bad {
				x := attr{name: c.uleb(), form: c.uleb()}
				if x.form == 0x21 { // DW_FORM_implicit_const
					x.implicit = uint64(c.sleb())
				}
				if x.name == 0 && x.form == 0 {
					break
				}
				if t.attrs = append(t.attrs, x); len(t.attrs)-a.from > maxAttrs {
					return nil, fmt.Errorf("abbreviation of more than %d attributes: %w", maxAttrs, ErrTooLarge)
				}
			}
			a.to = len(t.attrs)
			if count++; count > maxAbbrevs {
				return nil, fmt.Errorf("%d abbreviations: %w", count, ErrTooLarge)
			}
			// Compilers number them from 1 on, in whatever order.
			if code <= uint64(maxAbbrevs) {
				for uint64(len(t.direct)) < code {
					t.direct = append(t.direct, abbrev{})
				}
				t.direct[code-1] = a
			} else {
				other := a
				t.others[code] = &other
			}
		}
		if c.bad && len(b) == n { // not all of it
			continue
		}
		d.table, d.tableAt = t, off
		return &d.table, d.spend(len(b) + 64*len(t.direct))
	}
}

// compile makes the steps in which entries of the unit are gone through: of most
// there is nothing to look at.
func (t *abbrevs) compile(u *unit) {
	t.steps = t.steps[:0]
	of := func(a *abbrev) {
		a.first = len(t.steps)
		for _, x := range t.attrs[a.from:a.to] {
			n := fixed(x.form, u)
			wanted := a.tag == tagVariable && x.name == atLocation
			switch {
			case n == 0:
			case n > 0 && len(t.steps) > a.first && t.steps[len(t.steps)-1].skip > 0:
				t.steps[len(t.steps)-1].skip += n
			case n > 0:
				t.steps = append(t.steps, step{skip: n})
			default:
				t.steps = append(t.steps, step{form: x.form, location: wanted})
			}
		}
		a.behind = len(t.steps)
	}
	for i := range t.direct {
		of(&t.direct[i])
	}
	for _, a := range t.others {
		of(a)
	}
}

// A class is what a value stands for.
type class int

const (
	classOther class = iota
	classConstant
	classAddress
	classAddrIndex
	classOffset
	classStr
	classLineStr
	classStrIndex
	classRangeIndex
	classBytes
)

// A value is a number, or bytes.
type value struct {
	class class
	n     uint64
	bytes []byte
}

// fixed returns how many bytes a form takes, or -1 where that differs.
func fixed(form uint64, u *unit) int {
	offset := 4
	if u.wide {
		offset = 8
	}
	switch form {
	case 0x19, 0x21: // flag_present, implicit_const
		return 0
	case 0x0b, 0x0c, 0x11, 0x25, 0x29: // data1, flag, ref1, strx1, addrx1
		return 1
	case 0x05, 0x12, 0x26, 0x2a: // data2, ref2, strx2, addrx2
		return 2
	case 0x27, 0x2b: // strx3, addrx3
		return 3
	case 0x06, 0x13, 0x1c, 0x28, 0x2c: // data4, ref4, ref_sup4, strx4, addrx4
		return 4
	case 0x07, 0x14, 0x20, 0x24: // data8, ref8, ref_sig8, ref_sup8
		return 8
	case 0x1e: // data16
		return 16
	case 0x01: // addr
		return u.address
	case 0x0e, 0x17, 0x1d, 0x1f, 0x1f20, 0x1f21: // strp, sec_offset, strp_sup, line_strp, GNU_ref_alt, GNU_strp_alt
		return offset
	case 0x10: // ref_addr
		if u.version == 2 {
			return u.address
		}
		return offset
	}
	return -1
}

// value reads a value of that form.
func (c *cursor) value(form, implicit uint64, u *unit) value {
	if form == 0x16 { // indirect
		if form = c.uleb(); form == 0x16 || form == 0x21 {
			c.bad = true
			return value{}
		}
	}
	v := value{}
	switch form {
	case 0x01:
		v.class = classAddress
	case 0x05, 0x06, 0x07, 0x0b, 0x0d, 0x0f, 0x21:
		v.class = classConstant
	case 0x0e:
		v.class = classStr
	case 0x17:
		v.class = classOffset
	case 0x1f:
		v.class = classLineStr
	case 0x1a, 0x25, 0x26, 0x27, 0x28, 0x1f02:
		v.class = classStrIndex
	case 0x1b, 0x29, 0x2a, 0x2b, 0x2c, 0x1f01:
		v.class = classAddrIndex
	case 0x23:
		v.class = classRangeIndex
	}
	switch form {
	case 0x08: // string
		v.class, v.bytes = classBytes, cutString(c.b[min(c.pos, len(c.b)):])
		if v.bytes == nil {
			c.bad = true
		}
		c.skip(len(v.bytes) + 1)
	case 0x0a: // block1
		v.class, v.bytes = classBytes, c.take(uint64(c.u8()))
	case 0x03: // block2
		v.class, v.bytes = classBytes, c.take(uint64(c.u16()))
	case 0x04: // block4
		v.class, v.bytes = classBytes, c.take(uint64(c.u32()))
	case 0x09, 0x18: // block, exprloc
		v.class, v.bytes = classBytes, c.take(c.uleb())
	case 0x0d: // sdata
		v.n = uint64(c.sleb())
	case 0x0f, 0x15, 0x1a, 0x1b, 0x22, 0x23, 0x1f01, 0x1f02: // udata, ref_udata, strx, addrx, loclistx, rnglistx, GNU_*_index
		v.n = c.uleb()
	case 0x21:
		v.n = implicit
	default:
		switch n := fixed(form, u); n {
		case 0:
		case 1, 2, 3, 4, 8:
			v.n = c.sized(n)
		case 16:
			c.skip(n)
		default:
			c.bad = true // nothing tells how long it is
		}
	}
	return v
}

// A cursor reads numbers one behind the other; bad says that the bytes did not
// suffice.
type cursor struct {
	b     []byte
	pos   int
	order binary.ByteOrder
	bad   bool
}

func (c *cursor) take(n uint64) []byte {
	if c.bad || n > uint64(len(c.b)-c.pos) {
		c.bad = true
		return nil
	}
	c.pos += int(n)
	return c.b[c.pos-int(n) : c.pos]
}

func (c *cursor) skip(n int) { c.take(uint64(n)) }

// sized reads a number of 1, 2, 3, 4 or 8 bytes.
func (c *cursor) sized(n int) uint64 {
	b := c.take(uint64(n))
	if b == nil {
		return 0
	}
	switch n {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(c.order.Uint16(b))
	case 3:
		if c.order == binary.ByteOrder(binary.BigEndian) {
			return uint64(b[0])<<16 | uint64(b[1])<<8 | uint64(b[2])
		}
		return uint64(b[2])<<16 | uint64(b[1])<<8 | uint64(b[0])
	case 4:
		return uint64(c.order.Uint32(b))
	}
	return c.order.Uint64(b)
}

func (c *cursor) u8() uint8   { return uint8(c.sized(1)) }
func (c *cursor) u16() uint16 { return uint16(c.sized(2)) }
func (c *cursor) u32() uint32 { return uint32(c.sized(4)) }
func (c *cursor) u64() uint64 { return c.sized(8) }

// offset reads an offset in a section.
func (c *cursor) offset(wide bool) uint64 {
	if wide {
		return c.u64()
	}
	return uint64(c.u32())
}

func (c *cursor) uleb() uint64 {
	n := uint64(0)
	for shift := 0; ; shift += 7 {
		if c.bad || c.pos >= len(c.b) {
			c.bad = true
			return 0
		}
		x := c.b[c.pos]
		c.pos++
		if shift < 64 {
			n |= uint64(x&0x7f) << shift
		}
		if x&0x80 == 0 {
			return n
		}
	}
}

func (c *cursor) sleb() int64 {
	from := c.pos
	n := int64(c.uleb())
	if used := 7 * (c.pos - from); !c.bad && used < 64 && c.b[c.pos-1]&0x40 != 0 {
		n |= -1 << used
	}
	return n
}
