/* SPDX-License-Identifier: GPL-2.0-or-later */
/* klp relocations right beside paravirt sites and alternatives, and in none. */

	.include "arch/arch.inc"
	begin	para_beside
	record	vmlinux, nr_processes
	record	ext4, ext4_helper

	function livepatch_stat_show
	call	nr_processes
	paravirt pv_irq_ops+8, 9
	call	nr_processes
	alternative "nopl 0(%rax,%rax,1)", "call schedule", .LALWAYS
	call	nr_processes
	end	livepatch_stat_show

	function livepatch_ext4_statfs
	call	ext4_helper
	paravirt pv_irq_ops+16, 10
	call	ext4_helper
	alternative "", "stac", .LSMAP
	call	ext4_helper
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
