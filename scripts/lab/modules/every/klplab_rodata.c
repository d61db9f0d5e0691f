// SPDX-License-Identifier: GPL-2.0-or-later
/* klplab_rodata - klplab_uses with pointers in read-only data on ppc64, too */
#define KLPLAB_RODATA const
#include "klplab_uses.c"
