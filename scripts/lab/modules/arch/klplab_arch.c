// SPDX-License-Identifier: GPL-2.0-or-later
/* klplab_arch - a module's symbol in alternatives and in a paravirt site */
#include <linux/livepatch.h>
#include <linux/seq_file.h>
#include <klp_convert.h>

#define CALLED klplab_helper
#include "arch.h"

extern int klplab_helper(int x);

static KLP_MODULE_RELOC(klplab_target) of_target[] = {
	KLP_SYMPOS(klplab_helper, 0),
};

static int klplab_arch_show(struct seq_file *m, void *v)
{
	seq_printf(m, "copied %d overwritten %d kept %d native %d\n", klplab_copied(1),
		   klplab_overwritten(2), klplab_kept(3),
		   klplab_native(4) != klplab_helper(4));
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "klplab_target_show", .new_func = klplab_arch_show },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_target", .funcs = funcs },
	{ }
};

#include "patch.h"
