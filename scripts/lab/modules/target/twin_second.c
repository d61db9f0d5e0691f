// SPDX-License-Identifier: GPL-2.0-or-later
/* The second of two static functions, and two variables, of one name in one module. */
#include <linux/kernel.h>
#include "target.h"

static volatile int klplab_number = 200;

static KLPLAB_KEEP int klplab_twin(void)
{
	return klplab_number;
}

int klplab_second(void)
{
	return klplab_twin();
}
