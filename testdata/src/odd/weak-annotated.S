/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Annotated symbols may be weak: some headers make them so to please modpost.
 */

	.include "module.inc"
	livepatch weak_annotated

	record	vmlinux, foo
	.weak	foo
	.weak	.klp.sym.rela.vmlinux.vmlinux.bar.0
	use	foo
	use	.klp.sym.rela.vmlinux.vmlinux.bar.0
