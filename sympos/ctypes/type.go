// SPDX-License-Identifier: GPL-2.0-or-later

package ctypes

import "math/bits"

// Kind is what a type is.
type Kind int

const (
	Void Kind = iota
	Int       // integers, characters and bool
	Float
	Enum
	Pointer
	Array
	Struct
	Union
	Func // parameters and result of a function
	Typedef
	Const
	Volatile
	Restrict
	Atomic
	Unreadable // see Type.Why
)

var kindNames = [...]string{"void", "integer", "floating point", "enum", "pointer", "array",
	"struct", "union", "function", "typedef", "const", "volatile", "restrict", "_Atomic",
	"unreadable type"}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "unknown type"
	}
	return kindNames[k]
}

// A Type is one type. It must not be modified; two Types of one source are the same type when
// they are the same pointer.
type Type struct {
	Kind Kind
	// Name is the name of an Int, Float or Typedef, and the tag of a Struct, Union or Enum;
	// "" without one.
	Name string
	// Size is in bytes, of Int, Float, Enum, Pointer, Struct and Union; of other types see
	// SizeOf.
	Size uint64
	// Signed is of Int and Enum. BTF written by pahole before 1.24 has no signed enums.
	Signed bool
	// SignUnknown marks an Int whose source does not tell its sign: a plain char in BTF that was
	// written by an old pahole. Signed is false then.
	SignUnknown bool
	// Bool marks C's _Bool, and Char the types that DWARF calls characters, plain char too.
	// BTF mostly does not tell characters from other integers of one byte.
	Bool, Char bool
	// Incomplete marks a Struct, Union or Enum of which no members or values are known: one
	// that is declared only, or (Size is not 0 then) one that a module's distilled base names.
	Incomplete bool
	// Elem is what a Pointer points to, an Array consists of, a Func returns, and what a
	// Typedef or a qualifier stands for.
	Elem Ref
	// Count is the number of an Array's elements, 0 if it has no length.
	Count uint64
	// Members are those of a Struct or Union, as they are in the source. The slice must not be
	// modified; the same goes for Values and Params.
	Members []Member
	Values  []Enumerator
	Params  []Param
	// Variadic marks a Func whose parameters end with "...".
	Variadic bool
	// Unprototyped marks a Func that was declared as f() before C23, which says nothing of its
	// parameters. Only DWARF tells.
	Unprototyped bool
	// Why is why the type is Unreadable, in one line.
	Why string
}

// A Member is a member of a Struct or Union.
type Member struct {
	Name string // "" for an anonymous struct or union, or for padding
	Type Ref
	// Offset is in bits from the beginning. For a bit field it is that of its first bit in the
	// machine's order: the least significant one on little-endian machines, else the most
	// significant one.
	Offset uint64
	// Width is that of a bit field in bits; 0 if the member is none.
	Width uint64
}

// An Enumerator is a value of an Enum. Value is sign-extended if the Enum is Signed.
type Enumerator struct {
	Name  string
	Value uint64
}

// A Param is a parameter of a Func.
type Param struct {
	Name string // "" if not known
	Type Ref
}

// Unread returns an Unreadable type.
func Unread(why string) *Type { return &Type{Kind: Unreadable, Why: why} }

// A Ref refers to a type that may not have been decoded yet. The zero Ref refers to void.
type Ref struct {
	types *Types
	key   Key
	inner *Type // without a key
}

var void = &Type{Kind: Void}

// Type decodes the type, if that is not done yet. It never returns nil.
func (r Ref) Type() *Type {
	if r.inner != nil {
		return r.inner
	}
	if r.types == nil {
		return void
	}
	return r.types.decode(r.key)
}

// IsVoid reports whether the Ref is the zero one. Others may lead to void too.
func (r Ref) IsVoid() bool { return r.types == nil && r.inner == nil }

// maxChain bounds how many typedefs and qualifiers follow each other. The kernel's longest
// chain has six.
const maxChain = 64

// maxNested bounds how deep arrays and declarators nest.
const maxNested = 32

// Bare returns the type without the typedefs and qualifiers around it.
func (t *Type) Bare() *Type {
	for range maxChain {
		switch t.Kind {
		case Typedef, Const, Volatile, Restrict, Atomic:
			t = t.Elem.Type()
		default:
			return t
		}
	}
	return Unread("a chain of typedefs without an end")
}

// Is reports whether one of the qualifiers around the type, before or after typedefs, is of that
// kind. An array is const if its elements are.
func (t *Type) Is(qualifier Kind) bool {
	for range maxChain {
		switch t.Kind {
		case qualifier:
			return true
		case Typedef, Const, Volatile, Restrict, Atomic, Array:
			t = t.Elem.Type()
		default:
			return false
		}
	}
	return false
}

// SizeOf returns the size of the type in bytes. ok is false when it has none that is known:
// void, functions, incomplete types, arrays without a length.
func (t *Type) SizeOf() (size uint64, ok bool) {
	size = 1
	for range maxNested {
		t = t.Bare()
		switch t.Kind {
		case Array:
			high, low := bits.Mul64(size, t.Count)
			if t.Count == 0 || high != 0 {
				return 0, false
			}
			size, t = low, t.Elem.Type()
			continue
		case Struct, Union, Enum:
			if t.Incomplete && t.Size == 0 {
				return 0, false
			}
		case Int, Float, Pointer:
		default:
			return 0, false
		}
		high, low := bits.Mul64(size, t.Size)
		return low, high == 0
	}
	return 0, false
}

// Elements returns how many elements an array has in all its dimensions, 0 if a dimension has
// no length, and the type of the elements, which is not an array. Of other types it returns 1 and
// the type itself. BTF has arrays of one dimension only, so this is what can be compared.
func (t *Type) Elements() (count uint64, elem *Type) {
	count = 1
	for range maxNested {
		bare := t.Bare()
		if bare.Kind != Array {
			return count, t
		}
		high, low := bits.Mul64(count, bare.Count)
		if high != 0 {
			return 0, Unread("an array of more than 2^64 elements")
		}
		count, t = low, bare.Elem.Type()
	}
	return 0, Unread("arrays nested too deep")
}
