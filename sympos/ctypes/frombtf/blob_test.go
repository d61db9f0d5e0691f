// SPDX-License-Identifier: GPL-2.0-or-later

package frombtf_test

import "encoding/binary"

// Numbers of include/uapi/linux/btf.h, again: not those of the reader.
const (
	kindInt       = 1
	kindPtr       = 2
	kindArray     = 3
	kindStruct    = 4
	kindEnum      = 6
	kindFwd       = 7
	kindTypedef   = 8
	kindFunc      = 12
	kindFuncProto = 13
	kindVar       = 14
	kindDatasec   = 15
	kindTypeTag   = 18
)

type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// A blob is BTF in the making.
type blob struct {
	order   byteOrder
	types   []byte
	strings []byte
	shift   uint32 // of names: those of the base
	next    uint32 // number of the next type
	ids     map[string]uint32
}

func newBlob(order byteOrder) *blob {
	return &blob{order: order, strings: []byte{0}, next: 1, ids: map[string]uint32{}}
}

// split returns a blob whose base is b.
func (b *blob) split() *blob {
	return &blob{order: b.order, shift: uint32(len(b.strings)), next: b.next, strings: []byte{0},
		ids: map[string]uint32{}}
}

// name adds a name.
func (b *blob) name(s string) uint32 {
	if s == "" {
		return 0
	}
	off := b.shift + uint32(len(b.strings))
	b.strings = append(append(b.strings, s...), 0)
	return off
}

func (b *blob) u32(list ...uint32) {
	for _, n := range list {
		b.types = b.order.AppendUint32(b.types, n)
	}
}

// add adds a type: struct btf_type, and words after it.
func (b *blob) add(kind int, name string, vlen int, sizeType uint32, rest ...uint32) uint32 {
	b.u32(b.name(name), uint32(kind)<<24|uint32(vlen), sizeType)
	b.u32(rest...)
	b.next++
	return b.next - 1
}

// int adds an integer.
func (b *blob) int(name string, size, encoding uint32) uint32 {
	return b.add(kindInt, name, 0, size, encoding<<24|8*size)
}

// function adds a function with a result and parameters.
func (b *blob) function(name string, result uint32, params ...uint32) uint32 {
	var list []uint32
	for _, p := range params {
		list = append(list, b.name("p"), p)
	}
	proto := b.add(kindFuncProto, "", len(params), result, list...)
	return b.add(kindFunc, name, 0, proto)
}

// bytes returns the blob with a header of that size.
func (b *blob) bytes(header uint32) []byte {
	out := b.order.AppendUint16(nil, 0xeb9f)
	out = append(out, 1, 0)
	for _, n := range []uint32{header, 0, uint32(len(b.types)), uint32(len(b.types)),
		uint32(len(b.strings))} {
		out = b.order.AppendUint32(out, n)
	}
	for uint32(len(out)) < header {
		out = append(out, 1)
	}
	return append(append(out, b.types...), b.strings...)
}

// sample returns the BTF of a small kernel.
func sample(order byteOrder) *blob {
	b := newBlob(order)
	integer := b.int("int", 4, 1)
	boolean := b.int("_Bool", 1, 4)
	b.int("long unsigned int", 8, 0)
	node := b.next
	pointer := node + 1
	b.add(kindStruct, "node", 3, 16, b.name("next"), pointer, 0, b.name("value"), integer, 64,
		b.name("set"), boolean, 96)
	b.add(kindPtr, "", 0, node)
	b.function("visit", boolean, pointer, integer)
	b.function("twin", integer, integer)
	b.function("twin", integer, pointer)
	b.function("printk", integer, pointer)
	per := b.add(kindVar, "runqueue", 0, node, 1)
	b.add(kindDatasec, ".data..percpu", 1, 16, per, 0, 16)
	b.add(kindFwd, "later", 0, 0)
	b.add(kindEnum, "color", 2, 4, b.name("RED"), 0, b.name("LESS"), 0xffffffff)
	b.ids["int"], b.ids["node"], b.ids["pointer"] = integer, node, pointer
	return b
}
