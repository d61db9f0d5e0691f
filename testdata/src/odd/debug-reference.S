/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug information that refers to annotated symbols and to the annotations:
 * to one symbol from nowhere else, so that nothing that is loaded uses it.
 */

	.include "module.inc"
	livepatch debug_reference

	record	vmlinux, foo
	record	vmlinux, only_here
	use	foo
	use	.klp.sym.rela.ext4.ext4.bar.0

	/* DWARF 5 table of addresses */
	.section .debug_addr, "", @progbits
	.4byte	2f - 1f
1:	.2byte	5
	.byte	8, 0
	.8byte	foo
	.8byte	only_here
	.8byte	.klp.sym.rela.ext4.ext4.bar.0 + 8
	.8byte	.klp.module_relocs.vmlinux + 12
2:
