// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A module's function in the replacement of an alternative.
 *
 * What the kernel copies is a call of what follows the replacement. Here that
 * reads address 0; otherwise it is anybody's guess.
 */
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
	int n = KLPLAB_ALTERNATIVE("movl $-1, %%eax", "call klplab_helper", 1);

	asm volatile(".pushsection .altinstr_replacement, \"ax\"\n"
		     "movq 0, %%rax\n"
		     "ud2\n"
		     ".popsection" : : : "memory");

	seq_printf(m, "forced: helper %d\n", n);
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "klplab_replacement_show", .new_func = klplab_show },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_owner", .funcs = funcs },
	{ }
};

#include "patch.h"
