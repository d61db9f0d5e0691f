// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All three dialects in one module, compiled with -ffunction-sections,
 * -fdata-sections and debug information, which refers to the arrays too.
 * "exported" is an ordinary export beside them.
 */
#include "module.h"
#include "rfc.h"
#include "klp_convert.h"

extern int vm_call(int), vm_value;
extern int vm_table[8];
extern char *vm_string KLP_RELOC_SYMBOL(vmlinux, vmlinux, vm_string);
extern int mod_call(int) KLP_RELOC_SYMBOL(ext4, ext4, show);
extern int mod_value;
extern int exported(int *);

#include "borrow.h"

static KLP_MODULE_RELOC(vmlinux) v7[] = {
	KLP_SYMPOS(vm_value, 1),
	KLP_SYMPOS(vm_table, 0),
};

/* With 64-bit pointers the two kinds of record are the same bytes. */
#ifdef __LP64__
static struct RFC_MODULE_RELOC(vmlinux) rfc[] = {
	{ (void *)&vm_call, 3 },
};
#else
static KLP_MODULE_RELOC(vmlinux) rfc[] = {
	KLP_SYMPOS(vm_call, 3),
};
#endif

static struct RFC_MODULE_RELOC(ext4) ext4[] = {
	{ &mod_value, 0 },
};

int alone(void);
int alone(void)
{
	return exported(&vm_table[2]) + vm_table[2];
}

LIVEPATCH_MODULE("mixed")
