/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A klp relocation of a module into .data..percpu, which no kernel applies.
 */

	.include "module.inc"
	livepatch percpu_module

	record	ext4, foo
	use	foo
	.section .data..percpu, "aw"
	.8byte	foo
