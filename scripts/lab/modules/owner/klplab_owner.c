// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * klplab_owner - a module that has all that a livepatch can't borrow late
 *
 * A static key, a static call and a tracepoint, which the kernel ties to the code
 * that uses them when that code is loaded; beside them a helper, a variable and an
 * export, which it need not know before the call. Each file of /proc/klplab_*
 * can be livepatched by itself, so that one boot has room for several livepatches.
 */
#include <linux/jump_label.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <klplab_compat.h>

#define CREATE_TRACE_POINTS
#include "klplab_owner_trace.h"

/* Neither inlined, nor cloned, nor given a private calling convention. */
#define KLPLAB_KEEP noinline __attribute__((__noipa__))

/* Parameters, so that a test can change them and see who notices. */
static int klplab_owner_secret = 1000;
module_param(klplab_owner_secret, int, 0644);

DEFINE_STATIC_KEY_FALSE(klplab_key);

static int key_set(const char *val, const struct kernel_param *kp)
{
	if (val[0] == '1')
		static_branch_enable(&klplab_key);
	else
		static_branch_disable(&klplab_key);
	return 0;
}

static const struct kernel_param_ops key_ops = { .set = key_set };
module_param_cb(key, &key_ops, NULL, 0200);

static KLPLAB_KEEP int klplab_one(void)
{
	return 1;
}

static KLPLAB_KEEP int klplab_two(void)
{
	return 2;
}

#ifdef KLPLAB_STATIC_CALLS
DEFINE_STATIC_CALL(klplab_choice, klplab_one);
#define klplab_call_choice() static_call(klplab_choice)()
#define klplab_choose(fn) static_call_update(klplab_choice, fn)
#else	/* a pointer, as it was done before */
static int (*klplab_choice)(void) = klplab_one;
#define klplab_call_choice() READ_ONCE(klplab_choice)()
#define klplab_choose(fn) WRITE_ONCE(klplab_choice, fn)
#endif

static int choice_set(const char *val, const struct kernel_param *kp)
{
	klplab_choose(val[0] == '2' ? klplab_two : klplab_one);
	return 0;
}

static const struct kernel_param_ops choice_ops = { .set = choice_set };
module_param_cb(choice, &choice_ops, NULL, 0200);

/* klplab_target has a function of this name too, with another result. */
static KLPLAB_KEEP int klplab_helper(int x)
{
	return x + klplab_owner_secret;
}

int klplab_owner_export(int x);
int klplab_owner_export(int x)
{
	return x + 2 * klplab_owner_secret;
}
EXPORT_SYMBOL_GPL(klplab_owner_export);

/* What livepatches replace. */
static KLPLAB_KEEP int klplab_owner_show(struct seq_file *m, void *v)
{
	trace_klplab_seen(klplab_owner_secret);
	seq_printf(m, "owner: key %s choice %d helper %d\n",
		   static_branch_unlikely(&klplab_key) ? "on" : "off",
		   klplab_call_choice(), klplab_helper(1));
	return 0;
}

#define KLPLAB_FILE(name)						\
static KLPLAB_KEEP int klplab_##name##_show(struct seq_file *m, void *v) \
{									\
	seq_puts(m, #name ": original\n");				\
	return 0;							\
}

KLPLAB_FILE(key)
KLPLAB_FILE(replacement)
KLPLAB_FILE(site)
KLPLAB_FILE(clobber)
KLPLAB_FILE(call)
KLPLAB_FILE(inert)

static int __init klplab_owner_init(void)
{
	proc_create_single("klplab_owner", 0444, NULL, klplab_owner_show);
	proc_create_single("klplab_key", 0444, NULL, klplab_key_show);
	proc_create_single("klplab_replacement", 0444, NULL, klplab_replacement_show);
	proc_create_single("klplab_site", 0444, NULL, klplab_site_show);
	proc_create_single("klplab_clobber", 0444, NULL, klplab_clobber_show);
	proc_create_single("klplab_call", 0444, NULL, klplab_call_show);
	proc_create_single("klplab_inert", 0444, NULL, klplab_inert_show);
	return 0;
}

static void __exit klplab_owner_exit(void)
{
	remove_proc_entry("klplab_owner", NULL);
	remove_proc_entry("klplab_key", NULL);
	remove_proc_entry("klplab_replacement", NULL);
	remove_proc_entry("klplab_site", NULL);
	remove_proc_entry("klplab_clobber", NULL);
	remove_proc_entry("klplab_call", NULL);
	remove_proc_entry("klplab_inert", NULL);
}

module_init(klplab_owner_init);
module_exit(klplab_owner_exit);
MODULE_DESCRIPTION("a module with a static key, a static call and a tracepoint");
MODULE_LICENSE("GPL");
