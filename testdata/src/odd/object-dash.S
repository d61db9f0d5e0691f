/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * '-' in an object's name becomes '_', as in the kernel's module names.
 */

	.include "module.inc"
	livepatch object_dash

	record	nf-conntrack, foo
	use	foo
	use	.klp.sym.rela.nf-conntrack.nf-nat.bar.0
