// SPDX-License-Identifier: GPL-2.0-or-later
/* A module's static key. */
#include <linux/jump_label.h>
#include <linux/livepatch.h>
#include <linux/seq_file.h>
#include <klp_convert.h>

extern struct static_key_false klplab_key;

static KLP_MODULE_RELOC(klplab_owner) of_owner[] = {
	KLP_SYMPOS(klplab_key, 0),
};

static int klplab_show(struct seq_file *m, void *v)
{
	seq_printf(m, "forced: branch %s enabled %d\n",
		   static_branch_unlikely(&klplab_key) ? "on" : "off", static_key_enabled(&klplab_key));
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "klplab_key_show", .new_func = klplab_show },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_owner", .funcs = funcs },
	{ }
};

#include "patch.h"
