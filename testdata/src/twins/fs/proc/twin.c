// SPDX-License-Identifier: GPL-2.0-or-later
/* One of two files of this name; in both are all that has a namesake. */
#include "../../twins.h"

TWINS(proc)
