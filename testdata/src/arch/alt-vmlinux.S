/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alternatives of a vmlinux function: the replacements of two call and jump to a
 * function that vmlinux does not export, and plain ones are before, between
 * and after.
 */

	.include "arch/arch.inc"
	begin	alt_vmlinux
	record	vmlinux, nr_processes

	function livepatch_stat_show
	alternative "", "stac", .LSMAP
	alternative "nopl 0(%rax,%rax,1)", "call nr_processes", .LALWAYS
	call	nr_processes
	alternative "", "clac", .LSMAP
	static_cpu_has .LSMAP, 2f
	alternative "nopl 0(%rax,%rax,1)", "call nr_processes", .LMISSING
	call	schedule
	alternative "lfence", "mfence; lfence", .LMISSING
2:	alternative "nopl 0(%rax,%rax,1)", "jmp nr_processes", .LALWAYS
	alternative "", "lfence", .LALWAYS
	end	livepatch_stat_show

	funcs	funcs
	func	stat_show, livepatch_stat_show
	end_funcs funcs
	objects
	object	funcs
	patch
