/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A paravirt site that is the original of an alternative: the two tables have
 * an entry each, and both are touched. 4.19 has no such thing for a feature that
 * is there: it would patch the alternative away.
 */

	.include "arch/arch.inc"
	begin	alt_para

	.if	.LABI == 419
	.equ	.LFEATURE, .LMISSING
	.else
	.equ	.LFEATURE, .LALWAYS
	.endif

	function livepatch_stat_show
	alternative "paravirt pv_irq_ops+8, 9", "mov $0x7f7f7f7f, %eax", .LFEATURE
	alternative "paravirt .klp.sym.rela.vmlinux.vmlinux.pv_lock_ops.0+8, 80", "mov $0x7f7f7f7f, %eax", .LFEATURE
	alternative "", "lfence", .LALWAYS
	paravirt pv_irq_ops+8, 9
	end	livepatch_stat_show

	funcs	funcs
	func	stat_show, livepatch_stat_show
	end_funcs funcs
	objects
	object	funcs
	patch
