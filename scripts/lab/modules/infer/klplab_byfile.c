// SPDX-License-Identifier: GPL-2.0-or-later
/* klplab_byfile - the twins of klplab_target, told apart by their source files. */
#include <linux/livepatch.h>
#include <linux/seq_file.h>
#include <klp_convert.h>

extern int klplab_twin(void);
extern int first_twin(void) KLP_RELOC_SYMBOL_FILE(klplab_target, klplab_target, klplab_twin, "twin_first.c");

static KLP_MODULE_RELOC(klplab_target) of_target[] = {
	KLP_SYMFILE(klplab_twin, "twin_second.c"),
};

static int klplab_show(struct seq_file *m, void *v)
{
	seq_printf(m, "first %d second %d\n", first_twin(), klplab_twin());
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "klplab_target_show", .new_func = klplab_show },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_target", .funcs = funcs },
	{ }
};

#include "patch.h"
