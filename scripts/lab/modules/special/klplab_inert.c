// SPDX-License-Identifier: GPL-2.0-or-later
/* klplab_inert - a tracepoint of the patched module, which can't be tied to it. */
#include <linux/livepatch.h>
#include <linux/seq_file.h>
#include <klp_convert.h>
#include <klplab_compat.h>
#include "klplab_owner_trace.h"

extern int klplab_helper(int x);

static KLP_MODULE_RELOC(klplab_owner) of_owner[] = {
	KLP_SYMPOS(klplab_helper, 0),
	KLP_SYMPOS(__tracepoint_klplab_seen, 0),
#ifdef KLPLAB_STATIC_CALLS
	KLP_SYMPOS(__SCK__tp_func_klplab_seen, 0),
	KLP_SYMPOS(__SCT__tp_func_klplab_seen, 0),
#endif
};

static int klplab_inert_show(struct seq_file *m, void *v)
{
	int n = klplab_helper(1);

	trace_klplab_seen(-1);
	seq_printf(m, "inert: helper %d\n", n);
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "klplab_inert_show", .new_func = klplab_inert_show },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_owner", .funcs = funcs },
	{ }
};

#include "patch.h"
