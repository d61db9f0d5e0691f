/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * s390x: gcc's tables of branches through expolines (-mindirect-branch-table), which
 * the kernel reads by the beginnings of their names, and the record of stack protector
 * guards of 7.x. Their branches lead to a thunk of the module; a klp relocation of
 * another module is between them.
 */

	.include "module.inc"
	livepatch s390x_expoline

	record	ext4, foo

	.macro	row section, place
	.pushsection \section, "a"
	.4byte	\place - .
	.popsection
	.endm

	.text
	.globl	caller
	.type	caller, @function
caller:
1:	brasl	%r14, __s390_indirect_jump_r1
	row	.s390_indirect_call, 1b
2:	brcl	15, __s390_indirect_jump_r1
	row	.s390_indirect_jump, 2b
	brasl	%r14, foo@PLT
3:	brcl	15, __s390_indirect_jump_r1
	row	.s390_return_reg, 3b
	.size	caller, . - caller

	.section .text.__s390_indirect_jump_r1, "axG", @progbits, __s390_indirect_jump_r1, comdat
	.globl	__s390_indirect_jump_r1
	.hidden	__s390_indirect_jump_r1
	.type	__s390_indirect_jump_r1, @function
__s390_indirect_jump_r1:
	exrl	%r0, 1f
0:	j	0b
1:	br	%r1

	.section __stack_protector_loc, "a"
	.balign	8
	.8byte	caller
