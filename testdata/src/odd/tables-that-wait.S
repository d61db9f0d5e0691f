/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables that objtool, compilers and the kernel's macros leave in modules of 6.2
 * and later, about code with a klp relocation of a module: none of them makes the
 * kernel read that relocation's place for good before it is applied.
 */

	.include "module.inc"
	livepatch tables_that_wait

	record	ext4, foo

	/* a row of distances from the field, as objtool writes them */
	.macro	row section, place
	.pushsection \section, "a"
	.balign	4
	.4byte	(\place) - .
	.popsection
	.endm

	.text
	.balign	16
__cfi_caller:
	.byte	0xb8, 0x78, 0x56, 0x34, 0x12	# kCFI: mov $hash, %eax
	.skip	11, 0x90
	.globl	caller
	.type	caller, STT_FUNC
caller:	.byte	0xf3, 0x0f, 0x1e, 0xfa		# endbr64
	row	.ibt_endbr_seal, caller		# 5.18
	row	.cfi_sites, __cfi_caller	# 6.2
1:	call	foo
	row	.call_sites, 1b			# 6.2
	.byte	0xf0				# lock
2:	incl	(%rdi)
	row	.smp_locks, 2b-1
3:	ud2
	.pushsection __bug_table, "aw"
	.4byte	3b - ., 0
	.2byte	1, 2
	.popsection
4:	mov	(%rdi), %rax
	.pushsection __ex_table, "a"
	.balign	4
	.4byte	4b - ., 5f - ., 3
	.popsection
5:	ret
	.size	caller, . - caller

	.pushsection __patchable_function_entries, "awo", @progbits, .text
	.balign	8
	.8byte	caller
	.popsection
	.pushsection __mcount_loc, "a"
	.balign	8
	.8byte	caller
	.popsection

	row	.orc_unwind_ip, caller		# 4.14
	row	.orc_unwind_ip, 5b
	.pushsection .orc_unwind, "a"
	.2byte	8, 0, 0x5, 0, 0, 0
	.popsection
	.pushsection .orc_header, "a"		# 6.4
	.skip	20, 0x5a
	.popsection

	/* what the linker script discards, where an object was linked without it */
	.pushsection .discard.annotate_insn, "M", @progbits, 8	# 6.15
	.4byte	1b - ., 1
	.popsection
