// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * klplab_cmdline - patches a function of vmlinux that reads unexported data
 *
 * /proc/cmdline gets a mark at its end. Loading and enabling are one step for
 * most livepatches; with hold=1 they are two, and writing 1 to the parameter
 * "enable" is the second.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <klp_convert.h>
#include <klplab_compat.h>

extern char *saved_command_line;

KLP_MODULE_RELOC(vmlinux) klplab_cmdline_relocs[] = {
	KLP_SYMPOS(saved_command_line, 0),
};

static int klplab_cmdline_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%s klplab=patched\n", saved_command_line);
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = klplab_cmdline_show },
	{ }
};

static struct klp_object objs[] = {
	{ .funcs = funcs },	/* no name: vmlinux */
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static bool hold;
module_param(hold, bool, 0444);
MODULE_PARM_DESC(hold, "load only, enable later");

static int enable_set(const char *val, const struct kernel_param *kp)
{
	return klplab_enable(&patch);
}

static const struct kernel_param_ops enable_ops = { .set = enable_set };
module_param_cb(enable, &enable_ops, NULL, 0200);
MODULE_PARM_DESC(enable, "enable a patch that was loaded with hold=1");

static int __init klplab_cmdline_init(void)
{
	return hold ? 0 : klplab_enable(&patch);
}

static void __exit klplab_cmdline_exit(void)
{
	klplab_leave(&patch);
}

module_init(klplab_cmdline_init);
module_exit(klplab_cmdline_exit);
MODULE_DESCRIPTION("livepatch of vmlinux");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
