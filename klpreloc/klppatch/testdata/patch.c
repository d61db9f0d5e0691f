// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A livepatch of vmlinux and two modules, with about everything that a
 * klp_patch can declare and a few things that look like one. KLP is the kernel
 * whose structures it is built for (include/linux/livepatch.h), as 100 times the
 * major number plus the minor; each layout is declared here anew, so that the
 * tables of the reader are not tested against themselves.
 */
#define klp_enable_patch klp_enable_patch_hidden
#include "module.h"
#undef klp_enable_patch

typedef _Bool bool;
#define NULL ((void *)0)

struct kobject {
	const char *name;
	struct list_head entry;
	void *parent, *kset, *ktype, *sd;
	int kref;
	unsigned int state;
};

struct klp_object;
struct klp_patch;

struct klp_func {
	const char *old_name;
	void *new_func;
	unsigned long old_sympos;
#if KLP >= 412 && KLP < 416
	bool immediate;
#endif
	void *old_func;
	struct kobject kobj;
#if KLP < 412
	int state;
	struct list_head stack_node;
#else
#if KLP >= 501
	struct list_head node;
#endif
	struct list_head stack_node;
	unsigned long old_size, new_size;
#if KLP >= 501
	bool nop;
#endif
	bool patched, transition;
#endif
};

struct klp_callbacks {
	int (*pre_patch)(struct klp_object *obj);
	void (*post_patch)(struct klp_object *obj);
	void (*pre_unpatch)(struct klp_object *obj);
	void (*post_unpatch)(struct klp_object *obj);
	bool post_unpatch_enabled;
};

struct klp_object {
	const char *name;
	struct klp_func *funcs;
#if KLP >= 415
	struct klp_callbacks callbacks;
#endif
	struct kobject kobj;
#if KLP >= 501
	struct list_head func_list, node;
#endif
	struct module *mod;
	bool dynamic, patched;
};

struct klp_patch {
	struct module *mod;
	struct klp_object *objs;
#if KLP >= 505
	void *states;
#endif
#if KLP >= 501
	bool replace;
#elif KLP >= 412 && KLP < 416
	bool immediate;
#endif
	struct list_head list;
	struct kobject kobj;
	bool enabled;
	int finish[8];
};

int klp_enable_patch(struct klp_patch *patch);
extern int printk(const char *, ...);
extern int sink;

/* Reached by nobody but init. */
static noinline int setup(void)
{
	return printk("setup");
}

/* Shared: vmlinux and ext4 use it. */
static noinline int both(int x)
{
	return printk("both %d", x);
}

static int ext4_more(int x);

/* Reached by ext4 alone, through a table; calls itself over a detour. */
static noinline int ext4_helper(int x)
{
	if (x > 3)
		return ext4_more(x - 1);
	return printk("ext4 helper");
}
static noinline int ext4_more(int x)
{
	return ext4_helper(x / 2) + 1;
}
static int (*const ext4_table[])(int) = { ext4_helper, ext4_more };
static int ext4_count = 3;

/* Jump tables, where the compiler makes some: one for each object. */
#define SWITCH(name, what)					\
	static noinline int name(int x)				\
	{							\
		switch (x) {					\
		case 0: return printk(what "zero");		\
		case 1: return printk(what "one") * 3;		\
		case 2: return sink;				\
		case 3: return printk(what "three") + sink;	\
		case 4: return x * printk(what "four");		\
		case 5: return sink = 5;			\
		case 6: return printk(what "six") - 6;		\
		}						\
		return 0;					\
	}
SWITCH(vm_switch, "vm")
SWITCH(nfs_switch, "nfs")

static struct klp_patch patch;

static int vm_show(int x)
{
	return both(x) + vm_switch(x) + printk("vm");
}
static int vm_read(int x)
{
	return patch.enabled + x; /* looks at the whole, and works for vmlinux */
}
static int ext4_show(int x)
{
	ext4_count++;
	return both(ext4_count) + ext4_table[x & 1](x);
}
static int nfs_show(int x)
{
	return nfs_switch(x);
}
#if KLP >= 415
static noinline int nfs_callback_helper(void)
{
	return printk("callback");
}
static int nfs_pre(__attribute__((unused)) struct klp_object *obj)
{
	return nfs_callback_helper();
}
static void nfs_post_unpatch(__attribute__((unused)) struct klp_object *obj)
{
	nfs_callback_helper();
}
#endif

static struct klp_func vm_funcs[] = {
	{ .old_name = "cmdline_proc_show", .new_func = vm_show },
	{ .old_name = "read", .new_func = vm_read, .old_sympos = 2,
#if KLP >= 412 && KLP < 416
	  .immediate = 1,
#endif
	},
	{ }
};
static struct klp_func ext4_funcs[] = {
	{ .old_name = "show", .new_func = ext4_show, .old_sympos = 1 },
	{ }
};
static struct klp_func nfs_funcs[] = {
	{ .old_name = "nfs_show", .new_func = nfs_show },
	{ }
};
static struct klp_func no_funcs[1]; /* in .bss */

static struct klp_object objs[] = {
	{ .name = "ext4", .funcs = ext4_funcs },
	{ .funcs = vm_funcs },
	{
		.name = "nfs",
		.funcs = nfs_funcs,
#if KLP >= 415
		.callbacks = {
			.pre_patch = nfs_pre,
			.post_unpatch = nfs_post_unpatch,
		},
#endif
	},
	{ .name = "xfs", .funcs = no_funcs },
	{ }
};

/* They begin as a klp_patch does. */
struct file_operations {
	struct module *owner;
	int (*llseek)(int);
	int (*read)(int);
} fops = { &__this_module, both, both };

struct ops {
	int (*release)(int);
	int (*link)(int);
} item_ops = { NULL, both };
struct config_item_type {
	struct module *owner;
	struct ops *ops;
} item_type = { &__this_module, &item_ops };

struct transport {
	struct module *owner;
	const char *name;
} transport = { &__this_module, "tcp" };

static struct klp_patch patch = {
	.mod = &__this_module,
	.objs = objs,
#if KLP >= 501
	.replace = 1,
#endif
};

static noinline int enable(void)
{
	return setup() + klp_enable_patch(&patch);
}
#define klp_enable_patch(x) enable()
LIVEPATCH_MODULE("patch")
