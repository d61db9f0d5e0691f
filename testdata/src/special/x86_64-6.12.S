/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From 6.3 on: alternatives of 14 bytes, with the sh_entsize of 6.19. 182 bytes of
 * them: 13 of 14 bytes or, from the size alone, 14 of 13.
 */

	.include "module.inc"
	.include "special/entries.inc"
	livepatch special_6_12, "6.12.0-99-test SMP mod_unload modversions "

	.section .altinstructions, "aM", @progbits, 14
	.text
	function patched
	.rept	13
1:	.skip	5, 0x90
2:	.pushsection .altinstr_replacement, "ax"
3:	call	unexported
4:	.popsection
	.pushsection .altinstructions, "aM", @progbits, 14
	.4byte	1b - ., 3b - .
	.4byte	0x10123
	.byte	2b - 1b, 4b - 3b
	.popsection
	.endr
	end	patched
