/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An annotation section without a single relocation.
 */

	.include "module.inc"
	livepatch no_records

	use	foo
	.section .klp.module_relocs.vmlinux, "aw"
	.skip	24
