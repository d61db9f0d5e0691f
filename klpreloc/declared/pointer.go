// SPDX-License-Identifier: GPL-2.0-or-later

package declared

import (
	"fmt"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// What a pointer points to is not passed, but read and written by code of both sides. A pointer to
// void fits every other one, as in C; bytes of either sign are the same.

// maxDepth bounds how many pointers are followed.
const maxDepth = 16

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
			x.differTypes(Note, PointedTo, declared, actual,
				"it points to something of another name")
		}
	case a1.Kind == ctypes.Pointer || b1.Kind == ctypes.Pointer:
		pointer, other := a1, b1
		if b1.Kind == ctypes.Pointer {
			pointer, other = b1, a1
		}
		if isScalar(other) && other.Size == pointer.Size {
			x.differTypes(Note, PointedTo, declared, actual,
				"one points to a pointer, the other to an integer")
			return
		}
		x.differTypes(WrongCode, PointerDepth, declared, actual,
			"one points to a pointer, the other does not")
	case isScalar(a1) && isScalar(b1):
		switch {
		case a1.Incomplete || b1.Incomplete:
			if tag(a) != tag(b) {
				x.unjudged(fmt.Sprintf("what %s or %s points to is declared only", declared, actual))
			}
		case a1.Size != b1.Size:
			x.differTypes(WrongCode, PointedTo, declared, actual,
				fmt.Sprintf("it points to %s, the kernel's to %d", diag.Count(a1.Size, "byte"), b1.Size))
		case a1.Size > 1 && a1.Signed != b1.Signed && a1.Kind == ctypes.Int && b1.Kind == ctypes.Int,
			a1.Bool != b1.Bool:
			x.differTypes(Note, PointedTo, declared, actual, "the same bits are another value")
		}
	default:
		x.differTypes(Note, PointedTo, declared, actual, "it points to another kind of thing")
	}
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
