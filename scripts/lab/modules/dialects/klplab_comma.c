// SPDX-License-Identifier: GPL-2.0-or-later
/* Labels with the position after a comma. */
#define KLP_RELOC_SYMBOL_COMMA
#include <klp_convert.h>

extern int klplab_secret KLP_RELOC_SYMBOL(klplab_target, klplab_target, klplab_secret);
extern int klplab_helper(int x) KLP_RELOC_SYMBOL(klplab_target, klplab_target, klplab_helper);
extern char *saved_command_line KLP_RELOC_SYMBOL(vmlinux, vmlinux, saved_command_line);

#include "patch.h"
