// SPDX-License-Identifier: GPL-2.0-or-later
/* klplab_after_init - klplab_uses with a pointer that is read-only after init on ppc64, too */
#define KLPLAB_AFTER_INIT __ro_after_init
#include "klplab_uses.c"
