// SPDX-License-Identifier: GPL-2.0-or-later
/* klplab_arch_vmlinux - a symbol of vmlinux in alternatives and in a paravirt site */
#include <linux/livepatch.h>
#include <linux/seq_file.h>
#include <klp_convert.h>

#define CALLED nr_processes
#include "arch.h"

extern int nr_processes(void);

static KLP_MODULE_RELOC(vmlinux) of_vmlinux[] = {
	KLP_SYMPOS(nr_processes, 0),
};

static int klplab_arch_show(struct seq_file *m, void *v)
{
	int n = nr_processes();

	seq_printf(m, "copied %d overwritten %d kept %d native %d\n", klplab_copied(0) == n,
		   klplab_overwritten(0), klplab_kept(0) == n, klplab_native(0) != n);
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = klplab_arch_show },
	{ }
};

static struct klp_object objs[] = {
	{ .funcs = funcs },
	{ }
};

#include "patch.h"
