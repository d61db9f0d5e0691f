// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kernel.c - what a kernel has: types of every kind, for sympos/ctypes
 *
 * patch.c declares the same, partly otherwise.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long size_t;
typedef _Bool bool;

enum color { RED, GREEN = 5, BLUE };
enum signed_color { NONE = -1, SOME = 1 };

struct later; /* declared only */

struct list { struct list *next, *prev; };

union word {
	unsigned long whole;
	struct { u32 low, high; };
};

struct device {
	const char *name;
	struct list list;
	u8 flags;
	u32 first : 3, second : 5;
	int third : 9;
	bool ready : 1;
	enum color color;
	union word word;
	union { int number; void *pointer; } u;
	int matrix[2][3];
	int (*read)(struct device *dev, char *buf, size_t size);
	struct later *later;
	volatile int state;
	char tail[];
};

typedef struct { int counter; } atomic_t;

bool is_ready(struct device *dev)
{
	return dev->flags;
}

int read_device(struct device *dev, char *buf, size_t size, const u8 *key)
{
	return dev->read(dev, buf, size) + *key;
}

__attribute__((noinline)) static short narrow(signed char a, unsigned short b)
{
	return a + b;
}

void nothing(void)
{
}

int log_it(const char *format, ...)
{
	return *format;
}

atomic_t by_value(atomic_t a, enum signed_color color)
{
	a.counter += color + narrow(color, a.counter);
	return a;
}

void walk(void (*visit)(struct list *l, void *arg), void *arg, struct later *l)
{
	visit(0, arg);
	(void)l;
}

extern int table[4];
int table[4] = { 1, 2, 3, 4 };
struct device *first_device;
const char banner[16] = "kernel";
unsigned long counters[2][8];
u8 mode;
