// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import "testing"

// Per-CPU variables, of a module and of vmlinux, are symbols as others are: for
// the kernel, which keeps them in a module's table (is_core_symbol in
// kernel/module.c as of 5.10), and for the compiler, which may have them in an address
// space of its own.
func TestPerCPUVariables(t *testing.T) {
	everyKernel(t, func(t *testing.T, w *workbench) {
		p := w.project(t)
		p.makefile("obj-m := pc.o livepatch-pc.o\ninclude KLP_MK\n")
		p.write("pc.c", `// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
static DEFINE_PER_CPU(int, pc_count) = 42;
static noinline int pc_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%d\n", this_cpu_read(pc_count));
	this_cpu_inc(pc_count);
	return 0;
}
static int __init pc_init(void) { proc_create_single("pc", 0, NULL, pc_show); return 0; }
static void __exit pc_exit(void) { remove_proc_entry("pc", NULL); }
module_init(pc_init);
module_exit(pc_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("has per-CPU variables");
`)
		p.write("livepatch-pc.c", `// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include "klp_convert.h"
DECLARE_PER_CPU(int, pc_count);
DECLARE_PER_CPU(long, nr_dentry);
static KLP_MODULE_RELOC(pc) pc_syms[] = { KLP_SYMPOS(pc_count, 0) };
static KLP_MODULE_RELOC(vmlinux) syms[] = { KLP_SYMPOS(nr_dentry, 0) };
static int new_show(struct seq_file *m, void *v)
{
	long sum = 0;
	int cpu, count = 0;

	for_each_possible_cpu(cpu) {
		count += per_cpu(pc_count, cpu) - 42;
		sum += per_cpu(nr_dentry, cpu);
	}
	seq_printf(m, "read %d times, %s dentries\n", count, sum > 0 ? "some" : "no");
	this_cpu_inc(pc_count);
	return 0;
}
static struct klp_func funcs[] = { { .old_name = "pc_show", .new_func = new_show }, { } };
static struct klp_object objs[] = { { .name = "pc", .funcs = funcs }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs };
static int __init new_init(void) { return klp_enable_patch(&patch); }
static void __exit new_exit(void) { }
module_init(new_init);
module_exit(new_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("uses per-CPU variables of the module and of vmlinux");
MODULE_INFO(livepatch, "Y");
`)
		p.make()
		s := w.scene(t)
		s.file("pc.ko", p.file("pc.ko"))
		s.file("livepatch-pc.ko", p.file("livepatch-pc.ko"))
		s.run(
			sh("load pc.ko"),
			sh("cat /proc/pc", prints("42")),
			sh("load livepatch-pc.ko"),
			sh("settle livepatch_pc"),
			sh("cat /proc/pc", prints("read 1 times, some dentries")),
			sh("cat /proc/pc", prints("read 2 times, some dentries")),
		)
	})
}
