/* SPDX-License-Identifier: GPL-2.0-or-later */
/* types.h - types that the kernel of vmlinux.c and its livepatches share */
typedef _Bool bool;

enum power { OFF, STANDBY, ON };

struct seq_file {
	char *buf;
	unsigned long size;
	void *private;
};

struct device {
	const char *name;
#ifdef LAYOUT
	int flags; /* the kernel has it after state */
	enum power state;
#else
	enum power state;
	int flags;
#endif
	unsigned long id;
	struct device *parent;
#ifdef LAYOUT
	void *added;
#endif
};

/* Differs only in what it has in it. */
struct rack {
	int slots;
	struct device first;
	int last;
};

/* No function has it as a parameter. */
struct shelf {
#ifdef PRIVATE
	short depth;
#else
	int depth;
#endif
	int height;
};
