/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GADGET_H
#define GADGET_H

#include <linux/list.h>

struct gadget {
	struct list_head list;
	int size;
};

int gadget_level(void);

#endif
