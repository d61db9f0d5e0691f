/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions in sections of their own, and two tables of each name: 13 entries of
 * 12 bytes in the first, which are 12 of 13 from the size alone.
 *
 * ld: --unique=.altinstructions --unique=__jump_table
 */

	.include "module.inc"
	.include "special/entries.inc"
	livepatch special_unique

	.macro	alternatives which, flags, count
	.pushsection .text.\which, "ax"
	function \which
	.rept	\count
1:	.skip	5, 0x90
	.pushsection .altinstr_replacement.\which, "ax"
3:	call	unexported
4:	.popsection
	.pushsection .altinstructions, "a\flags", @progbits, one_\which, comdat
	.4byte	1b - ., 3b - .
	.2byte	0x123
	.byte	5, 4b - 3b
	.popsection
	.endr
1:	.byte	0x0f, 0x1f, 0x44, 0, 0
	.pushsection __jump_table, "aw\flags", @progbits, one_\which, comdat
	.4byte	1b - ., 1b - .
	.8byte	klp_key - .
	.popsection
	end	\which
	.popsection
	.endm

	alternatives first, G, 13
	alternatives second, G, 1
