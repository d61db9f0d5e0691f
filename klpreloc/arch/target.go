// SPDX-License-Identifier: GPL-2.0-or-later

package arch

import (
	"debug/elf"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Where a relocation leads. Against a symbol of a function or variable that is
// the symbol; the addend is a place within it. Against a section or a label the
// addend tells, and some types store it with a bias, because what they
// store is relative to another place than the field:
//
//	x86_64   relative to the next instruction: 4 bytes on, and 1, 2 or 4 more
//	         where an immediate operand follows the field
//	s390     relative to the instruction, which begins 2 bytes before the field
//	others   none: an instruction is its own field
//
// Jump tables hold places relative to the table, stored as relative to the
// field: the bias is how far the field is into the table.

// Target returns the place in f that x, which applies to s, leads to, and false
// where it leads to no place in f.
func Target(f *elfrw.File, s *elfrw.Section, x *elfrw.Rela,
) (to *elfrw.Section, offset uint64, ok bool) {
	y := x.Sym
	if y == nil || y.Section == nil {
		return nil, 0, false
	}
	switch y.Type() {
	case elf.STT_FUNC, elf.STT_OBJECT:
		return y.Section, y.Value, true
	}
	offset = y.Value + uint64(x.Addend) + bias(f, s, x)
	return y.Section, offset, offset <= y.Section.Size()
}

// bias returns what to add to x's addend.
func bias(f *elfrw.File, s *elfrw.Section, x *elfrw.Rela) uint64 {
	switch f.Header.Machine {
	case elf.EM_X86_64:
		switch elf.R_X86_64(x.Type) {
		case elf.R_X86_64_PC32, elf.R_X86_64_PLT32, elf.R_X86_64_GOTPCREL, elf.R_X86_64_GOTPCRELX,
			elf.R_X86_64_REX_GOTPCRELX:
			if Executable(s) {
				return 4 + immediate(s.Data, x.Offset)
			}
		}
	case elf.EM_S390:
		switch elf.R_390(x.Type) {
		case elf.R_390_PC16DBL, elf.R_390_PLT16DBL, elf.R_390_PC32DBL, elf.R_390_PLT32DBL,
			elf.R_390_GOTPCDBL, elf.R_390_GOTENT:
			if Executable(s) {
				return ^uint64(1) // -2
			}
		}
	}
	return 0
}

// Relative reports whether x stores how far its target is from the field.
func Relative(f *elfrw.File, x *elfrw.Rela) bool {
	switch f.Header.Machine {
	case elf.EM_X86_64:
		return x.Type == uint32(elf.R_X86_64_PC32) || x.Type == uint32(elf.R_X86_64_PC64)
	case elf.EM_S390:
		return x.Type == uint32(elf.R_390_PC32) || x.Type == uint32(elf.R_390_PC64)
	case elf.EM_PPC64:
		return x.Type == uint32(elf.R_PPC64_REL32) || x.Type == uint32(elf.R_PPC64_REL64)
	case elf.EM_PPC:
		return x.Type == uint32(elf.R_PPC_REL32)
	case elf.EM_AARCH64:
		return x.Type == uint32(elf.R_AARCH64_PREL32) || x.Type == uint32(elf.R_AARCH64_PREL64)
	case elf.EM_LOONGARCH:
		return x.Type == uint32(elf.R_LARCH_32_PCREL)
	}
	return false
}

// immediate returns how many bytes of operand follow the 32-bit displacement at
// offset in x86 code. It knows the instructions that have both (Intel SDM,
// volume 2, appendix A: opcodes 69, 6B, 80, 81, 83, C0, C1, C6, C7, F6/0, F7/0
// and of 0F: 70 to 73, A4, AC, BA, C2, C4 to C6).
func immediate(code []byte, offset uint64) uint64 {
	if offset < 2 || offset > uint64(len(code)) {
		return 0
	}
	at := func(back uint64) byte {
		if back > offset {
			return 0
		}
		return code[offset-back]
	}
	modrm, opcode := at(1), at(2)
	if modrm&0xc7 != 0x05 { // not relative to the next instruction
		return 0
	}
	if at(3) == 0x0f {
		switch opcode {
		case 0x70, 0x71, 0x72, 0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6:
			return 1
		}
		return 0
	}
	wide := uint64(4)
	if at(3) == 0x66 || at(4) == 0x66 && at(3)&0xf0 == 0x40 {
		wide = 2
	}
	switch opcode {
	case 0x6b, 0x80, 0x83, 0xc0, 0xc1, 0xc6:
		return 1
	case 0x69, 0x81, 0xc7:
		return wide
	case 0xf6:
		if modrm>>3&6 == 0 {
			return 1
		}
	case 0xf7:
		if modrm>>3&6 == 0 {
			return wide
		}
	}
	return 0
}

// Executable reports whether s holds code.
func Executable(s *elfrw.Section) bool { return s.Flags&uint64(elf.SHF_EXECINSTR) != 0 }
