// SPDX-License-Identifier: GPL-2.0-or-later

package frombtf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"

	"golang.org/x/exp/slices"
)

// Bounds. The kernel's own are BTF_MAX_TYPE (2^20) and BTF_MAX_NAME_OFFSET (2^24) in
// include/uapi/linux/btf.h; kernels of distributions have some 150 000 types in 6 MB.
const (
	maxBytes = 32 << 20
	maxTypes = 1 << 20
	// maxTags bounds how many type tags are around a type.
	maxTags = 4096
)

const (
	// headerSize is that of struct btf_header without the fields that 7.1 added.
	headerSize = 24
	// headerOfType is the size of struct btf_type.
	headerOfType = 12
)

var errNoMagic = errors.New("no BTF: it does not begin with the magic number 0xeb9f")

// Kinds (include/uapi/linux/btf.h).
const (
	kindInt       = 1
	kindPtr       = 2
	kindArray     = 3
	kindStruct    = 4
	kindUnion     = 5
	kindEnum      = 6
	kindFwd       = 7
	kindTypedef   = 8
	kindVolatile  = 9
	kindConst     = 10
	kindRestrict  = 11
	kindFunc      = 12
	kindFuncProto = 13
	kindVar       = 14
	kindDatasec   = 15
	kindFloat     = 16
	kindDeclTag   = 17
	kindTypeTag   = 18
	kindEnum64    = 19
)

// A layout is where the types of a BTF blob are.
type layout struct {
	base    *layout // of split BTF; else nil
	big     bool    // the byte order
	types   []byte
	strings []byte
	first   uint32   // number of the first type
	offsets []uint32 // in types, from that type on
	kinds   []uint8  // in the same order
	names   *index   // nil before it is needed
}

// parseLayout checks a BTF blob, split from base if that is not nil. All that it returns is
// inside b: types and names are where they have to be, and references are to types that exist
// and that may be referred to so.
func parseLayout(b []byte, base *layout) (*layout, error) {
	l := &layout{base: base}
	switch {
	case len(b) > maxBytes:
		return nil, fmt.Errorf("BTF of %d bytes is larger than %d", len(b), maxBytes)
	case len(b) < headerSize:
		return nil, fmt.Errorf("BTF header is cut short: %d bytes", len(b))
	case b[0] == 0x9f && b[1] == 0xeb:
	case b[0] == 0xeb && b[1] == 0x9f:
		l.big = true
	default:
		return nil, errNoMagic
	}
	if b[2] != 1 {
		return nil, fmt.Errorf("BTF of version %d is not supported", b[2])
	}
	if b[3] != 0 {
		return nil, fmt.Errorf("BTF with the flags %#x is not supported", b[3])
	}
	u32 := func(off int) uint64 { return uint64(l.u32(b[off:])) }
	header, typeOff, typeLen, strOff, strLen := u32(4), u32(8), u32(12), u32(16), u32(20)
	rest := uint64(len(b)) - header
	switch {
	case header < headerSize || header > uint64(len(b)):
		return nil, fmt.Errorf("BTF header of %d bytes", header)
	case typeOff > rest || typeLen > rest-typeOff || typeOff%4 != 0:
		return nil, fmt.Errorf("BTF: %#x bytes of types at %#x are not in the data, which has %#x",
			typeLen, typeOff, rest)
	case strOff > rest || strLen > rest-strOff:
		return nil, fmt.Errorf("BTF: %#x bytes of names at %#x are not in the data, which has %#x",
			strLen, strOff, rest)
	}
	l.types = b[header+typeOff:][:typeLen]
	l.strings = b[header+strOff:][:strLen]
	if n := len(l.strings); n > 0 && l.strings[n-1] != 0 ||
		base == nil && (n == 0 || l.strings[0] != 0) {
		return nil, errors.New("BTF: the names do not begin and end with NUL")
	}
	l.first = 1
	if base != nil {
		if base.base != nil {
			return nil, errors.New("BTF: the base is split itself")
		}
		if base.big != l.big {
			return nil, errors.New("BTF: another byte order than its base")
		}
		l.first = base.end()
	}
	if err := l.walk(); err != nil {
		return nil, err
	}
	return l, l.checkRefs()
}

// end returns the number after the last type.
func (l *layout) end() uint32 { return l.first + uint32(len(l.offsets)) }

// A header is struct btf_type.
type header struct {
	name, info, sizeType uint32
	data                 []byte // what follows it
}

func (h *header) kind() int { return int(h.info >> 24 & 0x7f) }
func (h *header) vlen() int { return int(h.info & 0xffffff) }

// dataSize returns how many bytes follow the header, and false if the kind is not known.
func (h *header) dataSize() (int, bool) {
	switch h.kind() {
	case kindInt, kindVar, kindDeclTag:
		return 4, true
	case kindArray:
		return 12, true
	case kindStruct, kindUnion, kindDatasec, kindEnum64:
		return 12 * h.vlen(), true
	case kindEnum, kindFuncProto:
		return 8 * h.vlen(), true
	case kindPtr, kindFwd, kindTypedef, kindVolatile, kindConst, kindRestrict, kindFunc, kindFloat,
		kindTypeTag:
		return 0, true
	}
	return 0, false
}

// order is for what is written. What is read is read by u32, without a call for each number.
func (l *layout) order() binary.ByteOrder {
	if l.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// u32 returns the number at the beginning of b.
func (l *layout) u32(b []byte) uint32 {
	if l.big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

// headerAt returns the header at off in types, which is in bounds.
func (l *layout) headerAt(off uint32) header {
	b := l.types[off:]
	return header{l.u32(b), l.u32(b[4:]), l.u32(b[8:]), b[headerOfType:]}
}

// headerOf returns the header of the type with that number, and false for 0 and for numbers
// that no type has.
func (l *layout) headerOf(id uint32) (header, bool) {
	if l.base != nil && id < l.first {
		return l.base.headerOf(id)
	}
	if id < l.first || id >= l.end() {
		return header{}, false
	}
	return l.headerAt(l.offsets[id-l.first]), true
}

// kindOf returns the kind of the type with that number, and false if there is none.
func (l *layout) kindOf(id uint32) (int, bool) {
	if l.base != nil && id < l.first {
		return l.base.kindOf(id)
	}
	if id < l.first || id >= l.end() {
		return 0, false
	}
	return int(l.kinds[id-l.first]), true
}

// walk finds all types and checks their sizes and names.
func (l *layout) walk() error {
	guess := len(l.types) / 28 // bytes of a type, of those in kernels
	l.offsets, l.kinds = make([]uint32, 0, guess), make([]uint8, 0, guess)
	for off := 0; off < len(l.types); {
		id := l.end()
		if len(l.types)-off < 12 {
			return fmt.Errorf("BTF: type %d is cut short", id)
		}
		if id >= maxTypes {
			return fmt.Errorf("BTF of more than %d types", maxTypes)
		}
		h := l.headerAt(uint32(off))
		n, ok := h.dataSize()
		if !ok {
			return fmt.Errorf("BTF: type %d is of the unknown kind %d", id, h.kind())
		}
		if h.kind() != kindFunc && h.vlen() > 0xffff { // possible from 7.1 on
			return fmt.Errorf("BTF: type %d has %d members, more than 65535 are not supported", id,
				h.vlen())
		}
		if n > len(h.data) {
			return fmt.Errorf("BTF: type %d is cut short", id)
		}
		if !l.isName(h.name) {
			return fmt.Errorf("BTF: the name of type %d, %#x, is not the beginning of a string", id,
				h.name)
		}
		l.offsets, l.kinds = append(l.offsets, uint32(off)), append(l.kinds, uint8(h.kind()))
		off += 12 + n
	}
	return nil
}

// isName reports whether a string begins at off.
func (l *layout) isName(off uint32) bool {
	if off == 0 {
		return true
	}
	if l.base != nil {
		n := uint32(len(l.base.strings))
		if off < n {
			return l.base.isName(off)
		}
		if off -= n; off == 0 {
			return len(l.strings) > 0
		}
	}
	return uint64(off) < uint64(len(l.strings)) && l.strings[off-1] == 0
}

// nameAt returns the string at off, nil if none begins there.
func (l *layout) nameAt(off uint32) []byte {
	if off == 0 || !l.isName(off) {
		return nil
	}
	if l.base != nil {
		n := uint32(len(l.base.strings))
		if off < n {
			return l.base.nameAt(off)
		}
		off -= n
	}
	b := l.strings[off:]
	return b[:bytes.IndexByte(b, 0)] // it ends with NUL
}

// records returns the size of each of the h.vlen() records that follow the header, 0 if there are
// none, and where in each the type is, -1 if none is. The name is first, but for a section's.
func (h *header) records() (size, refAt int) {
	switch h.kind() {
	case kindStruct, kindUnion:
		return 12, 4
	case kindFuncProto:
		return 8, 4
	case kindDatasec:
		return 12, 0
	case kindEnum:
		return 8, -1
	case kindEnum64:
		return 12, -1
	}
	return 0, -1
}

// eachRef visits where the numbers of types are that a type refers to: in its header, which
// begins at 0, or in what follows it.
func (h *header) eachRef(visit func(at int)) {
	switch h.kind() {
	case kindPtr, kindTypedef, kindVolatile, kindConst, kindRestrict, kindFunc, kindVar,
		kindDeclTag, kindTypeTag, kindFuncProto:
		visit(8)
	case kindArray:
		visit(headerOfType)
		visit(headerOfType + 4)
	}
	if size, at := h.records(); at >= 0 {
		for i := range h.vlen() {
			visit(headerOfType + i*size + at)
		}
	}
}

// mayRefer are, by kind, the kinds that a type may refer to, a bit for each: functions only by
// their tags and sections, variables only by sections and tags (kernel/bpf/btf.c, the resolve and
// check functions).
var mayRefer = func() (may [32]uint32) {
	const (
		never = 1<<kindFunc | 1<<kindVar | 1<<kindDatasec | 1<<kindDeclTag
		value = ^uint32(never | 1<<kindFuncProto)
	)
	for kind := range may {
		may[kind] = value
	}
	for _, kind := range []int{kindPtr, kindTypedef, kindTypeTag, kindConst, kindVolatile} {
		may[kind] |= 1 << kindFuncProto
	}
	may[kindFunc] = 1 << kindFuncProto
	may[kindDatasec] = 1<<kindVar | 1<<kindFunc
	may[kindDeclTag] = ^uint32(1<<kindDatasec | 1<<kindDeclTag)
	return may
}()

// checkRefs checks that references are to types that may be referred to so. With another base than
// the one that split BTF was made for, numbers mean other types, of which nearly half are
// functions.
func (l *layout) checkRefs() error {
	var err error
	for i, off := range l.offsets {
		h := l.headerAt(off)
		h.eachRef(func(at int) {
			ref := l.u32(l.types[int(off)+at:])
			if ref == 0 || err != nil {
				return
			}
			to, ok := l.kindOf(ref)
			switch {
			case !ok:
				err = fmt.Errorf("BTF: type %d refers to type %d, but there are %d",
					l.first+uint32(i), ref, l.end())
			case mayRefer[h.kind()]&(1<<to) == 0:
				err = l.misfit(l.first+uint32(i), ref, h.kind(), to)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *layout) misfit(id, ref uint32, kind, of int) error {
	if l.base != nil && ref < l.first {
		return fmt.Errorf("%w: its type %d (kind %d) refers to type %d of the base, which is of "+
			"kind %d", ErrOtherBase, id, kind, ref, of)
	}
	return fmt.Errorf("BTF: type %d (kind %d) refers to type %d, which is of kind %d", id, kind,
		ref, of)
}

// ErrOtherBase is that split BTF does not fit its base.
var ErrOtherBase = errors.New("BTF was split from the BTF of another kernel")

// An index finds types by name: those whose names have the same hash are chained.
type index struct {
	seed  maphash.Seed
	first []uint32 // by hash: 1 + the position in offsets; 0: none
	next  []uint32 // by position, the same
}

// makeIndex makes the index, which costs some milliseconds and 1 MB for a kernel.
func (l *layout) makeIndex() {
	size := 1
	for size < len(l.offsets) {
		size *= 2
	}
	l.names = &index{seed: maphash.MakeSeed(), first: make([]uint32, size),
		next: make([]uint32, len(l.offsets))}
	for i := len(l.offsets) - 1; i >= 0; i-- { // so that chains ascend
		name := l.nameAt(l.u32(l.types[l.offsets[i]:]))
		if len(name) == 0 {
			continue
		}
		slot := &l.names.first[maphash.Bytes(l.names.seed, name)&uint64(size-1)]
		l.names.next[i], *slot = *slot, uint32(i+1)
	}
}

// byName visits the types of that name and one of those kinds, in the order of their numbers.
// A base is not searched.
func (l *layout) byName(name string, visit func(id uint32, h *header), kinds ...int) {
	if name == "" || len(l.offsets) == 0 {
		return
	}
	if l.names == nil {
		l.makeIndex()
	}
	slot := maphash.String(l.names.seed, name) & uint64(len(l.names.first)-1)
	for i := l.names.first[slot]; i != 0; i = l.names.next[i-1] {
		h := l.headerAt(l.offsets[i-1])
		if !slices.Contains(kinds, h.kind()) || string(l.nameAt(h.name)) != name {
			continue
		}
		visit(l.first+i-1, &h)
	}
}
