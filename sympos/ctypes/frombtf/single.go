// SPDX-License-Identifier: GPL-2.0-or-later

package frombtf

import (
	"errors"
	"fmt"
)

// A single is a BTF blob of one type. Type 1 of it is the type, with its names; those after it are
// placeholders for the types that it refers to.
type single struct {
	blob    []byte
	numbers []uint32 // of the types of the blob in the layout
}

// single returns the blob of the type with that number, which no tag is.
func (l *layout) single(id uint32) (*single, error) {
	h, ok := l.headerOf(id)
	if !ok {
		return nil, fmt.Errorf("there are %d types", l.end())
	}
	size, ok := h.dataSize()
	if !ok {
		return nil, fmt.Errorf("its kind, %d, is not known", h.kind())
	}
	s := &single{blob: make([]byte, headerSize, headerSize+headerOfType+2*size)}
	for _, n := range []uint32{h.name, h.info, h.sizeType} {
		s.blob = l.append(s.blob, n)
	}
	s.blob = append(s.blob, h.data[:size]...)
	var failed error
	s.numbers = []uint32{0, id}
	h.eachRef(func(at int) {
		b := s.blob[headerSize+at:]
		ref, err := l.untag(l.u32(b))
		if err != nil {
			failed = err
		}
		if ref != 0 {
			l.order().PutUint32(b, uint32(len(s.numbers)))
			s.numbers = append(s.numbers, ref)
		}
	})
	for _, ref := range s.numbers[2:] {
		s.blob = l.appendPlaceholder(s.blob, ref)
	}
	return s, errors.Join(failed, l.finish(s, &h))
}

// appendPlaceholder appends what stands for a type: a declaration without a name or, since
// cilium/ebpf takes bits of a member from them (legacyBitfields in btf/unmarshal.go, v0.21.0), an
// integer.
func (l *layout) appendPlaceholder(b []byte, id uint32) []byte {
	if kind, ok := l.kindOf(id); ok && kind == kindInt {
		h, _ := l.headerOf(id)
		b = l.append(l.append(l.append(b, 0), h.info), h.sizeType)
		return append(b, h.data[:4]...)
	}
	return l.append(l.append(l.append(b, 0), kindFwd<<24), 0)
}

// finish appends the names of the type to its blob, and writes the header of the blob.
func (l *layout) finish(s *single, h *header) (err error) {
	types := s.blob[headerSize:]
	names := []byte{0}
	name := func(at int) {
		off := l.u32(types[at:])
		if !l.isName(off) {
			err = fmt.Errorf("a name, %#x, is not the beginning of a string", off)
		}
		text := l.nameAt(off)
		l.order().PutUint32(types[at:], 0)
		if len(text) > 0 {
			l.order().PutUint32(types[at:], uint32(len(names)))
			names = append(append(names, text...), 0)
		}
	}
	name(0)
	if size, _ := h.records(); h.kind() != kindDatasec {
		for i := 0; size > 0 && i < h.vlen(); i++ {
			name(headerOfType + i*size)
		}
	}
	b := s.blob
	l.order().PutUint16(b, 0xeb9f)
	b[2] = 1
	for i, n := range []int{headerSize, 0, len(types), len(types), len(names)} {
		l.order().PutUint32(b[4+4*i:], uint32(n))
	}
	s.blob = append(b, names...)
	return err
}

// append appends a number.
func (l *layout) append(b []byte, n uint32) []byte {
	b = append(b, 0, 0, 0, 0)
	l.order().PutUint32(b[len(b)-4:], n)
	return b
}

// untag returns the type that type tags are around: attributes for tools, as __user.
func (l *layout) untag(id uint32) (uint32, error) {
	for range maxTags {
		if kind, ok := l.kindOf(id); !ok || kind != kindTypeTag {
			return id, nil
		}
		h, _ := l.headerOf(id)
		id = h.sizeType
	}
	return 0, errors.New("BTF: type tags without an end")
}
