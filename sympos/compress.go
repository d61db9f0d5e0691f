// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// maxUnpacked bounds what a compressed file may become. The largest kernels of
// distributions are 100 MB, the largest modules with debugging information 200. What
// the file says of its own size, or its format allows, bounds it further.
const maxUnpacked = 512 << 20

// maxWindow bounds how far back in a file its decoder may have to look, which is
// memory whatever comes of it: 128 MiB in kernels (scripts/Makefile.lib, zstd22).
const maxWindow = 128 << 20

// A compression packs a whole file.
type compression struct {
	name   string
	magic  string
	reader func(r io.Reader, size int64) (io.Reader, error)
}

var compressions = []compression{
	{"gzip", "\x1f\x8b\x08", func(r io.Reader, _ int64) (io.Reader, error) {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		// What lies behind the first member is not ours (a kernel's payload
		// has its size there).
		z.Multistream(false)
		return z, nil
	}},
	{"xz", xzMagic, newXZ},
	{"zstd", "\x28\xb5\x2f\xfd", newZstd},
}

// compressionOf returns how what begins with head is compressed, or nil.
func compressionOf(head []byte) *compression {
	for i := range compressions {
		if c := &compressions[i]; len(head) >= len(c.magic) && string(head[:len(c.magic)]) == c.magic {
			return c
		}
	}
	return nil
}

// decompress returns all that r, of which size bytes are known to be there, has.
func (c *compression) decompress(r io.Reader, size int64) ([]byte, error) {
	z, err := c.reader(r, size)
	if err != nil {
		return nil, err
	}
	if z, ok := z.(io.Closer); ok {
		defer z.Close()
	}
	if m, ok := z.(inMemory); ok {
		return m.b, nil
	}
	guess := max(size, 0) * 5
	if z, ok := z.(*zstdReader); ok && z.declared >= 0 {
		guess = z.declared
	}
	return readAll(z, guess, maxUnpacked)
}

// inMemory is what a decoder that needs its input in one piece makes of it.
type inMemory struct {
	*bytes.Reader
	b []byte
}

func newInMemory(b []byte) inMemory { return inMemory{bytes.NewReader(b), b} }

// beginning returns at most n bytes of what r has, and does not unpack much more.
func (c *compression) beginning(r io.Reader, n int) ([]byte, error) {
	read := c.reader
	if c.magic == xzMagic {
		read = beginXZ
	}
	z, err := read(r, 0)
	if err != nil {
		return nil, err
	}
	if z, ok := z.(io.Closer); ok {
		defer z.Close()
	}
	b := make([]byte, n)
	n, err = io.ReadFull(z, b)
	if n > 0 || errors.Is(err, io.EOF) {
		err = nil // cut short or not: what it is shows
	}
	return b[:n], err
}

// readAll reads all that r has, which must not be more than limit. A good guess at how
// much that is spares copies; the buffer is never larger than the limit.
func readAll(r io.Reader, guess, limit int64) ([]byte, error) {
	if guess > limit {
		guess = limit / 4 // is not to be believed
	}
	b := make([]byte, 0, min(guess, limit)+1)
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > limit:
			return nil, ErrTooLarge
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil:
			return nil, err
		case len(b) == cap(b):
			b = append(make([]byte, 0, min(2*int64(cap(b))+512, limit+1)), b...)
		}
	}
}

// newZstd reads frames and leaves alone what lies behind it.
func newZstd(r io.Reader, _ int64) (io.Reader, error) {
	head := make([]byte, zstd.HeaderMaxSize)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	z := &zstdReader{declared: -1}
	var h zstd.Header
	if h.Decode(head[:n]) == nil && h.HasFCS {
		if h.FrameContentSize > maxUnpacked {
			return nil, fmt.Errorf("%d bytes in it: %w", h.FrameContentSize, ErrTooLarge)
		}
		z.declared = int64(h.FrameContentSize)
	}
	z.Decoder, err = zstd.NewReader(io.MultiReader(bytes.NewReader(head[:n]), r), zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxMemory(maxUnpacked), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return z, nil
}

type zstdReader struct {
	*zstd.Decoder
	some     bool
	declared int64 // of the first frame; -1 when it does not say
}

func (z *zstdReader) Read(b []byte) (int, error) {
	n, err := z.Decoder.Read(b)
	z.some = z.some || n > 0
	if z.some && errors.Is(err, zstd.ErrMagicMismatch) {
		err = io.EOF
	}
	return n, err
}

func (z *zstdReader) Close() error {
	z.Decoder.Close()
	return nil
}
