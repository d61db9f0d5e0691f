/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ppc64le: the tables of places that hold one instruction each, a barrier or a nop,
 * which the kernel replaces (arch/powerpc/include/asm/feature-fixups.h), beside a klp
 * relocation of a module.
 */

	.include "module.inc"
	livepatch ppc64le_fixups

	record	ext4, foo

	.macro	fixup section, place
	.pushsection \section, "a"
	.balign	8
99:	.8byte	\place - 99b
	.popsection
	.endm

	.text
	.globl	caller
	.type	caller, STT_FUNC
caller:
1:	lwsync
	fixup	__lwsync_fixup, 1b
2:	nop
	fixup	__barrier_nospec_fixup, 2b
	bl	foo
	nop
	blr
	.size	caller, . - caller
