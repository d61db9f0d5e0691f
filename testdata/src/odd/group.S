/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A COMDAT group, whose members include a relocation section, and sections that
 * are linked to code (SHF_LINK_ORDER), as -fpatchable-function-entry makes them.
 * The annotations are in the middle, so that removing them renumbers others.
 */

	.include "module.inc"

	record	vmlinux, foo
	.section .text.grouped, "axG", @progbits, grouped, comdat
	.weak	grouped
	.type	grouped, STT_FUNC
grouped:
1:	call	foo
	.size	grouped, . - grouped
	.section __patchable_function_entries, "awoG", @progbits, .text.grouped, grouped, comdat
	.balign	8
	.8byte	1b
	.8byte	foo
	.section .text.plain, "ax", @progbits
2:	call	foo
	.section __patchable_function_entries, "awo", @progbits, .text.plain
	.balign	8
	.8byte	2b

	livepatch group
