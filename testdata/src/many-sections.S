/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Enough sections to need SHT_SYMTAB_SHNDX and the escapes of e_shnum: not kept
 * as a binary, "scripts/testdata.sh many FILE" makes it. The annotation section
 * is in the middle, the last section has a klp relocation.
 */

	.include "module.inc"
	livepatch many_sections

	.altmacro
	.macro	sections from, to
	.set	n, \from
	.rept	\to - \from
	numbered %n
	.set	n, n + 1
	.endr
	.endm
	.macro	numbered n
	.section .data.n\n, "aw"
	.byte	0
	.endm

	sections 0, 33000
	record	vmlinux, foo
	sections 33000, 65500
	.section .text.last, "ax"
	.globl	last
last:	call	foo
