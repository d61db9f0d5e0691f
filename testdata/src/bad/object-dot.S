/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An object name with a dot in it: the kernel stops reading at the dot.
 */

	.include "module.inc"
	livepatch object_dot

	record	net.core, foo
	use	foo
