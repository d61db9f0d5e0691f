/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two sections of one name, each with its own relocations. The kernel wants the
 * names of klp sections to be unique.
 * ld: --unique=.text.same
 */

	.include "module.inc"
	livepatch same_section_name

	record	vmlinux, foo
	record	vmlinux, bar
	.section .text.same, "ax", @progbits, unique, 1
	.globl	one
one:	call	foo
	call	bar
	.section .text.same, "ax", @progbits, unique, 2
	.globl	two
two:	nop
	call	bar
