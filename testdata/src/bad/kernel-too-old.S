/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Made for a kernel before 4.7, which knows no klp relocations.
 */

	.include "module.inc"
	livepatch kernel_too_old, "4.4.0-99-test SMP mod_unload modversions "

	record	vmlinux, foo
	use	foo
