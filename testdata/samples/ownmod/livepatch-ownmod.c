// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * livepatch-ownmod.c - livepatch a module, with its own static symbols
 *
 * The replacement of ownmod_show goes on counting in the module's static
 * variable, calls its static function, and prints the kernel's banner too:
 *
 *	$ cat /proc/ownmod
 *	patched read 3: odd
 *	Linux version 6.1.0 ...
 *
 * It may be loaded before or after ownmod: the kernel resolves the symbols of
 * ownmod when ownmod is there.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "klp_convert.h"

extern unsigned int ownmod_reads
	KLP_RELOC_SYMBOL(ownmod, ownmod, ownmod_reads);
extern const char *ownmod_parity(unsigned int n)
	KLP_RELOC_SYMBOL(ownmod, ownmod, ownmod_parity);

/* <linux/printk.h> has declared linux_banner, so it gets a name of our own. */
extern const char vmlinux_banner[]
	KLP_RELOC_SYMBOL(vmlinux, vmlinux, linux_banner);

static int livepatch_ownmod_show(struct seq_file *m, void *v)
{
	ownmod_reads++;
	seq_printf(m, "patched read %u: %s\n", ownmod_reads,
		   ownmod_parity(ownmod_reads));
	seq_puts(m, vmlinux_banner);
	return 0;
}

static struct klp_func funcs[] = {
	{
		.old_name = "ownmod_show",
		.new_func = livepatch_ownmod_show,
	},
	{ }
};

static struct klp_object objs[] = {
	{
		.name = "ownmod",
		.funcs = funcs,
	},
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init livepatch_ownmod_init(void)
{
	return klp_enable_patch(&patch);
}

/* A livepatch is disabled through sysfs; after that it may be unloaded. */
static void __exit livepatch_ownmod_exit(void)
{
}

module_init(livepatch_ownmod_init);
module_exit(livepatch_ownmod_exit);
MODULE_DESCRIPTION("Livepatch sample: patch ownmod through its static symbols");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
