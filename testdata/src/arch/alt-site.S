/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alternatives of which the original instruction calls what vmlinux does not
 * export: one that a processor replaces, and one that it leaves.
 */

	.include "arch/arch.inc"
	begin	alt_site
	record	vmlinux, nr_processes

	function livepatch_stat_show
	alternative "", "stac", .LSMAP
	alternative "call nr_processes", "mov $0x7f7f7f7f, %eax", .LALWAYS
	alternative "", "clac", .LSMAP
	alternative "call nr_processes", "mov $0x7f7f7f7f, %eax", .LMISSING
	alternative "", "lfence", .LALWAYS
	end	livepatch_stat_show

	funcs	funcs
	func	stat_show, livepatch_stat_show
	end_funcs funcs
	objects
	object	funcs
	patch
