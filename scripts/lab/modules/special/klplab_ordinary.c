// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * klplab_ordinary - what has a table of its own and works all the same
 *
 * A function of a module is patched, with late klp relocations between all that
 * lists code in tables without patching it, or patches it for this module's own
 * sake: WARN_ON, exception tables, might_sleep(), a tracepoint of vmlinux, this
 * module's debug messages, paravirt sites, an alternative of its own. And two
 * edits that klp-convert proposes: the state of a static key and the target of a
 * static call, read as data.
 */
#include <linux/irqflags.h>
#include <linux/jump_label.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/livepatch.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <trace/events/task.h>
#include <klp_convert.h>
#include <klplab_compat.h>
#include "alternative.h"

extern int klplab_helper(int x);
extern int klplab_owner_secret;
extern struct static_key_false klplab_key;
int klplab_one(void);

#ifdef KLPLAB_STATIC_CALLS
DECLARE_STATIC_CALL(klplab_choice, klplab_one);
/* static_call_query() of 5.12 and later. */
#define KLPLAB_QUERY(name) ((typeof(STATIC_CALL_TRAMP(name)) *)READ_ONCE(STATIC_CALL_KEY(name).func))
#else
extern int (*klplab_choice)(void);
#define KLPLAB_QUERY(name) READ_ONCE(name)
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 0, 0)
#define klplab_access_begin(p, n) user_access_begin(p, n)
#else
#define klplab_access_begin(p, n) ({ user_access_begin(); true; })
#endif

static KLP_MODULE_RELOC(klplab_owner) of_owner[] = {
	KLP_SYMPOS(klplab_helper, 0),
	KLP_SYMPOS(klplab_owner_secret, 0),
	KLP_SYMPOS(klplab_key, 0),
#ifdef KLPLAB_STATIC_CALLS
	KLP_SYMPOS(__SCK__klplab_choice, 0),
#else
	KLP_SYMPOS(klplab_choice, 0),
#endif
};

static KLP_MODULE_RELOC(vmlinux) of_vmlinux[] = {
	KLP_SYMPOS(__tracepoint_task_rename, 0),
#ifdef KLPLAB_STATIC_CALLS
	KLP_SYMPOS(__SCK__tp_func_task_rename, 0),
	KLP_SYMPOS(__SCT__tp_func_task_rename, 0),
#endif
};

static bool warn;
module_param(warn, bool, 0644);

/* An exception table entry in this very function: nothing is mapped at 8. */
static noinline const char *fault(void)
{
	const char __user *p = (const char __user *)8;
	char c;

	if (!klplab_access_begin(p, 1))
		return "not tried";
	unsafe_get_user(c, p, failed);
	user_access_end();
	return c ? "read" : "read 0";
failed:
	user_access_end();
	return "fixed up";
}

/* A helper that only the patched function calls belongs to its object. */
static noinline int both(int x)
{
	return klplab_helper(x) + klplab_owner_secret;
}

static int klplab_ordinary_show(struct seq_file *m, void *v)
{
	unsigned long flags;
	int n;

	might_sleep();
	local_irq_save(flags);
	n = klplab_helper(1);
	local_irq_restore(flags);
	if (WARN_ON(warn))
		n += klplab_owner_secret;
	trace_task_rename(current, "klplab");
	pr_debug("debug %d\n", klplab_owner_secret);
	seq_printf(m, "ordinary: helper %d both %d fault %s own %d\n", n, both(1), fault(),
		   KLPLAB_ALTERNATIVE("movl $1, %%eax", "movl $2, %%eax", 0) + klplab_helper(0));
	seq_printf(m, "key %d choice %d\n", static_key_enabled(&klplab_key), KLPLAB_QUERY(klplab_choice)());
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "klplab_owner_show", .new_func = klplab_ordinary_show },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_owner", .funcs = funcs },
	KLPLAB_VMLINUX
	{ }
};

#include "patch.h"
