/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records give one symbol two positions.
 */

	.include "module.inc"
	livepatch two_positions

	record	vmlinux, foo, 1
	record	vmlinux, foo, 2
	use	foo
