/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 5.13 to 5.15: objtool's alternatives of indirect calls and jumps, whose replacements
 * the kernel has, beside one of the compiler's. objtool writes entries after those of
 * the sources, and makes the section if it does not exist, with SHF_WRITE and sh_entsize.
 */

	.include "module.inc"
	.include "special/entries.inc"
	livepatch special_5_14

	.text
	function patched
1:	.skip	6, 0x90
2:
	.pushsection .altinstr_replacement, "ax"
3:	call	unexported
4:	.popsection
	alt12	1b, 2b, 3b, 4b
1:	call	__x86_indirect_thunk_rax	# patched+0x6
2:	alt_import 1b, 2b, __x86_indirect_alt_call_rax, 5
1:	jmp	__x86_indirect_thunk_r11	# patched+0xb
2:	alt_import 1b, 2b, __x86_indirect_alt_jmp_r11, 5
	end	patched
