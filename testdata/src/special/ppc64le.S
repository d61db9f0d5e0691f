/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jump labels of 16 bytes (5.13); feature sections of 48, one of them without an
 * alternative.
 */

	.include "module.inc"
	.include "special/entries.inc"
	livepatch special_ppc64le, "6.1.0-99-test SMP mod_unload modversions "

	.macro	feature from, to, new, end
	.pushsection __ftr_fixup, "a"
	.balign	8
5:	.8byte	0x400, 0
	.8byte	\from - 5b, \to - 5b, \new - 5b, \end - 5b
	.popsection
	.endm

	.text
	function patched
1:	nop
	jump16	1b, 2f, klp_key + 1
2:	blr
1:	nop				# patched+0x8
	nop
2:	.pushsection __ftr_alt_1, "ax"
	nop
3:	bl	unexported
4:	.popsection
	feature 1b, 2b, 3b, 4b
1:	nop				# patched+0x10
2:	feature 1b, 2b, 3b, 3b
	end	patched
