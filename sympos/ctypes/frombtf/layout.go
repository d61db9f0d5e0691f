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
	// maxDepth bounds how many types lead to each other before one that is known, since
	// cilium/ebpf calls itself for each, with 2.5 KB of stack. 250 are seen in kernels.
	maxDepth = 4096
)

// headerSize is that of struct btf_header without the fields that 7.1 added.
const headerSize = 24

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
	order   binary.ByteOrder
	types   []byte
	strings []byte
	first   uint32   // number of the first type
	offsets []uint32 // in types, from that type on
	tags    map[uint32][]uint32
	names   *index // nil before it is needed
	// inflated are the types that cilium/ebpf has decoded, see checkDepth.
	inflated []bool
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
		l.order = binary.LittleEndian
	case b[0] == 0xeb && b[1] == 0x9f:
		l.order = binary.BigEndian
	default:
		return nil, errNoMagic
	}
	if b[2] != 1 {
		return nil, fmt.Errorf("BTF of version %d is not supported", b[2])
	}
	if b[3] != 0 {
		return nil, fmt.Errorf("BTF with the flags %#x is not supported", b[3])
	}
	u32 := func(off int) uint64 { return uint64(l.order.Uint32(b[off:])) }
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
		if base.order != l.order {
			return nil, errors.New("BTF: another byte order than its base")
		}
		l.first = base.end()
	}
	if err := l.walk(); err != nil {
		return nil, err
	}
	l.inflated = make([]bool, len(l.offsets))
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

// headerAt returns the header at off in types, which is in bounds.
func (l *layout) headerAt(off uint32) header {
	b := l.types[off:]
	return header{l.order.Uint32(b), l.order.Uint32(b[4:]), l.order.Uint32(b[8:]), b[12:]}
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

// walk finds all types and checks their sizes and names.
func (l *layout) walk() error {
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
		if h.kind() == kindDeclTag {
			if l.tags == nil {
				l.tags = map[uint32][]uint32{}
			}
			l.tags[h.sizeType] = append(l.tags[h.sizeType], id)
		}
		l.offsets = append(l.offsets, uint32(off))
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

// refs returns the types that a type refers to, in the order in which cilium/ebpf (v0.21.0,
// btf/unmarshal.go, inflateType) decodes them, appended to list.
func (l *layout) refs(h *header, list []uint32) []uint32 {
	stride, at, rest := 0, 0, false
	switch h.kind() {
	case kindPtr, kindTypedef, kindVolatile, kindConst, kindRestrict, kindFunc, kindVar,
		kindDeclTag, kindTypeTag:
		return append(list, h.sizeType)
	case kindArray:
		return append(list, l.order.Uint32(h.data[4:]), l.order.Uint32(h.data))
	case kindStruct, kindUnion:
		stride, at = 12, 4
	case kindFuncProto:
		stride, at, rest = 8, 4, true
	case kindDatasec:
		stride = 12
	default:
		return list
	}
	for i := range h.vlen() {
		list = append(list, l.order.Uint32(h.data[i*stride+at:]))
	}
	if rest {
		list = append(list, h.sizeType)
	}
	return list
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
	var refs []uint32
	for i, off := range l.offsets {
		h := l.headerAt(off)
		refs = l.refs(&h, refs[:0])
		for _, ref := range refs {
			if ref == 0 {
				continue
			}
			to, ok := l.headerOf(ref)
			if !ok {
				return fmt.Errorf("BTF: type %d refers to type %d, but there are %d",
					l.first+uint32(i), ref, l.end())
			}
			if mayRefer[h.kind()]&(1<<to.kind()) == 0 {
				return l.misfit(l.first+uint32(i), ref, h.kind(), to.kind())
			}
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

// checkDepth returns an error if cilium/ebpf would call itself too often when it decodes the
// type with that number: it decodes all that the type leads to as well, depth first, up to
// types that it has decoded before. The error is final: what is marked as decoded is then not.
func (l *layout) checkDepth(id uint32) error {
	type frame struct {
		refs []uint32
		next int
	}
	var stack []frame
	push := func(id uint32) {
		at := l
		if l.base != nil && id < l.first {
			at = l.base
		}
		if id < at.first || id >= at.end() || at.inflated[id-at.first] {
			return
		}
		at.inflated[id-at.first] = true
		h := at.headerAt(at.offsets[id-at.first])
		stack = append(stack, frame{refs: append(at.refs(&h, nil), at.tags[id]...)})
	}
	push(id)
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.next == len(top.refs) {
			stack = stack[:len(stack)-1]
			continue
		}
		top.next++
		push(top.refs[top.next-1])
		if len(stack) > maxDepth {
			return fmt.Errorf("BTF: type %d leads to a chain of more than %d types", id, maxDepth)
		}
	}
	return nil
}

// isCanonical reports whether cilium/ebpf reads the blob as it is.
func (l *layout) isCanonical(blob []byte) bool {
	u32 := func(off int) int { return int(l.order.Uint32(blob[off:])) }
	return u32(4) == headerSize && u32(8) == 0 && u32(16) == len(l.types) &&
		len(blob) == headerSize+len(l.types)+len(l.strings)
}

// canonical returns the blob as cilium/ebpf reads it: without what 7.1 added to the header.
func (l *layout) canonical() []byte {
	b := make([]byte, headerSize, headerSize+len(l.types)+len(l.strings))
	l.order.PutUint16(b, 0xeb9f)
	b[2] = 1
	for i, n := range []int{headerSize, 0, len(l.types), len(l.types), len(l.strings)} {
		l.order.PutUint32(b[4+4*i:], uint32(n))
	}
	return append(append(b, l.types...), l.strings...)
}

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
		name := l.nameAt(l.order.Uint32(l.types[l.offsets[i]:]))
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
