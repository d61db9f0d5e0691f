// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// maxUnpacked bounds what a compressed file may become. The largest kernels of
// distributions are 100 MB, the largest modules with debugging information 200. The
// size in the file and the limits of its format bound it further.
const maxUnpacked = 512 << 20

// maxWindow bounds how far back a decoder may have to look, which costs memory: 128 MiB
// in kernels (scripts/Makefile.lib, zstd22).
const maxWindow = 128 << 20

// A compression is a format of compressed files.
type compression struct {
	name  string
	magic string
	// unpack returns the contents of b, at most limit bytes, which may be several
	// streams of the format with padding between them. The data ends at end; other
	// data may follow.
	unpack func(b []byte, limit int64) (out []byte, end int, err error)
	// reader unpacks the beginning. A format without one unpacks everything.
	reader func(r io.Reader) (io.Reader, error)
}

const (
	gzipMagic = "\x1f\x8b\x08"
	zstdMagic = "\x28\xb5\x2f\xfd"
)

var compressions = []compression{
	{"gzip", gzipMagic, ungzip, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{"xz", xzMagic, unxz, readXZStart},
	{"zstd", zstdMagic, unzstd, newZstd},
	{"bzip2", "BZh", unbzip2,
		func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
	{"lz4", "\x04\x22\x4d\x18", unlz4, nil},
	{"lz4", lz4Legacy, unlz4, nil},
	{"lzma", "\x5d\x00\x00", unlzma, readLZMAStart},
}

// compressionOf returns how what begins with head is compressed, or nil.
func compressionOf(head []byte) *compression {
	// Frames that a reader skips may come first (RFC 8878, 3.1.2).
	skipped := false
	for len(head) >= 8 && isSkippable(head) {
		skipped = true
		head = head[min(uint64(len(head)), 8+uint64(binary.LittleEndian.Uint32(head[4:]))):]
	}
	for i := range compressions {
		c := &compressions[i]
		if !hasMagicAt(head, 0, c.magic) || c.name == "lzma" && !likelyLZMA(head) {
			continue
		}
		if skipped && c.name != "lz4" {
			break
		}
		return c
	}
	if skipped {
		return &compressions[2] // pzstd and others write zstd so
	}
	return nil
}

// An Unpacked is what Unpack made of a compressed file.
type Unpacked struct {
	Bytes []byte
	// Format is the name of the compression; "" when there was none.
	Format string
	// Trailing is how many bytes follow the compressed data, which ends at the offset
	// End; 0 if they are all zero. They were ignored.
	Trailing, End int
}

// Unpack unpacks b, to at most limit bytes, by the format that its first bytes show:
// gzip, xz, zstd, bzip2, lz4 or lzma. Bytes that are not compressed are returned as they are.
func Unpack(b []byte, limit int64) (Unpacked, error) {
	c := compressionOf(b)
	if c == nil {
		return Unpacked{Bytes: b}, nil
	}
	return c.unpackFile(b, limit)
}

// unpackFile unpacks a file.
func (c *compression) unpackFile(b []byte, limit int64) (Unpacked, error) {
	out, end, err := c.unpack(b, limit)
	if err != nil {
		return Unpacked{}, fmt.Errorf("%s: %w", c.name, explainEOF(err, len(b)))
	}
	u := Unpacked{Bytes: out, Format: c.name, End: end}
	if rest := b[end:]; len(bytes.Trim(rest, "\x00")) > 0 {
		u.Trailing = len(rest)
	}
	return u, nil
}

// explainEOF adds to an error of packed data that ends early where it ends.
func explainEOF(err error, size int) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the packed data is cut short, it ends at byte %d: %w", size,
			io.ErrUnexpectedEOF)
	}
	return err
}

// Ignored returns a sentence about the bytes that were ignored, or "".
func (u Unpacked) Ignored() string {
	if u.Trailing == 0 {
		return ""
	}
	return fmt.Sprintf("%d bytes after the end of the %s data, which is at byte %d, are ignored",
		u.Trailing, u.Format, u.End)
}

// decompress returns all that is packed in r. size is a good guess at its length, 0 if
// there is none.
func (c *compression) decompress(r io.Reader, size int64) ([]byte, error) {
	packed, err := readAll(r, max(size, 0), maxUnpacked)
	if err != nil {
		return nil, err
	}
	out, _, err := c.unpack(packed, maxUnpacked)
	return out, err
}

// ungzip unpacks one member after another.
func ungzip(b []byte, limit int64) (out []byte, end int, err error) {
	r := bytes.NewReader(b) // a ByteReader: gzip reads no more of it than it needs
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, 0, err
	}
	out = newBuffer(min(int64(len(b))*5, limit) + 1)
	for {
		z.Multistream(false)
		if out, err = appendAll(out, z, limit); err != nil {
			return nil, 0, err
		}
		end = len(b) - r.Len()
		if !hasMagicAt(b, end, gzipMagic) {
			return out, end, nil
		}
		if err = z.Reset(r); err != nil {
			return nil, 0, err
		}
	}
}

// unpackStart returns at most the first n bytes of what is packed in r, and does not
// unpack much more.
func (c *compression) unpackStart(r io.Reader, n int) ([]byte, error) {
	if c.reader == nil {
		out, err := c.decompress(r, 0)
		return out[:min(n, len(out))], err
	}
	z, err := c.reader(r)
	if err != nil {
		return nil, err
	}
	if z, ok := z.(io.Closer); ok {
		defer z.Close()
	}
	b := make([]byte, n)
	n, err = io.ReadFull(z, b)
	if n > 0 || errors.Is(err, io.EOF) {
		err = nil // these bytes are good, even if the file ends early
	}
	return b[:n], err
}

// readAll reads all of r, at most limit bytes. A good guess at how much that is avoids
// copies; the buffer is never larger than the limit.
func readAll(r io.Reader, guess, limit int64) ([]byte, error) {
	if guess > limit {
		guess = limit / 4 // it is wrong
	}
	return appendAll(newBuffer(min(guess, limit)+1), r, limit)
}

// appendAll appends all of r to b, which must not become longer than limit.
func appendAll(b []byte, r io.Reader, limit int64) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(make([]byte, 0, min(2*int64(cap(b))+512, limit+1)), b...)
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > limit:
			return nil, ErrTooLarge
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil:
			return nil, err
		}
	}
}

// newZstd reads the beginning of frames.
func newZstd(r io.Reader) (io.Reader, error) {
	head := make([]byte, zstd.HeaderMaxSize)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	var h zstd.Header
	if h.Decode(head[:n]) == nil && h.HasFCS && h.FrameContentSize > maxUnpacked {
		return nil, fmt.Errorf("%d bytes in it: %w", h.FrameContentSize, ErrTooLarge)
	}
	z, err := zstd.NewReader(io.MultiReader(bytes.NewReader(head[:n]), r),
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxMemory(maxUnpacked), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}

// unzstd unpacks frames at once, which avoids copies through the window, 128 MiB in
// kernels.
func unzstd(b []byte, limit int64) (out []byte, end int, err error) {
	end, most, err := zstdFrames(b, limit)
	if err != nil {
		return nil, 0, err
	}
	if most.declared > limit {
		return nil, 0, fmt.Errorf("%d bytes in it: %w", most.declared, ErrTooLarge)
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxMemory(uint64(max(limit, maxWindow))),
		zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, 0, err
	}
	defer d.Close()
	guess := most.declared
	if most.unknown {
		guess += int64(end) * 5
		if len(b) == end+4 { // a kernel's build appends the size
			guess = int64(binary.LittleEndian.Uint32(b[end:]))
		}
	}
	out, err = d.DecodeAll(b[:end], newBuffer(min(guess, most.possible, limit)))
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || int64(len(out)) > limit {
		err = ErrTooLarge
	}
	return out, end, err
}

// zstdSize is what frames say about the size of their contents, in bytes.
type zstdSize struct {
	declared int64 // the sum of the sizes in frame headers
	unknown  bool  // a frame has no size in its header
	possible int64 // the most that their blocks can hold
}

// zstdFrames walks over frames (RFC 8878, 3.1), skippable ones included, and returns where they
// end. A block that extends past the end of the file is an error.
func zstdFrames(b []byte, limit int64) (end int, size zstdSize, err error) {
	const maxBlock = 128 << 10
	le := binary.LittleEndian
	cut := func() (int, zstdSize, error) { return 0, zstdSize{}, io.ErrUnexpectedEOF }
	for {
		p := b[end:]
		switch {
		case isSkippable(p):
			if len(p) < 8 || uint64(le.Uint32(p[4:])) > uint64(len(p)-8) {
				return cut()
			}
			end += 8 + int(le.Uint32(p[4:]))
			continue
		case !hasMagicAt(p, 0, zstdMagic):
			return end, size, nil
		case len(p) < 5:
			return cut()
		}
		flags := p[4]
		single := flags>>5&1 != 0
		at := 5 + []int{0, 1, 2, 4}[flags&3]
		if !single {
			at++
		}
		field := []int{0, 2, 4, 8}[flags>>6]
		if field == 0 && single {
			field = 1
		}
		if len(p) < at+field {
			return cut()
		}
		var declared uint64
		for i := range field {
			declared |= uint64(p[at+i]) << (8 * i)
		}
		if field == 2 {
			declared += 256
		}
		at += field
		possible := int64(0)
		for last := false; !last; {
			if len(p) < at+3 {
				return cut()
			}
			block := int(p[at]) | int(p[at+1])<<8 | int(p[at+2])<<16
			last = block&1 != 0
			n := block >> 3
			if block>>1&3 == 1 { // one byte, so many times
				n = 1
			}
			at += 3
			if n > len(p)-at {
				return cut()
			}
			at += n
			possible += maxBlock
		}
		if flags&4 != 0 {
			at += 4
		}
		if at > len(p) {
			return cut()
		}
		switch {
		case field == 0:
			size.unknown = true
		case declared > uint64(limit):
			return 0, size, fmt.Errorf("%d bytes in it: %w", declared, ErrTooLarge)
		default:
			size.declared += int64(declared)
			if int64(declared) > possible {
				return 0, size, fmt.Errorf("a frame of %d bytes, but its blocks have room for %d",
					declared, possible)
			}
		}
		size.possible += possible
		end += at
	}
}

// isSkippable reports whether b begins with a frame that readers skip.
func isSkippable(b []byte) bool {
	return len(b) >= 4 && binary.LittleEndian.Uint32(b)&^0xf == 0x184d2a50
}
