// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/pierrec/lz4/v4"

	"github.com/klp-convert/klp-convert/sympos/lzma"
)

// unbzip2 unpacks one stream after another.
func unbzip2(b []byte, limit int64) (out []byte, end int, err error) {
	r := bytes.NewReader(b)
	z := &memberReader{Reader: bzip2.NewReader(r), isOther: func(err error) bool {
		var bad bzip2.StructuralError
		return errors.As(err, &bad) && bad == "bad magic value in continuation file"
	}}
	out, err = readAll(z, int64(len(b))*5, limit)
	return out, len(b) - r.Len(), err
}

// A memberReader reads members of a format until other data begins.
type memberReader struct {
	io.Reader
	// isOther reports whether an error means that other data follows.
	isOther  func(error) bool
	some     bool // some data was read
	sawOther bool
}

func (m *memberReader) Read(b []byte) (int, error) {
	n, err := m.Reader.Read(b)
	m.some = m.some || n > 0
	if m.some && err != nil && m.isOther(err) {
		m.sawOther, err = true, io.EOF
	}
	return n, err
}

// likelyLZMA reports whether the size in the header is plausible, since the magic is short:
// unknown (all bits set), or not huge.
func likelyLZMA(b []byte) bool {
	if len(b) < 13 {
		return false
	}
	size := binary.LittleEndian.Uint64(b[5:])
	return size == 1<<64-1 || size < 1<<40
}

// unlzma unpacks an lzma file.
func unlzma(b []byte, limit int64) (out []byte, end int, err error) {
	if err := checkLZMA(b); err != nil {
		return nil, 0, err
	}
	guess := int64(len(b)) * 5
	if size := binary.LittleEndian.Uint64(b[5:]); size <= uint64(limit) {
		guess = min(guess*4, int64(size))
	}
	out, end, err = lzma.Append(newBuffer(min(guess, limit)), b, int(limit))
	switch {
	case errors.Is(err, lzma.ErrLimit):
		return nil, 0, ErrTooLarge
	case err != nil:
		return nil, 0, err
	}
	return out, end, nil
}

// checkLZMA checks the header of an lzma file: properties, the size of the dictionary and the
// size of the contents.
func checkLZMA(b []byte) error {
	if len(b) < lzma.HeaderSize {
		return io.ErrUnexpectedEOF
	}
	if dict := binary.LittleEndian.Uint32(b[1:]); dict > maxDict {
		return fmt.Errorf("dictionary of %#x bytes: %w", dict, ErrTooLarge)
	}
	return nil
}

// readLZMAStart decodes the first headSize bytes.
func readLZMAStart(r io.Reader) (io.Reader, error) {
	packed, err := readAll(io.LimitReader(r, maxPackedStart), maxPackedStart, maxUnpacked)
	if err == nil {
		err = checkLZMA(packed)
	}
	if err != nil {
		return nil, err
	}
	return startOf(lzma.Append(nil, packed, headSize))
}

// lz4Legacy is the magic of lz4's legacy frame, which is what kernels are packed with: the
// magic, then blocks of at most 8 MiB, each after its packed size in 4 bytes. Nothing says
// where the frame ends. The kernel's build appends the size of the contents, which the
// package lz4 recognises.
const lz4Legacy = "\x02\x21\x4c\x18"

// lz4Nested bounds how many magics of the legacy frame may follow each other. The package lz4
// (v4.1.33, FrameDataBlock.Read) calls itself for each: some million of them overflow the
// stack, which ends the program.
const lz4Nested = 64

// unlz4 unpacks frames of both formats of lz4, and verifies their checksums.
func unlz4(b []byte, limit int64) (out []byte, end int, err error) {
	if bytes.Contains(b, bytes.Repeat([]byte(lz4Legacy), lz4Nested)) {
		return nil, 0, errors.New("a row of empty frames")
	}
	r := bytes.NewReader(b) // with one goroutine, the decoder reads no more of it than it needs
	frames := lz4.NewReader(r)
	if err := frames.Apply(lz4.ConcurrencyOption(1)); err != nil {
		return nil, 0, err
	}
	z := &memberReader{Reader: frames,
		isOther: func(err error) bool { return errors.Is(err, lz4.ErrInvalidFrame) }}
	out, err = readAll(z, int64(len(b))*3, limit)
	end = len(b) - r.Len()
	switch {
	case errors.Is(err, lz4.ErrInvalidSourceShortBuffer):
		err = errors.New("damaged lz4 data")
	case err == nil && len(out) == 0: // a legacy frame may end anywhere
		err = io.ErrUnexpectedEOF
	case z.sawOther:
		end -= len(lz4Legacy) // the decoder read a magic
	}
	return out, end, err
}
