// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * klplab_twins_record - klplab_twins with records
 *
 * A record speaks of the C name, so one module can have one position of a name.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <klp_convert.h>
#include <klplab_compat.h>

extern int klplab_twin(void);
extern void *c_start(struct seq_file *m, loff_t *pos);

KLP_MODULE_RELOC(klplab_target) of_target[] = {
	KLP_SYMPOS(klplab_twin, 2),
};

KLP_MODULE_RELOC(vmlinux) of_vmlinux[] = {
	KLP_SYMPOS(c_start, 2),
};

static unsigned long second = (unsigned long)c_start;
module_param(second, ulong, 0444);

static int klplab_twins_show(struct seq_file *m, void *v)
{
	seq_printf(m, "second %d\n", klplab_twin());
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
MODULE_DESCRIPTION("livepatch with positions, in records");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
