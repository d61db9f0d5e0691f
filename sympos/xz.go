// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// The .xz container, as far as kernels and modules need it. The library that
// decodes LZMA2 reads whole .xz files too, but not those with a BCJ filter, which
// is how x86 kernel images are packed (scripts/xz_wrap.sh).
//
//	stream header   magic, flags (kind of check), CRC32           12 bytes
//	block           header: size, flags, [sizes], filters, CRC32
//	                LZMA2 chunks, padding to 4, check
//	…               more blocks
//	index           begins with a zero byte: the end, for us
//
// Filters are applied in the order LZMA2, then BCJ; a block is decoded whole, so
// the BCJ filter sees it in one piece.
const xzMagic = "\xfd7zXZ\x00"

const (
	xzFilterX86   = 0x04
	xzFilterLZMA2 = 0x21
	// maxDict is what the kernel's own decoder takes in the largest image that
	// is built with it; a dictionary larger than the output is of no use.
	maxDict = 256 << 20
)

var errXZ = errors.New("damaged xz file")

// newXZ decodes the first stream of r.
func newXZ(r io.Reader, size int64) (io.Reader, error) {
	packed, err := readAll(r, max(size, 0), maxUnpacked)
	if err != nil {
		return nil, err
	}
	out, err := unxz(packed)
	if err != nil {
		return nil, err
	}
	return newInMemory(out), nil
}

// beginXZ decodes the first block of r up to headSize bytes, as far as they need no
// filter but LZMA2; code alone has others, and no file begins with code.
func beginXZ(r io.Reader, _ int64) (io.Reader, error) {
	head := make([]byte, 13, 12+4*256)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	if head[12] == 0 {
		return bytes.NewReader(nil), nil // no block at all
	}
	head = head[:12+(int(head[12])+1)*4]
	if _, err := io.ReadFull(r, head[13:]); err != nil {
		return nil, err
	}
	if _, _, err := xzBlock(head[12:]); err != nil {
		return nil, err
	}
	// Nothing in the first n bytes can be a copy from further back.
	z, err := lzma.Reader2Config{DictCap: 2 * headSize}.NewReader2(r)
	if err != nil {
		return nil, err
	}
	return io.LimitReader(z, headSize), nil
}

func unxz(b []byte) ([]byte, error) {
	if len(b) < 12 || string(b[:6]) != xzMagic || crc32.ChecksumIEEE(b[6:8]) != binary.LittleEndian.Uint32(b[8:]) {
		return nil, errXZ
	}
	var check hash.Hash
	var checkSize int
	switch b[7] & 0xf {
	case 0:
	case 1:
		check, checkSize = crc32.NewIEEE(), 4
	case 4:
		check, checkSize = crc64.New(crc64.MakeTable(crc64.ECMA)), 8
	case 10:
		checkSize = 32 // SHA-256: not verified, nobody packs a kernel with it
	default:
		return nil, fmt.Errorf("xz check %d is not supported", b[7]&0xf)
	}
	guess, limit := min(int64(len(b))*5, maxUnpacked), int64(maxUnpacked)
	if total, ok := xzTotal(b); ok {
		if total > maxUnpacked {
			return nil, fmt.Errorf("%d bytes in it: %w", total, ErrTooLarge)
		}
		guess, limit = int64(total), int64(total)
	}
	var out bytes.Buffer
	out.Grow(int(guess) + bytes.MinRead)
	for off := 12; ; {
		if off >= len(b) {
			return nil, io.ErrUnexpectedEOF
		}
		if b[off] == 0 {
			return out.Bytes(), nil
		}
		headSize := (int(b[off]) + 1) * 4
		if headSize > len(b)-off {
			return nil, io.ErrUnexpectedEOF
		}
		dict, x86, err := xzBlock(b[off : off+headSize])
		if err != nil {
			return nil, err
		}
		in := bytes.NewReader(b[off+headSize:])
		// Nothing can be copied from before the beginning.
		z, err := lzma.Reader2Config{DictCap: max(min(dict, int(limit)), lzma.MinDictCap)}.NewReader2(in)
		if err != nil {
			return nil, err
		}
		start := out.Len()
		n, err := out.ReadFrom(io.LimitReader(z, limit-int64(start)+1))
		if err != nil {
			return nil, err
		}
		switch {
		case n <= limit-int64(start):
		case limit == maxUnpacked:
			return nil, ErrTooLarge
		default:
			return nil, errXZ // more than the index says
		}
		block := out.Bytes()[start:]
		if x86 {
			unBCJx86(block)
		}
		off += headSize + (int(in.Size())-in.Len()+3)&^3
		if checkSize > len(b)-off {
			return nil, io.ErrUnexpectedEOF
		}
		if check != nil {
			check.Reset()
			check.Write(block)
			// The hash's Sum is most significant byte first, the file's least.
			sum := check.Sum(nil)
			for i, c := range sum {
				if b[off+checkSize-1-i] != c {
					return nil, errXZ
				}
			}
		}
		off += checkSize
	}
}

// xzTotal returns how much the index at the end says that there is, which is true of a
// file of one stream only. Kernels have 4 bytes more behind it (size_append).
func xzTotal(b []byte) (total uint64, ok bool) {
	for _, end := range []int{len(b), len(b) - 4} {
		if end < 24 || string(b[end-2:end]) != "YZ" || crc32.ChecksumIEEE(b[end-8:end-2]) != binary.LittleEndian.Uint32(b[end-12:]) {
			continue
		}
		size := (uint64(binary.LittleEndian.Uint32(b[end-8:])) + 1) * 4
		if size > uint64(end-24) {
			continue
		}
		at := end - 12 - int(size)
		r := bytes.NewReader(b[at : end-12])
		indicator, err := r.ReadByte()
		count, err2 := binary.ReadUvarint(r)
		if err != nil || err2 != nil || indicator != 0 || count > size {
			continue
		}
		blocks := uint64(0)
		for range count {
			packed, err := binary.ReadUvarint(r)
			unpacked, err2 := binary.ReadUvarint(r)
			if err != nil || err2 != nil || packed > uint64(len(b)) || unpacked > 1<<62 || total > 1<<62 {
				return 0, false
			}
			blocks += (packed + 3) &^ 3
			total += unpacked
		}
		if blocks == uint64(at-12) {
			return total, true
		}
		total = 0
	}
	return 0, false
}

// xzBlock reads a block header: the dictionary's size, and whether the x86 filter
// was applied.
func xzBlock(h []byte) (dict int, x86 bool, err error) {
	end := len(h) - 4
	if crc32.ChecksumIEEE(h[:end]) != binary.LittleEndian.Uint32(h[end:]) {
		return 0, false, errXZ
	}
	r := bytes.NewReader(h[2:end])
	number := func() uint64 {
		n, e := binary.ReadUvarint(r)
		if e != nil {
			err = errXZ
		}
		return n
	}
	flags := h[1]
	if flags&0x40 != 0 {
		number() // compressed size
	}
	if flags&0x80 != 0 {
		number() // uncompressed size
	}
	for i := range int(flags&3) + 1 {
		id, size := number(), number()
		if err != nil || size > uint64(r.Len()) {
			return 0, false, errXZ
		}
		props := make([]byte, size)
		_, _ = r.Read(props)
		last := i == int(flags&3)
		switch {
		case id == xzFilterLZMA2 && last && size == 1 && props[0] <= 40:
			// 2 or 3 times a power of two (The .xz File Format, 5.3.1).
			bits := uint64(props[0])
			dict = int(min((2|bits&1)<<(bits/2+11), maxDict))
		case id == xzFilterX86 && !last && (size == 0 || size == 4 && bytes.Equal(props, make([]byte, 4))):
			x86 = true
		case id >= 0x03 && id <= 0x0b && !last:
			return 0, false, fmt.Errorf("xz filter %#x is not supported", id)
		default:
			return 0, false, errXZ
		}
	}
	if dict == 0 {
		return 0, false, errXZ
	}
	return dict, x86, nil
}

// unBCJx86 undoes, in place, the filter that makes x86 code pack better: the
// targets of near calls and jumps (e8, e9) were written as absolute positions.
// An operand counts only when its top byte says that it is near (0x00 or 0xff) and
// no such opcode among the three bytes before speaks against it; recent tells
// which of them were opcodes, as a bit each, the nearest lowest (xz's x86.c).
func unBCJx86(b []byte) {
	near := func(c byte) bool { return c == 0 || c == 0xff }
	// By recent: whether the operand may count, and how many of its bytes an
	// earlier operand has reached into.
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
			dest := src - uint32(i+5)
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
		i += 4 // an operand is no place for opcodes
	}
}
