/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 5.4: alternatives of 13 bytes, one of them; paravirt sites with the last cut
 * to 10; jump labels of 16 bytes.
 */

	.include "module.inc"
	.include "special/entries.inc"
	livepatch special_5_4, "5.4.0-99-test SMP mod_unload modversions "

	.text
	function patched
1:	.skip	5, 0x90
2:	ret
	.pushsection .altinstr_replacement, "ax"
3:	call	unexported
4:	.popsection
	alt13	1b, 2b, 3b, 4b
1:	call	*pv_ops			# patched+0x6
2:	para10	1b, 2b
1:	call	*pv_ops + 8		# patched+0xd
2:	para10	1b, 2b
1:	.byte	0xe9			# patched+0x14
	.4byte	9f - . - 4
	jump16	1b, 9f, klp_key + 3
9:	ret
	end	patched
