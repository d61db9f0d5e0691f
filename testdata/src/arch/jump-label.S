/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A jump label whose key vmlinux does not export. */

	.include "arch/arch.inc"
	begin	jump_label
	record	vmlinux, psi_disabled

	function livepatch_psi_show
	static_branch psi_disabled, 2f
2:
	end	livepatch_psi_show

	funcs	funcs
	func	psi_show, livepatch_psi_show
	end_funcs funcs
	objects
	object	funcs
	patch
