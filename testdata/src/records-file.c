// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records by file beside records by position: one path twice, a path that is a
 * file's name alone, and a string of the module's own that is the same.
 */
#include "module.h"
#include "klp_convert.h"

extern int vm_call(int), vm_value, vm_table[8];
extern char *vm_string;
extern int mod_call(int), mod_value;

#include "borrow.h"

static KLP_MODULE_RELOC(vmlinux) vmlinux_relocs[] = {
	KLP_SYMPOS(vm_call, 0),
	KLP_SYMFILE(vm_value, "drivers/pnp/interface.c"),
	KLP_SYMFILE(vm_table, "drivers/pnp/interface.c"),
};

KLP_MODULE_RELOC(vmlinux) one_more[] = {
	KLP_SYMFILE(vm_string, "cmdline.c"),
};

static KLP_MODULE_RELOC(ext4) ext4_relocs[] = {
	KLP_SYMFILE(mod_call, "fs/ext4/super.c"),
	KLP_SYMPOS(mod_value, 2),
};

const char *const own_string = "fs/ext4/super.c";

LIVEPATCH_MODULE("records_file")
