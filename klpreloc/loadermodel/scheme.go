// SPDX-License-Identifier: GPL-2.0-or-later

package loadermodel

// Scheme is what a kernel's version decides.
type Scheme struct {
	Release string

	// Early: the module loader applies the klp relocations of vmlinux with all
	// others, and there is no .klp.arch (5.8, 7c8e2bdd5f0d and 1d05334d2899).
	Early bool

	// Alternative is the size of struct alt_instr: 13 with padlen, 12 without
	// (5.13, 23c1ad538f4f). 0: no alternatives are modelled.
	Alternative int

	// FeatureNot: bit 15 of cpuid means "when the feature is missing" (5.13).
	FeatureNot bool

	// ParavirtFirst: module_finalize does paravirt before alternatives (5.17).
	ParavirtFirst bool

	// JumpEntry is the size of struct jump_entry: 24 with absolute addresses,
	// 16 with relative ones (4.20).
	JumpEntry int

	// PC64: R_X86_64_PC64 is known (5.0).
	PC64 bool

	// NameWidth is the longest symbol name that a klp symbol can hold: KSYM_NAME_LEN
	// - 1, 127, and 511 from 6.1 on.
	NameWidth int

	// Clears: the klp relocations of a module that goes are taken back (6.3,
	// 0c05e7bd2d01).
	Clears bool

	// UniqueSections: two loaded sections of one name keep the module out, and
	// not just out of sysfs.
	UniqueSections bool

	// Nonzero is what is printed when a relocation meets bytes that are not zero
	// (since 4.15), up to the type.
	Nonzero string
}

// The kernels that tests are about.
var (
	Linux419 = Scheme{
		Release:     "4.19",
		Alternative: 13,
		JumpEntry:   24,
		NameWidth:   127,
		Nonzero:     "x86/modules: Skipping invalid relocation target, existing value is nonzero",
	}
	Linux54 = Scheme{
		Release:     "5.4",
		Alternative: 13,
		JumpEntry:   16,
		PC64:        true,
		NameWidth:   127,
		Nonzero:     "x86/modules: Skipping invalid relocation target, existing value is nonzero",
	}
	Linux61 = Scheme{
		Release:       "6.1",
		Early:         true,
		Alternative:   12,
		FeatureNot:    true,
		ParavirtFirst: true,
		JumpEntry:     16,
		PC64:          true,
		NameWidth:     511,
		Nonzero:       "x86/modules: Skipping invalid relocation target, existing value is nonzero",
	}
	// Alternatives of 6.12 have 14 bytes, and its kernel relocates a replacement
	// instruction by instruction: not modelled.
	Linux612 = Scheme{
		Release:        "6.12",
		Early:          true,
		JumpEntry:      16,
		PC64:           true,
		NameWidth:      511,
		Clears:         true,
		UniqueSections: true,
		Nonzero:        "x86/modules: Invalid relocation target, existing value is nonzero",
	}
)

// When says whether the patched modules are loaded before the patch, later or never.
type When int

const (
	Before When = iota // the modules are loaded, then the patch
	Later              // the patch, then the modules
	Never              // the patch alone
)

func (w When) String() string {
	return [...]string{"loaded before", "loaded later", "never loaded"}[w]
}

// Scenario is a kernel, what the patch says of itself, and what is loaded.
type Scenario struct {
	Scheme Scheme
	Kernel Kernel

	// Patched names the klp_objects of the patch, in its order: vmlinux, or a
	// module's name. The model does not read them in the file, where a
	// converter may have misread them.
	Patched []string

	// When says when the patched modules are loaded. Modules of the kernel that are
	// not patched always are.
	When When

	// Functions says which of the patch's functions replaces one of which object.
	// Only [Intended] and [Check] look. A function that is not here, and data,
	// belong to no object: an annotation then means its own object.
	Functions map[string]string
}

func (s Scenario) patches(object string) bool {
	for _, p := range s.Patched {
		if p == object {
			return true
		}
	}
	return false
}
