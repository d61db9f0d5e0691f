/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jump labels of 12 bytes, relative; those with addresses have the same size.
 */

	.include "module.inc"
	.include "special/entries.inc"
	livepatch special_ppc32

	.text
	function patched
	blr
1:	nop				# patched+0x4
	.section __jump_table, "aw"
	.balign	4
	.4byte	1b - ., 1b - ., klp_key + 1 - .
	.text
	end	patched
