// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * klplab_every - a module with each kind of symbol that a livepatch may use
 *
 * Variables, a per-CPU variable, functions with and without data of their own (on ppc64le
 * with and without a local entry), one whose name has dots as compilers make them, and a
 * static key.
 */
#include <linux/jump_label.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

/* Neither inlined, nor cloned, nor given a private calling convention. */
#define KLPLAB_KEEP noinline __attribute__((__noipa__))

static int every_secret = 42;
module_param(every_secret, int, 0644);

static int every_row[4] = { 10, 11, 12, 13 };
module_param_array(every_row, int, NULL, 0444);

static DEFINE_PER_CPU(int, every_count) = 7;
static DEFINE_STATIC_KEY_FALSE(every_key);

static KLPLAB_KEEP int every_helper(int x)
{
	return x + every_secret;
}

/* It uses neither data nor other functions. */
static KLPLAB_KEEP int every_leaf(int x)
{
	return 3 * x;
}

int every_dotted(int x) __asm__("every_dotted.isra.0");
KLPLAB_KEEP int every_dotted(int x)
{
	return x + every_row[2];
}

static KLPLAB_KEEP int every_show(struct seq_file *m, void *v)
{
	seq_printf(m, "original: secret %d helper %d leaf %d dotted %d count %d key %s\n", every_secret,
		   every_helper(1), every_leaf(2), every_dotted(0), raw_cpu_read(every_count),
		   static_branch_unlikely(&every_key) ? "on" : "off");
	return 0;
}

static int __init every_init(void)
{
	return proc_create_single("klplab_every", 0444, NULL, every_show) ? 0 : -ENOMEM;
}

static void __exit every_exit(void)
{
	remove_proc_entry("klplab_every", NULL);
}

module_init(every_init);
module_exit(every_exit);
MODULE_DESCRIPTION("a module with each kind of symbol that a livepatch may use");
MODULE_LICENSE("GPL");
