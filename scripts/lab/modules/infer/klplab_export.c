// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * klplab_export - uses an export of the module that it patches
 *
 * modpost ties it to that module: depends=, and a CRC. No annotation says
 * otherwise.
 */
#include <linux/livepatch.h>
#include <linux/seq_file.h>

extern int klplab_owner_export(int x);

static int klplab_show(struct seq_file *m, void *v)
{
	seq_printf(m, "export: %d\n", klplab_owner_export(1));
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "klplab_owner_show", .new_func = klplab_show },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_owner", .funcs = funcs },
	{ }
};

#include "patch.h"
