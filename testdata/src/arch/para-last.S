/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last paravirt site, whose entry is cut short, is the only one that moves. */

	.include "arch/arch.inc"
	begin	para_last

	function livepatch_stat_show
	paravirt pv_irq_ops+8, 9
	paravirt pv_irq_ops+16, 10
	paravirt ".klp.sym.rela.vmlinux.vmlinux.pv_lock_ops.0+8", 80
	end	livepatch_stat_show

	funcs	funcs
	func	stat_show, livepatch_stat_show
	end_funcs funcs
	objects
	object	funcs
	patch
