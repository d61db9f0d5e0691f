// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Labels, with a dot before the position, with a comma (KLP_RELOC_SYMBOL_COMMA)
 * and with a comma and quotes that stay in the name (QUOTED, with clang). One name means two symbols of vmlinux and one of ext4, one name
 * has dots in it, and one symbol lives in another module (jbd2) than the one
 * that is patched.
 */
#include "module.h"
#ifdef QUOTED
/* The macro as earlier headers had it, made for gcc. clang keeps the quotes. */
#define KLP_RELOC_SYMBOL_POS(lp, sym, name, pos) \
	__asm__("\".klp.sym.rela." #lp "." #sym "." #name "," #pos "\"")
#define KLP_RELOC_SYMBOL(lp, sym, name) KLP_RELOC_SYMBOL_POS(lp, sym, name, 0)
#endif
#include "klp_convert.h"

extern int vm_call(int) KLP_RELOC_SYMBOL_POS(vmlinux, vmlinux, show, 1);
extern int vm_value KLP_RELOC_SYMBOL_POS(vmlinux, vmlinux, show, 2);
extern int vm_table[8] KLP_RELOC_SYMBOL(vmlinux, vmlinux, table.isra.0);
extern char *vm_string KLP_RELOC_SYMBOL(vmlinux, vmlinux, vm_string);
extern int mod_call(int) KLP_RELOC_SYMBOL(ext4, ext4, show);
extern int mod_value KLP_RELOC_SYMBOL(ext4, jbd2, journal_value);

#include "borrow.h"

LIVEPATCH_MODULE("labels")
