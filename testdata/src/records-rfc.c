// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RFC records: an array of 3, one of 1 and one of 6 entries in one section,
 * which makes gaps between them, and one for a module.
 */
#include "module.h"
#include "rfc.h"

extern int vm_call(int), vm_value, vm_table[8];
extern char *vm_string;
extern int mod_call(int), mod_value;
extern int extra0, extra1, extra2, extra3, extra4, extra5;

#include "borrow.h"

struct RFC_MODULE_RELOC(vmlinux) vmlinux_relocs[] = {
	{ (void *)&vm_call, 0 },
	{ &vm_value, 1 },
	{ &vm_table, 0 },
};

static struct RFC_MODULE_RELOC(vmlinux) one_more[] = {
	{ &vm_string, 0 },
};

struct RFC_MODULE_RELOC(vmlinux) many_more[] = {
	{ &extra0, 0 }, { &extra1, 1 }, { &extra2, 2 },
	{ &extra3, 3 }, { &extra4, 4 }, { &extra5, 1000 },
};

struct RFC_MODULE_RELOC(ext4) ext4_relocs[] = {
	{ (void *)&mod_call, 0 },
	{ &mod_value, 2 },
};

int extras(void);
int extras(void)
{
	return extra0 + extra1 + extra2 + extra3 + extra4 + extra5;
}

LIVEPATCH_MODULE("records_rfc")
