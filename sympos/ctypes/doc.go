// SPDX-License-Identifier: GPL-2.0-or-later

// Package ctypes is a model of the C types of one build of a kernel or a module, the same
// whether they are read from BTF or from DWARF:
//
//	/boot/vmlinuz ─┐                            ┌─ patch.ko, built with -g
//	vmlinux        ├─ .BTF ─▶ frombtf           ├─ vmlinux of a debug package
//	/sys/kernel/btf│             │              │
//	ext4.ko ───────┘             │   fromdwarf ◀┴─ .debug_info
//	                             ▼       ▼
//	                          Decoder: one type at a time, by key
//	                                 │
//	                                 ▼
//	                              *Types: Functions, Variables, Named
//	                                 │
//	                                 ▼
//	                        *Type ──Ref──▶ *Type ──Ref──▶ …
//
// A Type has its own facts: kind, name, size, members. What it refers to is a Ref, and
// Ref.Type decodes it when it is called, once. So a function that takes a struct task_struct *
// costs four types and not the ten thousand that the struct leads to, and types that refer to
// themselves need no special case: a Type is the same pointer however it is reached.
//
//	FUNC vfs_read ─▶ Func ─┬─ Result ─▶ Typedef ssize_t ─▶ …
//	                       ├─ Params[0] ─▶ Pointer ─▶ Struct file   (members: Refs)
//	                       └─ Params[1] ─▶ Pointer ─▶ Int char
//
// The two formats differ in what they can say. The model has the smaller common part, and says
// what it does not know:
//
//	                       BTF                      DWARF
//	functions              those defined, without   those defined, and those that a unit
//	                       what pahole leaves out   declares and uses
//	variables              per-CPU ones             those defined, and those declared and
//	                                                used
//	int a[2][3]            one array of 6           two arrays
//	int a[], int a[0]      the same                 different
//	sign of char           since pahole 1.24      always
//	enum signed            since pahole 1.24        always
//	static                 no                       yes
//	names of static        once for each prototype  once for each definition
//	source files           no                       yes
//	functions in assembler void f(void)             told apart by the unit's language
//
// (pahole can describe global variables as well, but no kernel up to 7.3 asks for it:
// scripts/Makefile.btf, btf_features.)
//
// A Types says which build it belongs to (BuildID). Symbols of another build must not be used
// with it (sympos.Table.CheckTypes).
//
// Types come from files, which are hostile until checked. A reader refuses a file with one
// error; a type that turns out to be damaged when it is decoded has the kind Unreadable and
// says why (Type.Why), so that code which follows references needs no errors. No method
// recurses without a bound: the depth is limited by a named constant.
//
// A Types is for one goroutine at a time.
package ctypes
