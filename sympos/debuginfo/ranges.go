// SPDX-License-Identifier: GPL-2.0-or-later

package debuginfo

// visitRanges visits the ranges of addresses of a unit's code.
func (d *reader) visitRanges(u *Unit, visit func(low, high uint64)) error {
	switch {
	case !u.hasRanges:
		visit(u.low, u.high)
		return nil
	case u.version < 5:
		return d.visitRanges4(u, visit)
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
		c := cursor{b: b, order: d.f.Order}
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
		c := cursor{b: b, order: d.f.Order}
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
			index[0], index[1] = value{class: classAddrIndex,
				n: c.uleb()}, value{class: classAddrIndex, n: c.uleb()}
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

// visitRanges4 is visitRanges for DWARF up to 4: pairs of offsets from the unit's low pc.
func (d *reader) visitRanges4(u *Unit, visit func(low, high uint64)) error {
	base, size := u.low, u.address
	last := uint64(1)<<(8*size-1)<<1 - 1
	for off := u.ranges; ; off += uint64(2 * size) {
		b, err := d.oldRanges.at(off, 2*size)
		if err != nil {
			return err
		}
		c := cursor{b: b, order: d.f.Order}
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
