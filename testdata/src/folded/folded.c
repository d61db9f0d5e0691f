// SPDX-License-Identifier: GPL-2.0-or-later
/* folded.c - a module drive of whose functions no instruction is left where they are inlined */
#include "../module.h"

/* the tables need symbols; disk_open has the number alone */
static int spin(int speed __attribute__((unused)))
{
	return 7;
}

/* these are never inlined */
static noinline int seek(int track, int side)
{
	return track + side;
}

static noinline int eject(int force)
{
	return force + 1;
}

static noinline int calibrate(int x)
{
	return x * 2;
}

int disk_alone(int x)
{
	return x << 2;
}

int disk_open(int x)
{
	return spin(x) + seek(x, 3);
}

int (*disk_ops[])(int) = { spin, eject, calibrate };
int (*disk_seek)(int, int) = seek;

MODULE_INFO(license, "GPL");
MODULE_INFO(name, "drive");
MODULE_INFO(vermagic, "6.1.0-99-test SMP mod_unload modversions ");
MODULE_INFO(depends, "");

struct module __this_module
	__attribute__((section(".gnu.linkonce.this_module"), used)) = {
	.name = "drive",
};
