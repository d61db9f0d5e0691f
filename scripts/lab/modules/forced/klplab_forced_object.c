// SPDX-License-Identifier: GPL-2.0-or-later
/* A module's function, and no klp_object for that module. */
#include <linux/livepatch.h>
#include <linux/seq_file.h>
#include <klp_convert.h>

extern int klplab_helper(int x);

static KLP_MODULE_RELOC(klplab_owner) of_owner[] = {
	KLP_SYMPOS(klplab_helper, 0),
};

static int klplab_show(struct seq_file *m, void *v)
{
	int n = klplab_helper(1);

	seq_printf(m, "forced: helper %d\n", n);
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = klplab_show },
	{ }
};

static struct klp_object objs[] = {
	{ .funcs = funcs },
	{ }
};

#include "patch.h"
