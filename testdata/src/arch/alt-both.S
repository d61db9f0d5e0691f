/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An alternative that needs two objects: what it replaces calls vmlinux's
 * function, and what replaces it calls ext4's. It can be in one .klp.arch section
 * only, and no kernel can be asked for it.
 */

	.include "arch/arch.inc"
	begin	alt_both
	record	vmlinux, nr_processes

	function livepatch_stat_show
	alternative "", "stac", .LSMAP
	alternative "call nr_processes", "call .klp.sym.rela.ext4.ext4.ext4_helper.0", .LALWAYS
	alternative "", "lfence", .LALWAYS
	end	livepatch_stat_show

	function livepatch_ext4_statfs
	call	.klp.sym.rela.ext4.ext4.ext4_helper.0
	end	livepatch_ext4_statfs

	funcs	funcs
	func	stat_show, livepatch_stat_show
	end_funcs funcs
	funcs	ext4_funcs
	func	ext4_statfs, livepatch_ext4_statfs
	end_funcs ext4_funcs
	objects
	object	funcs
	object	ext4_funcs, ext4
	patch
