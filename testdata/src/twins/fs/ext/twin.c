// SPDX-License-Identifier: GPL-2.0-or-later
/* The other one. */
#include "../../twins.h"

TWINS(ext)
