// SPDX-License-Identifier: GPL-2.0-or-later
/* Three dialects in one module: an RFC record, a v7 record, a label. */
#include <klp_convert.h>

extern int klplab_secret;
extern int klplab_helper(int x) KLP_RELOC_SYMBOL(klplab_target, klplab_target, klplab_helper);
extern char *saved_command_line;

struct klplab_record {
	void *sym;
	unsigned int sympos;
} __packed;

struct klplab_record __section(".klp.module_relocs.klplab_target") of_target[] = {
	{ &klplab_secret, 0 },
};

KLP_MODULE_RELOC(vmlinux) of_vmlinux[] = {
	KLP_SYMPOS(saved_command_line, 0),
};

#include "patch.h"
