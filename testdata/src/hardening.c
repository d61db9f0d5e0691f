// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Functions that are called by address, in each way in which a module takes one: by
 * struct module, from data, from code; and one that is called directly alone.
 */
#include "module.h"

int value;

noinline static int direct(int x)
{
	return value - x;
}

noinline static int by_data(int x)
{
	return direct(x) + 1;
}

noinline static int by_code(int x)
{
	return x * value;
}

struct operations {
	int (*show)(int);
	int (*volatile store)(int);
};

struct operations operations = { .show = by_data };

noinline int take(int x)
{
	operations.store = by_code;
	return operations.store(x) + direct(x);
}

LIVEPATCH_MODULE("hardening")
