// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * patch.c - a livepatch of the module drive. With CALLERS it also replaces the functions into
 * which copies of spin are inlined. The structures are those of include/linux/livepatch.h, 6.1.
 */
#define klp_enable_patch klp_enable_patch_hidden
#include "../module.h"
#undef klp_enable_patch

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
	_Bool nop, patched, transition;
};

struct klp_object {
	const char *name;
	struct klp_func *funcs;
	struct {
		void *calls[4];
		_Bool enabled;
	} callbacks;
	struct kobject kobj;
	struct list_head func_list, node;
	struct module *mod;
	_Bool dynamic, patched;
};

struct klp_patch {
	struct module *mod;
	struct klp_object *objs;
	void *states;
	_Bool replace;
	struct list_head list;
	struct kobject kobj;
	_Bool enabled;
	int finish[8];
};

int klp_enable_patch(struct klp_patch *patch);
extern int printk(const char *, ...);

static int new_code(int x)
{
	return printk("%d", x);
}

static struct klp_func funcs[] = {
	{ .old_name = "spin", .new_func = new_code, .old_sympos = 1 },
#ifdef CALLERS
	{ .old_name = "disk_open", .new_func = new_code },
	{ .old_name = "disk_park", .new_func = new_code },
#else
	{ .old_name = "seek", .new_func = new_code },
	{ .old_name = "eject", .new_func = new_code },
	{ .old_name = "calibrate", .new_func = new_code, .old_sympos = 2 },
	{ .old_name = "disk_alone", .new_func = new_code },
#endif
	{ }
};

static struct klp_object objs[] = {
	{ .name = "drive", .funcs = funcs },
	{ }
};

static struct klp_patch patch = { .mod = &__this_module, .objs = objs };

MODULE_INFO(license, "GPL");
MODULE_INFO(livepatch, "Y");
MODULE_INFO(depends, "");
MODULE_INFO(name, "lp_drive");
MODULE_INFO(vermagic, "6.1.0-99-test SMP mod_unload modversions ");
int init_module(void);
void cleanup_module(void);
struct module __this_module
__attribute__((section(".gnu.linkonce.this_module"), used)) = {
	.name = "lp_drive",
	.init = init_module,
	.exit = cleanup_module,
};
__attribute__((section(".init.text"))) int init_module(void)
{
	return klp_enable_patch(&patch);
}
__attribute__((section(".exit.text"))) void cleanup_module(void) { }
