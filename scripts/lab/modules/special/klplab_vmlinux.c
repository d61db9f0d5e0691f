// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * klplab_vmlinux - symbols of vmlinux in special sections
 *
 * From 5.8 on they are resolved before the kernel reads these sections: a static
 * key of the scheduler (sysctl kernel.sched_schedstats), an alternative whose
 * replacement calls nr_processes(), and, where the kernel has them, paravirt
 * sites between relocations. None of the symbols is exported.
 */
#include <linux/irqflags.h>
#include <linux/jump_label.h>
#include <linux/livepatch.h>
#include <linux/seq_file.h>
#include <klp_convert.h>
#include <klplab_compat.h>
#include "alternative.h"

#ifdef CONFIG_SCHEDSTATS
extern struct static_key_false sched_schedstats;
#else
static DEFINE_STATIC_KEY_FALSE(sched_schedstats);
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 8, 0)
#define KLPLAB_BRANCH(key) static_branch_unlikely(key)
#else	/* the branch would never be switched */
#define KLPLAB_BRANCH(key) static_key_enabled(key)
#endif

extern int nr_processes(void);
extern char *saved_command_line;

static KLP_MODULE_RELOC(vmlinux) relocs[] = {
#ifdef CONFIG_SCHEDSTATS
	KLP_SYMPOS(sched_schedstats, 0),
#endif
	KLP_SYMPOS(nr_processes, 0),
	KLP_SYMPOS(saved_command_line, 0),
};

static noinline int counted(void)
{
	return KLPLAB_ALTERNATIVE("movl $-1, %%eax", "call nr_processes", 0);
}

static int klplab_vmlinux_show(struct seq_file *m, void *v)
{
	unsigned long flags;
	char first;
	bool inside;
	int n = nr_processes();

	local_irq_save(flags);
	first = *saved_command_line;
	inside = irqs_disabled();
	local_irq_restore(flags);
	seq_printf(m, "schedstats %s\n", KLPLAB_BRANCH(&sched_schedstats) ? "on" : "off");
	seq_printf(m, "alternative %s\n", n > 0 && counted() == n ? "right" : "wrong");
	seq_printf(m, "irqs %s, %s around %c\n", inside ? "off" : "on", irqs_disabled() ? "off" : "on", first);
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = klplab_vmlinux_show },
	{ }
};

static struct klp_object objs[] = {
	{ .funcs = funcs },
	{ }
};

#include "patch.h"
