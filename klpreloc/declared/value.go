// SPDX-License-Identifier: GPL-2.0-or-later

package declared

import (
	"debug/elf"
	"fmt"

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

// maxDepth bounds how many pointers are followed.
const maxDepth = 16

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
		x.differTypes(WrongCode, Class, declared, actual, "an array is where it is, a pointer has to be read first")
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
		why := fmt.Sprintf("%d bytes are written or read where there are %d", a.Size, b.Size)
		switch {
		case f == fromKernel && a.Size > b.Size:
			why = fmt.Sprintf("the kernel sets %d bytes, the other %d that are read are undefined",
				b.Size, a.Size-b.Size)
		case f == toKernel && a.Size < b.Size:
			why = fmt.Sprintf("the kernel reads %d bytes, of which %d are not set", b.Size,
				b.Size-a.Size)
		}
		x.differTypes(WrongCode, Width, declared, actual, why)
		return
	}
	isPointer := a.Kind == ctypes.Pointer
	if isPointer != (b.Kind == ctypes.Pointer) {
		x.differTypes(Note, Class, declared, actual, "one is a pointer, the other an integer of the same size")
		return
	}
	if isPointer {
		x.comparePointers(declared, actual)
		return
	}
	if a.Bool != b.Bool {
		severity, why := Note, "one of them takes every value for 0 or 1"
		reader := b
		if f == fromKernel {
			reader = a
		}
		if f == inMemory || reader.Bool {
			severity, why = WrongCode, "bool must be 0 or 1, the other side may set other values"
		}
		x.differTypes(severity, Bool, declared, actual, why)
		return
	}
	// BTF may not tell the sign of enums.
	if a.Signed == b.Signed || a.Kind == ctypes.Enum || b.Kind == ctypes.Enum {
		return
	}
	if f == toKernel && !extends(x.machine, a.Size) {
		x.differTypes(Note, Sign, declared, actual, "the same bits are another number")
		return
	}
	x.differTypes(WrongCode, Sign, declared, actual, "the value is extended in another way")
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
			x.differTypes(Note, PointedTo, declared, actual, "it has another name, and is only declared")
		}
		return
	case a.Size != b.Size:
		x.differ(WrongCode, Size, fmt.Sprintf("%s, %d bytes", declared, a.Size),
			fmt.Sprintf("%s, %d bytes", actual, b.Size), "it has another size")
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
			"one is a struct, the other a number of the same size")
		return
	}
	x.differ(WrongCode, Class, declared.String(), actual.String(),
		"one is a struct, the other a number")
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

// comparePointers compares what two pointers point to, over all pointers in a row.
func (x *comparer) comparePointers(declared, actual *ctypes.Type) {
	a, b := declared, actual
	depth := 0
	for ; depth < maxDepth; depth++ {
		if a.Bare().Kind != ctypes.Pointer || b.Bare().Kind != ctypes.Pointer {
			break
		}
		a, b = a.Bare().Elem.Type(), b.Bare().Elem.Type()
	}
	if depth == maxDepth {
		x.unjudged("it is a pointer to a pointer, and so on")
		return
	}
	// A pointer to an array points to its elements as well.
	if a.Bare().Kind == ctypes.Array {
		_, a = a.Elements()
	}
	if b.Bare().Kind == ctypes.Array {
		_, b = b.Elements()
	}
	a1, b1 := a.Bare(), b.Bare()
	switch {
	case a1.Kind == ctypes.Unreadable:
		x.unjudged(a1.Why)
	case b1.Kind == ctypes.Unreadable:
		x.unjudged(b1.Why)
	case a1.Kind == ctypes.Void || b1.Kind == ctypes.Void: // every pointer fits
	case a1.Kind == ctypes.Func && b1.Kind == ctypes.Func:
		x.compareCallbacks(a1, b1, declared, actual)
	case isStruct(a1) && isStruct(b1):
		if tag(a) != tag(b) {
			x.differTypes(Note, PointedTo, declared, actual, "it points to something of another name")
		}
	case a1.Kind == ctypes.Pointer || b1.Kind == ctypes.Pointer:
		if n, ok := other(a1, b1).SizeOf(); ok && n == pointerSize(a1, b1) && !isStruct(other(a1, b1)) {
			x.differTypes(Note, PointedTo, declared, actual, "one points to a pointer, the other to an integer")
			return
		}
		x.differTypes(WrongCode, PointerDepth, declared, actual, "one points to a pointer, the other does not")
	case isScalar(a1) && isScalar(b1):
		switch {
		case a1.Incomplete || b1.Incomplete:
			x.unjudged(fmt.Sprintf("what %s or %s points to is declared only", declared,
				actual))
		case a1.Size != b1.Size:
			x.differTypes(WrongCode, PointedTo, declared, actual,
				fmt.Sprintf("it points to %d bytes where there are %d", a1.Size, b1.Size))
		case a1.Size > 1 && a1.Signed != b1.Signed && a1.Kind != ctypes.Enum && b1.Kind != ctypes.Enum,
			a1.Bool != b1.Bool:
			x.differTypes(Note, PointedTo, declared, actual, "the same bits are another value")
		}
	default:
		x.differTypes(Note, PointedTo, declared, actual, "it points to another kind of thing")
	}
}

// other returns the one of the two that is not a pointer.
func other(a, b *ctypes.Type) *ctypes.Type {
	if a.Kind == ctypes.Pointer {
		return b
	}
	return a
}

func pointerSize(a, b *ctypes.Type) uint64 {
	if a.Kind == ctypes.Pointer {
		return a.Size
	}
	return b.Size
}

// compareCallbacks compares what pointers to functions point to. Who calls is not known, so both
// directions have to fit.
func (x *comparer) compareCallbacks(a, b, declared, actual *ctypes.Type) {
	if a.Unprototyped || b.Unprototyped {
		return // it fits every function
	}
	if x.nested == maxNesting {
		x.unjudged("its parameters are functions whose parameters are functions, and so on")
		return
	}
	inner := Comparison{}
	y := &comparer{c: &inner, machine: x.machine, left: x.left, nested: x.nested + 1}
	y.comparePrototypes(a, b, inMemory)
	if worst := inner.Worst(); worst > Same {
		d := inner.Differences[0]
		for _, e := range inner.Differences {
			if e.Severity == worst {
				d = e
				break
			}
		}
		place := ""
		if d.Place != "" {
			place = " in its " + d.Place
		}
		x.differTypes(worst, PointedTo, declared, actual,
			fmt.Sprintf("the function that it points to differs%s: %s", place, d.Why))
	}
	for _, u := range inner.Unjudged {
		x.unjudged(u)
	}
}
