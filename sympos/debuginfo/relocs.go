// SPDX-License-Identifier: GPL-2.0-or-later

package debuginfo

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"sort"

	"golang.org/x/exp/slices"
)

// relocs are the relocations of a section of a module, in ascending order, as ld writes
// them. Others are not supported.
//
// Where a linker may delete instructions, distances in code are not known before: the assembler
// writes two relocations for a place, of which the first adds the address of the end, and the
// second subtracts that of the beginning.
//
//	.debug_info+0x7b   R_LARCH_ADD64 .L3   R_LARCH_SUB64 .L2       DW_AT_high_pc
//	.debug_rnglists+9  R_LARCH_ADD_ULEB128, R_LARCH_SUB_ULEB128    in as many bytes as there are
//
// These need what is there, so that a section is relocated as a whole (isPaired).
type relocs struct {
	d     *reader
	r     *io.SectionReader
	count int
	entry int
	buf   []byte
}

// relocsOf returns the relocations of section i, or nil if there are none.
func (d *reader) relocsOf(i int) (*relocs, error) {
	f := d.f
	var q *relocs
	for _, s := range f.Sections {
		switch s.Type {
		case elf.SHT_REL, elf.SHT_RELA:
		default:
			continue
		}
		if int(s.Info) != i || s.Size == 0 {
			continue
		}
		if q != nil || s.Type == elf.SHT_REL || !f.contains(s) {
			return nil, errUnreadable
		}
		q = &relocs{d: d, r: io.NewSectionReader(f.Contents, int64(s.Offset), int64(s.Size)),
			entry: 24}
		if !f.Is64 {
			q.entry = 12
		}
		q.count = int(s.Size) / q.entry
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
				return nil, errUnreadable
			}
			last = off
		}
	}
	return q, nil
}

func (q *relocs) offset(b []byte) uint64 {
	if q.entry == 24 {
		return q.d.f.Order.Uint64(b)
	}
	return uint64(q.d.f.Order.Uint32(b))
}

// entries returns the k-th entry and some after it.
func (q *relocs) entries(k int) ([]byte, error) {
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

// apply relocates b, which is at off. It applies a relocation that extends past an end of
// b as far as it is in b.
func (q *relocs) apply(b []byte, off uint64) error {
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
			value, form, err := q.value(some)
			if err != nil {
				return err
			}
			if form.how != store {
				if at < off {
					return errUnreadable
				}
				if err := q.adjust(b[at-off:], value, form); err != nil {
					return err
				}
				continue
			}
			width := form.width
			var bytes [8]byte
			if q.d.f.Order.Uint16([]byte{0, 1}) == 1 { // big endian
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

// adjust adds a value to the number that b begins with, or subtracts it.
func (q *relocs) adjust(b []byte, value uint64, form relocForm) error {
	if form.how == subtract {
		value = -value
	}
	if form.width == 0 {
		return addULEB(b, value)
	}
	if len(b) < form.width {
		return errUnreadable
	}
	b = b[:form.width]
	if q.d.f.Order.Uint16([]byte{0, 1}) == 1 { // big endian
		slices.Reverse(b)
		defer slices.Reverse(b)
	}
	for i, c := range b {
		value += uint64(c) << (8 * i)
	}
	for i := range b {
		b[i] = byte(value >> (8 * i))
	}
	return nil
}

// addULEB adds a value to the ULEB128 number that b begins with, which keeps its length.
func addULEB(b []byte, value uint64) error {
	const longest = 10
	for i := range b[:min(len(b), longest)] {
		sum := uint64(b[i]&0x7f) + value&0x7f
		value = uint64(int64(value)>>7) + sum>>7
		isLast := b[i]&0x80 == 0
		b[i] = b[i]&0x80 | byte(sum&0x7f)
		if isLast {
			return nil
		}
	}
	return errUnreadable
}

// value returns the value that an entry stores or adds, and how.
func (q *relocs) value(b []byte) (value uint64, form relocForm, err error) {
	f := q.d.f
	var sym, typ uint32
	var addend uint64
	if q.entry == 24 {
		info := f.Order.Uint64(b[8:])
		sym, typ, addend = uint32(info>>32), uint32(info), f.Order.Uint64(b[16:])
	} else {
		info := f.Order.Uint32(b[4:])
		sym, typ, addend = info>>8, info&0xff, uint64(int64(int32(f.Order.Uint32(b[8:]))))
	}
	form, known := relocForms[f.Machine][typ]
	if !known {
		if typ == 0 { // R_*_NONE
			return 0, relocForm{}, nil
		}
		return 0, relocForm{}, fmt.Errorf("relocation type %d: %w", typ, errUnreadable)
	}
	base := uint64(0)
	entry := 24
	if !f.Is64 {
		entry = 16
	}
	if sym > 0 {
		if (uint64(sym)+1)*uint64(entry) > uint64(len(f.Symtab)) {
			return 0, relocForm{}, errUnreadable
		}
		y := f.Symtab[int(sym)*entry:][:entry]
		var shndx uint32
		if f.Is64 {
			shndx, base = uint32(f.Order.Uint16(y[6:])), f.Order.Uint64(y[8:])
		} else {
			shndx, base = uint32(f.Order.Uint16(y[14:])), uint64(f.Order.Uint32(y[4:]))
		}
		if elf.SectionIndex(shndx) == elf.SHN_XINDEX && (int(sym)+1)*4 <= len(f.SectionIndexes) {
			shndx = f.Order.Uint32(f.SectionIndexes[sym*4:])
		}
		if i := uint64(shndx); i > 0 && i < uint64(len(f.Sections)) &&
			f.Sections[i].Flags&elf.SHF_ALLOC != 0 {
			placed, ok := f.Place(int(i), base)
			if !ok {
				return 0, relocForm{}, errUnreadable
			}
			base = placed
		}
	}
	return base + addend, form, nil
}

// A relocForm is what a relocation does to a number.
type relocForm struct {
	width int // in bytes; 0 for ULEB128
	how   relocHow
}

type relocHow int

const (
	store relocHow = iota
	add
	subtract
)

// relocForms are the relocation types that store or change a number, by machine.
var relocForms = map[elf.Machine]map[uint32]relocForm{
	elf.EM_X86_64: {uint32(elf.R_X86_64_64): {8, store}, uint32(elf.R_X86_64_32): {4, store},
		uint32(elf.R_X86_64_32S): {4, store}},
	elf.EM_S390: {uint32(elf.R_390_64): {8, store}, uint32(elf.R_390_32): {4, store}},
	elf.EM_PPC64: {uint32(elf.R_PPC64_ADDR64): {8, store},
		uint32(elf.R_PPC64_ADDR32): {4, store}},
	elf.EM_PPC: {uint32(elf.R_PPC_ADDR32): {4, store}},
	elf.EM_AARCH64: {uint32(elf.R_AARCH64_ABS64): {8, store},
		uint32(elf.R_AARCH64_ABS32): {4, store}},
	// ELF for the LoongArch Architecture, "Relocations".
	elf.EM_LOONGARCH: {uint32(elf.R_LARCH_64): {8, store}, uint32(elf.R_LARCH_32): {4, store},
		uint32(elf.R_LARCH_ADD8): {1, add}, uint32(elf.R_LARCH_SUB8): {1, subtract},
		uint32(elf.R_LARCH_ADD16): {2, add}, uint32(elf.R_LARCH_SUB16): {2, subtract},
		uint32(elf.R_LARCH_ADD24): {3, add}, uint32(elf.R_LARCH_SUB24): {3, subtract},
		uint32(elf.R_LARCH_ADD32): {4, add}, uint32(elf.R_LARCH_SUB32): {4, subtract},
		uint32(elf.R_LARCH_ADD64): {8, add}, uint32(elf.R_LARCH_SUB64): {8, subtract},
		uint32(elf.R_LARCH_ADD_ULEB128): {0, add},
		uint32(elf.R_LARCH_SUB_ULEB128): {0, subtract}},
}

// isPaired reports whether numbers in the machine's modules may be made by two relocations.
func (f *File) isPaired() bool { return f.Machine == elf.EM_LOONGARCH }
