// SPDX-License-Identifier: GPL-2.0-or-later
/* The first of two static functions of one name in one module. */
#include <linux/kernel.h>
#include "target.h"

static KLPLAB_KEEP int klplab_twin(void)
{
	return 100;
}

int klplab_first(void)
{
	return klplab_twin();
}
