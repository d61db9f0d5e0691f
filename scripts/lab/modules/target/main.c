// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * klplab_target - the module that the lab's livepatches patch
 *
 * It stands for any module of the kernel. It exports nothing and knows nothing
 * of livepatching; all that a livepatch may want of it is static.
 */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include "target.h"

/* A parameter, so that a test can change it and see who reads it. */
static int klplab_secret = 42;
module_param(klplab_secret, int, 0644);

/* A livepatch calls this: it must keep its name and its calling convention. */
static KLPLAB_KEEP int klplab_helper(int x)
{
	return x + klplab_secret;
}

/* What a livepatch replaces. */
static KLPLAB_KEEP int klplab_target_show(struct seq_file *m, void *v)
{
	seq_printf(m, "original: secret %d helper %d twins %d\n",
		   klplab_secret, klplab_helper(1), klplab_first() + klplab_second());
	return 0;
}

static int __init klplab_target_init(void)
{
	return proc_create_single("klplab_target", 0444, NULL, klplab_target_show) ? 0 : -ENOMEM;
}

static void __exit klplab_target_exit(void)
{
	remove_proc_entry("klplab_target", NULL);
}

module_init(klplab_target_init);
module_exit(klplab_target_exit);
MODULE_DESCRIPTION("a module to be livepatched");
MODULE_LICENSE("GPL");
