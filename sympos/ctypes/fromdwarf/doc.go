// SPDX-License-Identifier: GPL-2.0-or-later

// Package fromdwarf reads C types from debug information (DWARF 2 to 5): of a livepatch built
// with -g, of a module, of a vmlinux or a debug package.
//
// A compiler describes in each unit what that unit uses. What it uses of other units it declares:
//
//	extern bool foo(int x);              DW_TAG_subprogram  foo, external, declaration
//	extern int bar[];                    DW_TAG_variable    bar, external, declaration
//	struct baz;                          DW_TAG_structure_type  baz, declaration
//
// That is what an author of a livepatch believes of a kernel. gcc and clang write declarations of
// functions since DWARF 3 and gcc 4.3, but only of those that are used; of a declaration within a
// function nothing is read here.
//
// One name may be described many times, once for each unit. Read makes an index of the names in
// one pass over the top entries of all units, of the wanted names only: the debug information of a
// kernel has some millions of names. After that only entries that are asked for are decoded.
//
// Three things take two entries. A definition that follows a declaration refers to it
// (DW_AT_specification) and has no name. The code of a function that is also inlined refers to the
// entry that has its name (DW_AT_abstract_origin). A type in a unit of its own
// (-fdebug-types-section) is declared with its signature (DW_AT_signature).
//
// The entries are read by package debuginfo, which relocates those of modules. The standard
// library's debug/dwarf reads the abbreviations of all units before anything else, some hundred
// megabytes of a kernel, and a small file in which each unit has abbreviations of its own costs it
// the square of its size. It is the oracle of the tests.
package fromdwarf
