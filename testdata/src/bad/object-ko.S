/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A module's file name where the module's name should be.
 */

	.include "module.inc"
	livepatch object_ko

	record	ext4.ko, foo
	use	foo
