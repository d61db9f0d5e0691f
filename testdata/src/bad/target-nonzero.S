/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes that the relocation is about to fill are not zero: x86 kernels
 * refuse the module.
 */

	.include "module.inc"
	livepatch target_nonzero

	record	vmlinux, foo
	.text
	call	foo
	.data
1:	.8byte	0x1122334455667788
	.reloc	1b, R_X86_64_64, foo
