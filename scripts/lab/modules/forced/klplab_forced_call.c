// SPDX-License-Identifier: GPL-2.0-or-later
/* A module's static call. */
#include <linux/livepatch.h>
#include <linux/seq_file.h>
#include <linux/static_call.h>
#include <klp_convert.h>

int klplab_one(void);
DECLARE_STATIC_CALL(klplab_choice, klplab_one);

static KLP_MODULE_RELOC(klplab_owner) of_owner[] = {
	KLP_SYMPOS(__SCK__klplab_choice, 0),
	KLP_SYMPOS(__SCT__klplab_choice, 0),
};

static int klplab_show(struct seq_file *m, void *v)
{
	int n = static_call(klplab_choice)();

	seq_printf(m, "forced: choice %d\n", n);
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "klplab_call_show", .new_func = klplab_show },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_owner", .funcs = funcs },
	{ }
};

#include "patch.h"
