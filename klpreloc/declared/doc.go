// SPDX-License-Identifier: GPL-2.0-or-later

// Package declared compares what the source of a livepatch declares with what the kernel has:
// types of functions and variables, layouts of structs and unions, values of enums.
//
// A compiler believes a declaration. With another one than the kernel's it passes, reads or writes
// values otherwise than the code at the other end:
//
//	declared   int  is_ready(struct dev *d);     test %eax,%eax     reads 32 bits
//	actual     bool is_ready(struct dev *d);     setne %al          sets 8 of them
//
// Each function takes two types of package ctypes, from whatever source, and returns a
// Comparison: the list of differences, each with both sides for a table, and what could not be
// judged. A difference is
//
//	WrongCode   machine code that is compiled with one of the two does something else than
//	            code that is compiled with the other
//	Note        the same machine code, but not the same meaning: a pointer to a struct of
//	            another name, an integer where the other has a pointer
//
// and what is only spelt otherwise (typedef names, u8 and unsigned char, const) is no difference.
//
// A function has a caller and a callee, and it matters which of them the livepatch is (Use):
//
//	Borrowed    the livepatch calls:     caller is the declaration, callee the kernel's function
//	Replaced    the kernel calls:        caller is the old function, callee the new one
//
// How values are passed is a matter of the machine. The five that have livepatching pass integers
// and pointers in the same registers, one each, and differ in who extends a narrow one (extends in
// value.go) and in what they do with structs. The kernel passes no floating-point numbers.
//
// Structs are compared by name, one at a time, as deep as they have no names: a member whose type
// is another struct with a tag has that struct's size, and the struct has its own comparison.
//
// Nothing is guessed: types that are incomplete, unreadable or not described are Unjudged, with
// the reason.
package declared
