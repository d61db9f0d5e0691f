// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// checkRelocationEntries are what check finds about relocations.
var checkRelocationEntries = []Entry{
	{
		ID:         "KLP131",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckRelocations},
		Title:      "relocation type that is not applied",
		Kernel: "The kernel says on x86: `module: %s: Unknown rela relocation: %llu`, " +
			"ENOEXEC; other machines have other messages. `overflow in relocation type %d " +
			"val %Lx` for what never fits: an address in R_X86_64_32. It silently does " +
			"nothing for R_X86_64_NONE. It ignores compact relocations (`SHT_CREL`): then " +
			"no relocation of the module is applied.",
		Source: "`apply_relocate_add` of the architecture.",
		Fix:    "Build with the kernel's own flags (Kbuild): no -fpic, no other code model.",
	},
	{
		ID:         "KLP132",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckRelocations},
		Title:      "bytes to be relocated are not zero",
		Kernel: "The kernel says on x86: `module: x86/modules: Skipping invalid relocation " +
			"target, existing value is nonzero for type %d, …`; since 6.3 `Invalid " +
			"relocation target, …`; since 6.19 with section and index; ENOEXEC. This is so " +
			"for ordinary relocations too. Other machines overwrite what is there without a " +
			"message: an instruction, where the type is one for data.",
		Source: "`__write_relocate_add`.",
		Fix: "Convert the module as modpost left it; something has written into the places " +
			"that the kernel fills.",
	},
	{
		ID:         "KLP133",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckRelocations},
		Title:      "two relocations at one place",
		Kernel: "The kernel says on x86 the same as for KLP132, on other machines nothing. What is " +
			"relocated twice in the same way is a note there.",
		Source: "`__write_relocate_add`.",
		Fix:    "Convert the module as modpost left it.",
	},
	{
		ID:         "KLP134",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckRelocations},
		Title:      "relocation past the end of its section",
		Kernel: "The kernel has a page fault where the place is far past the end; otherwise " +
			"it overwrites other memory. The same is true of a relocation whose value can't " +
			"fit, where the loader does not check that, and of an addend of 4 GiB and more.",
		Source: "`apply_relocate_add` does not check.",
		Fix:    "Convert the module as modpost left it.",
	},
	{
		ID:         "KLP143",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckRelocations},
		Title:      "late relocation of init code",
		Kernel: "The kernel says: `… existing value is nonzero …`, or a page fault, when " +
			"the target is loaded: the memory was freed. Before 5.8 it has a page fault in the " +
			"init function that uses a symbol of vmlinux before it registers the patch.",
		Source: "`do_free_init`; before 5.8 `klp_write_object_relocations`.",
		Fix: "Use the symbol in code and data without `__init` and `__exit`; one of vmlinux also " +
			"after `klp_register_patch()`, or since 5.1 `klp_enable_patch()`.",
	},
	{
		ID:         "KLP144",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckRelocations},
		Title:      "late store into read-only memory",
		Kernel:     "The kernel has a page fault in apply_relocate_add on ppc64le.",
		Source:     "arch/powerpc/kernel/module_64.c.",
		Fix:        "Keep pointers to symbols of a module in writable data.",
	},
	{
		ID:         "KLP145",
		Severities: []Severity{Note},
		Topics:     []Topic{aboutCheckRelocations},
		Title:      "target can't be loaded a second time",
		Kernel: "The kernel says on x86, before 6.3: `… existing value is nonzero …` when " +
			"the target is loaded a second time; on ppc64le before 6.3: `%s: Expected nop " +
			"after call, got %08x at %pS`. On loongarch64, where the target comes back at " +
			"another address: BUG in module_emit_plt_entry, or `%s: module " +
			"contains bad GOT relocation`. s390x says nothing, and keeps the old addresses.",
		Source: "`clear_relocate_add` (0c05e7bd2d01) of x86; `restore_r2`; `apply_rela`.",
		Fix:    "Disable and remove the livepatch before the module is loaded again.",
	},
	{
		ID:         "KLP146",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckRelocations},
		Title:      "klp relocation of per-CPU data",
		Kernel: "The kernel says nothing: it never applies the relocation. For more than 32 " +
			"KiB of per-CPU data: `%s: Could not allocate %lu bytes percpu data`, ENOMEM.",
		Source: "`layout_and_allocate`: `.data..percpu` loses SHF_ALLOC.",
		Fix:    "Set the value at run time, in a callback.",
	},
	{
		ID:         "KLP148",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckRelocations},
		Title:      "call without a nop after it",
		Kernel:     "The kernel says: `%s: Expected nop after call, got %08x at %pS`, ENOEXEC.",
		Source:     "`restore_r2`.",
		Fix:        "Declare functions that are called through a stub without hidden visibility.",
	},
}
