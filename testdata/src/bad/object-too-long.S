/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An object name of 56 characters; the kernel reads 55.
 */

	.include "module.inc"
	livepatch object_too_long

	record	oooooooooooooooooooooooooooooooooooooooooooooooooooooooo, foo
	use	foo
