/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record that says a path follows, and after it one without a path.
 */

	.include "module.inc"
	livepatch file_no_path

	record	vmlinux, foo, 0xffffffff
	record	vmlinux, bar, 1
	use	foo
	use	bar
