// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// livepatch is what kernel/livepatch says, behind "livepatch: ".
var livepatch = []Entry{
	{
		ID:    "symbol-not-found",
		From:  "kernel/livepatch/core.c, klp_find_object_symbol",
		Forms: []Form{{"symbol '{symbol}' not found in symbol table", "4.7 and later"}},
		Means: "The kernel looked for {symbol}, for a klp relocation or as the old_name of a klp_func, and the object that it looked in has no symbol of that name (or has it at address 0). The load fails with EINVAL.",
		Causes: []Cause{
			{Why: "The name is spelt wrong, or belongs to another kernel.", Fix: "Look it up in the kernel that refused; names that are close are shown too.", Run: []string{"klp-convert sympos {symbol}", "klp-convert sympos '/^{symbol}/'"}},
			{Why: "The compiler renamed a static function (.constprop.0, .isra.0, .part.0, .cold, .llvm.…) or inlined it. Numbers behind a name change with the compiler.", Fix: "Name the clone that is there, or patch the callers where nothing is left of it.", Run: []string{"klp-convert sympos '/^{symbol}\\./'"}},
			{When: "6.4.14 to 6.10.6", Why: "The name ends in .llvm. and a number, and the kernel has CONFIG_LTO_CLANG: it leaves that end out when it compares names.", Fix: "Name it without that end, with the position that it has among all that are left.", Run: []string{"klp-convert sympos {symbol} -k KERNEL"}},
			{Why: "It is looked for in the wrong object: a module's symbol under vmlinux, another module's name, or '-' for '_'.", Fix: "Correct the object in the annotation. Only vmlinux and modules are objects; what is built in is vmlinux.", Run: []string{"klp-convert sympos {symbol}  # without @OBJECT: in all"}},
			{Why: "A section for vmlinux names a module's symbol, and that module is not loaded.", Fix: "Put it under the module that is patched; klp-convert does.", Run: []string{"klp-convert inspect PATCH.ko"}},
			{Why: "It is a per-CPU variable at the start of its area (address 0), a variable without CONFIG_KALLSYMS_ALL, or __init code whose memory is gone.", Fix: "It can't be reached by a klp relocation; find another way to it."},
		},
	},
	{
		ID:    "ambiguous",
		From:  "kernel/livepatch/core.c, klp_find_object_symbol",
		Forms: []Form{{"unresolvable ambiguity for symbol '{symbol}' in object '{object}'", "4.7 and later; '(null)' is vmlinux"}},
		Means: "Object {object} has several symbols called {symbol}, and position 0 says that there is one. The load fails with EINVAL.",
		Causes: []Cause{
			{Why: "The annotation has no position.", Fix: "See which one is meant, by its file, and write its position; or annotate by file and let klp-convert find it.", Run: []string{"klp-convert sympos {symbol}@{object}", "KLP_SYMPOS({symbol}, POS)", "KLP_RELOC_SYMBOL_FILE(LP_OBJ, {object}, {symbol}, \"path/to/file.c\")"}},
			{Why: "It is the old_name of a klp_func.", Fix: "Set .old_sympos there.", Run: []string{"klp-convert sympos {symbol}@{object}", ".old_name = \"{symbol}\", .old_sympos = POS,"}},
			{When: "6.2 to 6.10.6", Why: "The kernel has CONFIG_LTO_CLANG: {symbol}.llvm.NUMBER has that name as well.", Fix: "Count with that kernel's symbols and configuration.", Run: []string{"klp-convert sympos {symbol}@{object} -k KERNEL"}},
			{Why: "It was the only one in the kernel that the module was made for.", Fix: "Convert anew for each kernel.", Run: []string{"klp-convert sympos {symbol}@{object} -k KERNEL -k OTHER"}},
		},
	},
	{
		ID:    "position-not-found",
		From:  "kernel/livepatch/core.c, klp_find_object_symbol",
		Forms: []Form{{"symbol position {pos} for symbol '{symbol}' in object '{object}' not found", "4.7 and later"}},
		Means: "Object {object} has symbols called {symbol}, but fewer than {pos}. The load fails with EINVAL.",
		Causes: []Cause{
			{Why: "The position was counted in another kernel, in vmlinux.o, or in a list sorted by name. In vmlinux the order is that of addresses, in a module that of its symbol table; the first is 1.", Fix: "Count in the kernel that refused.", Run: []string{"klp-convert sympos {symbol}@{object}"}},
			{Why: "In a module that is loaded already, symbols of .init are gone and no longer count.", Fix: "Don't refer to one of several symbols of which some are __init."},
		},
	},
	{
		ID:   "not-marked",
		From: "kernel/livepatch/core.c, klp_resolve_symbols",
		Forms: []Form{
			{"symbol {klpsym} is not marked as a livepatch symbol", "4.7 to 6.18"},
			{"symbol {klpsym} at rela sec {n} idx {n} is not marked as a livepatch symbol", "6.19 and later"},
		},
		Means: "A relocation in a .klp.rela section names {klpsym}, whose section index is not SHN_LIVEPATCH (0xff20). EINVAL.",
		Causes: []Cause{
			{Why: "A tool that does not know klp symbols (strip, objcopy, ld -r) worked on the converted module.", Fix: "Make the conversion the last step that edits the file.", Run: []string{"klp-convert inspect PATCH.ko"}},
			{Why: "The converter moved a relocation and forgot its symbol.", Fix: "Convert with klp-convert; it proves that every symbol of a klp relocation is one."},
		},
	},
	{
		ID:    "symbol-name",
		From:  "kernel/livepatch/core.c, klp_resolve_symbols",
		Forms: []Form{{"symbol {klpsym} has an incorrectly formatted name", "4.7 and later"}},
		Means: "The kernel reads klp symbols as .klp.sym.<object>.<name>,<position> and could not read {klpsym}. EINVAL.",
		Causes: []Cause{
			{Why: "The name is longer than the kernel reads: 127 bytes up to 6.0 (and in 5.10.y, 5.15.y), 511 from 6.1 on.", Fix: "There is no way to name it there; reach it by another symbol."},
			{When: "before 5.19", Why: "It is cut off after 127 bytes: the kernel stores no more of the whole name, .klp.sym.OBJECT.NAME,POSITION, for relocations that are applied late (all before 5.8, those with a module later).", Fix: "Reach it by a symbol whose name is shorter; klp-convert refuses to convert it (KLP077).", Run: []string{"klp-convert check PATCH.ko --kernel KERNEL"}},
			{Why: "The object's name is longer than 55 bytes.", Fix: "Modules of such names can't be patched."},
			{Why: "The position is no number, or the comma is missing.", Fix: "Let klp_convert.h write the annotation, and klp-convert the name."},
			{Why: "A label (.klp.sym.rela.…) was taken for a klp symbol: the module is not converted.", Fix: "Convert it.", Run: []string{"klp-convert IN.ko OUT.ko"}},
		},
	},
	{
		ID:    "section-name",
		From:  "kernel/livepatch/core.c, klp_apply_section_relocs (klp_write_object_relocations before 5.8)",
		Forms: []Form{{"section {section} has an incorrectly formatted name", "4.7 and later"}},
		Means: "A section with SHF_RELA_LIVEPATCH is not called .klp.rela.<object>.<section>. EINVAL.",
		Causes: []Cause{
			{Why: "A tool renamed or merged sections after conversion (objcopy --rename-section, ld -r, a linker script).", Fix: "Make the conversion the last step that edits the file.", Run: []string{"klp-convert inspect PATCH.ko"}},
			{Why: "The object's name in it is empty.", Fix: "Name the object in the annotation: KLP_MODULE_RELOC(vmlinux)."},
		},
	},
	{
		ID:    "vmlinux-in-module-section",
		From:  "kernel/livepatch/core.c, klp_resolve_symbols",
		Forms: []Form{{"invalid access to vmlinux symbol '{symbol}' from module-specific livepatch relocation section", "5.8 and later, and vendors' kernels with that scheme"}},
		Means: "{symbol} of vmlinux stands in a .klp.rela section for a module. From 5.8 on, symbols of vmlinux are taken in .klp.rela.vmlinux.* only, which is applied when the livepatch is loaded. EINVAL: the livepatch can't be enabled or, when the module comes later, that module can't be loaded.",
		Causes: []Cause{
			{Why: "The module was made for a kernel before 5.8 (or by a tool for those), where it has to be so.", Fix: "Convert for this kernel.", Run: []string{"klp-convert --kernel KERNEL IN.ko OUT.ko"}},
			{Why: "A converter groups by the patched object (klp-convert-mini with KLP_RELOC_SYMBOL(module, vmlinux, …)).", Fix: "Convert with klp-convert, which puts it where the target's kernels take it.", Run: []string{"KLP_RELOC_SYMBOL(vmlinux, vmlinux, {symbol})"}},
		},
	},
	{
		ID:     "vmlinux-ko",
		From:   "kernel/livepatch/core.c, klp_module_coming",
		Forms:  []Form{{"vmlinux.ko: invalid module name", "5.8 and later"}},
		Means:  "A module called vmlinux can't be loaded: klp relocations use that name for the kernel itself. EINVAL.",
		Causes: []Cause{{Why: "The module's file, or KBUILD_MODNAME, is vmlinux.", Fix: "Give the module another name."}},
	},
	{
		ID:   "target-refused",
		From: "kernel/livepatch/core.c, klp_module_coming",
		Forms: []Form{
			{"failed to initialize patch '{patch}' for module '{module}' ({errno})", "4.7 and later"},
			{"patch '{patch}' failed for module '{module}', refusing to load module '{module}'", "4.7 and later"},
			{"failed to apply patch '{patch}' to module '{module}' ({errno})", "4.7 and later"},
		},
		Means: "Module {module} was to be loaded while livepatch {patch} is enabled, and {patch} could not be applied to it. It is {module} that is refused, not the livepatch; the message in front of this one says why.",
		Causes: []Cause{
			{Why: "{patch} was made for another build of {module}: a symbol or a function is not where it was.", Fix: "Read the line in front. Then convert for this {module}, or disable the livepatch.", Run: []string{"klp-convert sympos SYMBOL@{module}", "echo 0 > /sys/kernel/livepatch/{patch}/enabled"}},
			{When: "before 6.3", Why: "{module} was unloaded and is loaded again, on x86: the klp relocations are still applied (\"existing value is nonzero\").", Fix: "Load the livepatch anew, or don't unload the module; 6.3 and later clear them."},
		},
	},
	{
		ID:    "no-location",
		From:  "kernel/livepatch/patch.c, klp_patch_func",
		Forms: []Form{{"failed to find location for function '{function}'", "4.7 and later"}},
		Means: "{function} does not begin with a call to ftrace, so that it can't be patched. EINVAL.",
		Causes: []Cause{
			{Why: "It is notrace: by that word, by its section (noinstr, entry code), or because its file is built without ftrace's flags.", Fix: "Patch its callers."},
			{Why: "It is inlined everywhere, and what bears the name is something else.", Fix: "Patch the functions that it is inlined into.", Run: []string{"klp-convert sympos {function}"}},
			{Why: "old_sympos leads to another symbol of that name, which is data or notrace.", Fix: "Correct the position.", Run: []string{"klp-convert sympos {function}"}},
			{Why: "It is an __init function of a module, or code in assembler.", Fix: "It can't be patched."},
		},
	},
	{
		ID:   "ftrace-handler",
		From: "kernel/livepatch/patch.c, klp_patch_func",
		Forms: []Form{
			{"failed to set ftrace filter for function '{function}' ({errno})", "4.7 and later"},
			{"failed to register ftrace handler for function '{function}' ({errno})", "4.7 and later"},
		},
		Means: "ftrace would not take the handler for {function}; {errno} says why: -16 (EBUSY) that somebody else holds the function, -22 (EINVAL) that it can't be traced, -19 (ENODEV) that ftrace is off.",
		Causes: []Cause{
			{Why: "Something else changes the way of {function}: a kprobe with a post_handler, fail_function, a BPF trampoline that may redirect.", Fix: "Remove it and try again.", Run: []string{"cat /sys/kernel/debug/kprobes/list", "cat /sys/kernel/tracing/enabled_functions"}, If: "(-16)"},
			{Why: "ftrace is switched off, or broke down (\"ftrace bug\" earlier in the log).", Fix: "Switch it on; after a breakdown only a reboot helps.", Run: []string{"sysctl kernel.ftrace_enabled=1"}, If: "(-19)"},
			{Why: "The function can't be traced.", Fix: "Patch its callers.", If: "(-22)"},
		},
	},
	{
		ID:   "size-lookup",
		From: "kernel/livepatch/core.c, klp_init_object_loaded",
		Forms: []Form{
			{"kallsyms size lookup failed for '{function}'", "4.7 and later"},
			{"kallsyms size lookup failed for '{function}' replacement", "4.7 and later"},
		},
		Means: "kallsyms does not know how long {function}, or what replaces it, is. ENOENT.",
		Causes: []Cause{
			{Why: "new_func is not code of the livepatch: no address of a function, or one in .init.", Fix: "Correct .new_func; the replacement must stay in memory.", Run: []string{"klp-convert inspect PATCH.ko"}},
			{Why: "The module's symbols were stripped.", Fix: "Don't strip the livepatch."},
		},
	},
	{
		ID:   "patch-object",
		From: "kernel/livepatch/core.c, __klp_enable_patch",
		Forms: []Form{
			{"failed to patch object '{object}'", "4.7 and later"},
			{"failed to enable patch '{patch}'", "4.7 and later"},
			{"pre-patch callback failed for object '{object}'", "4.15 and later"},
		},
		Means: "The livepatch is loaded and was not enabled. The line in front says what failed; where it is the pre-patch callback, that function of the livepatch returned an error.",
		Causes: []Cause{
			{Why: "A function of the object can't be patched.", Fix: "See the message about the function, further up.", Run: []string{"dmesg | klp-convert explain"}},
			{Why: "The livepatch's pre_patch callback says no.", Fix: "Look what it checks."},
		},
	},
	{
		ID:    "not-livepatch-module",
		From:  "kernel/livepatch/core.c, klp_enable_patch",
		Forms: []Form{{"module {module} is not marked as a livepatch module", "4.7 and later"}},
		Means: "{module} calls klp_enable_patch(), and its .modinfo has no livepatch=Y. EINVAL.",
		Causes: []Cause{
			{Why: "The source does not say so.", Fix: "Add this line to it, and build again.", Run: []string{"MODULE_INFO(livepatch, \"Y\");"}},
			{Why: "It is not the finished module: a copy for debuggers (klp-convert inspect --debug-copy), or one that a tool took .modinfo from.", Fix: "Load the module that klp-convert made.", Run: []string{"modinfo -F livepatch {module}.ko"}},
		},
	},
	{
		ID:    "incompatible",
		From:  "kernel/livepatch/core.c, klp_enable_patch",
		Forms: []Form{{"Livepatch patch ({patch}) is not compatible with the already installed livepatches.", "5.5 and later"}},
		Means: "{patch} does not handle a klp_state that an installed livepatch has set, or not in that version. EINVAL.",
		Causes: []Cause{
			{Why: "It is a cumulative livepatch (replace) that leaves out a state of the one it replaces.", Fix: "List the state in klp_patch.states, with the same or a later version."},
			{Why: "It is the older of the two.", Fix: "Disable the newer first.", Run: []string{"ls /sys/kernel/livepatch", "echo 0 > /sys/kernel/livepatch/INSTALLED/enabled"}},
		},
	},
	{
		ID:   "no-consistency-model",
		From: "kernel/livepatch/core.c, klp_enable_patch (klp_register_patch before 5.1)",
		Forms: []Form{
			{"This architecture doesn't have support for the livepatch consistency model.", "4.12 and later: an error (ENOSYS) before 5.1, a warning since"},
			{"The livepatch transition may never complete.", "5.1 and later"},
		},
		Means: "The kernel can't check whether a sleeping task is inside of a patched function (no reliable stack traces), so it may never be sure that all tasks have moved to the new code.",
		Causes: []Cause{
			{Why: "The kernel was built without HAVE_RELIABLE_STACKTRACE: on x86 with the frame pointer instead of the ORC unwinder.", Fix: "Use a kernel with CONFIG_UNWINDER_ORC, or expect to wait.", Run: []string{"grep -E 'UNWINDER|RELIABLE_STACKTRACE' /boot/config-$(uname -r)"}},
		},
	},
	{
		ID:   "transition-stuck",
		From: "kernel/livepatch/transition.c",
		Forms: []Form{
			{"signaling remaining tasks", "4.15 and later"},
			{"sending fake signal to remaining tasks", "some vendors' kernels"},
		},
		Means: "Some tasks still run, or sleep in, functions that are to be patched. The kernel wakes them every 15 seconds or so.",
		Causes: []Cause{
			{Why: "A task sleeps for long in a patched function.", Fix: "Find it (1 or 0 in patch_state, the old one of the two), and wait or restart it.", Run: []string{"grep -l 0 /proc/[0-9]*/patch_state", "cat /proc/PID/stack"}},
			{Why: "It is not clear which task, or why it.", Fix: "Let the kernel name it, and the function: it says so at each try.", Run: []string{"echo 'file kernel/livepatch/transition.c +p' > /sys/kernel/debug/dynamic_debug/control", "dmesg | klp-convert explain"}},
			{Why: "A kernel thread never returns.", Fix: "Wake it, or patch another function. /sys/kernel/livepatch/PATCH/force gives up consistency and should be the last thing tried."},
		},
	},
	{
		ID:   "task-on-stack",
		From: "kernel/livepatch/transition.c, klp_try_switch_task (klp_check_stack in 5.10 and earlier), with dynamic debugging",
		Forms: []Form{
			{"klp_try_switch_task: {task} is sleeping on function {function}", "after 5.10"},
			{"klp_check_stack: {task} is sleeping on function {function}", "4.12 to 6.0"},
		},
		Means: "{task} (name:PID) has not moved to the new code, because {function} is on its stack. The transition waits for it.",
		Causes: []Cause{
			{Why: "The task sleeps in {function}, or in something that {function} called.", Fix: "Look where, and give it what it waits for, or restart it.", Run: []string{"cat /proc/PID/stack"}},
			{Why: "It is a loop that never returns, of a kernel thread say.", Fix: "Patch what the loop calls, and not the loop."},
		},
	},
	{
		ID:   "task-unreliable",
		From: "kernel/livepatch/transition.c, klp_try_switch_task (klp_check_stack in 5.10 and earlier), with dynamic debugging",
		Forms: []Form{
			{"klp_try_switch_task: {task} has an unreliable stack", "after 5.10"},
			{"klp_check_stack: {task} has an unreliable stack", "4.12 to 6.0"},
		},
		Means: "The kernel can't tell whether {task} (name:PID) is inside of a patched function. It tries again; once in a while that is nothing.",
		Causes: []Cause{
			{Why: "The task was in an interrupt, or in code that the unwinder has no data for, a module without ORC data say.", Fix: "Wait. If it stays, look where it is.", Run: []string{"cat /proc/PID/stack"}},
		},
	},
	{
		ID:     "task-running",
		From:   "kernel/livepatch/transition.c, klp_try_switch_task, with dynamic debugging",
		Forms:  []Form{{"klp_try_switch_task: {task} is running", "4.12 and later"}},
		Means:  "{task} (name:PID) was on a CPU when the kernel looked. It is moved when it goes back to user space, or the next time that it sleeps.",
		Causes: []Cause{{Why: "The task computes without pause inside of the kernel.", Fix: "Wait; if it stays, see what it does.", Run: []string{"cat /proc/PID/stack"}}},
	},
	{
		ID:    "task-error",
		From:  "kernel/livepatch/transition.c, klp_try_switch_task, with dynamic debugging",
		Forms: []Form{{"klp_try_switch_task: Unknown error code ({errno}) when trying to switch {task}", "after 5.10"}},
		Means: "The kernel could not look at the stack of {task} (name:PID), for a reason of its own. It tries again.",
		Causes: []Cause{
			{Why: "Out of memory, or a defect of the kernel.", Fix: "Wait; if it stays, see what the task does.", Run: []string{"cat /proc/PID/stack"}},
		},
	},
	{
		ID:    "shadow-constructor",
		From:  "kernel/livepatch/shadow.c, __klp_shadow_get_or_alloc",
		Forms: []Form{{"Failed to construct shadow variable <{word} {hex}> ({errno})", "4.19 and later"}, {"Duplicate shadow variable <{word} {hex}>", "4.15 and later"}},
		Means: "klp_shadow_alloc() of the livepatch returns NULL: its constructor returned {errno}, or there is a shadow variable with that id for the object already.",
		Causes: []Cause{
			{Why: "The constructor fails.", Fix: "See what it checks."},
			{Why: "Two livepatches use one id.", Fix: "Use klp_shadow_get_or_alloc(), or another id.", If: "Duplicate"},
		},
	},
	{
		ID:     "forced",
		From:   "kernel/livepatch/transition.c, klp_force_transition",
		Forms:  []Form{{"forcing remaining tasks to the patched state", "4.15 and later"}, {"forcing remaining tasks to the unpatched state", "4.15 and later"}},
		Means:  "Somebody wrote to the livepatch's force file. Tasks may run old and new code mixed, and the livepatch can't be unloaded any more.",
		Causes: []Cause{{Why: "By hand, or by a script.", Fix: "Reboot when there is a chance."}},
	},
	{
		ID:   "klp-disabled",
		From: "kernel/module/main.c, check_modinfo_livepatch (kernel/module.c before 5.19)",
		Forms: []Form{
			{"{module}: module is marked as livepatch module, but livepatch support is disabled", "4.7 and later"},
		},
		Means: "The kernel was built without CONFIG_LIVEPATCH. ENOEXEC.",
		Causes: []Cause{
			{Why: "It is a kernel without livepatching: among Debian's, all but amd64.", Fix: "Use one that has it.", Run: []string{"grep CONFIG_LIVEPATCH /boot/config-$(uname -r)"}},
		},
	},
	{
		ID:   "enabled",
		From: "kernel/livepatch/core.c and transition.c",
		Forms: []Form{
			{"enabling patch '{patch}'", "4.7 and later"},
			{"'{patch}': patching complete", "4.12 and later"},
			{"'{patch}': starting patching transition", "4.12 and later"},
			{"'{patch}': initializing patching transition", "4.12 and later"},
			{"'{patch}': completing patching transition", "4.12 and later"},
			{"applying patch '{patch}' to loading module '{module}'", "4.7 and later"},
		},
		Means: "Livepatch {patch} is on its way into the kernel. With \"patching complete\" all tasks run the new code.",
		Fine:  true,
	},
	{
		ID:   "disabled",
		From: "kernel/livepatch/core.c and transition.c",
		Forms: []Form{
			{"'{patch}': canceling patching transition, going to unpatch", "4.12 and later"},
			{"'{patch}': reversing transition from {word} to {word}", "4.12 and later"},
			{"'{patch}': unpatching complete", "4.12 and later"},
			{"'{patch}': starting unpatching transition", "4.12 and later"},
			{"'{patch}': initializing unpatching transition", "4.12 and later"},
			{"'{patch}': completing unpatching transition", "4.12 and later"},
			{"reverting patch '{patch}' on unloading module '{module}'", ""},
		},
		Means: "Livepatch {patch} is taken out, or out of a module that is unloaded. On x86 kernels before 6.3 that module can't be loaded again while the livepatch is.",
		Fine:  true,
	},
	{
		ID:    "tainted",
		From:  "kernel/module/main.c, module_augment_kernel_taints",
		Forms: []Form{{"{module}: tainting kernel with TAINT_LIVEPATCH", ""}},
		Means: "The first livepatch was loaded; oopses say K among their taints from now on.",
		Fine:  true,
	},
	{
		ID:    "out-of-tree",
		From:  "kernel/module/main.c, module_augment_kernel_taints (kernel/module.c before 5.19)",
		Forms: []Form{{"{module}: loading out-of-tree module taints kernel.", ""}},
		Means: "The first module that was built outside of the kernel's tree was loaded; oopses say O among their taints from now on. Nothing is wrong with it.",
		Fine:  true,
	},
}
