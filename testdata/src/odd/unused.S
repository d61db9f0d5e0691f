/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record and a label that nothing uses, beside a record that is used.
 */

	.include "module.inc"
	livepatch unused

	record	vmlinux, foo
	record	vmlinux, unused
	use	foo
	.globl	.klp.sym.rela.vmlinux.vmlinux.unused_label.0
