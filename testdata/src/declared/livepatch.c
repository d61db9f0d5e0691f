// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * livepatch.c - borrows from vmlinux.c and replaces a function of it. As it is, it fits;
 * each of these makes it wrong in one way:
 *
 *	DECLARED	a function and a variable with other types
 *	SIGNATURE	a replacement with other parameters
 *	LAYOUT		a struct with members in other places
 *	PRIVATE		a struct that only a local variable leads to
 *	RENAMED		with DECLARED: a function under another name, which a list tells
 */
#define klp_enable_patch klp_enable_patch_hidden
#include "module.h"
#undef klp_enable_patch
int klp_enable_patch(void *patch);
#include "klp_convert.h"
#include "types.h"

struct kobject {
	const char *name;
	struct list_head entry;
	void *parent, *kset, *ktype, *sd;
	int kref;
	unsigned int state;
};

struct klp_func {
	const char *old_name;
	void *new_func;
	unsigned long old_sympos;
	void *old_func;
	struct kobject kobj;
	struct list_head node, stack_node;
	unsigned long old_size, new_size;
	bool nop, patched, transition;
};

struct klp_object {
	const char *name;
	struct klp_func *funcs;
	void *callbacks[5];
	struct kobject kobj;
	struct list_head func_list, node;
	struct module *mod;
	bool dynamic, patched;
};

struct klp_patch {
	struct module *mod;
	struct klp_object *objs;
	void *states;
	bool replace;
	struct list_head list;
	struct kobject kobj;
	bool enabled;
	int finish[8];
};

#ifdef RENAMED
#define is_ready check_ready
#endif
#ifdef DECLARED
extern int is_ready(struct device *dev);
extern int set_state(struct device *dev, enum power state);
#define set(dev) set_state(dev, ON)
extern const char banner[8];
#else
extern bool is_ready(struct device *dev);
extern int set_state(struct device *dev, enum power state, unsigned long flags);
#define set(dev) set_state(dev, ON, 1)
extern const char banner[16];
#endif
extern void *find_shelf(struct rack *rack, int number);
extern struct device first_device;
extern int hidden;
extern int count(struct device *dev, int most)
	KLP_RELOC_SYMBOL(vmlinux, vmlinux, count_devices.isra.0);
#ifdef TWIN
extern long twin(struct seq_file *m);
#endif

KLP_MODULE_RELOC(vmlinux) relocs[] = {
#ifndef RENAMED
	KLP_SYMPOS(is_ready, 0),
#endif
	KLP_SYMPOS(set_state, 0),
	KLP_SYMPOS(find_shelf, 0),
	KLP_SYMPOS(first_device, 0),
	KLP_SYMPOS(banner, 0),
	KLP_SYMPOS(hidden, 0),
#ifdef TWIN
	KLP_SYMPOS(twin, TWIN),
#endif
};

#ifdef SIGNATURE
static void show(struct seq_file *m)
{
	void *v = m;
#else
static int show(struct seq_file *m, void *v)
{
#endif
	struct device *dev = m->private;
	struct shelf *shelf = find_shelf(v, is_ready(dev));

	m->size = set(dev) + first_device.flags + banner[dev->state] + hidden + count(dev, 2) +
		  shelf->height;
#ifdef TWIN
	m->size += twin(m);
#endif
#ifndef SIGNATURE
	return 0;
#endif
}

static struct klp_func funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = show },
	{ }
};
static struct klp_object objs[] = {
	{ .funcs = funcs },
	{ }
};
static struct klp_patch patch = {
	.mod = &__this_module,
	.objs = objs,
};

MODULE_INFO(license, "GPL");
MODULE_INFO(livepatch, "Y");
MODULE_INFO(depends, "");
MODULE_INFO(name, "livepatch_declared");
MODULE_INFO(vermagic, "6.1.0-99-test SMP mod_unload ");
int init_module(void);
void cleanup_module(void);
struct module __this_module __attribute__((section(".gnu.linkonce.this_module"), used)) = {
	.name = "livepatch_declared",
	.init = init_module,
	.exit = cleanup_module,
};
__attribute__((section(".init.text"))) int init_module(void)
{
	return klp_enable_patch(&patch);
}
__attribute__((section(".exit.text"))) void cleanup_module(void) { }
