// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Labels by file beside labels by position: one name in two files, a name with
 * dots, a file's name alone, and a symbol that lives in another module (jbd2)
 * than the one that is patched.
 */
#include "module.h"
#include "klp_convert.h"

extern int vm_call(int) KLP_RELOC_SYMBOL_FILE(vmlinux, vmlinux, show, "drivers/pnp/interface.c");
extern int vm_value KLP_RELOC_SYMBOL_FILE(vmlinux, vmlinux, show, "arch/x86/mm/pat-rbtree+2.c");
extern int vm_table[8] KLP_RELOC_SYMBOL_FILE(vmlinux, vmlinux, table.isra.0, "cmdline.c");
extern char *vm_string KLP_RELOC_SYMBOL_POS(vmlinux, vmlinux, vm_string, 3);
extern int mod_call(int) KLP_RELOC_SYMBOL_FILE(ext4, ext4, show, "fs/ext4/super.c");
extern int mod_value KLP_RELOC_SYMBOL_FILE(ext4, jbd2, journal_value, "fs/jbd2/journal.c");

#include "borrow.h"

LIVEPATCH_MODULE("labels_file")
