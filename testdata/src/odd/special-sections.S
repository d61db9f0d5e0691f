/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * klp relocations into sections whose names have no dot in front, and into the
 * kernel's special sections: of vmlinux's symbols, which is allowed.
 */

	.include "module.inc"
	livepatch special_sections

	record	vmlinux, foo
	record	vmlinux, key
	.text
1:	.byte	0x0f, 0x1f, 0x44, 0x00, 0x00
2:	ret
	.section __jump_table, "aw"
	.balign	8
	.4byte	1b - ., 2b - .
	.8byte	key + 2 - .
	.section .altinstr_replacement, "ax"
3:	call	foo
	.section .altinstructions, "a"
	.4byte	1b - ., 3b - .
	.2byte	0
	.byte	5, 5
	.section __ex_table, "a"
	.balign	4
	.4byte	1b - ., foo - ., 0
