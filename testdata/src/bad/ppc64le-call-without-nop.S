/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ppc64le: a call is not followed by a nop, where the loader wants to restore the
 * TOC pointer.
 */

	.include "module.inc"
	livepatch ppc64le_call_without_nop

	record	vmlinux, foo
	.text
	.globl	caller
	.type	caller, STT_FUNC
caller:	mflr	0
	bl	foo
	mtlr	0
	blr
	.size	caller, . - caller
