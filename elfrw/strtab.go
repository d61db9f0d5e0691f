// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"bytes"
	"strings"
)

// Names are looked up by offset, and in real files several offsets share one
// string ("bar" is the tail of "foobar"). A hostile file can point a million
// symbols to the start of one long string, so finding the end of a name must
// not cost its length: nul[i] is the first NUL at or after byte i*nulStride,
// and a look-up reads at most nulStride bytes.

const nulStride = 256

// stringTable finds names in the contents of a string table. It owns a copy of
// them, so that the names it hands out cost no allocation each.
type stringTable struct {
	text string
	nul  []uint32
}

// newStringTable wraps contents b, whose last byte has been checked to be NUL.
func newStringTable(b []byte) stringTable {
	t := stringTable{text: string(b), nul: make([]uint32, (len(b)+nulStride-1)/nulStride)}
	next := uint32(len(b))
	for i := len(t.nul) - 1; i >= 0; i-- {
		block := b[i*nulStride : min(len(b), (i+1)*nulStride)]
		if j := bytes.IndexByte(block, 0); j >= 0 {
			next = uint32(i*nulStride + j)
		}
		t.nul[i] = next
	}
	return t
}

// at returns the string at offset off, and false when off is outside of the
// table.
func (t stringTable) at(off uint32) (string, bool) {
	if uint64(off) >= uint64(len(t.text)) {
		return "", false
	}
	block := int(off)/nulStride + 1
	rest := t.text[off:min(len(t.text), block*nulStride)]
	if j := strings.IndexByte(rest, 0); j >= 0 {
		return rest[:j], true
	}
	return t.text[off:t.nul[block]], true
}

// stringAppender collects the names that are to be appended to a string table.
type stringAppender struct {
	base  int // length of the table before appending
	extra []byte
	seen  map[string]uint32
}

func newStringAppender(base int) *stringAppender {
	a := &stringAppender{base: base}
	if base == 0 {
		a.extra = append(a.extra, 0) // offset 0 is the empty name
	}
	return a
}

// offset returns where name is in the finished table, appending it when it is new,
// and false when the table would need offsets of more than 32 bits.
func (a *stringAppender) offset(name string) (uint32, bool) {
	if name == "" {
		return 0, true // gABI, "String Table": index zero is the null string
	}
	if off, ok := a.seen[name]; ok {
		return off, true
	}
	off := uint64(a.base + len(a.extra))
	if off+uint64(len(name))+1 >= 1<<32 { // as Parse bounds the table
		return 0, false
	}
	if a.seen == nil {
		a.seen = map[string]uint32{}
	}
	a.seen[name] = uint32(off)
	a.extra = append(a.extra, name...)
	a.extra = append(a.extra, 0)
	return uint32(off), true
}
