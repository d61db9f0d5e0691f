/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 6.1: alternatives of 11 bytes, jump labels of 16.
 */

	.include "module.inc"
	.include "special/entries.inc"
	livepatch special_s390x, "6.1.0-99-test SMP mod_unload modversions "

	.text
	function patched
	.rept	2
	brcl	0, 0
1:	brcl	0, 0			# patched+0x6, +0x12
2:	.pushsection .altinstr_replacement, "ax"
3:	brasl	%r14, unexported
4:	.popsection
	.pushsection .altinstructions, "a"
	.4byte	1b - ., 3b - .
	.2byte	0x123
	.byte	2b - 1b
	.popsection
	.endr
1:	brcl	0, 2			# patched+0x18
	jump16	1b, 2b, klp_key + 3
	br	%r14
	end	patched
