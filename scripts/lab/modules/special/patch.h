/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a livepatch: the file that includes this has defined objs[], and KLPLAB_PATCH
 * if its klp_patch has more members.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <klplab_compat.h>

#ifndef KLPLAB_PATCH
#define KLPLAB_PATCH
#endif

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
	KLPLAB_PATCH
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
MODULE_DESCRIPTION("livepatch of the kernel lab");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
