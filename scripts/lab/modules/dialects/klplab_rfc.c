// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records as in the RFC of 2016: packed pointer and position, the author writes
 * the struct's tag position and the address. Two arrays of one object leave a gap.
 */
#include <linux/types.h>

extern int klplab_secret;
extern int klplab_helper(int x);
extern char *saved_command_line;

struct klplab_record {
	void *sym;
	unsigned int sympos;
} __packed;

struct klplab_record __section(".klp.module_relocs.vmlinux") of_vmlinux[] = {
	{ &saved_command_line, 0 },
};

struct klplab_record __section(".klp.module_relocs.klplab_target") of_target[] = {
	{ &klplab_secret, 0 },
};

/* static, and 32 bytes on: gcc aligns arrays of 32 bytes and more. */
static struct klplab_record __section(".klp.module_relocs.klplab_target") __aligned(32) __used more[] = {
	{ &klplab_helper, 0 },
};

#include "patch.h"
