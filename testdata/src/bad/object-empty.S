/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table for no object: KLP_MODULE_RELOC().
 */

	.include "module.inc"
	livepatch object_empty

	.section .klp.module_relocs., "aw"
	.8byte	foo
	.4byte	0
	use	foo
