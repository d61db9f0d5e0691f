/* SPDX-License-Identifier: GPL-2.0-or-later */
/* klp relocations of vmlinux and ext4, and no special section. */

	.include "arch/arch.inc"
	begin	plain
	record	vmlinux, nr_processes
	record	ext4, ext4_helper

	function livepatch_stat_show
	call	nr_processes
	end	livepatch_stat_show

	function livepatch_ext4_statfs
	call	ext4_helper
	mov	$nr_processes, %rax
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
