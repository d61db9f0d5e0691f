// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * v7 records, written with scripts/include/klp_convert.h: 12 bytes each on
 * every architecture, no gaps between the arrays.
 */
#include "module.h"
#include "klp_convert.h"

extern int vm_call(int), vm_value, vm_table[8];
extern char *vm_string;
extern int mod_call(int), mod_value;

#include "borrow.h"

static KLP_MODULE_RELOC(vmlinux) vmlinux_relocs[] = {
	KLP_SYMPOS(vm_call, 0),
	KLP_SYMPOS(vm_value, 1),
	KLP_SYMPOS(vm_table, 0),
};

KLP_MODULE_RELOC(vmlinux) one_more[] = {
	KLP_SYMPOS(vm_string, 65536),
};

static KLP_MODULE_RELOC(ext4) ext4_relocs[] = {
	KLP_SYMPOS(mod_call, 0),
	KLP_SYMPOS(mod_value, 2),
};

LIVEPATCH_MODULE("records_v7")
