// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * klplab_uses - uses of a module's and of vmlinux' symbols, as patched code has them
 *
 * The function that it replaces calls functions, reads variables through pointers of every
 * storage class, and does what the architecture has alternatives, feature sections, atomic
 * instructions and exception tables for, between its klp relocations. Each line of the
 * output is one of these.
 */
#include <linux/atomic.h>
#include <linux/irqflags.h>
#include <linux/jump_label.h>
#include <linux/livepatch.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <trace/events/task.h>
#include <klp_convert.h>
#include <klplab_compat.h>

extern int every_secret;
extern int every_row[4];
extern int every_helper(int x);
extern int every_leaf(int x);
extern int dotted(int x) KLP_RELOC_SYMBOL(klplab_every, klplab_every, every_dotted.isra.0);
extern struct static_key_false every_key;
DECLARE_PER_CPU(int, every_count);
extern char *saved_command_line;

static KLP_MODULE_RELOC(klplab_every) of_every[] = {
	KLP_SYMPOS(every_secret, 0),
	KLP_SYMPOS(every_row, 0),
	KLP_SYMPOS(every_helper, 0),
	KLP_SYMPOS(every_leaf, 0),
	KLP_SYMPOS(every_key, 0),
	KLP_SYMPOS(every_count, 0),
};

static KLP_MODULE_RELOC(vmlinux) of_vmlinux[] = {
	KLP_SYMPOS(saved_command_line, 0),
	KLP_SYMPOS(__tracepoint_task_rename, 0),
};

typedef int helper_fn(int x);

/*
 * ppc64 resolves a module's symbols by plain stores, which fault in what is read-only by then:
 * klplab_after_init shows it, and klplab_rodata. Its compilers put constants with relocations
 * into .data.rel.ro, which the kernel treats as data.
 */
#if defined(CONFIG_PPC64) && defined(CONFIG_STRICT_MODULE_RWX) && !defined(KLPLAB_AFTER_INIT)
#define KLPLAB_AFTER_INIT
#elif !defined(KLPLAB_AFTER_INIT)
#define KLPLAB_AFTER_INIT __ro_after_init
#endif

/* Not static: the compiler could see that nothing writes them. */
int *uses_data = &every_secret;
int *const uses_rodata = &every_secret;
int *uses_ro_after_init KLPLAB_AFTER_INIT = &every_secret;
int *uses_read_mostly __read_mostly = &every_secret;
int *uses_array[] = { &every_row[0], &every_row[3], &every_secret };
helper_fn *uses_functions[] = { every_helper, every_leaf, dotted };

static noinline int pointers(void)
{
	static int *local = &every_secret;
	static int *const local_const[] = { &every_row[1], &every_secret };
	int *const *p = local_const;

	OPTIMIZER_HIDE_VAR(local);
	OPTIMIZER_HIDE_VAR(p);
	return *local + *p[0] + *p[1];
}

/* The index is not known to the compiler, so it may make a table of it. */
static noinline int chosen(int n)
{
	switch (n) {
	case 0: return every_helper(0);
	case 1: return every_leaf(every_secret);
	case 2: return dotted(1);
	case 3: return every_row[3];
	case 4: return every_helper(every_leaf(1));
	case 5: return -every_secret;
	default: return 0;
	}
}

/* A jump to the function, where the calling convention has that. */
static noinline int tail(int x)
{
	return every_helper(x);
}

static noinline const char *fault(void)
{
	char c;

	return get_user(c, (const char __user *)8) ? "fixed up" : "read";
}

static DEFINE_SPINLOCK(lock);
static atomic64_t number = ATOMIC64_INIT(0);
static DEFINE_PER_CPU(long, own);

static noinline long natural(void)
{
	unsigned long flags;
	long n;

	spin_lock_irqsave(&lock, flags);
	this_cpu_add(own, every_secret);
	n = this_cpu_read(own);
	this_cpu_sub(own, every_secret);
	spin_unlock_irqrestore(&lock, flags);
	atomic64_add(every_helper(0), &number);
	n += atomic64_xchg(&number, 0);
	n += cmpxchg(&every_row[0], 10, 10);
	WARN_ON_ONCE(every_leaf(1) != 3);
	rcu_read_lock();
	n += div64_u64(every_secret + 100ULL * current->pid, max(current->pid, 1)) >= 100;
	rcu_read_unlock();
	return n;
}

static int uses_show(struct seq_file *m, void *v)
{
	int i, sum = 0;

	seq_printf(m, "secret %d\n", every_secret);
	seq_printf(m, "helper %d leaf %d dotted %d tail %d\n", every_helper(1), every_leaf(2),
		   dotted(0), tail(2));
	seq_printf(m, "data %d rodata %d\n", *uses_data, *READ_ONCE(uses_rodata));
	seq_printf(m, "ro_after_init %d\n", *uses_ro_after_init);
	seq_printf(m, "read_mostly %d\n", *uses_read_mostly);
	seq_printf(m, "array %d %d %d\n", *uses_array[0], *uses_array[1], *uses_array[2]);
	seq_printf(m, "functions %d %d %d\n", uses_functions[0](1), uses_functions[1](1),
		   uses_functions[2](1));
	seq_printf(m, "static %d\n", pointers());
	for (i = 0; i < 6; i++)
		sum += chosen(i);
	seq_printf(m, "chosen %d\n", sum);
	for_each_possible_cpu(i)
		per_cpu(every_count, i) = 7;
	seq_printf(m, "per-CPU %d\n", this_cpu_read(every_count));
	seq_printf(m, "fault %s\n", fault());
	seq_printf(m, "natural %ld\n", natural());
	seq_printf(m, "length %d\n", (int)strnlen(saved_command_line, 7));
	seq_printf(m, "key %d\n", static_key_enabled(&every_key));
	seq_printf(m, "trace %s\n", trace_task_rename_enabled() ? "on" : "off");
	return 0;
}

/* A key of the module, switched by the livepatch. */
static int key_set(const char *val, const struct kernel_param *kp)
{
	if (val[0] == '1')
		static_branch_enable(&every_key);
	else
		static_branch_disable(&every_key);
	return 0;
}

static const struct kernel_param_ops key_ops = { .set = key_set };
module_param_cb(key, &key_ops, NULL, 0200);

static struct klp_func funcs[] = {
	{ .old_name = "every_show", .new_func = uses_show },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klplab_every", .funcs = funcs },
	KLPLAB_VMLINUX
	{ }
};

#include "patch.h"
