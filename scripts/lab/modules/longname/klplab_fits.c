// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <klp_convert.h>
#include "names.h"

extern int FITS(int x);

KLP_MODULE_RELOC(klplab_long) of_long[] = {
	KLP_SYMPOS(FITS, 0),
};

static int klplab_show(struct seq_file *m, void *v)
{
	seq_printf(m, "fits: %d\n", FITS(1));
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
