// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * patch.c - what a livepatch declares of kernel.c. Names that end in _2 are declared
 * as two units may do it; the tests say which differences have to be found.
 */
typedef unsigned long size_t;

struct later;
struct list { struct list *next, *prev; };
struct list_head { struct list *next, *prev; };
enum color { RED, GREEN = 4, BLUE, BLACK };

struct device {
	const char *name;
	struct list list;
	unsigned char flags;
	unsigned int first : 3, second : 4;
	int third : 9;
	_Bool ready : 1;
	enum color color;
	unsigned long whole;
	void *pointer;
	int matrix[6];
	int (*read)(struct device *dev, char *buf, unsigned int size);
	struct later *later;
	volatile int state;
};

int is_ready(struct device *dev);
int read_device(struct device *dev, char *buf, size_t size);
short narrow(char a, short b);
void nothing(void);
int log_it(const char *format);
void walk(void (*visit)(struct list_head *l, void *arg), char *arg, struct list *l);

extern int table[];
extern struct device first_device;
extern char banner[8];
extern unsigned long counters[16];
extern signed char mode;

long use(struct device *dev, struct list_head *head)
{
	nothing();
	walk(0, 0, head->next);
	return is_ready(dev) + read_device(dev, 0, 1) + narrow(1, 2) + log_it("") + table[1] +
	       first_device.state + banner[1] + counters[1] + mode + dev->color;
}
