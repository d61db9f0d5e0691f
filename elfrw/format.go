// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"debug/elf"
	"encoding/binary"
	"math/bits"
)

// Section header flags and section types that debug/elf has no name for.
const (
	shtLLVMAddrsig = elf.SectionType(0x6fff4c03) // LLVM: SHT_LLVM_ADDRSIG
	shtCREL        = elf.SectionType(0x40000014) // LLVM: compact relocations
	// LLVM up to 12: symbol numbers in contents
	shtLLVMCallGraphProfile = elf.SectionType(0x6fff4c02)
)

// The section flags that decide what a number in a header means.
const (
	flagAlloc     = uint64(elf.SHF_ALLOC)
	flagInfoLink  = uint64(elf.SHF_INFO_LINK)
	flagLinkOrder = uint64(elf.SHF_LINK_ORDER)
)

// Reserved section numbers (gABI, "Special Section Indexes").
const (
	shnLoReserve = 0xff00
	shnXIndex    = 0xffff
)

// format is the class and byte order of a file. Each method decodes or encodes
// one field at the start of b.
type format struct {
	wide bool // ELFCLASS64
	big  bool // ELFDATA2MSB

	// mips64el marks the one ABI that splits r_info differently: a 32-bit
	// symbol followed by four one-byte fields, whatever the byte order
	// (MIPS ELF64 object file specification, section 2.9).
	mips64el bool

	// Where the symbol number of a relocation is. It is read so often that
	// working this out each time would cost measurably.
	symAt    int  // offset of the word that holds it
	symShift uint // bits below it
}

// newFormat returns the format of a file with that class and byte order.
func newFormat(wide, big, mips bool) format {
	f := format{wide: wide, big: big, mips64el: wide && !big && mips}
	switch {
	case !wide:
		f.symAt, f.symShift = 4, 8
	case big, f.mips64el:
		f.symAt = 8
	default:
		f.symAt = 12
	}
	return f
}

func (f format) u16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if f.big {
		v = bits.ReverseBytes16(v)
	}
	return v
}

func (f format) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if f.big {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (f format) u64(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if f.big {
		v = bits.ReverseBytes64(v)
	}
	return v
}

func (f format) put16(b []byte, v uint16) {
	if f.big {
		v = bits.ReverseBytes16(v)
	}
	binary.LittleEndian.PutUint16(b, v)
}

func (f format) put32(b []byte, v uint32) {
	if f.big {
		v = bits.ReverseBytes32(v)
	}
	binary.LittleEndian.PutUint32(b, v)
}

func (f format) put64(b []byte, v uint64) {
	if f.big {
		v = bits.ReverseBytes64(v)
	}
	binary.LittleEndian.PutUint64(b, v)
}

// Sizes of the on-disk structures, in bytes (gABI, chapters 4 and 5).

func (f format) ehdrSize() int { return pick(f.wide, 64, 52) }
func (f format) shdrSize() int { return pick(f.wide, 64, 40) }
func (f format) symSize() int  { return pick(f.wide, 24, 16) }
func (f format) relaSize() int { return pick(f.wide, 24, 12) }
func (f format) relSize() int  { return pick(f.wide, 16, 8) }

// headerAlign is where linkers put the section header table: on a word of the
// class.
func (f format) headerAlign() uint64 { return uint64(pick(f.wide, 8, 4)) }

func (f format) relocSize(t elf.SectionType) int {
	if t == elf.SHT_REL {
		return f.relSize()
	}
	return f.relaSize()
}

func pick(wide bool, a, b int) int {
	if wide {
		return a
	}
	return b
}

// shdr is one section header as it is in the file (gABI, "Section Header").
type shdr struct {
	name      uint32
	typ       uint32
	flags     uint64
	addr      uint64
	offset    uint64
	size      uint64
	link      uint32
	info      uint32
	addralign uint64
	entsize   uint64
}

func (f format) shdr(b []byte) shdr {
	if f.wide {
		return shdr{
			f.u32(b), f.u32(b[4:]), f.u64(b[8:]), f.u64(b[16:]), f.u64(b[24:]), f.u64(b[32:]),
			f.u32(b[40:]), f.u32(b[44:]), f.u64(b[48:]), f.u64(b[56:]),
		}
	}
	return shdr{
		f.u32(b), f.u32(b[4:]), uint64(f.u32(b[8:])), uint64(f.u32(b[12:])), uint64(f.u32(b[16:])), uint64(f.u32(b[20:])),
		f.u32(b[24:]), f.u32(b[28:]), uint64(f.u32(b[32:])), uint64(f.u32(b[36:])),
	}
}

func (f format) putShdr(b []byte, h shdr) {
	f.put32(b, h.name)
	f.put32(b[4:], h.typ)
	if f.wide {
		f.put64(b[8:], h.flags)
		f.put64(b[16:], h.addr)
		f.put64(b[24:], h.offset)
		f.put64(b[32:], h.size)
		f.put32(b[40:], h.link)
		f.put32(b[44:], h.info)
		f.put64(b[48:], h.addralign)
		f.put64(b[56:], h.entsize)
		return
	}
	f.put32(b[8:], uint32(h.flags))
	f.put32(b[12:], uint32(h.addr))
	f.put32(b[16:], uint32(h.offset))
	f.put32(b[20:], uint32(h.size))
	f.put32(b[24:], h.link)
	f.put32(b[28:], h.info)
	f.put32(b[32:], uint32(h.addralign))
	f.put32(b[36:], uint32(h.entsize))
}

// fits32 reports whether every word of h fits into an ELF32 header.
func (h shdr) fits32() bool {
	return (h.flags|h.addr|h.offset|h.size|h.addralign|h.entsize)>>32 == 0
}

// rawSym is one symbol table entry as it is in the file (gABI, "Symbol
// Table").
type rawSym struct {
	name  uint32
	value uint64
	size  uint64
	info  byte
	other byte
	shndx uint16
}

func (f format) sym(b []byte) rawSym {
	if f.wide {
		return rawSym{f.u32(b), f.u64(b[8:]), f.u64(b[16:]), b[4], b[5], f.u16(b[6:])}
	}
	return rawSym{f.u32(b), uint64(f.u32(b[4:])), uint64(f.u32(b[8:])), b[12], b[13], f.u16(b[14:])}
}

func (f format) putSym(b []byte, s rawSym) {
	f.put32(b, s.name)
	if f.wide {
		b[4], b[5] = s.info, s.other
		f.put16(b[6:], s.shndx)
		f.put64(b[8:], s.value)
		f.put64(b[16:], s.size)
		return
	}
	f.put32(b[4:], uint32(s.value))
	f.put32(b[8:], uint32(s.size))
	b[12], b[13] = s.info, s.other
	f.put16(b[14:], s.shndx)
}

// relSym decodes the symbol number of r_info, which follows r_offset in
// b (gABI, "Relocation": ELF32_R_SYM, ELF64_R_SYM).
func (f format) relSym(b []byte) uint32 { return f.u32(b[f.symAt:]) >> f.symShift }

// relOffset decodes r_offset, for messages.
func (f format) relOffset(b []byte) int64 {
	if f.wide {
		return int64(f.u64(b))
	}
	return int64(f.u32(b))
}

// relType decodes the type of r_info.
func (f format) relType(b []byte) uint32 {
	switch {
	case !f.wide:
		return f.u32(b[4:]) & 0xff
	case f.mips64el:
		return binary.BigEndian.Uint32(b[12:])
	}
	return uint32(f.u64(b[8:]))
}

func (f format) putRelInfo(b []byte, sym, typ uint32) {
	switch {
	case !f.wide:
		f.put32(b[4:], sym<<8|typ)
	case f.mips64el:
		f.put32(b[8:], sym)
		binary.BigEndian.PutUint32(b[12:], typ)
	default:
		f.put64(b[8:], uint64(sym)<<32|uint64(typ))
	}
}
