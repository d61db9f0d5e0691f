/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alternatives of 12 bytes, the second by a function of the kernel; jump labels of
 * 16.
 */

	.include "module.inc"
	.include "special/entries.inc"
	livepatch special_aarch64, "6.17.0-99-test SMP mod_unload modversions "

	.text
	function patched
	nop
1:	nop				// patched+0x4
2:	.pushsection .altinstr_replacement, "ax"
	nop
3:	bl	unexported
4:	.popsection
	alt12	1b, 2b, 3b, 4b
1:	nop				// patched+0x8
2:	alt12	1b, 2b, spectre_bhb_patch_clearbhb, spectre_bhb_patch_clearbhb
1:	nop				// patched+0xc
	jump16	1b, 2b, klp_key + 1
	ret
	end	patched
