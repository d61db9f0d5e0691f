// SPDX-License-Identifier: GPL-2.0-or-later
/* One of two files of this name; in both are all symbols that share a name. */
#include "../../twins.h"

TWINS(proc)
