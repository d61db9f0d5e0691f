/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record names a symbol that the module defines itself.
 */

	.include "module.inc"
	livepatch symbol_defined

	record	vmlinux, foo
	use	foo
	.text
	.globl	foo
	.type	foo, STT_FUNC
foo:	ret
	.size	foo, . - foo
