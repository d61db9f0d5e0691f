// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * livepatch-cmdline.c - make /proc/cmdline say more than the boot loader did
 *
 * The kernel prints the file from a static function in fs/proc/cmdline.c, out
 * of saved_command_line, which it does not export. The livepatch replaces the
 * function and borrows the variable:
 *
 *	# insmod livepatch-cmdline.ko
 *	$ cat /proc/cmdline
 *	root=/dev/vda1 ro quiet kernel.livepatch=1
 *
 *	# echo 0 > /sys/kernel/livepatch/livepatch_cmdline/enabled
 *	# rmmod livepatch-cmdline
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "klp_convert.h"

/* <linux/init.h> declares it; without this table the module would not load. */
static KLP_MODULE_RELOC(vmlinux) vmlinux_syms[] = {
	KLP_SYMPOS(saved_command_line, 0),
};

static int livepatch_cmdline_proc_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%s kernel.livepatch=1\n", saved_command_line);
	return 0;
}

static struct klp_func funcs[] = {
	{
		.old_name = "cmdline_proc_show",
		.new_func = livepatch_cmdline_proc_show,
	},
	{ }
};

static struct klp_object objs[] = {
	{
		/* no name: vmlinux */
		.funcs = funcs,
	},
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init livepatch_cmdline_init(void)
{
	return klp_enable_patch(&patch);
}

/* A livepatch is disabled through sysfs; after that it may be unloaded. */
static void __exit livepatch_cmdline_exit(void)
{
}

module_init(livepatch_cmdline_init);
module_exit(livepatch_cmdline_exit);
MODULE_DESCRIPTION("Livepatch sample: append to /proc/cmdline");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
