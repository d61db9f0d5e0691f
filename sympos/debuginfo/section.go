// SPDX-License-Identifier: GPL-2.0-or-later

package debuginfo

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Debug information is larger than all the rest of a kernel, and little of it is needed.
// So a section reads pieces of its contents. What it returns differs from the bytes in the
// file in three cases:
//
//   - the section is packed (SHF_COMPRESSED, or a name that begins with .zdebug):
//     .debug_info is unpacked as it is read, and from its beginning again for an earlier
//     offset; others, which are small, are unpacked at once;
//   - the file is a module: relocations fill in numbers, with the addresses of File.Place;
//   - the section does not exist: it is empty.

// maxSection bounds a section that is unpacked whole.
const maxSection = 128 << 20

// A section is one section of debug information.
type section struct {
	d      *reader
	r      io.ReaderAt // nil: does not exist
	size   uint64
	relocs *relocs // nil in linked files
	types  bool    // it is .debug_types

	off uint64 // of buf
	buf []byte
}

// section opens .debug_<name>.
func (d *reader) section(name string) (*section, error) {
	i := d.f.find(".debug_" + name)
	if i < 0 {
		i = d.f.find(".zdebug_" + name)
	}
	if i < 0 {
		return &section{d: d}, nil
	}
	return d.openSection(i, name)
}

// openSection opens section i, which is .debug_<name> or .zdebug_<name>.
func (d *reader) openSection(i int, name string) (*section, error) {
	s := &section{d: d, types: name == "types"}
	h := d.f.Sections[i]
	old := strings.HasPrefix(h.Name, ".zdebug_")
	if h.Type == elf.SHT_NOBITS {
		return s, nil
	}
	if !d.f.contains(h) {
		return nil, fmt.Errorf("%s: %w", h.Name, errUnreadable)
	}
	s.r, s.size = io.NewSectionReader(d.f.Contents, int64(h.Offset), int64(h.Size)), h.Size
	if old || h.Flags&elf.SHF_COMPRESSED != 0 {
		whole := name != "info" && name != "types" || d.f.Relocatable && d.f.isPaired()
		if err := s.unpack(old, whole); err != nil {
			return nil, fmt.Errorf("%s: %w", h.Name, err)
		}
	}
	if d.f.Relocatable {
		var err error
		if s.relocs, err = d.relocsOf(i); err != nil {
			return nil, fmt.Errorf("%s: %w", h.Name, err)
		}
		if s.relocs != nil && d.f.isPaired() {
			if err := s.relocateWhole(); err != nil {
				return nil, fmt.Errorf("%s: %w", h.Name, err)
			}
		}
	}
	return s, nil
}

// relocateWhole reads all of the section and relocates it.
func (s *section) relocateWhole() error {
	if s.size > maxSection {
		return errTooLarge
	}
	if err := s.d.spend(int(s.size)); err != nil {
		return err
	}
	b := make([]byte, s.size)
	if _, err := s.r.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := s.relocs.apply(b, 0); err != nil {
		return err
	}
	s.r, s.relocs = bytes.NewReader(b), nil
	return nil
}

// unpack replaces the packed contents of the section by a reader that unpacks them: all at
// once if whole is set. old is the format of .zdebug sections.
func (s *section) unpack(old, whole bool) error {
	head := make([]byte, 24)
	n, err := s.r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	head = head[:n]
	order := s.d.f.Order
	kind, at := elf.COMPRESS_ZLIB, uint64(12)
	var size uint64
	switch {
	case old && n >= 12 && string(head[:4]) == "ZLIB":
		size = binary.BigEndian.Uint64(head[4:])
	case !old && s.d.f.Is64 && n >= 24:
		kind, size, at = elf.CompressionType(order.Uint32(head)), order.Uint64(head[8:]), 24
	case !old && !s.d.f.Is64 && n >= 12:
		kind, size = elf.CompressionType(order.Uint32(head)), uint64(order.Uint32(head[4:]))
	default:
		return errUnreadable
	}
	packed := io.NewSectionReader(s.r, int64(at), int64(s.size-min(at, s.size)))
	var open func() (io.Reader, error)
	switch kind {
	case elf.COMPRESS_ZLIB:
		open = func() (io.Reader, error) {
			return zlib.NewReader(io.NewSectionReader(packed, 0, packed.Size()))
		}
	case elf.COMPRESS_ZSTD:
		open = func() (io.Reader, error) {
			z, err := zstd.NewReader(io.NewSectionReader(packed, 0, packed.Size()),
				zstd.WithDecoderConcurrency(1),
				zstd.WithDecoderMaxMemory(maxSection), zstd.WithDecoderMaxWindow(maxSection), zstd.WithDecoderLowmem(true))
			if err != nil {
				return nil, err
			}
			s.d.closers = append(s.d.closers, z.Close)
			return z, nil
		}
	default:
		return errUnreadable
	}
	if !whole {
		s.r, s.size = &unpacker{d: s.d, open: open}, size
		return nil
	}
	if size > maxSection {
		return errTooLarge
	}
	r, err := open()
	if err != nil {
		return err
	}
	// The buffer grows with its contents, since the size may be wrong.
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(r, int64(size))); err != nil {
		return err
	}
	if uint64(b.Len()) != size {
		return errUnreadable
	}
	s.r, s.size = bytes.NewReader(b.Bytes()), size
	return s.d.spend(b.Len())
}

// An unpacker reads a packed stream at any offset, fastest in ascending order.
type unpacker struct {
	d    *reader
	open func() (io.Reader, error)
	r    io.Reader
	pos  int64
}

func (u *unpacker) ReadAt(b []byte, off int64) (int, error) {
	if u.r == nil || off < u.pos {
		r, err := u.open()
		if err != nil {
			return 0, err
		}
		u.r, u.pos = r, 0
	}
	for u.pos < off {
		n, err := io.CopyN(io.Discard, u.r, min(off-u.pos, 1<<20))
		u.pos += n
		if err != nil {
			return 0, err
		}
		if err := u.d.spend(int(n)); err != nil {
			return 0, err
		}
	}
	n, err := io.ReadFull(u.r, b)
	u.pos += int64(n)
	return n, err
}

// at returns n bytes at off, fewer at the end of the section. They are valid until the
// section is read again.
func (s *section) at(off uint64, n int) ([]byte, error) {
	if off >= s.size || s.r == nil {
		return nil, nil
	}
	n = int(min(uint64(n), s.size-off))
	if off >= s.off && off+uint64(n) <= s.off+uint64(len(s.buf)) {
		return s.buf[off-s.off:][:n], nil
	}
	const least = 512
	want := int(min(uint64(max(n, least)), s.size-off))
	if err := s.d.spend(want); err != nil {
		return nil, err
	}
	if cap(s.buf) < want {
		s.buf = make([]byte, want)
	}
	s.off, s.buf = off, s.buf[:want]
	if _, err := s.r.ReadAt(s.buf, int64(off)); err != nil && !errors.Is(err, io.EOF) {
		s.buf = s.buf[:0]
		return nil, err
	}
	if s.relocs != nil {
		if err := s.relocs.apply(s.buf, off); err != nil {
			s.buf = s.buf[:0]
			return nil, err
		}
	}
	return s.buf[:n], nil
}

// cString returns the string at off, or "" when there is none or it is longer than any
// path.
func (s *section) cString(off uint64) (string, error) {
	for n := 256; n <= 4096; n *= 4 {
		b, err := s.at(off, n)
		if err != nil {
			return "", err
		}
		if str := leadingString(b); str != nil || len(b) < n {
			return string(str), nil
		}
	}
	return "", nil
}
