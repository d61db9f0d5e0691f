// SPDX-License-Identifier: GPL-2.0-or-later

// Package lzma unpacks LZMA2, which is in .xz files, and the format of lzma(1).
//
// It unpacks into one buffer. The bytes written so far are the dictionary: there is none beside
// them, and nothing is copied out of it. A kernel of 64 MB with a dictionary of 32 MB takes
// 64 MB, and a decoder for readers, which works on a ring of that size, twice the time.
//
//	LZMA2   chunks (The .xz File Format, 5.3.1; xz's lzma2_decoder.c), each a control byte and
//	        0x00             end
//	        0x01, 0x02       length - 1 in 2 bytes, and so many bytes as they are; 0x01
//	                         forgets the dictionary
//	        0x80 and higher  bits 0 to 4 are bits 16 to 20 of the length - 1, of which 2 bytes
//	                         follow; packed length - 1 in 2 bytes; properties, if bits 5
//	                         and 6 say so; LZMA
//	lzma    properties, size of the dictionary in 4 bytes, size of the contents in 8 bytes, all
//	        bits set if not known; LZMA
//
//	bits 5 and 6   1 forgets probabilities, 2 has new properties too, 3 forgets the dictionary too
//	properties     (pb·5 + lp)·9 + lc
package lzma

import (
	"encoding/binary"
	"errors"
	"io"
)

// Causes of errors. Data that ends early is io.ErrUnexpectedEOF.
var (
	ErrDamaged = errors.New("damaged LZMA data")
	// ErrLimit is that there is more in it than the limit. All up to the limit was unpacked.
	ErrLimit = errors.New("more LZMA data than is allowed")
)

// HeaderSize is the size of the header of the format of lzma(1).
const HeaderSize = 13

// minGrowth is by how much the buffer grows at least where the contents' size is not known.
const minGrowth = 64 << 10

// AppendLZMA2 appends the contents of the LZMA2 data at the beginning of src to out, which must
// not become longer than limit, and returns how many bytes of src that was. Copies come from at
// most dict bytes before, and not from what out had already.
//
// With an error it returns what was unpacked until then.
func AppendLZMA2(out, src []byte, dict, limit int) (_ []byte, used int, err error) {
	d := decoder{out: out, start: len(out), dict: dict}
	needDict, needProps := true, true
	for {
		if used >= len(src) {
			return d.out, used, io.ErrUnexpectedEOF
		}
		control := src[used]
		if control == 0 {
			return d.out, used + 1, nil
		}
		head := 3
		if control >= 0x80 {
			head = 5
			if control >= 0xc0 {
				head = 6
			}
		} else if control > 2 {
			return d.out, used, ErrDamaged
		}
		if len(src)-used < head {
			return d.out, used, io.ErrUnexpectedEOF
		}
		h := src[used : used+head]
		used += head
		size := int(binary.BigEndian.Uint16(h[1:])) + 1
		if control == 1 || control >= 0xe0 {
			// What comes next has properties (lzma2_decoder.c): no distance leads to before.
			d.start, needDict, needProps = len(d.out), false, true
		}
		if needDict {
			return d.out, used, ErrDamaged
		}
		if control < 0x80 {
			part := src[used:min(len(src), used+size)]
			most := min(len(part), limit-len(d.out))
			d.out = append(d.out, part[:most]...)
			switch {
			case most < len(part):
				return d.out, used, ErrLimit
			case len(part) < size:
				return d.out, used, io.ErrUnexpectedEOF
			}
			used += size
			continue
		}
		size += int(control&0x1f) << 16
		switch {
		case control >= 0xc0:
			if !d.setProperties(h[5]) || d.lc+d.lp > 4 {
				return d.out, used, ErrDamaged
			}
			needProps = false
			d.reset()
		case needProps:
			return d.out, used, ErrDamaged
		case control >= 0xa0:
			d.reset()
		}
		packed := int(binary.BigEndian.Uint16(h[3:])) + 1
		d.in, d.at = src[used:min(len(src), used+packed)], 0
		most := min(size, limit-len(d.out))
		if most == 0 {
			return d.out, used, ErrLimit
		}
		d.reserve(most)
		err := d.begin()
		if err == nil {
			err = d.run(len(d.out) + most)
		}
		switch {
		case err == nil && most < size:
			err = ErrLimit
		case err == nil && (d.at != packed || d.code != 0 || d.pending != 0 || d.ended):
			err = ErrDamaged
		case errors.Is(err, io.ErrUnexpectedEOF) && len(d.in) == packed:
			err = ErrDamaged // the chunk ends early, not the data
		}
		if err != nil {
			return d.out, used, err
		}
		used += packed
	}
}

// Append appends the contents of the file of lzma(1) at the beginning of src to out, which must
// not become longer than limit, and returns how many bytes of src that was. With an error it
// returns what was unpacked until then.
func Append(out, src []byte, limit int) (_ []byte, used int, err error) {
	if len(src) < HeaderSize {
		return out, 0, io.ErrUnexpectedEOF
	}
	d := decoder{out: out, start: len(out), in: src, at: HeaderSize,
		dict: int(binary.LittleEndian.Uint32(src[1:]))}
	if !d.setProperties(src[0]) {
		return out, 0, ErrDamaged
	}
	d.reset()
	d.dict = max(d.dict, 4096) // LzmaDec.c, LZMA_DIC_MIN
	size := binary.LittleEndian.Uint64(src[5:])
	known := size != 1<<64-1
	end := limit                                     // of out
	whole := known && size <= uint64(limit-len(out)) // out has all of it then
	if whole {
		end = len(out) + int(size)
	}
	if err := d.begin(); err != nil {
		return d.out, d.at, err
	}
	for !d.ended && len(d.out) < end {
		if len(d.out) == cap(d.out) {
			d.reserve(min(end-len(d.out), max(len(d.out), minGrowth)))
		}
		if err := d.run(min(end, cap(d.out))); err != nil {
			return d.out, d.at, err
		}
	}
	switch {
	case d.ended && known && len(d.out) != end:
		return d.out, d.at, ErrDamaged
	case d.ended || whole && d.code == 0 && d.pending == 0:
		return d.out, d.at, nil
	case !whole && d.pending > 0:
		return d.out, d.at, ErrLimit
	}
	// The end may be marked though the size is known.
	switch err := d.run(len(d.out)); {
	case d.ended:
		return d.out, d.at, nil
	case !whole && errors.Is(err, ErrDamaged): // another symbol
		return d.out, d.at, ErrLimit
	default:
		return d.out, d.at, err
	}
}

// setProperties sets lc, lp and pb, and reports whether they are valid.
func (d *decoder) setProperties(b byte) bool {
	if b >= 9*5*5 {
		return false
	}
	d.lc, d.lp, d.pb = uint(b%9), uint(b/9%5), uint(b/45)
	return true
}

// reserve makes room for n more bytes of contents.
func (d *decoder) reserve(n int) {
	if n > cap(d.out)-len(d.out) {
		more := make([]byte, len(d.out), len(d.out)+max(n, min(len(d.out), 8*n)))
		copy(more, d.out)
		d.out = more
	}
}
