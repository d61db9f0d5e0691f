// SPDX-License-Identifier: GPL-2.0-or-later
/* disk.c - functions of which the compiler makes copies, for sympos/inlining */
#include "../module.h"
#include "drive.h"

/* inlined into start, and so into disk_open; the table needs a symbol */
static int spin(int speed)
{
	return outb(speed) ? speed : -1;
}

static int start(int x)
{
	return spin(x + 1) + 7;
}

/* a clone for the calls with 3; the table needs the function itself */
static noinline int seek(int track, int side)
{
	if (side == 3)
		return outb(track);
	outb(side);
	for (int i = 0; i < side; i++)
		track += outb(track * i) / side;
	return outb(track % side) + in_range(side);
}

/* the rest is split off, and the test inlined into the callers */
static int eject(int force)
{
	if (!force)
		return 0;
	outb(1);
	outb(2);
	outb(3);
	outb(4);
	outb(5);
	outb(6);
	outb(7);
	outb(8);
	outb(9);
	outb(10);
	return outb(force);
}

int disk_open(int x)
{
	return start(x) + seek(x, 3);
}

int disk_park(int x)
{
	return spin(x) + seek(x + 1, 3);
}

int disk_close(int x)
{
	return eject(x) + 1;
}

int disk_reset(int x)
{
	if (eject(x + 1))
		return in_range(x);
	return eject(x) * 2;
}

int disk_alone(int x)
{
	return outb(x) << 2;
}

int (*disk_ops[])(int) = { spin, eject, calibrate, disk_alone };
int (*disk_seek)(int, int) = seek;
