/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Up to 5.12: jump labels of 24 bytes with addresses.
 */

	.include "module.inc"
	.include "special/entries.inc"
	livepatch special_ppc64le_old, "5.12.0-99-test SMP mod_unload modversions "

	.text
	function patched
	blr
	.rept	2
1:	nop				# patched+0x4, +0x8
	jump24	1b, 1b, klp_key
	.endr
	end	patched
