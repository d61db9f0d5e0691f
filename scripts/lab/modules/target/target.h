/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KLPLAB_TARGET_H
#define KLPLAB_TARGET_H

/* Neither inlined, nor cloned, nor given a private calling convention. */
#define KLPLAB_KEEP noinline __attribute__((__noipa__))

int klplab_first(void);
int klplab_second(void);

#endif
