/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alternatives of a function of ext4, in a patch of ext4 alone: replacements
 * that call ext4's own helper and, 6.1 permitting, vmlinux's. An old kernel resolves
 * both when ext4 is there.
 */

	.include "arch/arch.inc"
	begin	alt_module
	record	vmlinux, nr_processes

	function livepatch_ext4_statfs
	alternative "", "stac", .LSMAP
	alternative "nopl 0(%rax,%rax,1)", "call .klp.sym.rela.ext4.ext4.ext4_helper.0", .LALWAYS
	call	.klp.sym.rela.ext4.ext4.ext4_helper.0
	alternative "", "clac", .LSMAP
	static_cpu_has .LSMAP, 2f
	alternative "nopl 0(%rax,%rax,1)", "call nr_processes", .LALWAYS
2:	alternative "", "lfence", .LALWAYS
	end	livepatch_ext4_statfs

	funcs	funcs
	func	ext4_statfs, livepatch_ext4_statfs
	end_funcs funcs
	objects
	object	funcs, ext4
	patch
