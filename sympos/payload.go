// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// unbzip2 unpacks one stream after another.
func unbzip2(b []byte, limit int64) (out []byte, end int, err error) {
	some := false
	r := bytes.NewReader(b)
	out, err = readAll(firstMember{bzip2.NewReader(r), &some}, int64(len(b))*5, limit)
	return out, len(b) - r.Len(), err
}

// A firstMember ends where something that is no second member begins.
type firstMember struct {
	io.Reader
	some *bool
}

func (f firstMember) Read(b []byte) (int, error) {
	n, err := f.Reader.Read(b)
	*f.some = *f.some || n > 0
	var bad bzip2.StructuralError
	if *f.some && errors.As(err, &bad) && bad == "bad magic value in continuation file" {
		err = io.EOF
	}
	return n, err
}

// likelyLZMA looks at the size in the header, since the magic is short: it is not known
// (all bits set), or not huge.
func likelyLZMA(b []byte) bool {
	if len(b) < 13 {
		return false
	}
	size := binary.LittleEndian.Uint64(b[5:])
	return size == 1<<64-1 || size < 1<<40
}

func unlzma(b []byte, limit int64) (out []byte, end int, err error) {
	r := bytes.NewReader(b)
	z, err := newLZMA(r)
	if err != nil {
		return nil, 0, err
	}
	out, err = readAll(z, int64(len(b))*5, limit)
	return out, len(b) - r.Len(), err
}

// newLZMA reads the format of lzma(1): properties, size of the dictionary, size.
func newLZMA(r io.Reader) (io.Reader, error) {
	head := make([]byte, 13)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	if dict := binary.LittleEndian.Uint32(head[1:]); dict > maxDict {
		return nil, fmt.Errorf("dictionary of %#x bytes: %w", dict, ErrTooLarge)
	}
	if r, ok := r.(*bytes.Reader); ok { // of which no more is read than needed
		_, _ = r.Seek(-int64(len(head)), io.SeekCurrent)
		return lzma.NewReader(r)
	}
	return lzma.NewReader(io.MultiReader(bytes.NewReader(head), r))
}

// The legacy frame of lz4, which is what kernels are packed with: the magic, then
// blocks of at most 8 MiB, each behind its packed size in 4 bytes. Nothing says
// where it ends; what follows in an image is 4 bytes long and too little or too
// much to be a size.
const (
	lz4Magic = 0x184c2102
	lz4Block = 8 << 20
)

var errLZ4 = errors.New("damaged lz4 data")

func unlz4(b []byte, limit int64) (out []byte, end int, err error) {
	whole := len(b)
	if len(b) < 4 {
		return nil, 0, io.ErrUnexpectedEOF
	}
	b = b[4:]
	for len(b) >= 4 {
		size := binary.LittleEndian.Uint32(b)
		if size == lz4Magic { // another frame
			b = b[4:]
			continue
		}
		if size == 0 || uint64(size) > uint64(len(b)-4) {
			if len(out) > 0 && len(b) <= 8 {
				break // the size that the kernel's build appends
			}
			return nil, 0, io.ErrUnexpectedEOF
		}
		if out, err = unlz4Block(out, b[4:4+size], len(out)); err != nil {
			return nil, 0, err
		}
		if int64(len(out)) > limit {
			return nil, 0, ErrTooLarge
		}
		b = b[4+size:]
	}
	if len(out) == 0 {
		return nil, 0, io.ErrUnexpectedEOF
	}
	return out, whole - len(b), nil
}

// unlz4Frames reads the format that lz4(1) writes (lz4_Frame_format.md): frames of a header,
// blocks of at most 4 MiB behind their sizes, a size of 0. The checksums are not verified.
func unlz4Frames(b []byte, limit int64) (out []byte, end int, err error) {
	le := binary.LittleEndian
	cut := func() ([]byte, int, error) { return nil, 0, io.ErrUnexpectedEOF }
	for {
		p := b[end:]
		if isSkippable(p) {
			if len(p) < 8 || uint64(le.Uint32(p[4:])) > uint64(len(p)-8) {
				return cut()
			}
			end += 8 + int(le.Uint32(p[4:]))
			continue
		}
		if !magicAt(p, 0, "\x04\x22\x4d\x18") {
			return out, end, nil
		}
		if len(p) < 7 {
			return cut()
		}
		flags := p[4]
		if flags>>6 != 1 || flags&1 != 0 { // version, dictionary
			return nil, 0, errors.New("an lz4 frame of a version or with a dictionary that are not supported")
		}
		at := 7
		if flags&8 != 0 {
			at += 8
		}
		start := len(out)
		for {
			if len(p) < at+4 {
				return cut()
			}
			size := le.Uint32(p[at:])
			at += 4
			if size == 0 {
				break
			}
			plain := size>>31 != 0
			size &= 1<<31 - 1
			if uint64(size) > uint64(len(p)-at) {
				return cut()
			}
			block := p[at : at+int(size)]
			at += int(size)
			switch {
			case plain:
				out = append(out, block...)
			case flags&0x20 != 0: // blocks are independent
				out, err = unlz4Block(out, block, len(out))
			default:
				out, err = unlz4Block(out, block, start)
			}
			if err != nil {
				return nil, 0, err
			}
			if int64(len(out)) > limit {
				return nil, 0, ErrTooLarge
			}
			if flags&0x10 != 0 {
				at += 4 // checksum of the block
			}
		}
		if flags&4 != 0 {
			at += 4 // checksum of the frame
		}
		if at > len(p) {
			return cut()
		}
		end += at
	}
}

// unlz4Block appends one block's contents: sequences of a token, literals, and a
// copy from what is there already, but not from before the offset first.
func unlz4Block(out, b []byte, first int) ([]byte, error) {
	start := len(out)
	more := func(n int) (int, bool) {
		if n != 15 {
			return n, true
		}
		for len(b) > 0 {
			c := b[0]
			b = b[1:]
			n += int(c)
			if n > lz4Block {
				return 0, false
			}
			if c != 0xff {
				return n, true
			}
		}
		return 0, false
	}
	for len(b) > 0 {
		token := b[0]
		b = b[1:]
		n, ok := more(int(token >> 4))
		if !ok || n > len(b) || n > lz4Block-(len(out)-start) {
			return nil, errLZ4
		}
		out = append(out, b[:n]...)
		b = b[n:]
		if len(b) == 0 {
			return out, nil // the last sequence has literals only
		}
		if len(b) < 2 {
			return nil, errLZ4
		}
		back := int(b[0]) | int(b[1])<<8
		b = b[2:]
		n, ok = more(int(token & 15))
		n += 4
		if !ok || back == 0 || back > len(out)-first || n > lz4Block-(len(out)-start) {
			return nil, errLZ4
		}
		for n > 0 { // the copy may overlap what it makes
			from := out[len(out)-back:]
			c := min(n, len(from))
			out = append(out, from[:c]...)
			n -= c
		}
	}
	return nil, errLZ4
}
