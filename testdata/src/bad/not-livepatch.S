/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Annotations, but no livepatch=Y in .modinfo: MODULE_INFO was forgotten.
 */

	.include "module.inc"
	module	not_livepatch

	record	vmlinux, foo
	use	foo
