// SPDX-License-Identifier: GPL-2.0-or-later

package declared

import (
	"debug/elf"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// PerCPU is the section of BTF that per-CPU variables of a kernel are in
// (include/asm-generic/vmlinux.lds.h, PERCPU_SECTION; pahole's btf_encoder.c).
const PerCPU = ".data..percpu"

// Variable compares a variable that a livepatch declares with the kernel's. Whether a livepatch
// uses a variable as a per-CPU one is not part of its type, so that is Unjudged.
func Variable(machine elf.Machine, declared, actual ctypes.Variable) Comparison {
	a, b := declared.Type.Type(), actual.Type.Type()
	c := Comparison{Name: actual.Name, Declared: a.Declare(declared.Name),
		Actual: b.Declare(actual.Name)}
	x := newComparer(&c, machine)
	if b.Bare().Kind == ctypes.Void {
		c.unjudged("its type is not described")
		return c
	}
	x.compareValue(a, b, inMemory)
	if b.Is(ctypes.Const) && !a.Is(ctypes.Const) {
		x.differTypes(Note, Constant, a, b, "it is read-only: a write is a fault")
	}
	if actual.Section == PerCPU {
		c.unjudged("it is a per-CPU variable: whether the livepatch uses it as one is not part of " +
			"its type")
	}
	return c
}
