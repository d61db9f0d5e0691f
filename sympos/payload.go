// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz/lzma"
)

// payloads are the packings of kernels beside those of files (CONFIG_KERNEL_*).
var payloads = []compression{
	{"bzip2", "BZh", func(r io.Reader, _ int64) (io.Reader, error) { return firstMember{bzip2.NewReader(r), new(bool)}, nil }},
	{"lz4", "\x02\x21\x4c\x18", newLZ4},
	{"lzma", "\x5d\x00\x00", newLZMA},
}

// payloadOf returns how a kernel that begins with b is packed, or nil.
func payloadOf(b []byte) *compression {
	if c := compressionOf(b); c != nil {
		return c
	}
	for i := range payloads {
		if c := &payloads[i]; magicAt(b, 0, c.magic) {
			return c
		}
	}
	return nil
}

// unzstd unpacks in one go, which spares the copies through the window, 128 MiB
// in kernels. The last 4 bytes, when they are likely to be the size, say how much.
func unzstd(p []byte) ([]byte, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxUnpacked),
		zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	guess := uint64(len(p)) * 5
	if size := uint64(binary.LittleEndian.Uint32(p[len(p)-4:])); size > guess/5 && size < 4*guess {
		guess = size
	}
	out, err := d.DecodeAll(p, make([]byte, 0, min(guess, maxUnpacked)))
	if len(out) > 0 && errors.Is(err, zstd.ErrMagicMismatch) {
		err = nil
	}
	return out, err
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

// newLZMA reads the format of lzma(1): properties, size of the dictionary, size.
func newLZMA(r io.Reader, _ int64) (io.Reader, error) {
	head := make([]byte, 13)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	if dict := binary.LittleEndian.Uint32(head[1:]); dict > maxDict {
		return nil, fmt.Errorf("dictionary of %#x bytes: %w", dict, ErrTooLarge)
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

func newLZ4(r io.Reader, size int64) (io.Reader, error) {
	packed, err := readAll(r, max(size, 0), maxUnpacked)
	if err != nil {
		return nil, err
	}
	out, err := unlz4(packed)
	if err != nil {
		return nil, err
	}
	return newInMemory(out), nil
}

func unlz4(b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, io.ErrUnexpectedEOF
	}
	b = b[4:]
	var out []byte
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
			return nil, io.ErrUnexpectedEOF
		}
		var err error
		if out, err = unlz4Block(out, b[4:4+size]); err != nil {
			return nil, err
		}
		if len(out) > maxUnpacked {
			return nil, ErrTooLarge
		}
		b = b[4+size:]
	}
	if len(out) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return out, nil
}

// unlz4Block appends one block's contents: sequences of a token, literals, and a
// copy from what is there already.
func unlz4Block(out, b []byte) ([]byte, error) {
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
		if !ok || back == 0 || back > len(out)-start || n > lz4Block-(len(out)-start) {
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
