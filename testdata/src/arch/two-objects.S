/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A patch of vmlinux and ext4, whose entries alternate in the tables, with plain
 * ones in between. A vmlinux function is used in both.
 */

	.include "arch/arch.inc"
	begin	two_objects
	record	vmlinux, nr_processes
	record	ext4, ext4_ops

	function livepatch_stat_show
	alternative "", "stac", .LSMAP
	alternative "nopl 0(%rax,%rax,1)", "call nr_processes", .LALWAYS
	paravirt pv_irq_ops+8, 9
	paravirt ".klp.sym.rela.vmlinux.vmlinux.pv_lock_ops.0+8", 80
	end	livepatch_stat_show

	function livepatch_ext4_statfs
	alternative "nopl 0(%rax,%rax,1)", "call .klp.sym.rela.ext4.ext4.ext4_helper.0", .LALWAYS
	alternative "", "clac", .LSMAP
	alternative "call nr_processes", "call .klp.sym.rela.ext4.ext4.ext4_helper.0", .LMISSING
	paravirt ext4_ops+8, 9
	paravirt pv_irq_ops+16, 10
	call	.klp.sym.rela.ext4.ext4.ext4_helper.0
	end	livepatch_ext4_statfs

	function livepatch_loadavg_show
	alternative "call nr_processes", "lfence", .LALWAYS
	alternative "", "stac", .LSMAP
	paravirt ".klp.sym.rela.vmlinux.vmlinux.pv_lock_ops.0", 79
	end	livepatch_loadavg_show

	function livepatch_ext4_sync_fs
	alternative "call .klp.sym.rela.ext4.ext4.ext4_helper.0", "lfence", .LALWAYS
	alternative "", "clac", .LSMAP
	paravirt ext4_ops+16, 10
	end	livepatch_ext4_sync_fs

	funcs	funcs
	func	stat_show, livepatch_stat_show
	func	loadavg_proc_show, livepatch_loadavg_show
	end_funcs funcs
	funcs	ext4_funcs
	func	ext4_statfs, livepatch_ext4_statfs
	func	ext4_sync_fs, livepatch_ext4_sync_fs
	end_funcs ext4_funcs
	objects
	object	funcs
	object	ext4_funcs, ext4
	patch
