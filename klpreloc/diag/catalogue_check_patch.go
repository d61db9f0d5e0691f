// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// checkPatchEntries are what check finds about patched functions and special sections.
var checkPatchEntries = []Entry{
	{
		ID:         "KLP135",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckPatch},
		Title:      "two loaded sections of one name",
		Kernel: "The kernel says: `sysfs: cannot create duplicate filename " +
			"'/module/%s/sections/%s'`; EEXIST in 6.12.107 and later. An empty section is a " +
			"note.",
		Source: "`add_sect_attrs`.",
		Fix:    "Give the sections different names.",
	},
	{
		ID:         "KLP136",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckPatch},
		Title:      "klp_patch that the kernel refuses",
		Kernel: "The kernel returns EINVAL without a message (no mod, objs, funcs, old_name " +
			"or new_func), or says `sysfs: cannot create duplicate filename " +
			"'/kernel/livepatch/…'`, EEXIST; 7.3 makes EBUSY of that. A klp_patch that is " +
			"not writable causes a page fault; a new function that is not executable causes " +
			"one when it is called.",
		Source: "`do_free_init`, `module_enable_ro` in `kernel/module/`; " +
			"`klp_complete_transition`, `klp_module_coming`; `klp_init_patch`, " +
			"`klp_init_object`, `klp_init_func`; `klp_init_patch_early`; " +
			"`klp_for_each_func_static` in `include/linux/livepatch.h`.",
		Meaning: []string{
			"If an array of klp_func or klp_object has no empty element at its end, the " +
				"kernel goes on with what follows. It writes a kobject and list heads " +
				"there, often over a struct module: then the list of modules may be broken, " +
				"and the machine hangs (seen on 6.1 and 6.12). Where zeros happen to " +
				"follow, it works until the next build; that is a note.",
			"The kernel uses the klp_patch until the livepatch is removed. `__initdata` and " +
				"`__init` are freed when the init function returns: a page fault when the " +
				"transition ends, when the new function runs, or when a callback is called; " +
				"for a freed name the kernel reads whatever is there by then. " +
				"`__ro_after_init` is read-only by then: a page fault at the end of the " +
				"transition (klp_func) or when the livepatch is disabled (klp_patch, " +
				"klp_object). With `const` it is a page fault in klp_enable_patch.",
			"Two klp_objects with one array of klp_func corrupt its lists. Of two " +
				"klp_patches in one module the second is refused (EEXIST), and then the " +
				"module is freed while the first is enabled. A klp_patch that the module " +
				"does not enable, and an array whose first element is the empty one, patch " +
				"nothing, without a message. All of this was seen on 6.1.",
		},
		Fix: "Correct the klp_patch: each object has a `funcs` array of its own that ends " +
			"in an empty entry, each function has an old_name and a new_func, and no " +
			"function appears twice. Have one klp_patch per module, in plain static data, " +
			"and functions that are not `__init`.",
	},
	{
		ID:         "KLP137",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckPatch},
		Title:      "function to be patched does not exist",
		Kernel: "The kernel says: `livepatch: symbol '%s' not found in symbol table`, " +
			"EINVAL.",
		Source: "`klp_init_object_loaded`.",
		Fix: "Find the name by `klp-convert sympos NAME -k KERNEL`: compilers rename functions " +
			"(foo.isra.0). Of a function that was inlined, patch the callers: debug " +
			"information names them. If BTF has the function and there is no symbol, all of " +
			"its code is in callers or clones.",
		See: []string{"inlining.md"},
	},
	{
		ID:         "KLP138",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckPatch},
		Title:      "function to be patched is ambiguous",
		Kernel: "The kernel says: `livepatch: unresolvable ambiguity for symbol '%s' in " +
			"object '%s'`, EINVAL.",
		Source: "`klp_init_object_loaded`.",
		Fix: "Say which one: `.old_name = \"NAME\", .old_sympos = N,`. `klp-convert sympos " +
			"NAME@OBJECT` shows the positions.",
	},
	{
		ID:         "KLP139",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckPatch},
		Title:      "function to be patched has no such position",
		Kernel: "The kernel says: `livepatch: symbol position %lu for symbol '%s' in object " +
			"'%s' not found`, EINVAL.",
		Source: "`klp_init_object_loaded`.",
		Fix:    "`klp-convert sympos NAME@OBJECT -k KERNEL` shows the positions that exist.",
	},
	{
		ID:         "KLP140",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckPatch},
		Title:      "function without an ftrace entry",
		Kernel: "The kernel says: `livepatch: failed to find location for function '%s'` " +
			"(since 5.18), before `failed to set ftrace filter for function '%s' (-22)`; " +
			"then `failed to patch object '%s'`.",
		Source: "`klp_patch_func`.",
		Meaning: []string{
			"ftrace has no entry for a function that is notrace, `__init` or assembly, or " +
				"in a file that is built without -pg (such as those in lib/).",
			"For vmlinux the kernel's image or its vmlinux tells, of all machines, between " +
				"`__start_mcount_loc` and `__stop_mcount_loc` or, of arm64, in the relocations of " +
				"that list. What it tells is compared with ftrace's own list of " +
				"functions on each of the lab's kernels (`go test -run " +
				"TestImageTellsWhatCanBeTraced ./scripts/lab`).",
			"For a module its own list tells: `__mcount_loc` on x86 and s390x, " +
				"`__patchable_function_entries` on arm64 and loongarch, one of both on " +
				"powerpc, by the configuration. The flags of the kernel's build decide " +
				"where an entry is: at the function, after its landing pad (`endbr64`, " +
				"`bti`), up to 16 bytes in it (`-mprofile-kernel`), or 8 bytes before it " +
				"(arm64 with `DYNAMIC_FTRACE_WITH_CALL_OPS`, " +
				"`-fpatchable-function-entry=4,2`). `check` does as the kernel's " +
				"`ftrace_call_adjust` and `ftrace_location`. The paddings that x86 kernels " +
				"have from `-fpatchable-function-entry=16,16` are not entries.",
			"A function that has an entry and may be the caller, by its name, is named: of " +
				"`__do_sys_openat` the entry `__x64_sys_openat`, of `__foo` the function `foo`.",
		},
		Fix: "Patch the callers of the function.",
	},
	{
		ID:         "KLP141",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckPatch},
		Title:      "special section read before its relocation",
		Kernel: "The kernel warns in jump_label_del_module when the livepatch is removed " +
			"(jump label). It has a page fault on the first call (alternative), or while it " +
			"loads the livepatch (static call; since 6.12 it says \"existing value is " +
			"nonzero\" when it relocates the call).",
		Source: "`module_finalize`, jump_label_module_notify, static_call_module_notify.",
		Fix: "Use `static_key_enabled()`, `STATIC_CALL_KEY(name).func`, or a noinline " +
			"helper function.",
		See: []string{"special-sections.md"},
	},
	{
		ID:         "KLP142",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckPatch},
		Title:      ".klp.arch section that the kernel does not read, or can't use",
		Kernel: "The kernel mostly says nothing: the old instructions run. What it can't read is a " +
			"page fault or a BUG in arch_klp_init_object_loaded, apply_alternatives or apply_paravirt.",
		Source: "arch/x86/kernel/livepatch.c, alternative.c, 4.9 to 5.7.",
		Fix:    "Convert for this kernel: `--target` or `--kernel`.",
	},
	{
		ID:         "KLP147",
		Severities: []Severity{Note, Error},
		Topics:     []Topic{aboutCheckPatch},
		Title:      "kernel without that module",
		Kernel: "The kernel says nothing, and nothing happens: it never uses what the " +
			"livepatch has for that module.",
		Source: "`klp_find_object_module`.",
		Meaning: []string{
			"It is a finding where no module of any kernel can have the name, because it is " +
				"that of a file (with `-` or `.ko`), and where the module is built into " +
				"this kernel: its code exists, and is not patched.",
		},
		Fix: "For built-in code write vmlinux as the object. For a module that is loaded " +
			"later, do nothing.",
	},
	{
		ID:         "KLP170",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckPatch},
		Title:      "made for another build of the module",
		Kernel: "The kernel says nothing: it does not look at `klp_target=`, and applies the " +
			"livepatch to any module of that name.",
		Source: "kernel/module/main.c, get_next_modinfo; `klp_find_object_module`.",
		Meaning: []string{
			"`.modinfo` of the livepatch says which build of the module was looked at " +
				"(`klp_target=`), and the file of this kernel's module has another build-id " +
				"or srcversion. With `-k running` the module that is loaded is compared as " +
				"well, by /sys/module/NAME/notes/.note.gnu.build-id and srcversion.",
			"What was true of that build may not be of this one: the layout of structures, " +
				"what was inlined where, which functions the compiler split.",
		},
		Causes: []Cause{
			{
				Why: "The livepatch was built and converted for another kernel.",
				Fix: "Build it again for this one.",
			},
			{
				Why: "The module was built again, by DKMS or by an update, and the file or " +
					"what is loaded is the other one.",
				Fix: "Load the module that the livepatch is for, or build the livepatch for " +
					"the one that is loaded.",
			},
			{
				Why: "One livepatch is meant for several builds.",
				Fix: "Write `MODULE_INFO(klp_target, \"MODULE:ID\")` for each of them, or " +
					"convert with `--no-target-id`.",
			},
		},
		Fix: "Build the livepatch against the sources of this module, and convert it with its " +
			"kernel.",
		See: []string{"format.md#target-builds"},
	},
}
