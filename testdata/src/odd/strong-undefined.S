/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An undefined symbol that is neither annotated nor an export. The loader will
 * say so; the tool warns.
 */

	.include "module.inc"
	livepatch strong_undefined

	record	vmlinux, foo
	version	exported, 0x12345678
	use	foo
	use	exported
	use	forgotten
