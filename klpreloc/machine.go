// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"debug/elf"
	"fmt"

	"github.com/klp-convert/klp-convert/elfrw"
)

// machine is what the conversion has to know about an architecture: what its
// module loader applies (arch/*/kernel/module*.c, apply_relocate_add), and what
// that asks of the bytes around.
type machine struct {
	name  string
	word  uint32              // relocation that stores an address, for records
	types map[uint32]int      // what the loader applies → bytes that it writes
	str   func(uint32) string // the psABI's name of a type

	// zeroTarget: the loader refuses to relocate bytes that are not zero
	// (arch/x86/kernel/module.c, __write_relocate_add).
	zeroTarget bool
	// pairs: relocations at one offset build one value and must be applied
	// together (loongarch SOP and ADD/SUB).
	pairs bool
	// nop: an R_PPC64_REL24 call goes through a stub, whose return reloads
	// r2 in place of the nop behind it (arch/powerpc/kernel/module_64.c,
	// restore_r2).
	nop bool
}

// of makes a set of types that write n bytes each.
func of(n int, types ...uint32) map[uint32]int {
	m := make(map[uint32]int, len(types))
	for _, t := range types {
		m[t] = n
	}
	return m
}

// span returns the numbers from a to b.
func span(a, b uint32) []uint32 {
	var r []uint32
	for ; a <= b; a++ {
		r = append(r, a)
	}
	return r
}

func join(sets ...any) []uint32 {
	var r []uint32
	for _, s := range sets {
		switch s := s.(type) {
		case []uint32:
			r = append(r, s...)
		case int:
			r = append(r, uint32(s))
		}
	}
	return r
}

// The architectures with HAVE_LIVEPATCH, up to 7.3.
var machines = map[elf.Machine]*machine{
	elf.EM_X86_64: {
		name: "x86_64", word: uint32(elf.R_X86_64_64), zeroTarget: true,
		str: func(t uint32) string { return elf.R_X86_64(t).String() },
		types: map[uint32]int{
			uint32(elf.R_X86_64_NONE): 0, uint32(elf.R_X86_64_64): 8, uint32(elf.R_X86_64_PC64): 8,
			uint32(elf.R_X86_64_PC32): 4, uint32(elf.R_X86_64_PLT32): 4,
			uint32(elf.R_X86_64_32): 4, uint32(elf.R_X86_64_32S): 4,
		},
	},
	elf.EM_S390: {
		name: "s390x", word: uint32(elf.R_390_64),
		str: func(t uint32) string { return elf.R_390(t).String() },
		// All but COPY, GLOB_DAT, JMP_SLOT, RELATIVE (9 to 12) and the
		// thread-local ones (37 to 56).
		types: of(-1, join(span(0, 8), span(13, 36), span(57, 59))...),
	},
	elf.EM_PPC64: {
		name: "ppc64", word: uint32(elf.R_PPC64_ADDR64), nop: true,
		str: func(t uint32) string { return elf.R_PPC64(t).String() },
		// Not NONE, which this loader rejects. TOC, ENTRY, REL16_LO and
		// REL16_HA it applies, but they are about the module's own TOC
		// and never about a symbol elsewhere.
		types: of(-1, join(1, 10, 26, 38, 44, 47, 48, 50, 63, 64, 109, 116, 132, 133)...),
	},
	elf.EM_PPC: {
		name: "ppc", word: uint32(elf.R_PPC_ADDR32),
		str: func(t uint32) string { return elf.R_PPC(t).String() },
		// ADDR32, ADDR16_LO, ADDR16_HI, ADDR16_HA, REL24, REL32
		// (arch/powerpc/kernel/module_32.c).
		types: of(-1, join(1, 4, 5, 6, 10, 26)...),
	},
	elf.EM_AARCH64: {
		name: "aarch64", word: uint32(elf.R_AARCH64_ABS64),
		str: func(t uint32) string { return elf.R_AARCH64(t).String() },
		// NONE (two numbers), data, MOVW, addresses, branches.
		types: of(-1, join(0, span(256, 280), span(282, 293), 299)...),
	},
	elf.EM_LOONGARCH: {
		name: "loongarch64", word: uint32(elf.R_LARCH_64), pairs: true,
		str: func(t uint32) string { return elf.R_LARCH(t).String() },
		// Not PCADD_*: its low half is looked up next to the high one in
		// the same section, under another symbol, so neither can move.
		types: of(-1, join(0, 1, 2, span(20, 24), 29, span(32, 46), 50, 51, 55, 56, span(66, 76), 99, 109)...),
	},
}

func machineOf(f *elfrw.File) (*machine, error) {
	m := machines[f.Header.Machine]
	if m == nil || m.wide() != (f.PointerSize() == 8) {
		return nil, fmt.Errorf("no kernel has livepatching on %v (%v)", f.Header.Machine, f.Header.Class)
	}
	return m, nil
}

func (m *machine) wide() bool { return m.name != "ppc" }

// typeName returns the psABI's name for a relocation type.
func typeName(f *elfrw.File, t uint32) string {
	if m := machines[f.Header.Machine]; m != nil {
		return m.str(t)
	}
	return fmt.Sprintf("type %d", t)
}
