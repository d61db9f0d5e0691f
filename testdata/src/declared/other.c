// SPDX-License-Identifier: GPL-2.0-or-later
#define SECOND
#include "twin.c"
