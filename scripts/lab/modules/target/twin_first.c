// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first of two static functions, and two variables, of one name in one module.
 *
 * They are first in the symbol table, whose order counts in a module, and behind
 * the others in memory, because their sections come later.
 */
#include <linux/kernel.h>
#include "target.h"

static volatile int klplab_number __section(".klplab.data") = 100;

static KLPLAB_KEEP notrace __section(".klplab.text") int klplab_twin(void)
{
	return klplab_number;
}

int klplab_first(void)
{
	return klplab_twin();
}
