// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmlinux.c - a kernel whose functions livepatch.c borrows and replaces
 */
#include "types.h"

struct device first_device = { .name = "first" };
const char banner[16] = "kernel";

/* One variable that nothing describes. */
__asm__(".data\n.globl hidden\n.type hidden, %object\nhidden: .long 0\n.size hidden, 4\n.text\n");

int klp_enable_patch(void *patch)
{
	return !patch;
}

bool is_ready(struct device *dev)
{
	return dev->flags & 4;
}

int set_state(struct device *dev, enum power state, unsigned long flags)
{
	dev->state = state;
	return flags != 0;
}

void *find_shelf(struct rack *rack, int number)
{
	return number ? &rack->last : &rack->slots;
}

int shelf_height(struct shelf *shelf)
{
	return shelf->height + shelf->depth;
}

/* As gcc calls what it made of a function. */
int count_devices(struct device *dev, int most) __asm__("count_devices.isra.0");
int count_devices(struct device *dev, int most)
{
	return dev->parent ? most : 0;
}

int cmdline_proc_show(struct seq_file *m, void *v)
{
	return m->buf == v;
}
