// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ownmod.c - a module to be livepatched, with nothing but static symbols
 *
 *	$ cat /proc/ownmod
 *	read 1: odd
 *	$ cat /proc/ownmod
 *	read 2: even
 *
 * The functions are kept whole (not inlined, not cloned), so that they have
 * symbols by their own names and the livepatch can call them.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

static unsigned int ownmod_reads;

static noinline __noclone const char *ownmod_parity(unsigned int n)
{
	return n & 1 ? "odd" : "even";
}

static noinline int ownmod_show(struct seq_file *m, void *v)
{
	ownmod_reads++;
	seq_printf(m, "read %u: %s\n", ownmod_reads, ownmod_parity(ownmod_reads));
	return 0;
}

static int __init ownmod_init(void)
{
	if (!proc_create_single("ownmod", 0444, NULL, ownmod_show))
		return -ENOMEM;
	return 0;
}

static void __exit ownmod_exit(void)
{
	remove_proc_entry("ownmod", NULL);
}

module_init(ownmod_init);
module_exit(ownmod_exit);
MODULE_DESCRIPTION("Livepatch sample: the module to be patched");
MODULE_LICENSE("GPL");
