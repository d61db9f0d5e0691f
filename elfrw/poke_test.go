// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"golang.org/x/exp/slices"
)

// Fixtures of broken files are made from good ones by changing one field.

// poke changes one field of a file.
type poke func(k kind, b []byte)

// ehdrFields are offsets in the ELF header, {ELF32, ELF64}, and a width; width
// 0 is the class's word (gABI, "ELF Header").
var ehdrFields = map[string][3]int{
	"e_type": {16, 16, 2}, "e_version": {20, 20, 4}, "e_phoff": {28, 32, 0}, "e_shoff": {32, 40, 0},
	"e_ehsize": {40, 52, 2}, "e_phnum": {44, 56, 2}, "e_shentsize": {46, 58, 2},
	"e_shnum": {48, 60, 2}, "e_shstrndx": {50, 62, 2},
}

var shdrFields = map[string][3]int{
	"sh_name": {0, 0, 4}, "sh_type": {4, 4, 4}, "sh_flags": {8, 8, 0},
	"sh_offset": {16, 24, 0}, "sh_size": {20, 32, 0},
	"sh_link": {24, 40, 4}, "sh_info": {28, 44, 4}, "sh_addralign": {32, 48, 0},
	"sh_entsize": {36, 56, 0},
}

var symFields = map[string][3]int{"st_name": {0, 0, 4}, "st_info": {12, 4, 1},
	"st_shndx": {14, 6, 2}}

func put(k kind, b []byte, field [3]int, v uint64) {
	b = b[pick(k.wide(), field[1], field[0]):]
	switch field[2] {
	case 1:
		b[0] = byte(v)
	case 2:
		copy(b, k.u16(nil, uint16(v)))
	case 4:
		copy(b, k.u32(nil, uint32(v)))
	default:
		copy(b, k.word(nil, v))
	}
}

func read(k kind, b []byte, field [3]int) uint64 {
	b = b[pick(k.wide(), field[1], field[0]):]
	switch field[2] {
	case 2:
		return uint64(k.order().(interface{ Uint16([]byte) uint16 }).Uint16(b))
	case 4:
		return uint64(k.order().(interface{ Uint32([]byte) uint32 }).Uint32(b))
	}
	if k.wide() {
		return k.order().(interface{ Uint64([]byte) uint64 }).Uint64(b)
	}
	return uint64(k.order().(interface{ Uint32([]byte) uint32 }).Uint32(b))
}

func ident(i int, v byte) poke {
	return func(_ kind, b []byte) { b[i] = v }
}

func ehdr(field string, v uint64) poke {
	return func(k kind, b []byte) { put(k, b, ehdrFields[field], v) }
}

// shdr changes a field of the header of section n.
func shdrN(n int, field string, v uint64) poke {
	return func(k kind, b []byte) {
		put(k, b[read(k, b, ehdrFields["e_shoff"])+uint64(n*pick(k.wide(), 64, 40)):],
			shdrFields[field], v)
	}
}

// sh changes a field of the header of the named section of m.
func (m *image) sh(name, field string, v uint64) poke {
	return shdrN(m.num(name), field, v)
}

func (m *image) num(name string) int {
	return 1 + slices.IndexFunc(m.secs, func(s *tsec) bool { return s.name == name })
}

// at returns the contents of section n from offset off.
func at(k kind, b []byte, n, off int) []byte {
	h := b[read(k, b, ehdrFields["e_shoff"])+uint64(n*pick(k.wide(), 64, 40)):]
	return b[read(k, h, shdrFields["sh_offset"])+uint64(off):]
}

// in changes a byte of the contents of a section; a negative offset counts from
// the end.
func (m *image) in(name string, off int, v ...byte) poke {
	n := m.num(name)
	return func(k kind, b []byte) {
		if off < 0 {
			h := b[read(k, b, ehdrFields["e_shoff"])+uint64(n*pick(k.wide(), 64, 40)):]
			off += int(read(k, h, shdrFields["sh_size"]))
		}
		copy(at(k, b, n, off), v)
	}
}

// in32 changes a 32-bit field of the contents of a section.
func (m *image) in32(name string, off int, v uint32) poke {
	n := m.num(name)
	return func(k kind, b []byte) { copy(at(k, b, n, off), k.u32(nil, v)) }
}

// st changes a field of symbol i.
func (m *image) st(i int, field string, v uint64) poke {
	n := m.num(".symtab")
	return func(k kind, b []byte) {
		put(k, at(k, b, n, i*pick(k.wide(), 24, 16)), symFields[field],
			v)
	}
}

// relSym changes the symbol number of relocation i.
func (m *image) relSym(name string, i int, v uint32) poke {
	n := m.num(name)
	s := m.sec(name)
	return func(k kind, b []byte) {
		e := at(k, b, n, i*int(s.entsize))
		switch {
		case !k.wide():
			copy(e[4:], k.u32(nil, v<<8|1))
		case k == kindMIPS:
			copy(e[8:], k.u32(nil, v))
		default:
			copy(e[8:], k.u64(nil, uint64(v)<<32|1))
		}
	}
}

func chain(p ...poke) poke {
	return func(k kind, b []byte) {
		for _, p := range p {
			p(k, b)
		}
	}
}
