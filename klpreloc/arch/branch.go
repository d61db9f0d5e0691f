// SPDX-License-Identifier: GPL-2.0-or-later

package arch

import (
	"debug/elf"

	"github.com/klp-convert/klp-convert/elfrw"
)

// A call of a static function in the same section needs no relocation: the
// assembler knows the distance. So the code has to be looked at, for branches
// whose distance no relocation fills in. Which instructions those are:
//
//	x86_64   E8, E9, EB, 70 to 7F, 0F 80 to 8F, LEA relative to RIP (Intel SDM, volume 2)
//	s390     BRAS, BRC, BRASL, BRCL, LARL (z/Architecture Principles of Operation)
//	aarch64  B, BL, B.cond, CBZ, CBNZ, TBZ, TBNZ, ADR (Arm ARM, C4.1)
//	ppc      B, BC without AA (Power ISA, 2.4)
//	loongarch B, BL (LoongArch reference manual, volume 1, appendix B)

// Instruction is the length of one instruction, and where it refers to.
type Instruction struct {
	Size   int   // in bytes; 0: not an instruction that is known
	Refers bool  // it refers to a place by a distance
	To     int64 // the distance, from where the instruction begins
}

// Decoder returns a function that decodes the first instruction of some code, nil where the
// machine isn't known.
func Decoder(f *elfrw.File) func([]byte) Instruction {
	word := func(decode func(uint32) (int64, bool)) func([]byte) Instruction {
		return func(b []byte) Instruction {
			if len(b) < 4 {
				return Instruction{}
			}
			to, refers := decode(f.Uint32(b))
			return Instruction{4, refers, to}
		}
	}
	switch f.Header.Machine {
	case elf.EM_X86_64:
		return x86
	case elf.EM_S390:
		return s390
	case elf.EM_AARCH64:
		return word(aarch64)
	case elf.EM_PPC, elf.EM_PPC64:
		return word(ppc)
	case elf.EM_LOONGARCH:
		return word(loongarch)
	}
	return nil
}

// signed returns the low bits of v as a signed number.
func signed(v uint32, bits uint) int64 { return int64(int32(v<<(32-bits)) >> (32 - bits)) }

func aarch64(v uint32) (int64, bool) {
	switch {
	case v&0x7c000000 == 0x14000000: // B, BL
		return signed(v, 26) * 4, true
	case v&0xff000000 == 0x54000000, v&0x7e000000 == 0x34000000: // B.cond, CBZ, CBNZ
		return signed(v>>5, 19) * 4, true
	case v&0x7e000000 == 0x36000000: // TBZ, TBNZ
		return signed(v>>5, 14) * 4, true
	case v&0x9f000000 == 0x10000000: // ADR
		return signed(v>>5, 19)*4 | int64(v>>29&3), true
	}
	return 0, false
}

func ppc(v uint32) (int64, bool) {
	switch {
	case v&0xfc000002 == 0x48000000: // B
		return signed(v&^3, 26), true
	case v&0xfc000002 == 0x40000000: // BC
		return signed(v&^3, 16), true
	}
	return 0, false
}

func loongarch(v uint32) (int64, bool) {
	if v&0xf8000000 == 0x50000000 { // B, BL
		return signed(v<<16|v>>10&0xffff, 26) * 4, true
	}
	return 0, false
}

// s390 is big-endian, and the first two bits say how long an instruction is.
func s390(b []byte) Instruction {
	if len(b) < 2 {
		return Instruction{}
	}
	in := Instruction{Size: 2 * (int(b[0]>>6+1)/2 + 1)}
	if in.Size > len(b) {
		return Instruction{}
	}
	op := uint16(b[0])<<4 | uint16(b[1]&0xf)
	switch op {
	case 0xa74, 0xa75: // BRC, BRAS
		in.Refers, in.To = true, 2*int64(int16(uint16(b[2])<<8|uint16(b[3])))
	case 0xc00, 0xc04, 0xc05: // LARL, BRCL, BRASL
		distance := int32(uint32(b[2])<<24 | uint32(b[3])<<16 | uint32(b[4])<<8 | uint32(b[5]))
		in.Refers, in.To = true, 2*int64(distance)
	}
	return in
}
