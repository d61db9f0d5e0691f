// SPDX-License-Identifier: GPL-2.0-or-later
/* klplab_long - a module with long names */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include "target.h"
#include "names.h"

static KLPLAB_KEEP int FITS(int x)
{
	return x + 127;
}

static KLPLAB_KEEP int CUT(int x)
{
	return x + 128;
}

static KLPLAB_KEEP int klplab_long_show(struct seq_file *m, void *v)
{
	seq_printf(m, "original: %d %d\n", FITS(0), CUT(0));
	return 0;
}

static int __init klplab_long_init(void)
{
	return proc_create_single("klplab_long", 0444, NULL, klplab_long_show) ? 0 : -ENOMEM;
}

static void __exit klplab_long_exit(void)
{
	remove_proc_entry("klplab_long", NULL);
}

module_init(klplab_long_init);
module_exit(klplab_long_exit);
MODULE_DESCRIPTION("a module with long names");
MODULE_LICENSE("GPL");
