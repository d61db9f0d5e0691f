// SPDX-License-Identifier: GPL-2.0-or-later

package debuginfo

import "bytes"

// A class is how a value is to be read.
type class uint8

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

// fixedSize returns how many bytes values of a form have, or -1 when that differs.
func fixedSize(form uint64, u *Unit) int {
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
	// strp, sec_offset, strp_sup, line_strp, GNU_ref_alt, GNU_strp_alt
	case 0x0e, 0x17, 0x1d, 0x1f, 0x1f20, 0x1f21:
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
func (c *cursor) value(form, implicit uint64, u *Unit) value {
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
		v.class, v.bytes = classBytes, leadingString(c.b[min(c.pos, len(c.b)):])
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
	// udata, ref_udata, strx, addrx, loclistx, rnglistx, GNU_*_index
	case 0x0f, 0x15, 0x1a, 0x1b, 0x22, 0x23, 0x1f01, 0x1f02:
		v.n = c.uleb()
	case 0x21:
		v.n = implicit
	default:
		switch n := fixedSize(form, u); n {
		case 0:
		case 1, 2, 3, 4, 8:
			v.n = c.sized(n)
		case 16:
			c.skip(n)
		default:
			c.bad = true // the size of an unknown form is not known
		}
	}
	return v
}

// leadingString returns the string that b begins with, or nil when it has no end.
func leadingString(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return nil
}
