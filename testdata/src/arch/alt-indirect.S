/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What objtool of 5.13 to 5.15 makes of indirect calls and jumps: an alternative
 * whose replacement the kernel has and exports (9bc0bb50727c,
 * tools/objtool/arch/x86/decode.c, arch_rewrite_retpolines). It is beside one
 * with a replacement of its own, at a place that a klp relocation follows.
 */

	.include "arch/arch.inc"
	begin	alt_indirect
	version	__x86_indirect_alt_call_rax, 0x9a353ae
	version	__x86_indirect_alt_jmp_rcx, 0x9a353af
	version	__x86_indirect_thunk_rax, 0x9a353b0
	version	__x86_indirect_thunk_rcx, 0x9a353b1
	record	vmlinux, nr_processes

	/* ALT_NOT(X86_FEATURE_RETPOLINE); 4.19 cannot say so and gets a feature */
	.macro	indirect insn, how, reg
661:	\insn	__x86_indirect_thunk_\reg
662:	.pushsection .altinstructions, "a"
	.long	661b - ., __x86_indirect_alt_\how\()_\reg - .
	.if	.LABI == 419
	.word	.LSMAP
	.byte	5, 5, 0
	.else
	.word	(7 * 32 + 12) | 0x8000
	.byte	5, 5
	.endif
	.popsection
	.endm

	function livepatch_stat_show
	alternative "", "stac", .LSMAP
	indirect call, call, rax
	call	nr_processes
	alternative "nopl 0(%rax,%rax,1)", "call nr_processes", .LALWAYS
	indirect jmp, jmp, rcx
	end	livepatch_stat_show

	funcs	funcs
	func	stat_show, livepatch_stat_show
	end_funcs funcs
	objects
	object	funcs
	patch
