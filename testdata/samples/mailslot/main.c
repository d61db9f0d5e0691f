// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mailslot - the driver with the bug of docs/guide.md
 *
 * Slots of text, half of them for everyone, half of them root's. Writing a
 * number to /proc/mailslot chooses a slot, reading prints it, writing a number
 * and a text fills it. The bug: reading does not ask whose slot it is.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include "mailslot.h"

static char mailslot_slots[MAILSLOT_ALL][MAILSLOT_TEXT] = {
	"milk", "bread", "stamps", "lamp oil",
	"key under the mat", "combination 4711", "", "",
};
static unsigned int mailslot_chosen;

/* May everyone see and fill this slot? */
static noinline __noclone bool slot_valid(unsigned int n)
{
	return n < MAILSLOT_PUBLIC;
}

static noinline int mailslot_show(struct seq_file *m, void *v)
{
	mailslot_count(mailslot_chosen);
	seq_printf(m, "slot %u: %s\n", mailslot_chosen, mailslot_slots[mailslot_chosen]);
	return 0;
}

static ssize_t mailslot_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	char line[MAILSLOT_TEXT + 8] = "", text[MAILSLOT_TEXT] = "";
	unsigned int n;

	if (len >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, len))
		return -EFAULT;
	switch (sscanf(line, "%u %23[^\n]", &n, text)) {
	case 2:
		if (!slot_valid(n))
			return -EACCES;
		strcpy(mailslot_slots[n], text);
		return len;
	case 1:
		if (n >= MAILSLOT_ALL)
			return -EINVAL;
		mailslot_chosen = n;
		return len;
	}
	return -EINVAL;
}

static int mailslot_open(struct inode *inode, struct file *file)
{
	return single_open(file, mailslot_show, NULL);
}

static const struct proc_ops mailslot_ops = {
	.proc_open = mailslot_open,
	.proc_read = seq_read,
	.proc_write = mailslot_write,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};

static int __init mailslot_init(void)
{
	int err = mailslot_stats_init();

	if (!err && !proc_create("mailslot", 0666, NULL, &mailslot_ops)) {
		mailslot_stats_exit();
		err = -ENOMEM;
	}
	return err;
}

static void __exit mailslot_exit(void)
{
	remove_proc_entry("mailslot", NULL);
	mailslot_stats_exit();
}

module_init(mailslot_init);
module_exit(mailslot_exit);
MODULE_DESCRIPTION("Livepatch sample: a driver with a bug");
MODULE_LICENSE("GPL");
