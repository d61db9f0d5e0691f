/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alt-both.S for two modules, of which either may come first. */

	.include "arch/arch.inc"
	begin	alt_two_modules
	record	ext4, ext4_helper

	function livepatch_ext4_statfs
	alternative "", "stac", .LSMAP
	alternative "call ext4_helper", "call .klp.sym.rela.jbd2.jbd2.jbd2_helper.0", .LALWAYS
	alternative "", "lfence", .LALWAYS
	end	livepatch_ext4_statfs

	function livepatch_jbd2_stat
	call	.klp.sym.rela.jbd2.jbd2.jbd2_helper.0
	end	livepatch_jbd2_stat

	funcs	ext4_funcs
	func	ext4_statfs, livepatch_ext4_statfs
	end_funcs ext4_funcs
	funcs	jbd2_funcs
	func	jbd2_stat, livepatch_jbd2_stat
	end_funcs jbd2_funcs
	objects
	object	ext4_funcs, ext4
	object	jbd2_funcs, jbd2
	patch
