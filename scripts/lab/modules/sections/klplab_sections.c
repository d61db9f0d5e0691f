// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * klplab_sections - klp relocations in every kind of section that code and data live in
 *
 * The text of /proc/klplab_target names each place and what was read through
 * it. Objects are not static: the compiler could otherwise see that nothing
 * writes them, and read the address at compile time.
 */
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <klp_convert.h>
#include <klplab_compat.h>

extern int klplab_secret KLP_RELOC_SYMBOL(klplab_target, klplab_target, klplab_secret);
extern int klplab_helper(int x) KLP_RELOC_SYMBOL(klplab_target, klplab_target, klplab_helper);
extern char *saved_command_line KLP_RELOC_SYMBOL(vmlinux, vmlinux, saved_command_line);

typedef int helper_fn(int x);

struct klplab_entry {
	const char *name;
	int *secret;
	helper_fn *helper;
	char **cmdline;
};

/* .data: pointers to data, to a function, and into another object. */
int *klplab_data_secret = &klplab_secret;
helper_fn *klplab_data_helper = klplab_helper;
char **klplab_data_cmdline = &saved_command_line;

/* .rodata, which is write-protected when the target is loaded later. */
extern const struct klplab_entry klplab_rodata[];
const struct klplab_entry klplab_rodata[] = {
	{ "rodata", &klplab_secret, klplab_helper, &saved_command_line },
	{ }
};

/* An addend that is not 0: the bytes before the symbol are not read. */
char *klplab_data_addend = (char *)&klplab_secret - 16;

noinline int klplab_in_text(void);
noinline int klplab_in_text(void)
{
	return klplab_secret;
}

noinline int klplab_in_call(void);
noinline int klplab_in_call(void)
{
	return klplab_helper(1) - 1;
}

/* The address of a function as an immediate operand. */
noinline int klplab_in_pointer(void);
noinline int klplab_in_pointer(void)
{
	helper_fn *fn = klplab_helper;

	OPTIMIZER_HIDE_VAR(fn);
	return fn(1) - 1;
}

/* A jump to the function rather than a call. */
noinline int klplab_in_tail(int x);
noinline int klplab_in_tail(int x)
{
	return klplab_helper(x);
}

noinline const char *klplab_in_cmdline(void);
noinline const char *klplab_in_cmdline(void)
{
	return saved_command_line;
}

static int klplab_sections_show(struct seq_file *m, void *v)
{
	const struct klplab_entry *e = klplab_rodata;

	OPTIMIZER_HIDE_VAR(e);	/* read the table, do not unroll it */
	seq_printf(m, "text %d\n", klplab_in_text());
	seq_printf(m, "call %d\n", klplab_in_call());
	seq_printf(m, "pointer %d\n", klplab_in_pointer());
	seq_printf(m, "tail %d\n", klplab_in_tail(0));
	seq_printf(m, "data %d\n", *klplab_data_secret);
	seq_printf(m, "addend %d\n", *(int *)(klplab_data_addend + 16));
	seq_printf(m, "data-function %d\n", klplab_data_helper(0));
	for (; e->name; e++) {
		seq_printf(m, "%s %d\n", e->name, *e->secret);
		seq_printf(m, "%s-function %d\n", e->name, e->helper(0));
		seq_printf(m, "%s-cmdline %s\n", e->name, *e->cmdline);
	}
	seq_printf(m, "data-cmdline %s\n", *klplab_data_cmdline);
	seq_printf(m, "text-cmdline %s\n", klplab_in_cmdline());
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "klplab_target_show", .new_func = klplab_sections_show },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_target", .funcs = funcs },
	KLPLAB_VMLINUX
	{ }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init klplab_sections_init(void)
{
	return klplab_enable(&patch);
}

static void __exit klplab_sections_exit(void)
{
	klplab_leave(&patch);
}

module_init(klplab_sections_init);
module_exit(klplab_sections_exit);
MODULE_DESCRIPTION("livepatch with klp relocations in many sections");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
