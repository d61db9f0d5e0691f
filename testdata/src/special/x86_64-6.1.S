/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 6.1: alternatives of 12 bytes, paravirt sites of 16, jump labels of 16, static
 * calls, retpolines, returns. Two alternatives at one site, one of them without a
 * replacement; keys that may be dropped, and such that may not.
 */

	.include "module.inc"
	.include "special/entries.inc"
	livepatch special_6_1

	.text
	function patched
1:	.skip	6, 0x90
2:	ret
	.pushsection .altinstr_replacement, "ax"
3:	call	unexported
4:	.popsection
	alt12	1b, 2b, 4b, 4b
	alt12	1b, 2b, 3b, 4b
1:	call	*pv_ops			# patched+0x7
2:	para10	1b, 2b
	.pushsection .parainstructions, "a"
	.balign	16
	.popsection

1:	.byte	0x66, 0x90		# patched+0xe: a nop of 2 bytes
	jump16	1b, 2b, klp_key
1:	.byte	0xeb, 0			# patched+0x10
2:	jump16	1b, 2b, __tracepoint_foo + 10
1:	.byte	0x66, 0x66, 0x66, 0x66, 0x90	# patched+0x12: of 5
	jump16	1b, 2b, .Ldescriptor + 32
1:	.byte	0x0f, 0x1f, 0x44, 0, 0	# patched+0x17
	jump16	1b, 2b, __UNIQUE_ID_ddebug123.4 + 34
	jump16	1b, 2b, .Lown + 1

1:	call	__SCT__foo		# patched+0x1c
	call_site 1b, __SCK__foo
1:	jmp	__SCT__tp_func_foo	# patched+0x21
	call_site 1b, __SCK__tp_func_foo + 1
1:	.byte	0x0f, 0x84		# patched+0x26: jz
	.4byte	__SCT__foo - . - 4
	call_site 1b, __SCT__foo + 3

1:	call	__x86_indirect_thunk_rax	# patched+0x2c
	retpoline_site 1b
1:	cs jmp	__x86_indirect_thunk_r11	# patched+0x31
	retpoline_site 1b
1:	jmp	__x86_return_thunk	# patched+0x37
	return_site 1b
	end	patched

	.data
	variable other
.Lown:	variable own_key
	.section __dyndbg, "aw"
.Ldescriptor:
	.skip	56
