// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"encoding/binary"
	"fmt"
)

// Code packs better when calls of one function have the same bytes wherever they are. So
// xz turns the distances in calls and jumps into positions in the file, and unpacking turns
// them back (The .xz File Format, 5.3.2). Kernel images are packed with
// the filter of their machine (scripts/xz_wrap.sh); modules are not, by the kernel's build.
//
// A filter is undone in a whole block at a time.
type filter struct {
	id    uint64
	start uint32 // position of the first byte
	delta int    // of the delta filter: the distance
}

const (
	xzFilterDelta    = 0x03
	xzFilterX86      = 0x04
	xzFilterPowerPC  = 0x05
	xzFilterARM      = 0x07
	xzFilterARMThumb = 0x08
	xzFilterSPARC    = 0x09
	xzFilterARM64    = 0x0a
)

// unsupported filters, by name.
var xzOtherFilters = map[uint64]string{0x06: "IA-64", 0x0b: "RISC-V"}

// newFilter reads the properties of a filter.
func newFilter(id uint64, props []byte) (filter, error) {
	f := filter{id: id}
	switch id {
	case xzFilterDelta:
		if len(props) != 1 {
			return f, errXZ
		}
		f.delta = int(props[0]) + 1
		return f, nil
	case xzFilterX86, xzFilterPowerPC, xzFilterARM, xzFilterARMThumb, xzFilterSPARC, xzFilterARM64:
		switch len(props) {
		case 0:
		case 4:
			f.start = binary.LittleEndian.Uint32(props)
		default:
			return f, errXZ
		}
		return f, nil
	}
	if name := xzOtherFilters[id]; name != "" {
		return f, fmt.Errorf("the xz filter for %s is not supported; unpack the file: xz -d", name)
	}
	return f, fmt.Errorf("xz filter %#x is not supported; unpack the file: xz -d", id)
}

// undo undoes the filter in place.
func (f filter) undo(b []byte) {
	switch f.id {
	case xzFilterDelta:
		for i := f.delta; i < len(b); i++ {
			b[i] += b[i-f.delta]
		}
	case xzFilterX86:
		unBCJx86(b, f.start)
	case xzFilterPowerPC:
		f.words(b, binary.BigEndian, undoPowerPC)
	case xzFilterARM:
		f.words(b, binary.LittleEndian, undoARM)
	case xzFilterSPARC:
		f.words(b, binary.BigEndian, undoSPARC)
	case xzFilterARM64:
		f.words(b, binary.LittleEndian, undoARM64)
	case xzFilterARMThumb:
		f.undoThumb(b)
	}
}

// words changes each aligned instruction of 4 bytes.
func (f filter) words(b []byte, order binary.ByteOrder, undo func(word, pc uint32) uint32) {
	for i := 0; i+4 <= len(b); i += 4 {
		word := order.Uint32(b[i:])
		if undone := undo(word, f.start+uint32(i)); undone != word {
			order.PutUint32(b[i:], undone)
		}
	}
}

// undoPowerPC: bl (branch with AA clear and LK set), 24 bits of words.
func undoPowerPC(word, pc uint32) uint32 {
	if word&0xfc000003 != 0x48000001 {
		return word
	}
	return 0x48000001 | (word-pc)&0x03fffffc
}

// undoARM: bl that is always executed; the machine's pc is 8 ahead.
func undoARM(word, pc uint32) uint32 {
	if word>>24 != 0xeb {
		return word
	}
	return 0xeb000000 | (word-(pc+8)>>2)&0xffffff
}

// undoSPARC: call with a distance within 2^23 words, sign extended to 30 bits.
func undoSPARC(word, pc uint32) uint32 {
	if word>>22 != 0x100 && word>>22 != 0x1ff {
		return word
	}
	dest := word - pc>>2
	sign := -(dest >> 22 & 1)
	return sign<<22&0x3fffffff | dest&0x3fffff | 0x40000000
}

// undoARM64: bl in words; adrp in pages, when it is within 512 MiB.
func undoARM64(word, pc uint32) uint32 {
	switch {
	case word>>26 == 0x25:
		return 0x94000000 | (word-pc>>2)&0x03ffffff
	case word&0x9f000000 == 0x90000000:
		pages := word>>29&3 | word>>3&0x1ffffc
		if (pages+0x20000)&0x1c0000 != 0 {
			return word
		}
		dest := pages - pc>>12
		return word&0x9000001f | dest&3<<29 | dest&0x3fffc<<3 | -(dest&0x20000)&0xe00000
	}
	return word
}

// undoThumb: bl of two half words; the machine's pc is 4 ahead.
func (f filter) undoThumb(b []byte) {
	for i := 0; i+4 <= len(b); i += 2 {
		if b[i+1]&0xf8 != 0xf0 || b[i+3]&0xf8 != 0xf8 {
			continue
		}
		from := uint32(b[i+1]&7)<<19 | uint32(b[i])<<11 | uint32(b[i+3]&7)<<8 | uint32(b[i+2])
		to := from - (f.start+uint32(i)+4)>>1
		b[i+1], b[i] = 0xf0|byte(to>>19)&7, byte(to>>11)
		b[i+3], b[i+2] = 0xf8|byte(to>>8)&7, byte(to)
		i += 2
	}
}

// unBCJx86 undoes, in place, the filter that makes x86 code pack better: the
// targets of near calls and jumps (e8, e9) were written as absolute positions.
// An operand counts only when its top byte is that of a near target (0x00 or 0xff) and
// the opcodes among the three bytes before do not exclude it; recent has a bit for each of
// these that was an opcode, the nearest lowest (xz's x86.c).
func unBCJx86(b []byte, start uint32) {
	near := func(c byte) bool { return c == 0 || c == 0xff }
	// By recent: whether the operand may count, and how many of its bytes belong to an
	// earlier operand.
	allowed := [8]bool{0: true, 1: true, 2: true, 4: true}
	reached := [8]uint{0, 1, 2, 2, 3, 3, 3, 3}
	var recent uint
	previous := -1
	for i := 0; i+5 <= len(b); i++ {
		if b[i]&0xfe != 0xe8 {
			continue
		}
		gap := i - previous
		previous = i
		if gap > 3 {
			recent = 0
		} else {
			recent = recent << (gap - 1) & 7
			if recent != 0 && (!allowed[recent] || near(b[i+4-int(reached[recent])])) {
				recent = recent<<1 | 1
				continue
			}
		}
		if !near(b[i+4]) {
			recent = recent<<1 | 1
			continue
		}
		src := binary.LittleEndian.Uint32(b[i+1:])
		for {
			dest := src - (start + uint32(i+5))
			if recent != 0 {
				at := reached[recent] * 8
				if near(byte(dest >> (24 - at))) {
					src = dest ^ (1<<(32-at) - 1)
					continue
				}
			}
			dest &= 0x01ffffff
			binary.LittleEndian.PutUint32(b[i+1:], dest|-(dest&0x01000000))
			break
		}
		i += 4 // bytes of an operand are not opcodes
	}
}
