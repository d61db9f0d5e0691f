/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths that name no file of a source tree, in records and labels. All of them
 * are reported in one run.
 */

	.include "module.inc"
	livepatch file_paths

	.macro	by_file symbol, path
	.pushsection .rodata.str1.1, "aMS", @progbits, 1
99:	.asciz	"\path"
	.popsection
	record	vmlinux, \symbol, 0xffffffff
	record	vmlinux, 99b, 0xffffffff
	use	\symbol
	.endm

	by_file	empty, ""
	by_file	absolute, "/usr/src/linux/fs/proc/cmdline.c"
	by_file	upwards, "../fs/proc/cmdline.c"
	by_file	folder, "fs/proc/"
	by_file	control, "fs/proc/\tcmdline.c"
	use	.klp.sym.file.vmlinux.vmlinux.foo/
	use	.klp.sym.file.vmlinux.vmlinux.foo//fs/proc/cmdline.c
	use	.klp.sym.file.vmlinux.vmlinux.foo/fs/../cmdline.c
