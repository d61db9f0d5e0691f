/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a livepatch: the file that includes this has defined objs[]. */
#include <linux/livepatch.h>
#include <linux/module.h>

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init klplab_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit klplab_exit(void)
{
}

module_init(klplab_init);
module_exit(klplab_exit);
MODULE_DESCRIPTION("livepatch of the kernel lab");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
