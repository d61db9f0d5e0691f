// SPDX-License-Identifier: GPL-2.0-or-later

package declared

import (
	"debug/elf"
	"fmt"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// A value is passed to a function, returned by it, or stored in a variable or a member. There are
// two sides: the one that makes it and the one that reads it; memory has both on each side.
type flow int

const (
	toKernel   flow = iota // made by the livepatch, read by the kernel
	fromKernel             // made by the kernel, read by the livepatch
	inMemory               // both read and write it
)

// A comparer compares values for one machine and adds what differs to c.
type comparer struct {
	c       *Comparison
	machine elf.Machine
	place   string
	left    *int // how many types may still be compared
	nested  int  // how many structs without a tag are around the one that is compared
}

// maxCompared bounds the work for one comparison: functions whose parameters are functions.
const maxCompared = 1 << 16

func newComparer(c *Comparison, machine elf.Machine) *comparer {
	left := maxCompared
	return &comparer{c: c, machine: machine, left: &left}
}

// spend counts a comparison. When too many were made it notes that, and returns false.
func (x *comparer) spend() bool {
	if *x.left--; *x.left >= 0 {
		return true
	}
	if *x.left == -1 {
		x.unjudged("its types refer to too many others")
	}
	return false
}

// differTypes adds a difference whose sides are two types.
func (x *comparer) differTypes(severity Severity, subject Subject, declared, actual *ctypes.Type,
	why string,
) {
	x.differ(severity, subject, declared.String(), actual.String(), why)
}

func (x *comparer) differ(severity Severity, subject Subject, declared, actual, why string) {
	x.c.add(Difference{Severity: severity, Subject: subject, Place: x.place, Declared: declared,
		Actual: actual, Why: why})
}

// unjudged notes that the types at this place were not compared, and why.
func (x *comparer) unjudged(why string) {
	if x.place != "" {
		why = x.place + ": " + why
	}
	x.c.unjudged("%s", why)
}

// extends reports whether a machine's code relies on a value of that many bytes to be extended to
// a register as its sign asks, by the side that makes it.
//
//	s390x, ppc64   to 64 bits, in parameters and results (ELF ABIs of both, "Parameter Passing")
//	loongarch64    to 64 bits; one of 32 bits by its top bit whatever its sign (LoongArch psABI)
//	x86_64         to 32 bits, which only clang relies on
//	arm64          nobody: the side that reads extends (AAPCS64, 6.8.2)
func extends(machine elf.Machine, size uint64) bool {
	switch machine {
	case elf.EM_S390, elf.EM_PPC64:
		return size < 8
	case elf.EM_AARCH64:
		return false
	}
	return size < 4
}

// compareValue compares types of a value.
func (x *comparer) compareValue(declared, actual *ctypes.Type, f flow) {
	a, b := declared.Bare(), actual.Bare()
	for _, t := range []*ctypes.Type{a, b} {
		if t.Kind == ctypes.Unreadable {
			x.unjudged(t.Why)
			return
		}
	}
	if !x.spend() {
		return
	}
	switch {
	case isScalar(a) && isScalar(b):
		x.compareScalars(declared, actual, f)
	case a.Kind == ctypes.Array && b.Kind == ctypes.Array:
		x.compareArrays(declared, actual)
	case isStruct(a) && isStruct(b):
		x.compareStructs(declared, actual)
	case a.Kind == ctypes.Void && b.Kind == ctypes.Void:
	case a.Kind == ctypes.Float && b.Kind == ctypes.Float:
		if a.Size != b.Size {
			x.differTypes(WrongCode, Width, declared, actual, "it has another size")
		}
	case a.Kind == ctypes.Array && b.Kind == ctypes.Pointer && f == inMemory,
		a.Kind == ctypes.Pointer && b.Kind == ctypes.Array && f == inMemory:
		x.differTypes(WrongCode, Class, declared, actual,
			"an array is in its place, a pointer has to be read first")
	case isStruct(a) && isScalar(b) || isScalar(a) && isStruct(b):
		x.compareStructToScalar(declared, actual, f)
	default:
		x.differTypes(WrongCode, Class, declared, actual, "it is another kind of value")
	}
}

func isScalar(t *ctypes.Type) bool {
	return t.Kind == ctypes.Int || t.Kind == ctypes.Enum || t.Kind == ctypes.Pointer
}

func isStruct(t *ctypes.Type) bool { return t.Kind == ctypes.Struct || t.Kind == ctypes.Union }

// compareScalars compares integers, enums and pointers.
func (x *comparer) compareScalars(declared, actual *ctypes.Type, f flow) {
	a, b := declared.Bare(), actual.Bare()
	if (a.Incomplete || b.Incomplete) && tag(a) == tag(b) { // enum without values
		return
	}
	if a.Incomplete || b.Incomplete {
		x.unjudged(fmt.Sprintf("%s or %s is declared only", declared, actual))
		return
	}
	if a.Size != b.Size {
		why := fmt.Sprintf("the livepatch uses %s, the kernel %d", diag.Count(a.Size, "byte"), b.Size)
		switch {
		case f == fromKernel && a.Size > b.Size:
			why = fmt.Sprintf("the kernel sets %s, the rest of the %d that are read is undefined",
				diag.Count(b.Size, "byte"), a.Size)
		case f == toKernel && a.Size < b.Size:
			why = fmt.Sprintf("the livepatch sets %s of the %d that the kernel reads",
				diag.Count(a.Size, "byte"), b.Size)
		}
		x.differTypes(WrongCode, Width, declared, actual, why)
		return
	}
	isPointer := a.Kind == ctypes.Pointer
	if isPointer != (b.Kind == ctypes.Pointer) {
		x.differTypes(Note, Class, declared, actual,
			"one is a pointer, the other an integer of the same size")
		return
	}
	if isPointer {
		x.comparePointers(declared, actual)
		return
	}
	if a.Bool != b.Bool {
		severity, why := WrongCode, "bool must be 0 or 1, the other side may set other values"
		switch {
		case f == fromKernel && b.Bool: // what reads it finds 0 or 1
			severity, why = Note, "it is only 0 or 1"
		case f == toKernel && a.Bool: // the compiler converts to 0 or 1 before it passes
			why = "every other value than 0 is passed as 1"
		}
		x.differTypes(severity, Bool, declared, actual, why)
		return
	}
	if a.SignUnknown || b.SignUnknown {
		if a.Name != b.Name { // char is char: both are built with the kernel's flags
			x.unjudged("the kernel's types do not tell whether its char is signed")
		}
		return
	}
	// BTF may not tell the sign of enums.
	if a.Signed == b.Signed || a.Kind == ctypes.Enum || b.Kind == ctypes.Enum {
		return
	}
	severity, why := WrongCode, "the value is extended in another way"
	if f == toKernel && !extends(x.machine, a.Size) {
		severity, why = Note, "the same bits are another number"
	}
	x.differ(severity, Sign, declared.String()+signOf(a), actual.String()+signOf(b), why)
}

// signOf returns the sign of an integer for messages: char has either.
func signOf(t *ctypes.Type) string {
	if t.Signed {
		return " (signed)"
	}
	return " (unsigned)"
}

// compareArrays compares arrays in memory.
func (x *comparer) compareArrays(declared, actual *ctypes.Type) {
	n, a := declared.Elements()
	m, b := actual.Elements()
	if n != 0 && m != 0 && n != m {
		x.differ(WrongCode, Length, declared.String(), actual.String(),
			fmt.Sprintf("%d elements where there are %d", n, m))
	}
	x.compareValue(a, b, inMemory)
}

// compareStructs compares structs and unions by name and size. Those without a name are compared
// member by member.
func (x *comparer) compareStructs(declared, actual *ctypes.Type) {
	a, b := declared.Bare(), actual.Bare()
	tagA, tagB := tag(declared), tag(actual)
	switch {
	case a.Incomplete && a.Size == 0, b.Incomplete && b.Size == 0:
		if tagA != tagB {
			x.differTypes(Note, PointedTo, declared, actual,
				"it has another name, and is only declared")
		}
		return
	case a.Size != b.Size:
		x.differ(WrongCode, Size, fmt.Sprintf("%s, %s", declared, diag.Count(a.Size, "byte")),
			fmt.Sprintf("%s, %s", actual, diag.Count(b.Size, "byte")), "it has another size")
	case tagA != tagB:
		x.differTypes(Note, PointedTo, declared, actual, "it has another name and the same size")
	case a.Name == "" && b.Name == "":
		if x.nested == maxNesting {
			x.unjudged("structs without a name are nested too deep")
			return
		}
		x.nested++
		outer := x.place
		if x.place != "" {
			x.place += "."
		}
		x.compareMembers(a, b)
		x.place = outer
		x.nested--
	}
}

// compareStructToScalar compares a struct with an integer or a pointer: kuid_t with unsigned int.
func (x *comparer) compareStructToScalar(declared, actual *ctypes.Type, f flow) {
	n, okN := declared.SizeOf()
	m, okM := actual.SizeOf()
	inRegister := f == inMemory || x.machine == elf.EM_X86_64 || x.machine == elf.EM_AARCH64 ||
		x.machine == elf.EM_LOONGARCH
	if okN && okM && n == m && inRegister {
		x.differ(Note, Class, declared.String(), actual.String(),
			"one is a struct, the other is not, but has the same size")
		return
	}
	x.differ(WrongCode, Class, declared.String(), actual.String(),
		"one is a struct, the other is not")
}

// tag returns the name by which a struct, union or enum is known: struct foo, or that of the
// typedef around one without a tag; "" if it has none.
func tag(t *ctypes.Type) string {
	name := ""
	for range 64 {
		switch t.Kind {
		case ctypes.Typedef:
			name = t.Name
		case ctypes.Const, ctypes.Volatile, ctypes.Restrict, ctypes.Atomic:
		default:
			if t.Name != "" {
				return t.Kind.String() + " " + t.Name
			}
			return name
		}
		t = t.Elem.Type()
	}
	return name
}
