/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A weak undefined symbol without annotation and export: the loader would bind
 * it to 0. "exported" is in __versions and may stay.
 */

	.include "module.inc"
	livepatch weak_undefined

	record	vmlinux, foo
	version	exported, 0x12345678
	use	foo
	use	exported
	.weak	forgotten
	use	forgotten
