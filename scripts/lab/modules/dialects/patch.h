/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The livepatch that all dialects share. The file that includes this has
 * declared and annotated three symbols: two of klplab_target, one of vmlinux.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <klplab_compat.h>
#include <linux/seq_file.h>

static int klplab_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%s: secret %d helper %d cmdline %s\n", KBUILD_MODNAME,
		   klplab_secret, klplab_helper(1), saved_command_line);
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "klplab_target_show", .new_func = klplab_show },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_target", .funcs = funcs },
	KLPLAB_VMLINUX
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init klplab_init(void)
{
	return klplab_enable(&patch);
}

static void __exit klplab_exit(void)
{
	klplab_leave(&patch);
}

module_init(klplab_init);
module_exit(klplab_exit);
MODULE_DESCRIPTION("livepatch of klplab_target");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
