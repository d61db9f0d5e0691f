// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gadget - the driver of the second chapter of docs/guide.md
 *
 * It has one of each thing that gives authors of livepatches work: a function
 * that compilers clone, a static key, a static call, a tracepoint, an export, and
 * a list of objects in memory. Writing to /proc/gadget:
 *
 *	10	adds a gadget of that size
 *	0	frees all
 *	s	turns the static key on
 *	i	inches: updates the static call
 */
#include <linux/jump_label.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/static_call.h>
#include <linux/uaccess.h>
#include "gadget.h"

#define CREATE_TRACE_POINTS
#include "gadget_trace.h"

static LIST_HEAD(gadget_list);
static DEFINE_MUTEX(gadget_lock);
DEFINE_STATIC_KEY_FALSE(gadget_slow);

static noinline const char *gadget_mm(void)
{
	return "mm";
}

static noinline const char *gadget_inch(void)
{
	return "inch";
}

DEFINE_STATIC_CALL(gadget_unit, gadget_mm);

/* All callers pass the same: a compiler makes a clone of it. */
static noinline int gadget_scale(int size, int by)
{
	return READ_ONCE(size) * by / 10;
}

int gadget_level(void)
{
	return 7;
}
EXPORT_SYMBOL_GPL(gadget_level);

static noinline int gadget_show(struct seq_file *m, void *v)
{
	struct gadget *g;

	mutex_lock(&gadget_lock);
	list_for_each_entry(g, &gadget_list, list) {
		trace_gadget_shown(g->size);
		seq_printf(m, "gadget of %d %s%s\n", gadget_scale(g->size, 10), static_call(gadget_unit)(),
			   static_branch_unlikely(&gadget_slow) ? ", slow" : "");
	}
	mutex_unlock(&gadget_lock);
	return 0;
}

static noinline __noclone void gadget_free(struct gadget *g)
{
	kfree(g);
}

static void gadget_clear(void)
{
	struct gadget *g, *next;

	list_for_each_entry_safe(g, next, &gadget_list, list) {
		list_del(&g->list);
		gadget_free(g);
	}
}

static int gadget_add(int size)
{
	struct gadget *g = kzalloc(sizeof(*g), GFP_KERNEL);

	if (!g)
		return -ENOMEM;
	g->size = gadget_scale(size, 10);
	list_add_tail(&g->list, &gadget_list);
	return 0;
}

static ssize_t gadget_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	char line[16] = "";
	int size, err = 0;

	if (len >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, len))
		return -EFAULT;
	mutex_lock(&gadget_lock);
	if (line[0] == 's')
		static_branch_enable(&gadget_slow);
	else if (line[0] == 'i')
		static_call_update(gadget_unit, gadget_inch);
	else if (sscanf(line, "%d", &size) != 1)
		err = -EINVAL;
	else if (size)
		err = gadget_add(size);
	else
		gadget_clear();
	mutex_unlock(&gadget_lock);
	return err ?: len;
}

static int gadget_open(struct inode *inode, struct file *file)
{
	return single_open(file, gadget_show, NULL);
}

static const struct proc_ops gadget_ops = {
	.proc_open = gadget_open,
	.proc_read = seq_read,
	.proc_write = gadget_write,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};

static int __init gadget_init(void)
{
	return proc_create("gadget", 0600, NULL, &gadget_ops) ? 0 : -ENOMEM;
}

static void __exit gadget_exit(void)
{
	remove_proc_entry("gadget", NULL);
	gadget_clear();
}

module_init(gadget_init);
module_exit(gadget_exit);
MODULE_DESCRIPTION("Livepatch sample: a driver with one of each difficulty");
MODULE_LICENSE("GPL");
