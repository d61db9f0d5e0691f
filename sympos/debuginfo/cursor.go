// SPDX-License-Identifier: GPL-2.0-or-later

package debuginfo

import "encoding/binary"

// A cursor reads numbers one after another; bad is set when the bytes end before.
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

// offset reads an offset in a section, of 8 bytes if wide, else of 4.
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
