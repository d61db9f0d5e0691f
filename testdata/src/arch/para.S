/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paravirt sites of a vmlinux function: klp relocations close to them on both
 * sides, and two sites that call through a table vmlinux does not export.
 */

	.include "arch/arch.inc"
	begin	para
	record	vmlinux, nr_processes

	function livepatch_stat_show
	paravirt pv_irq_ops+8, 9
	call	nr_processes
	paravirt pv_irq_ops+16, 10
	call	nr_processes
	paravirt ".klp.sym.rela.vmlinux.vmlinux.pv_lock_ops.0+8", 80
	call	nr_processes
	paravirt pv_irq_ops+8, 9
	paravirt ".klp.sym.rela.vmlinux.vmlinux.pv_lock_ops.0", 79
	paravirt pv_irq_ops+16, 10
	end	livepatch_stat_show

	funcs	funcs
	func	stat_show, livepatch_stat_show
	end_funcs funcs
	objects
	object	funcs
	patch
