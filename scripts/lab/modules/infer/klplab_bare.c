// SPDX-License-Identifier: GPL-2.0-or-later
/* A livepatch without annotations: each name has one meaning in the kernel. */
extern int klplab_secret;
extern int klplab_helper(int x);
extern char *saved_command_line;

#include "../dialects/patch.h"
