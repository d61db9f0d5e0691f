/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An object name of 55 characters, the longest there is.
 */

	.include "module.inc"
	livepatch object_longest

	record	ooooooooooooooooooooooooooooooooooooooooooooooooooooooo, foo
	use	foo
