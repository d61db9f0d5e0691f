/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A label asks for a symbol of vmlinux when ext4 is there. Kernels from 5.8 on
 * take it under .klp.rela.vmlinux only.
 */

	.include "module.inc"
	livepatch label_vmlinux_in_module

	use	.klp.sym.rela.ext4.vmlinux.foo.0
