// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * klplab_gate - a function of vmlinux that uses a module's symbols
 *
 * They are resolved when the module comes, and the kernel tells the livepatch by
 * a callback. That needs a klp_object for the module, without functions.
 */
#include <linux/livepatch.h>
#include <linux/seq_file.h>
#include <klp_convert.h>

extern int klplab_helper(int x);

static KLP_MODULE_RELOC(klplab_owner) of_owner[] = {
	KLP_SYMPOS(klplab_helper, 0),
};

static bool there;

static int owner_comes(struct klp_object *obj)
{
	WRITE_ONCE(there, true);
	return 0;
}

static void owner_goes(struct klp_object *obj)
{
	WRITE_ONCE(there, false);
}

static int klplab_gate_show(struct seq_file *m, void *v)
{
	if (READ_ONCE(there))
		seq_printf(m, "owner has %d\n", klplab_helper(1));
	else
		seq_puts(m, "no owner\n");
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = klplab_gate_show },
	{ }
};

static struct klp_func no_funcs[] = { { } };

static struct klp_object objs[] = {
	{ .funcs = funcs },
	{
		.name = "klplab_owner", .funcs = no_funcs,
		.callbacks = { .pre_patch = owner_comes, .post_unpatch = owner_goes },
	},
	{ }
};

#include "patch.h"
