/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Made for a kernel before 5.8, which applies klp relocations differently.
 */

	.include "module.inc"
	livepatch kernel_too_old, "5.4.0-99-test SMP mod_unload modversions "

	record	vmlinux, foo
	use	foo
