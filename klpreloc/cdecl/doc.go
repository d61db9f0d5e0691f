// SPDX-License-Identifier: GPL-2.0-or-later

// Package cdecl writes C: declarations of a kernel's functions and variables, from its types, that
// compile with that kernel's headers without a warning.
//
//	BTF or DWARF ──▶ ctypes.Function ──▶ Page.Function ──▶ extern int f(struct file *file);
//	                                     Page.Preamble ──▶ #include <linux/types.h>
//	                                                       struct file;
//
// A Page is one C file. Declarations are written to it one at a time, and it collects what must
// be before them:
//
//	struct, union      a forward declaration: enough for pointers, parameters of a declaration
//	                   and variables. The elements of an array must be complete, and so must
//	                   what a definition takes or returns: the header, if it is known
//	typedef            the header that has it, if it is known (headers.go); else the same typedef
//	                   again, which C allows (C11 6.7p3; gcc since 4.6)
//	enum               the header, if it is known; else the integer that the compiler uses for
//	                   it, which is a compatible type (C11 6.7.2.2p4)
//	without a name     void for what is pointed to; there is no way to write another
//
// What was replaced is a remark, to be written as a comment beside the declaration.
//
// A header may declare the same function: the declarations are compatible, as both are of the type
// with which the kernel was compiled. It may have a macro of the same name: the name of a function
// is in parentheses where one is known (macros in headers.go), so that it is not expanded.
//
// Names come from files that nobody has checked. What is no identifier is not written.
package cdecl
