// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

// maxUnpacked bounds what a compressed file may become. The largest kernels of
// distributions are 100 MB, the largest modules with debugging information 200.
const maxUnpacked = 512 << 20

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
	return readAll(z, size)
}

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

// readAll reads at most maxUnpacked bytes. The guess is generous, since copying a
// growing buffer costs more than zeroing one, but not beyond what the packed
// size makes likely.
func readAll(r io.Reader, packed int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(max(packed, 0)*5, maxUnpacked)) + bytes.MinRead)
	n, err := b.ReadFrom(io.LimitReader(r, maxUnpacked+1))
	if err != nil {
		return nil, err
	}
	if n > maxUnpacked {
		return nil, ErrTooLarge
	}
	return b.Bytes(), nil
}

// newZstd reads frames and leaves alone what lies behind it.
func newZstd(r io.Reader, _ int64) (io.Reader, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxUnpacked),
		zstd.WithDecoderMaxWindow(maxUnpacked), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return &zstdReader{d, false}, nil
}

type zstdReader struct {
	*zstd.Decoder
	some bool
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
