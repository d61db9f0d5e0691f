/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 4.19: alternatives of 13 bytes, paravirt sites of 16 with the last cut to 12,
 * jump labels of 24 with addresses.
 */

	.include "module.inc"
	.include "special/entries.inc"
	livepatch special_4_19, "4.19.0-99-test SMP mod_unload modversions "

	.text
	function patched
	.skip	3, 0x90
1:	.skip	5, 0x90			# patched+0x3
2:	ret
	.pushsection .altinstr_replacement, "ax"
3:	call	unexported
4:	.popsection
	alt13	1b, 2b, 3b, 4b
1:	.byte	0x0f, 0x1f, 0x44, 0, 0	# patched+0x9
2:	ret
	jump24	1b, 2b, klp_key + 1
	jump24	1b, 2b, own_key
	end	patched

	.section .text.unlikely, "ax"
	function cold
1:	call	*pv_ops
2:	ret
	para12	1b, 2b
1:	.skip	6, 0x90			# cold+0x8
2:	.pushsection .altinstr_replacement, "ax"
3:	popcnt	%rdi, %rax
4:	.popsection
	alt13	1b, 2b, 3b, 4b
1:	call	*pv_ops + 8		# cold+0xe
2:	para12	1b, 2b
	end	cold

	.data
	variable own_key
