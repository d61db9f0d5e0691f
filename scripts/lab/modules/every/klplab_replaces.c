// SPDX-License-Identifier: GPL-2.0-or-later
/* klplab_replaces - klplab_uses, as the livepatch that takes the place of all others */
#define KLPLAB_PATCH .replace = true,
#include "klplab_uses.c"
