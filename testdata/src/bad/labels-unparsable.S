/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Labels that are not valid: objects missing or empty, no position, no number.
 * All of them are reported in one run.
 */

	.include "module.inc"
	livepatch labels_unparsable

	use	.klp.sym.rela.vmlinux.foo
	use	.klp.sym.rela.vmlinux.vmlinux.foo
	use	.klp.sym.rela..vmlinux.foo.0
	use	.klp.sym.rela.vmlinux..foo.0
	use	.klp.sym.rela.vmlinux.vmlinux..0
	use	.klp.sym.rela.vmlinux.vmlinux.foo.x
	use	.klp.sym.rela.vmlinux.vmlinux.foo.99999999999999999999
