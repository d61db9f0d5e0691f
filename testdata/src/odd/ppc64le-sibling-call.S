/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ppc64le: a branch that does not link needs no nop.
 */

	.include "module.inc"
	livepatch ppc64le_sibling_call

	record	vmlinux, foo
	.text
	.globl	caller
	.type	caller, STT_FUNC
caller:	bl	foo
	nop
	b	foo
	.size	caller, . - caller
