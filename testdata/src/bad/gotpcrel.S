/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A relocation through a global offset table, which x86 modules do not have.
 */

	.include "module.inc"
	livepatch gotpcrel

	record	vmlinux, foo
	.text
	movq	foo@GOTPCREL(%rip), %rax
