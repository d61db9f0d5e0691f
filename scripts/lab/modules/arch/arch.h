/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sites that the kernel patches once their klp relocations are applied. CALLED is a
 * function of the livepatched object that takes an int and returns one.
 */
#include <linux/stringify.h>
#include <linux/version.h>
#include <asm/paravirt.h>
#include "alternative.h"

/* The call is what is copied. */
static noinline int klplab_copied(int x)
{
	return KLPLAB_ALTERNATIVE("movl $-1, %%eax", "call " __stringify(CALLED), x);
}

/* The call is what is overwritten. */
static noinline int klplab_overwritten(int x)
{
	return KLPLAB_ALTERNATIVE("call " __stringify(CALLED), "movl $7, %%eax", x);
}

/* The same, for a feature that no CPU of the lab has. */
static noinline int klplab_kept(int x)
{
	int res;
	unsigned long arg = x;

	asm volatile(ALTERNATIVE("call " __stringify(CALLED), "movl $7, %%eax",
				 X86_FEATURE_CENTAUR_MCR)
		     : "=a" (res), "+D" (arg), ASM_CALL_CONSTRAINT
		     : : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "cc", "memory");
	return res;
}

/*
 * A paravirt site, as PVOP_CALL makes them; struct paravirt_patch_site had a member
 * clobbers until 4.20 (27876f3882fd). Native, it clears %eax.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 20, 0)
#define KLPLAB_CLOBBERS
#define KLPLAB_SITE PARAVIRT_PATCH(lock.vcpu_is_preempted)
#else
#define KLPLAB_CLOBBERS ".short 0\n"
#define KLPLAB_SITE PARAVIRT_PATCH(pv_lock_ops.vcpu_is_preempted)
#endif

static noinline int klplab_native(int x)
{
	int res;
	unsigned long arg = x;

	asm volatile("771: call " __stringify(CALLED) "\n"
		     "nop\n"
		     "nop\n"
		     "772:\n"
#ifdef CONFIG_PARAVIRT_SPINLOCKS	/* which has that operation */
		     ".pushsection .parainstructions, \"a\"\n"
		     _ASM_ALIGN "\n"
		     _ASM_PTR " 771b\n"
		     ".byte %c[type]\n"
		     ".byte 772b-771b\n"
		     KLPLAB_CLOBBERS
		     ".popsection\n"
#endif
		     : "=a" (res), "+D" (arg), ASM_CALL_CONSTRAINT
#ifdef CONFIG_PARAVIRT_SPINLOCKS
		     : [type] "i" (KLPLAB_SITE)
#else
		     :
#endif
		     : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "cc", "memory");
	return res;
}
