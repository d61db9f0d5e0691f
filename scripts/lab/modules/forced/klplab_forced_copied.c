// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A module's function in an alternative of other machines than x86.
 *
 * The kernel copies the call before it is relocated. A call of displacement 0 calls itself, and
 * no loader of these machines moves a call of a place within the replacement.
 */
#include <linux/livepatch.h>
#include <linux/seq_file.h>
#include <klp_convert.h>
#ifdef CONFIG_PPC64
#include <asm/cputable.h>
#include <asm/feature-fixups.h>
#else
#include <asm/alternative.h>
#endif

#if defined(CONFIG_S390)
#define LINK "14"
#define CALL ALTERNATIVE("lhi %%r2,-1\n\tbrcl 0,0", "nopr\n\tnopr\n\tbrasl %%r14,klplab_helper", \
			 ALT_FACILITY(25)) /* store clock fast */
#elif defined(CONFIG_PPC64)
#define LINK "lr"
#define CALL ASM_FTR_IFCLR("li 3,-1\n\tnop", "bl klplab_helper\n\tnop", %0)
#elif defined(CONFIG_ARM64)
#define LINK "x30"
#define CALL ALTERNATIVE("mov w0, #-1", "bl klplab_helper", ARM64_ALWAYS_SYSTEM)
#elif defined(CONFIG_LOONGARCH)
#define LINK "$ra"
#define CALL ALTERNATIVE("nop", "bl klplab_helper", 0 /* CPU_FEATURE_CPUCFG */)
#endif

extern int klplab_helper(int x);

static KLP_MODULE_RELOC(klplab_owner) of_owner[] = {
	KLP_SYMPOS(klplab_helper, 0),
};

static noinline void copied(void)
{
#ifdef CONFIG_PPC64
	asm volatile(CALL : : "i" (CPU_FTR_ARCH_206) : LINK, "3", "memory");
#else
	asm volatile(CALL : : : LINK, "memory");
#endif
}

static int klplab_show(struct seq_file *m, void *v)
{
	copied();
	seq_puts(m, "forced: returned\n");
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "klplab_replacement_show", .new_func = klplab_show },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_owner", .funcs = funcs },
	{ }
};

#include "patch.h"
