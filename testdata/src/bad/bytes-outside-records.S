/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes after the last record that are neither zero nor a record.
 */

	.include "module.inc"
	livepatch bytes_outside_records

	record	vmlinux, foo
	use	foo
	.section .klp.module_relocs.vmlinux, "aw"
	.8byte	0
	.4byte	7
