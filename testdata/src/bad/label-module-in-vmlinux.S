/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A label asks for a symbol of ext4 at a time when ext4 may not be there.
 */

	.include "module.inc"
	livepatch label_module_in_vmlinux

	use	.klp.sym.rela.vmlinux.ext4.foo.0
