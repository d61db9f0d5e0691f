// SPDX-License-Identifier: GPL-2.0-or-later
/* Records as in v7: the header's macros. */
#include <klp_convert.h>

extern int klplab_secret;
extern int klplab_helper(int x);
extern char *saved_command_line;

KLP_MODULE_RELOC(vmlinux) of_vmlinux[] = {
	KLP_SYMPOS(saved_command_line, 0),
};

KLP_MODULE_RELOC(klplab_target) of_target[] = {
	KLP_SYMPOS(klplab_secret, 0),
	KLP_SYMPOS(klplab_helper, 0),
};

#include "patch.h"
