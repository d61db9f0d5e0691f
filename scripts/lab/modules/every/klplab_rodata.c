// SPDX-License-Identifier: GPL-2.0-or-later
/* klplab_rodata - klplab_uses with a pointer in read-only data, as assembler source may have it */
#include "klplab_uses.c"

asm(".pushsection .rodata.klplab, \"a\"\n"
    "	.balign 8\n"
    "	.quad every_secret\n"
    ".popsection");
