// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Labels with the position after a dot. The C names are the author's own, and
 * position 1 of a name that is there once is that one.
 */
#include <klp_convert.h>

extern int secret_of_target KLP_RELOC_SYMBOL(klplab_target, klplab_target, klplab_secret);
extern int helper_of_target(int x) KLP_RELOC_SYMBOL_POS(klplab_target, klplab_target, klplab_helper, 1);
extern char *cmdline_of_vmlinux KLP_RELOC_SYMBOL(vmlinux, vmlinux, saved_command_line);

#define klplab_secret secret_of_target
#define klplab_helper helper_of_target
#define saved_command_line cmdline_of_vmlinux

#include "patch.h"
