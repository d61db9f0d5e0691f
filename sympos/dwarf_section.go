// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/klauspost/compress/zstd"
)

// Debug information is larger than all the rest of a kernel, and little of it is
// wanted. So its sections are read by pieces, here and there, as if they lay in the
// file as their readers see them. In three cases they do not:
//
//   - packed (SHF_COMPRESSED, or a name that begins with .zdebug): .debug_info is
//     unpacked as it goes past, and once more for what lies further in front;
//     others, which are small, are unpacked whole;
//   - in a module, numbers are missing that relocations fill in. What is read is
//     relocated then, with the addresses that elfFile.place lays out;
//   - absent: a reader finds nothing in them.

var errDwarf = errors.New("debug information can't be read")

// maxDwarf bounds a section that is unpacked whole.
const maxDwarf = 128 << 20

// A dwarfSection is one section of debug information.
type dwarfSection struct {
	d      *dwarf
	r      io.ReaderAt // nil: absent
	size   uint64
	relocs *dwarfRelocs // nil in linked files

	off uint64 // of buf
	buf []byte
}

// section opens .debug_<name>.
func (d *dwarf) section(name string) (*dwarfSection, error) {
	s := &dwarfSection{d: d}
	i := d.f.find(".debug_" + name)
	old := false
	if i < 0 {
		i = d.f.find(".zdebug_" + name)
		old = i >= 0
	}
	if i < 0 {
		return s, nil
	}
	h := d.f.sections[i]
	in := d.f.in
	if elf.SectionType(h.etype) == elf.SHT_NOBITS {
		return s, nil
	}
	if in.size < 0 || h.off > uint64(in.size) || h.size_ > uint64(in.size)-h.off {
		return nil, fmt.Errorf("%s: %w", d.f.name(i), errDwarf)
	}
	s.r, s.size = io.NewSectionReader(in.r, int64(h.off), int64(h.size_)), h.size_
	if old || h.flags&uint64(elf.SHF_COMPRESSED) != 0 {
		if err := s.unpack(old, name != "info"); err != nil {
			return nil, fmt.Errorf("%s: %w", d.f.name(i), err)
		}
	}
	if d.f.etype == elf.ET_REL {
		var err error
		if s.relocs, err = d.relocsOf(i); err != nil {
			return nil, fmt.Errorf("%s: %w", d.f.name(i), err)
		}
	}
	return s, nil
}

// unpack puts what is in the packed section in its place.
func (s *dwarfSection) unpack(old, whole bool) error {
	head := make([]byte, 24)
	n, err := s.r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	head = head[:n]
	order := s.d.f.order
	kind, size, at := elf.COMPRESS_ZLIB, uint64(0), uint64(12)
	switch {
	case old && n >= 12 && string(head[:4]) == "ZLIB":
		size = binary.BigEndian.Uint64(head[4:])
	case !old && s.d.f.is64 && n >= 24:
		kind, size, at = elf.CompressionType(order.Uint32(head)), order.Uint64(head[8:]), 24
	case !old && !s.d.f.is64 && n >= 12:
		kind, size = elf.CompressionType(order.Uint32(head)), uint64(order.Uint32(head[4:]))
	default:
		return errDwarf
	}
	packed := io.NewSectionReader(s.r, int64(at), int64(s.size-min(at, s.size)))
	var open func() (io.Reader, error)
	switch kind {
	case elf.COMPRESS_ZLIB:
		open = func() (io.Reader, error) { return zlib.NewReader(io.NewSectionReader(packed, 0, packed.Size())) }
	case elf.COMPRESS_ZSTD:
		open = func() (io.Reader, error) {
			z, err := zstd.NewReader(io.NewSectionReader(packed, 0, packed.Size()), zstd.WithDecoderConcurrency(1),
				zstd.WithDecoderMaxMemory(maxDwarf), zstd.WithDecoderMaxWindow(maxDwarf), zstd.WithDecoderLowmem(true))
			if err != nil {
				return nil, err
			}
			s.d.closers = append(s.d.closers, z.Close)
			return z, nil
		}
	default:
		return errDwarf
	}
	if !whole {
		s.r, s.size = &unpacker{d: s.d, open: open}, size
		return nil
	}
	if size > maxDwarf {
		return ErrTooLarge
	}
	r, err := open()
	if err != nil {
		return err
	}
	// Grown as contents come: a size is easily written into a file.
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(r, int64(size))); err != nil {
		return err
	}
	if uint64(b.Len()) != size {
		return errDwarf
	}
	s.r, s.size = bytes.NewReader(b.Bytes()), size
	return s.d.spend(b.Len())
}

// An unpacker reads a stream here and there, best in ascending order.
type unpacker struct {
	d    *dwarf
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

// at returns n bytes at off, fewer at the end of the section. They are good until the
// section is read again.
func (s *dwarfSection) at(off uint64, n int) ([]byte, error) {
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

// cString returns the string at off, "" when there is none or no file has such a
// long path.
func (s *dwarfSection) cString(off uint64) (string, error) {
	for n := 256; n <= 4096; n *= 4 {
		b, err := s.at(off, n)
		if err != nil {
			return "", err
		}
		if str := cutString(b); str != nil || len(b) < n {
			return string(str), nil
		}
	}
	return "", nil
}

// dwarfRelocs are the relocations of a section of a module, which ld writes in
// ascending order. Others are not supported.
type dwarfRelocs struct {
	d     *dwarf
	r     *io.SectionReader
	count int
	entry int
	buf   []byte
}

// relocsOf returns the relocations of section i, or nil if there are none.
func (d *dwarf) relocsOf(i int) (*dwarfRelocs, error) {
	f := d.f
	var q *dwarfRelocs
	for _, s := range f.sections {
		switch elf.SectionType(s.etype) {
		case elf.SHT_REL, elf.SHT_RELA:
		default:
			continue
		}
		if int(s.info) != i || s.size_ == 0 {
			continue
		}
		if q != nil || elf.SectionType(s.etype) == elf.SHT_REL || s.off > uint64(f.in.size) || s.size_ > uint64(f.in.size)-s.off {
			return nil, errDwarf
		}
		q = &dwarfRelocs{d: d, r: io.NewSectionReader(f.in.r, int64(s.off), int64(s.size_)), entry: 24}
		if !f.is64 {
			q.entry = 12
		}
		q.count = int(s.size_) / q.entry
	}
	if q == nil {
		return nil, nil
	}
	last := uint64(0)
	for k := 0; k < q.count; {
		b, err := q.entries(k)
		if err != nil {
			return nil, err
		}
		for ; len(b) > 0; b, k = b[q.entry:], k+1 {
			off := q.offset(b)
			if off < last {
				return nil, errDwarf
			}
			last = off
		}
	}
	return q, nil
}

func (q *dwarfRelocs) offset(b []byte) uint64 {
	if q.entry == 24 {
		return q.d.f.order.Uint64(b)
	}
	return uint64(q.d.f.order.Uint32(b))
}

// entries returns some entries from the k-th on.
func (q *dwarfRelocs) entries(k int) ([]byte, error) {
	const many = 1024
	n := min(many, q.count-k) * q.entry
	if cap(q.buf) < n {
		q.buf = make([]byte, n)
	}
	q.buf = q.buf[:n]
	if err := q.d.spend(n); err != nil {
		return nil, err
	}
	_, err := io.ReadFull(io.NewSectionReader(q.r, int64(k)*int64(q.entry), int64(n)), q.buf)
	return q.buf, err
}

// apply fills in what relocations say about b, which lies at off. Those that reach
// over an end of b are done as far as they are in it.
func (q *dwarfRelocs) apply(b []byte, off uint64) error {
	var one [8]byte
	var failed error
	k := sort.Search(q.count, func(k int) bool {
		if failed != nil {
			return true
		}
		if _, err := q.r.ReadAt(one[:q.entry/3], int64(k)*int64(q.entry)); err != nil {
			failed = err
			return true
		}
		return off < 8 || q.offset(one[:]) > off-8
	})
	for failed == nil && k < q.count {
		var some []byte
		if some, failed = q.entries(k); failed != nil {
			break
		}
		for ; len(some) > 0; some, k = some[q.entry:], k+1 {
			at := q.offset(some)
			if at >= off+uint64(len(b)) {
				return nil
			}
			value, width, err := q.value(some)
			if err != nil {
				return err
			}
			var bytes [8]byte
			if q.d.f.order.Uint16([]byte{0, 1}) == 1 { // big endian
				binary.BigEndian.PutUint64(bytes[:], value<<(64-8*width))
			} else {
				binary.LittleEndian.PutUint64(bytes[:], value)
			}
			for i := range uint64(width) {
				if at+i >= off && at+i-off < uint64(len(b)) {
					b[at+i-off] = bytes[i]
				}
			}
		}
	}
	return failed
}

// value returns what an entry puts in its place, and how many bytes it is wide.
func (q *dwarfRelocs) value(b []byte) (value uint64, width int, err error) {
	f := q.d.f
	var sym, typ uint32
	var addend uint64
	if q.entry == 24 {
		info := f.order.Uint64(b[8:])
		sym, typ, addend = uint32(info>>32), uint32(info), f.order.Uint64(b[16:])
	} else {
		info := f.order.Uint32(b[4:])
		sym, typ, addend = info>>8, info&0xff, uint64(int64(int32(f.order.Uint32(b[8:]))))
	}
	width = q.d.widths[typ]
	if width == 0 {
		if typ == 0 { // R_*_NONE
			return 0, 0, nil
		}
		return 0, 0, fmt.Errorf("relocation type %d: %w", typ, errDwarf)
	}
	base := uint64(0)
	entry := 24
	if !f.is64 {
		entry = 16
	}
	if sym > 0 {
		if (uint64(sym)+1)*uint64(entry) > uint64(len(f.symtab)) {
			return 0, 0, errDwarf
		}
		y := f.symtab[int(sym)*entry:][:entry]
		var shndx uint32
		if f.is64 {
			shndx, base = uint32(f.order.Uint16(y[6:])), f.order.Uint64(y[8:])
		} else {
			shndx, base = uint32(f.order.Uint16(y[14:])), uint64(f.order.Uint32(y[4:]))
		}
		if elf.SectionIndex(shndx) == elf.SHN_XINDEX && (int(sym)+1)*4 <= len(f.shndx) {
			shndx = f.order.Uint32(f.shndx[sym*4:])
		}
		if s, _ := f.at(shndx); s != nil && s.flags&uint64(elf.SHF_ALLOC) != 0 {
			placed, ok := f.place(int(shndx), base)
			if !ok {
				return 0, 0, errDwarf
			}
			base = placed
		}
	}
	return base + addend, width, nil
}

// dwarfWidths are the relocation types that store a whole number, by machine.
var dwarfWidths = map[elf.Machine]map[uint32]int{
	elf.EM_X86_64:    {uint32(elf.R_X86_64_64): 8, uint32(elf.R_X86_64_32): 4, uint32(elf.R_X86_64_32S): 4},
	elf.EM_S390:      {uint32(elf.R_390_64): 8, uint32(elf.R_390_32): 4},
	elf.EM_PPC64:     {uint32(elf.R_PPC64_ADDR64): 8, uint32(elf.R_PPC64_ADDR32): 4},
	elf.EM_PPC:       {uint32(elf.R_PPC_ADDR32): 4},
	elf.EM_AARCH64:   {uint32(elf.R_AARCH64_ABS64): 8, uint32(elf.R_AARCH64_ABS32): 4},
	elf.EM_LOONGARCH: {uint32(elf.R_LARCH_64): 8, uint32(elf.R_LARCH_32): 4},
}

// spend counts what is read, which hostile files could make without end: many
// units that share one table, say.
func (d *dwarf) spend(n int) error {
	if d.budget -= int64(max(n, 0)); d.budget < 0 {
		return fmt.Errorf("debug information: %w", ErrTooLarge)
	}
	return nil
}

// budgetOf is how much may be read of a file of that size.
func budgetOf(size int64) int64 { return 16*max(size, 0) + 256<<20 }
