/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records in an array and outside of any, and between them padding that is zero:
 * before, in the middle and after.
 */

	.include "module.inc"
	livepatch padding

	use	foo
	use	bar
	use	baz
	.section .klp.module_relocs.vmlinux, "aw"
	.skip	32
	.type	array, STT_OBJECT
array:	.8byte	foo
	.4byte	1
	.8byte	bar
	.4byte	0
	.size	array, . - array
	.skip	20
	.8byte	baz
	.4byte	0x7fffffff
	.skip	4
