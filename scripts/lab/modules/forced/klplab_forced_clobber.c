// SPDX-License-Identifier: GPL-2.0-or-later
/* The same, and the kernel can't see that something is overwritten: the bytes are 0. */
#include <linux/livepatch.h>
#include <linux/seq_file.h>
#include <klp_convert.h>
#include "alternative.h"

extern int klplab_helper(int x);

static KLP_MODULE_RELOC(klplab_owner) of_owner[] = {
	KLP_SYMPOS(klplab_helper, 0),
};

static int klplab_show(struct seq_file *m, void *v)
{
	int n = KLPLAB_ALTERNATIVE("call klplab_helper", "movl $0, %%eax", 1);

	seq_printf(m, "forced: helper %d\n", n);
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "klplab_clobber_show", .new_func = klplab_show },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_owner", .funcs = funcs },
	{ }
};

#include "patch.h"
