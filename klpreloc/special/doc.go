// SPDX-License-Identifier: GPL-2.0-or-later

// Package special reads a module's special sections: tables that tell the kernel
// which instructions to rewrite while it loads the module.
//
//	.altinstructions     where │ by what │ which CPU feature │ lengths
//	.parainstructions    where           │ which operation   │ length
//	__jump_table         where │ to where │ key
//	.static_call_sites   where │ key
//	.retpoline_sites     where
//	.return_sites        where
//	__ftr_fixup (ppc64)  which CPU feature │ from, to │ by what, from, to
//
// Most fields are places, and so relocations. What a place is depends on the
// machine and the kernel, but it is one of three: an address, the distance from
// the field that holds it, or (ppc64's features) from the entry's start.
//
// The kernel goes through these tables once, when all ordinary relocations have
// been applied and before a module's klp relocations are. So three kinds of place
// are too late for these: the instructions that an entry covers (its Site), the
// code that was to be copied there (its Replacement), and the entry itself.
// Sites, Replacements and In answer for a place which entries that concerns.
//
// The format of an entry changed over the years, and kernels carry later formats
// under earlier versions, so nothing here asks for a version or for a symbol's
// name: the size of an entry is the one under which the section's size and the
// places of its relocations agree. All that is then taken from an entry has been
// checked: that each of its fields has its relocation, of a type that the field
// can have, and that it leads into the module. Data that merely looks like a
// special section is reported as a Problem, and no entry is taken from there on.
//
// Tables need not be sorted; the kernel sorts those that it has to.
package special
