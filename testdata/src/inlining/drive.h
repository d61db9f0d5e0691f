/* SPDX-License-Identifier: GPL-2.0-or-later */
/* drive.h - functions that each file which includes this compiles for itself */
int outb(int value);

/* inlined in both files, without a symbol */
static inline int in_range(int x)
{
	return outb(x) > 5;
}

/* a symbol in both files, inlined into one */
static int calibrate(int x)
{
	return outb(x + 1) * 3;
}
