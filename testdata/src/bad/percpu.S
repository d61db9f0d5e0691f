/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A klp relocation into .data..percpu, which no kernel before 7.x applies.
 */

	.include "module.inc"
	livepatch percpu

	record	vmlinux, foo
	use	foo
	.section .data..percpu, "aw"
	.8byte	foo
