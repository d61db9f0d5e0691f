/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alt-site.S for a function of ext4. */

	.include "arch/arch.inc"
	begin	alt_site_module
	record	ext4, ext4_helper

	function livepatch_ext4_statfs
	alternative "", "stac", .LSMAP
	alternative "call ext4_helper", "mov $0x7f7f7f7f, %eax", .LALWAYS
	alternative "", "clac", .LSMAP
	alternative "call ext4_helper", "mov $0x7f7f7f7f, %eax", .LMISSING
	alternative "", "lfence", .LALWAYS
	end	livepatch_ext4_statfs

	funcs	funcs
	func	ext4_statfs, livepatch_ext4_statfs
	end_funcs funcs
	objects
	object	funcs, ext4
	patch
