// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <klp_convert.h>
#include "names.h"

extern int CUT(int x);

KLP_MODULE_RELOC(klplab_long) of_long[] = {
	KLP_SYMPOS(CUT, 0),
};

static int klplab_show(struct seq_file *m, void *v)
{
	seq_printf(m, "cut: %d\n", CUT(1));
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "klplab_long_show", .new_func = klplab_show },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_long", .funcs = funcs },
	{ }
};

#include "patch.h"
