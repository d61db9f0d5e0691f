// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos/lzma"
)

// The .xz container. Kernel images are packed with a BCJ filter (scripts/xz_wrap.sh).
//
//	stream header   magic, flags (kind of check), CRC32           12 bytes
//	block           header: size, flags, [sizes], filters, CRC32
//	                LZMA2 chunks, padding to 4, check
//	…               more blocks
//	index           a zero byte, sizes of all blocks, padding to 4, CRC32
//	footer          CRC32, size of the index, flags, "YZ"         12 bytes
//	[padding]       zero bytes, and then perhaps another stream
//
// Filters are applied in the order LZMA2, then the others (bcj.go); a block is decoded
// whole, so these see it in one piece.
const xzMagic = "\xfd7zXZ\x00"

const (
	xzFilterLZMA2 = 0x21
	// maxDict is what the kernel's own decoder takes in the largest image that
	// is built with it; a dictionary larger than the output is useless.
	maxDict = 256 << 20
)

var errXZ = errors.New("damaged xz file")

// readXZStart decodes the first block of r up to headSize bytes, or all of it if it needs
// another filter than LZMA2.
func readXZStart(r io.Reader) (io.Reader, error) {
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
	dict, filters, err := xzBlock(head[12:])
	if err != nil {
		return nil, err
	}
	if len(filters) > 0 { // they are undone in whole blocks
		rest, err := readAll(r, 0, maxUnpacked)
		if err != nil {
			return nil, err
		}
		out, _, err := unxz(append(head, rest...), maxUnpacked)
		return bytes.NewReader(out), err
	}
	packed, err := readAll(io.LimitReader(r, maxPackedStart), maxPackedStart, maxUnpacked)
	if err != nil {
		return nil, err
	}
	return startOf(lzma.AppendLZMA2(nil, packed, dict, headSize))
}

// maxPackedStart is more than headSize bytes take when they are packed, whatever they are.
const maxPackedStart = 2 * headSize

// startOf returns what was unpacked of the beginning of a file before an error, if any.
func startOf(out []byte, _ int, err error) (io.Reader, error) {
	if len(out) > 0 || errors.Is(err, lzma.ErrLimit) {
		err = nil
	}
	return bytes.NewReader(out), err
}

// unxz unpacks one stream after another.
func unxz(b []byte, most int64) (out []byte, end int, err error) {
	guess, limit := min(int64(len(b))*5, most), most
	if total, ok := xzTotal(b); ok {
		if total > uint64(most) {
			return nil, 0, fmt.Errorf("%d bytes in it: %w", total, ErrTooLarge)
		}
		guess, limit = int64(total), int64(total)
	}
	out = newBuffer(guess)
	for {
		var n int
		out, n, err = unxzStream(b[end:], out, int(limit))
		if errors.Is(err, errXZMore) && limit == most {
			err = ErrTooLarge
		}
		if err != nil {
			return nil, 0, err
		}
		end += n
		next := end
		for next < len(b) && b[next] == 0 {
			next++
		}
		if !hasMagicAt(b, next, xzMagic) {
			return out, end, nil
		}
		end = next
	}
}

// errXZMore is the error for a stream that has more than is allowed, or than its index says.
var errXZMore = fmt.Errorf("%w: more in it than its index says", errXZ)

// xzSizes are the sizes of a block in the index.
type xzSizes struct{ packed, unpacked uint64 }

// unxzStream appends the contents of the stream at the beginning of b to out, which must
// not become longer than limit, and returns it and the length of the stream.
func unxzStream(b, out []byte, limit int) ([]byte, int, error) {
	switch {
	case len(b) < 12:
		return nil, 0, io.ErrUnexpectedEOF
	case string(b[:6]) != xzMagic ||
		crc32.ChecksumIEEE(b[6:8]) != binary.LittleEndian.Uint32(b[8:]):
		return nil, 0, errXZ
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
		check, checkSize = sha256.New(), 32
	default:
		return nil, 0, fmt.Errorf("xz check %d is not supported", b[7]&0xf)
	}
	var blocks []xzSizes
	for off := 12; ; {
		if off >= len(b) {
			return nil, 0, io.ErrUnexpectedEOF
		}
		if b[off] == 0 {
			n, err := checkXZEnd(b, off, blocks)
			return out, n, err
		}
		headSize := (int(b[off]) + 1) * 4
		if headSize > len(b)-off {
			return nil, 0, io.ErrUnexpectedEOF
		}
		dict, filters, err := xzBlock(b[off : off+headSize])
		if err != nil {
			return nil, 0, err
		}
		start := len(out)
		var packed int
		out, packed, err = lzma.AppendLZMA2(out, b[off+headSize:], dict, limit)
		switch {
		case errors.Is(err, lzma.ErrLimit):
			return nil, 0, errXZMore
		case err != nil:
			return nil, 0, err
		}
		block := out[start:]
		for i := len(filters) - 1; i >= 0; i-- {
			filters[i].undo(block)
		}
		blocks = append(blocks, xzSizes{uint64(headSize + packed + checkSize), uint64(len(block))})
		off += headSize + (packed+3)&^3
		if checkSize > len(b)-off {
			return nil, 0, io.ErrUnexpectedEOF
		}
		if check != nil {
			check.Reset()
			check.Write(block)
			sum := check.Sum(nil)
			if checkSize < 32 {
				slices.Reverse(sum) // the file has CRCs least significant byte first
			}
			if !bytes.Equal(sum, b[off:off+checkSize]) {
				return nil, 0, fmt.Errorf("%w: wrong checksum of a block", errXZ)
			}
		}
		off += checkSize
	}
}

// checkXZEnd checks the index at off and the footer after it, and returns where they end.
func checkXZEnd(b []byte, off int, blocks []xzSizes) (int, error) {
	r := bytes.NewReader(b[off+1:])
	number := func() (n uint64, err error) {
		n, err = binary.ReadUvarint(r)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return n, err
	}
	count, err := number()
	if err != nil {
		return 0, err
	}
	if count != uint64(len(blocks)) {
		return 0, fmt.Errorf("%w: %d blocks, but the index has %d", errXZ, len(blocks), count)
	}
	for _, block := range blocks {
		packed, err := number()
		if err != nil {
			return 0, err
		}
		unpacked, err := number()
		if err != nil {
			return 0, err
		}
		if (xzSizes{packed, unpacked}) != block {
			return 0, fmt.Errorf("%w: a block is not as long as the index says", errXZ)
		}
	}
	size := (len(b) - off - r.Len() + 3) &^ 3 // of the index without its checksum
	end := off + size + 4
	if end+12 > len(b) {
		return 0, io.ErrUnexpectedEOF
	}
	le := binary.LittleEndian
	footer := b[end : end+12]
	switch {
	case crc32.ChecksumIEEE(b[off:end-4]) != le.Uint32(b[end-4:]):
		return 0, fmt.Errorf("%w: wrong checksum of the index", errXZ)
	case string(footer[10:]) != "YZ" || crc32.ChecksumIEEE(footer[4:10]) != le.Uint32(footer),
		(uint64(le.Uint32(footer[4:]))+1)*4 != uint64(size)+4, string(footer[8:10]) != string(b[6:8]):
		return 0, fmt.Errorf("%w: wrong footer", errXZ)
	}
	return end + 12, nil
}

// xzTotal returns the size of the contents by the index at the end, and false unless the file
// has one stream only. In kernels 4 bytes follow it (size_append).
func xzTotal(b []byte) (total uint64, ok bool) {
	for _, end := range []int{len(b), len(b) - 4} {
		if end < 24 || string(b[end-2:end]) != "YZ" ||
			crc32.ChecksumIEEE(b[end-8:end-2]) != binary.LittleEndian.Uint32(b[end-12:]) {
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
			if err != nil || err2 != nil || packed > uint64(len(b)) || unpacked > 1<<62 ||
				total > 1<<62 {
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

// xzBlock reads a block header: the dictionary's size, and the filters before LZMA2.
func xzBlock(h []byte) (dict int, filters []filter, err error) {
	end := len(h) - 4
	if crc32.ChecksumIEEE(h[:end]) != binary.LittleEndian.Uint32(h[end:]) {
		return 0, nil, errXZ
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
			return 0, nil, errXZ
		}
		props := make([]byte, size)
		_, _ = r.Read(props)
		last := i == int(flags&3)
		switch {
		case id == xzFilterLZMA2 && last && size == 1 && props[0] <= 40:
			// 2 or 3 times a power of two (The .xz File Format, 5.3.1).
			bits := uint64(props[0])
			dict = int(min((2|bits&1)<<(bits/2+11), maxDict))
		case id == xzFilterLZMA2 || last:
			return 0, nil, errXZ
		default:
			f, err := newFilter(id, props)
			if err != nil {
				return 0, nil, err
			}
			filters = append(filters, f)
		}
	}
	return dict, filters, nil
}
