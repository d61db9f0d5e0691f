/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MAILSLOT_H
#define MAILSLOT_H

#define MAILSLOT_PUBLIC	4	/* for everyone */
#define MAILSLOT_ALL	8	/* the others are root's */
#define MAILSLOT_TEXT	24

void mailslot_count(unsigned int n);
int mailslot_stats_init(void);
void mailslot_stats_exit(void);

#endif
