/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records give one symbol two objects.
 */

	.include "module.inc"
	livepatch two_objects

	record	vmlinux, foo
	record	ext4, foo
	use	foo
