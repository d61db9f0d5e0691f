// SPDX-License-Identifier: GPL-2.0-or-later
/* stats.c - how often each slot was read: /proc/mailslot_stats */
#include <linux/kernel.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include "mailslot.h"

static unsigned int reads[MAILSLOT_ALL];

/* Is there such a slot? */
static noinline __noclone bool slot_valid(unsigned int n)
{
	return n < MAILSLOT_ALL;
}

void mailslot_count(unsigned int n)
{
	if (slot_valid(n))
		reads[n]++;
}

static int mailslot_stats_show(struct seq_file *m, void *v)
{
	unsigned int n;

	for (n = 0; slot_valid(n); n++)
		seq_printf(m, "slot %u: %u reads\n", n, reads[n]);
	return 0;
}

int mailslot_stats_init(void)
{
	return proc_create_single("mailslot_stats", 0400, NULL, mailslot_stats_show) ? 0 : -ENOMEM;
}

void mailslot_stats_exit(void)
{
	remove_proc_entry("mailslot_stats", NULL);
}
