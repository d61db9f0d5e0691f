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
	types []span              // what the loader applies
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

// span is the numbers of types from the first to the last, and how many bytes
// each writes where that matters (x86).
type span struct {
	first, last uint32
	width       int
}

// width returns how many bytes type t writes, and false when the loader does
// not apply it.
func (m *machine) width(t uint32) (int, bool) {
	for _, s := range m.types {
		if s.first <= t && t <= s.last {
			return s.width, true
		}
	}
	return 0, false
}

// The architectures with HAVE_LIVEPATCH, up to 7.3.
var machines = map[elf.Machine]*machine{
	elf.EM_X86_64: {
		name: "x86_64", word: uint32(elf.R_X86_64_64), zeroTarget: true,
		str: func(t uint32) string { return elf.R_X86_64(t).String() },
		// NONE, 64, PC32, PLT32, 32 and 32S, PC64.
		types: []span{{0, 0, 0}, {1, 1, 8}, {2, 2, 4}, {4, 4, 4}, {10, 11, 4}, {24, 24, 8}},
	},
	elf.EM_S390: {
		name: "s390x", word: uint32(elf.R_390_64),
		str: func(t uint32) string { return elf.R_390(t).String() },
		// All but COPY, GLOB_DAT, JMP_SLOT, RELATIVE (9 to 12) and the
		// thread-local ones (37 to 56).
		types: []span{{0, 8, 0}, {13, 36, 0}, {57, 59, 0}},
	},
	elf.EM_PPC64: {
		name: "ppc64", word: uint32(elf.R_PPC64_ADDR64), nop: true,
		str: func(t uint32) string { return elf.R_PPC64(t).String() },
		// Not NONE, which this loader rejects. TOC, ENTRY, REL16_LO and
		// REL16_HA it applies, but they are about the module's own TOC
		// and never about a symbol elsewhere.
		types: []span{{1, 1, 0}, {10, 10, 0}, {26, 26, 0}, {38, 38, 0}, {44, 44, 0}, {47, 48, 0}, {50, 50, 0}, {63, 64, 0}, {109, 109, 0}, {116, 116, 0}, {132, 133, 0}},
	},
	elf.EM_PPC: {
		name: "ppc", word: uint32(elf.R_PPC_ADDR32),
		str: func(t uint32) string { return elf.R_PPC(t).String() },
		// ADDR32, ADDR16_LO, ADDR16_HI, ADDR16_HA, REL24, REL32
		// (arch/powerpc/kernel/module_32.c).
		types: []span{{1, 1, 0}, {4, 6, 0}, {10, 10, 0}, {26, 26, 0}},
	},
	elf.EM_AARCH64: {
		name: "aarch64", word: uint32(elf.R_AARCH64_ABS64),
		str: func(t uint32) string { return elf.R_AARCH64(t).String() },
		// NONE (two numbers), data, MOVW, addresses, branches.
		types: []span{{0, 0, 0}, {256, 280, 0}, {282, 293, 0}, {299, 299, 0}},
	},
	elf.EM_LOONGARCH: {
		name: "loongarch64", word: uint32(elf.R_LARCH_64), pairs: true,
		str: func(t uint32) string { return elf.R_LARCH(t).String() },
		// Not PCADD_*: its low half is looked up next to the high one in
		// the same section, under another symbol, so neither can move.
		types: []span{{0, 2, 0}, {20, 24, 0}, {29, 29, 0}, {32, 46, 0}, {50, 51, 0}, {55, 56, 0}, {66, 76, 0}, {99, 99, 0}, {109, 109, 0}},
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

// RelocName returns the psABI's name for a relocation type of f's machine.
func RelocName(f *elfrw.File, t uint32) string { return typeName(f, t) }
