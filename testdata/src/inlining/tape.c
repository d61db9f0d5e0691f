// SPDX-License-Identifier: GPL-2.0-or-later
/* tape.c - another file, with a function of the same name and with those of drive.h */
#include "../module.h"
#include "drive.h"

static int spin(int speed)
{
	return outb(speed - 1);
}

int tape_open(int x)
{
	return calibrate(x) + in_range(x + 2);
}

int tape_wind(int x)
{
	return spin(x) * 5;
}

int (*tape_ops[])(int) = { spin, calibrate };

MODULE_INFO(license, "GPL");
MODULE_INFO(name, "drive");
MODULE_INFO(vermagic, "6.1.0-99-test SMP mod_unload modversions ");
MODULE_INFO(depends, "");
int init_module(void);
struct module __this_module
__attribute__((section(".gnu.linkonce.this_module"), used)) = {
	.name = "drive",
	.init = init_module,
};
__attribute__((section(".init.text"))) int init_module(void)
{
	return tape_open(1);
}
