// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * klplab_two - patches two modules at once
 *
 * Both have a klplab_helper, annotated once for each: what the function is for
 * tells which is meant. The variable of the one is used in a function of the
 * other, so that it is resolved when that other comes.
 */
#include <linux/livepatch.h>
#include <linux/seq_file.h>
#include <klp_convert.h>

extern int klplab_helper(int x);
extern int klplab_owner_secret;

static KLP_MODULE_RELOC(klplab_target) of_target[] = {
	KLP_SYMPOS(klplab_helper, 0),
};

static KLP_MODULE_RELOC(klplab_owner) of_owner[] = {
	KLP_SYMPOS(klplab_helper, 0),
	KLP_SYMPOS(klplab_owner_secret, 0),
};

static int klplab_two_target(struct seq_file *m, void *v)
{
	seq_printf(m, "two: helper %d secret of owner %d\n", klplab_helper(1), klplab_owner_secret);
	return 0;
}

static int klplab_two_owner(struct seq_file *m, void *v)
{
	seq_printf(m, "two: helper %d\n", klplab_helper(2));
	return 0;
}

static struct klp_func target_funcs[] = {
	{ .old_name = "klplab_target_show", .new_func = klplab_two_target },
	{ }
};

static struct klp_func owner_funcs[] = {
	{ .old_name = "klplab_owner_show", .new_func = klplab_two_owner },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_target", .funcs = target_funcs },
	{ .name = "klplab_owner", .funcs = owner_funcs },
	{ }
};

#include "patch.h"
