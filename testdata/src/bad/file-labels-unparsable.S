/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Labels by file that are not valid: objects or name missing, no path.
 */

	.include "module.inc"
	livepatch file_labels_unparsable

	use	.klp.sym.file.vmlinux/fs/proc/cmdline_c
	use	.klp.sym.file.vmlinux.vmlinux.foo
	use	.klp.sym.file.vmlinux.vmlinux./fs/proc/cmdline.c
