// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * klplab_twins - names that occur more than once, told apart by position
 *
 * klplab_twin is twice in klplab_target. c_start is a name that many files of
 * vmlinux give to a static function. That one is not called: what the loader
 * resolved is read from two parameters and compared with /proc/kallsyms.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <klp_convert.h>
#include <klplab_compat.h>

extern int twin_first(void) KLP_RELOC_SYMBOL_POS(klplab_target, klplab_target, klplab_twin, 1);
extern int twin_second(void) KLP_RELOC_SYMBOL_POS(klplab_target, klplab_target, klplab_twin, 2);
extern void *start_first(struct seq_file *m, loff_t *pos)
	KLP_RELOC_SYMBOL_POS(vmlinux, vmlinux, c_start, 1);
extern void *start_second(struct seq_file *m, loff_t *pos)
	KLP_RELOC_SYMBOL_POS(vmlinux, vmlinux, c_start, 2);

static unsigned long first = (unsigned long)start_first;
module_param(first, ulong, 0444);

static unsigned long second = (unsigned long)start_second;
module_param(second, ulong, 0444);

static int klplab_twins_show(struct seq_file *m, void *v)
{
	seq_printf(m, "first %d second %d\n", twin_first(), twin_second());
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "klplab_target_show", .new_func = klplab_twins_show },
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

static int __init klplab_twins_init(void)
{
	return klplab_enable(&patch);
}

static void __exit klplab_twins_exit(void)
{
	klplab_leave(&patch);
}

module_init(klplab_twins_init);
module_exit(klplab_twins_exit);
MODULE_DESCRIPTION("livepatch with positions, in labels");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
