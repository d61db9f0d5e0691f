/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Independent mistakes are reported together.
 */

	.include "module.inc"
	livepatch several_mistakes

	record	vmlinux, foo, 1
	record	vmlinux, foo, 2
	record	net.core, bar
	use	.klp.sym.rela.vmlinux.foo
	use	foo
	use	bar
