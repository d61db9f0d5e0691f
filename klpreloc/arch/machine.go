// SPDX-License-Identifier: GPL-2.0-or-later

package arch

import (
	"debug/elf"
	"fmt"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Machine is what the project has to know of an architecture: what the psABI calls its
// relocations, what its module loader applies (arch/*/kernel/module*.c,
// apply_relocate_add), and what that asks of the bytes around.
type Machine struct {
	Name     string              // as uname -m says it; ppc64le has the row of ppc64
	TypeName func(uint32) string // the psABI's name of a relocation type

	Word         uint32   // the relocation that stores an address in a pointer
	None         []uint32 // relocations that do nothing
	Rel32, Rel64 []uint32 // relocations that store the distance from their place

	// ZeroTarget: the loader refuses to relocate bytes that are not zero
	// (arch/x86/kernel/module.c, __write_relocate_add).
	ZeroTarget bool
	// Pairs: relocations at one offset build one value and must be applied
	// together (loongarch SOP and ADD/SUB).
	Pairs bool
	// Nop: an R_PPC64_REL24 call goes through a stub, whose return reloads
	// r2 in place of the nop after it (arch/powerpc/kernel/module_64.c,
	// restore_r2).
	Nop bool

	types []typeRange // what the loader applies
}

// typeRange is the numbers of types from the first to the last, and how many bytes
// each writes where that matters (x86).
type typeRange struct {
	first, last uint32
	width       int
}

// Width returns how many bytes a relocation of type t writes, 0 where that is not
// known, and false when the module loader does not apply that type.
func (m *Machine) Width(t uint32) (int, bool) {
	for _, s := range m.types {
		if s.first <= t && t <= s.last {
			return s.width, true
		}
	}
	return 0, false
}

// Machines are the architectures with HAVE_LIVEPATCH, up to 7.3. Of must be asked whether a
// file has the width of one.
var Machines = map[elf.Machine]*Machine{
	elf.EM_X86_64: {
		Name: "x86_64", Word: uint32(elf.R_X86_64_64), ZeroTarget: true,
		TypeName: func(t uint32) string { return elf.R_X86_64(t).String() },
		None:     []uint32{uint32(elf.R_X86_64_NONE)},
		// PLT32 is PC32 to the loader (arch/x86/kernel/module.c).
		Rel32: []uint32{uint32(elf.R_X86_64_PC32), uint32(elf.R_X86_64_PLT32)},
		Rel64: []uint32{uint32(elf.R_X86_64_PC64)},
		// NONE, 64, PC32, PLT32, 32 and 32S, PC64.
		types: []typeRange{{0, 0, 0}, {1, 1, 8}, {2, 2, 4}, {4, 4, 4}, {10, 11, 4}, {24, 24, 8}},
	},
	elf.EM_S390: {
		Name: "s390x", Word: uint32(elf.R_390_64),
		TypeName: func(t uint32) string { return elf.R_390(t).String() },
		None:     []uint32{uint32(elf.R_390_NONE)},
		Rel32:    []uint32{uint32(elf.R_390_PC32)},
		Rel64:    []uint32{uint32(elf.R_390_PC64)},
		// All but COPY, GLOB_DAT, JMP_SLOT, RELATIVE (9 to 12) and the
		// thread-local ones (37 to 56).
		types: []typeRange{{0, 8, 0}, {13, 36, 0}, {57, 59, 0}},
	},
	elf.EM_PPC64: {
		Name: "ppc64", Word: uint32(elf.R_PPC64_ADDR64), Nop: true,
		TypeName: func(t uint32) string { return elf.R_PPC64(t).String() },
		Rel32:    []uint32{uint32(elf.R_PPC64_REL32)},
		Rel64:    []uint32{uint32(elf.R_PPC64_REL64)},
		// Not NONE, which this loader rejects. TOC, ENTRY, REL16_LO and
		// REL16_HA it applies, but they are about the module's own TOC
		// and never about a symbol elsewhere.
		types: []typeRange{{1, 1, 0}, {10, 10, 0}, {26, 26, 0}, {38, 38, 0}, {44, 44, 0}, {47, 48, 0},
			{50, 50, 0}, {63, 64, 0}, {109, 109, 0}, {116, 116, 0}, {132, 133, 0}},
	},
	elf.EM_PPC: {
		Name: "ppc", Word: uint32(elf.R_PPC_ADDR32),
		TypeName: func(t uint32) string { return elf.R_PPC(t).String() },
		Rel32:    []uint32{uint32(elf.R_PPC_REL32)},
		// ADDR32, ADDR16_LO, ADDR16_HI, ADDR16_HA, REL24, REL32
		// (arch/powerpc/kernel/module_32.c).
		types: []typeRange{{1, 1, 0}, {4, 6, 0}, {10, 10, 0}, {26, 26, 0}},
	},
	elf.EM_AARCH64: {
		Name: "aarch64", Word: uint32(elf.R_AARCH64_ABS64),
		TypeName: func(t uint32) string { return elf.R_AARCH64(t).String() },
		None:     []uint32{uint32(elf.R_AARCH64_NONE), 256},
		Rel32:    []uint32{uint32(elf.R_AARCH64_PREL32)},
		Rel64:    []uint32{uint32(elf.R_AARCH64_PREL64)},
		// NONE (two numbers), data, MOVW, addresses, branches.
		types: []typeRange{{0, 0, 0}, {256, 280, 0}, {282, 293, 0}, {299, 299, 0}},
	},
	elf.EM_LOONGARCH: {
		Name: "loongarch64", Word: uint32(elf.R_LARCH_64), Pairs: true,
		TypeName: func(t uint32) string { return elf.R_LARCH(t).String() },
		None:     []uint32{uint32(elf.R_LARCH_NONE)},
		Rel32:    []uint32{uint32(elf.R_LARCH_32_PCREL)},
		Rel64:    []uint32{109}, // R_LARCH_64_PCREL
		// Not PCADD_*: its low half is looked up next to the high one in
		// the same section, under another symbol, so neither can move.
		// Nor SOP_POP_32_S_10_5 and ABS_*, which the loader knows by name only.
		types: []typeRange{{0, 2, 0}, {20, 24, 0}, {29, 29, 0}, {32, 37, 0}, {39, 46, 0}, {50, 51, 0},
			{55, 56, 0}, {66, 66, 0}, {71, 76, 0}, {99, 99, 0}, {109, 109, 0}},
	},
}

// Of returns the row of f's machine, and an error when no kernel for it, or for its width,
// has livepatching.
func Of(f *elfrw.File) (*Machine, error) {
	m := Machines[f.Header.Machine]
	if m == nil || m.Wide() != (f.PointerSize() == 8) {
		return nil, fmt.Errorf("no kernel has livepatching on %v (%v)", f.Header.Machine, f.Header.Class)
	}
	return m, nil
}

// Wide reports whether a pointer has 8 bytes.
func (m *Machine) Wide() bool { return m.Name != "ppc" }

// RelocName returns the psABI's name for a relocation type of f's machine.
func RelocName(f *elfrw.File, t uint32) string {
	if m := Machines[f.Header.Machine]; m != nil {
		return m.TypeName(t)
	}
	return fmt.Sprintf("type %d", t)
}

// RelocWidth returns how many bytes a relocation of type t writes, 0 where that is
// not known, and false when the module loader of f's machine does not apply it to
// klp symbols.
func RelocWidth(f *elfrw.File, t uint32) (int, bool) {
	if m := Machines[f.Header.Machine]; m != nil {
		return m.Width(t)
	}
	return 0, false
}
