// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// livepatch is what kernel/livepatch says, after "livepatch: ".
var livepatch = []Entry{
	{
		ID:   "symbol-not-found",
		From: "kernel/livepatch/core.c, klp_find_object_symbol",
		Forms: []Form{
			{"symbol '{symbol}' not found in symbol table", "4.7 and later"},
		},
		Means: "The kernel looked for {symbol}, for a klp relocation or as the old_name of a " +
			"klp_func, and the object that it looked in has no symbol of that name (or has it " +
			"at address 0). The load fails with EINVAL.",
		Causes: []Cause{
			{
				Why: "The name is spelt wrong, or belongs to another kernel.",
				Fix: "Look it up in the kernel that refused; similar names are shown too.",
				Run: []string{
					"klp-convert sympos {symbol}",
					"klp-convert sympos '/^{symbol}/'",
				},
			},
			{
				Why: "The compiler renamed a static function (.constprop.0, .isra.0, .part.0, " +
					".cold, .llvm.…) or inlined it. Numbers after a name change with the " +
					"compiler.",
				Fix: "Name the clone that exists, or patch the callers where nothing is left " +
					"of it.",
				Run: []string{"klp-convert sympos '/^{symbol}\\./'"},
			},
			{
				When: "6.4.14 to 6.10.6",
				Why: "The name ends in .llvm. and a number, and the kernel has " +
					"CONFIG_LTO_CLANG: it ignores that end when it compares names.",
				Fix: "Name it without that end, with its position among all symbols whose " +
					"names are then the same.",
				Run: []string{"klp-convert sympos {symbol} -k KERNEL"},
			},
			{
				Why: "The kernel looks in the wrong object: a module's symbol under vmlinux, " +
					"another module's name, or '-' for '_'.",
				Fix: "Correct the object in the annotation. Only vmlinux and modules are " +
					"objects; built-in code belongs to vmlinux.",
				Run: []string{"klp-convert sympos {symbol}  # without @OBJECT: in all"},
			},
			{
				Why: "A section for vmlinux names a module's symbol, and that module is not " +
					"loaded.",
				Fix: "Put it into the section for the module that is patched, as klp-convert " +
					"does.",
				Run: []string{"klp-convert inspect PATCH.ko"},
			},
			{
				Why: "It is a per-CPU variable at the start of its area (address 0), a " +
					"variable without CONFIG_KALLSYMS_ALL, or __init code whose memory is " +
					"freed.",
				Fix: "A klp relocation can't refer to it; find another way to it.",
			},
		},
	},
	{
		ID:   "ambiguous",
		From: "kernel/livepatch/core.c, klp_find_object_symbol",
		Forms: []Form{
			{
				"unresolvable ambiguity for symbol '{symbol}' in object '{object}'",
				"4.7 and later; '(null)' is vmlinux",
			},
		},
		Means: "Object {object} has several symbols called {symbol}, and position 0 means " +
			"that there is only one. The load fails with EINVAL.",
		Causes: []Cause{
			{
				Why: "The annotation has no position.",
				Fix: "Find out by its file which one is meant, and write its position; or " +
					"annotate by file and let klp-convert find it.",
				Run: []string{
					"klp-convert sympos {symbol}@{object}",
					"KLP_SYMPOS({symbol}, POS)",
					"KLP_RELOC_SYMBOL_FILE(LP_OBJ, {object}, {symbol}, \"path/to/file.c\")",
				},
			},
			{
				Why: "It is the old_name of a klp_func.",
				Fix: "Set .old_sympos there.",
				Run: []string{
					"klp-convert sympos {symbol}@{object}",
					".old_name = \"{symbol}\", .old_sympos = POS,",
				},
			},
			{
				When: "6.2 to 6.10.6",
				Why: "The kernel has CONFIG_LTO_CLANG: {symbol}.llvm.NUMBER has that name as " +
					"well.",
				Fix: "Count with that kernel's symbols and configuration.",
				Run: []string{"klp-convert sympos {symbol}@{object} -k KERNEL"},
			},
			{
				Why: "It was the only one in the kernel that the module was made for.",
				Fix: "Convert again for each kernel.",
				Run: []string{"klp-convert sympos {symbol}@{object} -k KERNEL -k OTHER"},
			},
		},
	},
	{
		ID:   "position-not-found",
		From: "kernel/livepatch/core.c, klp_find_object_symbol",
		Forms: []Form{
			{
				"symbol position {pos} for symbol '{symbol}' in object '{object}' not found",
				"4.7 and later",
			},
		},
		Means: "Object {object} has symbols called {symbol}, but fewer than {pos}. The load " +
			"fails with EINVAL.",
		Causes: []Cause{
			{
				Why: "The position was counted in another kernel, in vmlinux.o, or in a list " +
					"sorted by name. vmlinux's symbols are counted by address, a module's in " +
					"the order of its symbol table; the first is 1.",
				Fix: "Count in the kernel that refused.",
				Run: []string{"klp-convert sympos {symbol}@{object}"},
			},
			{
				Why: "In a module that is already loaded, symbols of .init sections no longer " +
					"count.",
				Fix: "Don't refer to one of several symbols of which some are __init.",
			},
		},
	},
	{
		ID:   "not-marked",
		From: "kernel/livepatch/core.c, klp_resolve_symbols",
		Forms: []Form{
			{"symbol {klpsym} is not marked as a livepatch symbol", "4.7 to 6.18"},
			{
				"symbol {klpsym} at rela sec {n} idx {n} is not marked as a livepatch symbol",
				"6.19 and later",
			},
		},
		Means: "A relocation in a .klp.rela section names {klpsym}, whose section index is " +
			"not SHN_LIVEPATCH (0xff20). EINVAL.",
		Causes: []Cause{
			{
				Why: "A tool that does not know klp symbols (strip, objcopy, ld -r) worked on " +
					"the converted module.",
				Fix: "Make the conversion the last step that edits the file.",
				Run: []string{"klp-convert inspect PATCH.ko"},
			},
			{
				Why: "The converter moved a relocation and forgot its symbol.",
				Fix: "Convert with klp-convert; it proves that every klp relocation uses a " +
					"klp symbol.",
			},
		},
	},
	{
		ID:   "symbol-name",
		From: "kernel/livepatch/core.c, klp_resolve_symbols",
		Forms: []Form{
			{"symbol {klpsym} has an incorrectly formatted name", "4.7 and later"},
		},
		Means: "The kernel reads klp symbols as .klp.sym.<object>.<name>,<position> and could " +
			"not read {klpsym}. EINVAL.",
		Causes: []Cause{
			{
				Why: "The name is longer than the kernel reads: 127 bytes up to 6.0 (and in " +
					"5.10.y, 5.15.y), 511 from 6.1 on.",
				Fix: "That kernel can't find it by name; use another symbol to get to it.",
			},
			{
				When: "before 5.19",
				Why: "It is cut off after 127 bytes: the kernel stores no more of the whole " +
					"name, .klp.sym.OBJECT.NAME,POSITION, for relocations that are applied " +
					"late (all before 5.8, those with a module later).",
				Fix: "Get to it by a symbol with a shorter name; klp-convert refuses to " +
					"convert it (KLP077).",
				Run: []string{"klp-convert check PATCH.ko --kernel KERNEL"},
			},
			{
				Why: "The object's name is longer than 55 bytes.",
				Fix: "Modules with such names can't be patched.",
			},
			{
				Why: "The position is not a number, or the comma is missing.",
				Fix: "Let klp_convert.h write the annotation, and klp-convert the name.",
			},
			{
				Why: "A label (.klp.sym.rela.…) was read as a klp symbol: the module is not " +
					"converted.",
				Fix: "Convert it.",
				Run: []string{"klp-convert IN.ko OUT.ko"},
			},
		},
	},
	{
		ID: "section-name",
		From: "kernel/livepatch/core.c, klp_apply_section_relocs " +
			"(klp_write_object_relocations before 5.8)",
		Forms: []Form{
			{"section {section} has an incorrectly formatted name", "4.7 and later"},
		},
		Means: "A section with SHF_RELA_LIVEPATCH is not called .klp.rela.<object>.<section>. " +
			"EINVAL.",
		Causes: []Cause{
			{
				Why: "A tool renamed or merged sections after conversion (objcopy " +
					"--rename-section, ld -r, a linker script).",
				Fix: "Make the conversion the last step that edits the file.",
				Run: []string{"klp-convert inspect PATCH.ko"},
			},
			{
				Why: "The object's name in it is empty.",
				Fix: "Name the object in the annotation: KLP_MODULE_RELOC(vmlinux).",
			},
		},
	},
	{
		ID:   "vmlinux-in-module-section",
		From: "kernel/livepatch/core.c, klp_resolve_symbols",
		Forms: []Form{
			{
				"invalid access to vmlinux symbol '{symbol}' from module-specific livepatch " +
					"relocation section",
				"5.8 and later, and vendors' kernels with that scheme",
			},
		},
		Means: "{symbol} of vmlinux is in a .klp.rela section for a module. Since 5.8 the " +
			"kernel accepts symbols of vmlinux only in .klp.rela.vmlinux.*, which it applies " +
			"when it loads the livepatch. EINVAL: the livepatch can't be enabled or, when the " +
			"module is loaded later, that module can't be loaded.",
		Causes: []Cause{
			{
				Why: "The module was made for a kernel before 5.8 (or by a tool for those), " +
					"which requires that.",
				Fix: "Convert for this kernel.",
				Run: []string{"klp-convert --kernel KERNEL IN.ko OUT.ko"},
			},
			{
				Why: "A converter groups by the patched object (klp-convert-mini with " +
					"KLP_RELOC_SYMBOL(module, vmlinux, …)).",
				Fix: "Convert with klp-convert, which puts it where the target's kernels " +
					"accept it.",
				Run: []string{"KLP_RELOC_SYMBOL(vmlinux, vmlinux, {symbol})"},
			},
		},
	},
	{
		ID:   "vmlinux-ko",
		From: "kernel/livepatch/core.c, klp_module_coming",
		Forms: []Form{
			{"vmlinux.ko: invalid module name", "5.8 and later"},
		},
		Means: "A module called vmlinux can't be loaded: klp relocations use that name for " +
			"the kernel itself. EINVAL.",
		Causes: []Cause{
			{
				Why: "The module's file, or KBUILD_MODNAME, is vmlinux.",
				Fix: "Give the module another name.",
			},
		},
	},
	{
		ID:   "target-refused",
		From: "kernel/livepatch/core.c, klp_module_coming",
		Forms: []Form{
			{
				"failed to initialize patch '{patch}' for module '{module}' ({errno})",
				"4.7 and later",
			},
			{
				"patch '{patch}' failed for module '{module}', refusing to load module " +
					"'{module}'",
				"4.7 and later",
			},
			{"failed to apply patch '{patch}' to module '{module}' ({errno})", "4.7 and later"},
		},
		Means: "The kernel was to load module {module} while livepatch {patch} is enabled, " +
			"and could not apply {patch} to it. It refuses {module}, not the livepatch; the " +
			"message before this one says why.",
		Causes: []Cause{
			{
				Why: "{patch} was made for another build of {module}: a symbol or a function " +
					"is not where it was.",
				Fix: "Read the line before this one. Then convert for this {module}, or " +
					"disable the livepatch.",
				Run: []string{
					"klp-convert sympos SYMBOL@{module}",
					"echo 0 > /sys/kernel/livepatch/{patch}/enabled",
				},
			},
			{
				When: "before 6.3",
				Why: "{module} was unloaded and is loaded again, on x86: the klp relocations " +
					"are still applied (\"existing value is nonzero\").",
				Fix: "Load the livepatch again, or don't unload the module; 6.3 and later " +
					"clear the relocations.",
			},
		},
	},
	{
		ID:   "no-location",
		From: "kernel/livepatch/patch.c, klp_patch_func",
		Forms: []Form{
			{"failed to find location for function '{function}'", "4.7 and later"},
		},
		Means: "{function} does not begin with a call to ftrace, so it can't be patched. " +
			"EINVAL.",
		Causes: []Cause{
			{
				Why: "It is notrace: it is declared so, or by its section (noinstr, entry " +
					"code), or its file is built without ftrace's flags.",
				Fix: "Patch its callers.",
			},
			{
				Why: "It is inlined everywhere, and the symbol of that name is something else.",
				Fix: "Patch the functions that it is inlined into.",
				Run: []string{"klp-convert sympos {function}"},
			},
			{
				Why: "old_sympos is the position of another symbol of that name, which is " +
					"data or notrace.",
				Fix: "Correct the position.",
				Run: []string{"klp-convert sympos {function}"},
			},
			{
				Why: "It is an __init function of a module, or assembly.",
				Fix: "It can't be patched.",
			},
		},
	},
	{
		ID:   "ftrace-handler",
		From: "kernel/livepatch/patch.c, klp_patch_func",
		Forms: []Form{
			{"failed to set ftrace filter for function '{function}' ({errno})", "4.7 and later"},
			{
				"failed to register ftrace handler for function '{function}' ({errno})",
				"4.7 and later",
			},
		},
		Means: "ftrace refused the handler for {function}; {errno} says why: -16 (EBUSY), " +
			"another user of ftrace holds the function; -22 (EINVAL), it can't be traced; -19 " +
			"(ENODEV), ftrace is off.",
		Causes: []Cause{
			{
				Why: "Something else redirects {function}: a kprobe with a post_handler, " +
					"fail_function, a BPF trampoline that may redirect.",
				Fix: "Remove it and try again.",
				Run: []string{
					"cat /sys/kernel/debug/kprobes/list",
					"cat /sys/kernel/tracing/enabled_functions",
				},
				If: "(-16)",
			},
			{
				Why: "ftrace is switched off, or disabled itself (\"ftrace bug\" earlier in " +
					"the log).",
				Fix: "Switch it on; after an ftrace bug only a reboot helps.",
				Run: []string{"sysctl kernel.ftrace_enabled=1"},
				If:  "(-19)",
			},
			{
				Why: "The function can't be traced.",
				Fix: "Patch its callers.",
				If:  "(-22)",
			},
		},
	},
	{
		ID:   "ftrace-bug",
		From: "kernel/trace/ftrace.c, ftrace_bug",
		Forms: []Form{
			{"WARNING: {text}ftrace_bug+", ""},
			{"ftrace failed to modify", ""},
			{"Initializing ftrace call sites", ""},
		},
		Means: "A module's list of functions that ftrace can change names a place that has no " +
			"call of __fentry__. ftrace switches itself off: no livepatch works until the next boot.",
		Causes: []Cause{
			{
				Why: "The section with the calls was not relocated: an ordinary relocation section " +
					"has the flag SHF_RELA_LIVEPATCH, and kernels before 5.8 pass over it.",
				Fix: "Convert the module again, as modpost left it.",
				Run: []string{"klp-convert check FILE.ko"},
			},
			{
				Why: "The module was built by another compiler than the kernel, or edited.",
				Fix: "Build it with this kernel's Kbuild.",
			},
		},
	},
	{
		ID:   "error-injection",
		From: "lib/error-inject.c, populate_error_injection_list",
		Forms: []Form{
			{"Failed to find error inject entry at {place}", "4.16 and later"},
		},
		Means: "An entry of _error_injection_whitelist is not the address of a function. It is " +
			"passed over; the module works.",
		Causes: []Cause{
			{
				Why: "The table's relocations were lost, or a klp relocation was applied too late.",
				Fix: "Leave ALLOW_ERROR_INJECTION() out of livepatches.",
			},
		},
	},
	{
		ID:   "paravirt-short",
		From: "arch/x86/kernel/paravirt.c, paravirt_patch_call",
		Forms: []Form{
			{"paravirt: Failed to patch indirect CALL at {place}", "x86, 5.2 to 6.7"},
		},
		Means: "An entry of .parainstructions, or of .klp.arch.OBJECT..parainstructions, says that " +
			"its site has fewer bytes than a call. The kernel stops there (BUG).",
		Causes: []Cause{
			{
				Why: "The section has other contents than a compiler made: zeros, or another table.",
				Fix: "Convert the module again, as modpost left it.",
				Run: []string{"klp-convert check FILE.ko"},
			},
		},
	},
	{
		ID:   "size-lookup",
		From: "kernel/livepatch/core.c, klp_init_object_loaded",
		Forms: []Form{
			{"kallsyms size lookup failed for '{function}'", "4.7 and later"},
			{"kallsyms size lookup failed for '{function}' replacement", "4.7 and later"},
		},
		Means: "kallsyms does not know the size of {function}, or of its replacement. ENOENT.",
		Causes: []Cause{
			{
				Why: "new_func is not code of the livepatch, or is in an .init section.",
				Fix: "Correct .new_func; the replacement must stay in memory.",
				Run: []string{"klp-convert inspect PATCH.ko"},
			},
			{
				Why: "The module's symbols were stripped.",
				Fix: "Don't strip the livepatch.",
			},
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
		Means: "The livepatch was loaded and not enabled. The line before this one says what " +
			"failed; where it is the pre-patch callback, that function of the livepatch " +
			"returned an error.",
		Causes: []Cause{
			{
				Why: "A function of the object can't be patched.",
				Fix: "See the message about the function, earlier in the log.",
				Run: []string{"dmesg | klp-convert explain"},
			},
			{
				Why: "The livepatch's pre_patch callback returns an error.",
				Fix: "Find out what it checks.",
			},
		},
	},
	{
		ID:   "not-livepatch-module",
		From: "kernel/livepatch/core.c, klp_enable_patch",
		Forms: []Form{
			{"module {module} is not marked as a livepatch module", "4.7 and later"},
		},
		Means: "{module} calls klp_enable_patch(), and its .modinfo has no livepatch=Y. EINVAL.",
		Causes: []Cause{
			{
				Why: "The source does not declare it.",
				Fix: "Add this line, and build again.",
				Run: []string{"MODULE_INFO(livepatch, \"Y\");"},
			},
			{
				Why: "It is not the finished module: a copy for debuggers (klp-convert " +
					"inspect --debug-copy), or one from which a tool removed .modinfo.",
				Fix: "Load the module that klp-convert made.",
				Run: []string{"modinfo -F livepatch {module}.ko"},
			},
		},
	},
	{
		ID:   "incompatible",
		From: "kernel/livepatch/core.c, klp_enable_patch",
		Forms: []Form{
			{
				"Livepatch patch ({patch}) is not compatible with the already installed " +
					"livepatches.",
				"5.5 and later",
			},
		},
		Means: "{patch} does not handle a klp_state that an installed livepatch has set, or " +
			"not in that version. EINVAL.",
		Causes: []Cause{
			{
				Why: "It is a cumulative livepatch (replace) without a state of the one that " +
					"it replaces.",
				Fix: "List the state in klp_patch.states, with the same or a later version.",
			},
			{
				Why: "It is the older of the two.",
				Fix: "Disable the newer first.",
				Run: []string{
					"ls /sys/kernel/livepatch",
					"echo 0 > /sys/kernel/livepatch/INSTALLED/enabled",
				},
			},
		},
	},
	{
		ID:   "no-consistency-model",
		From: "kernel/livepatch/core.c, klp_enable_patch (klp_register_patch before 5.1)",
		Forms: []Form{
			{
				"This architecture doesn't have support for the livepatch consistency model.",
				"4.12 and later: an error (ENOSYS) before 5.1, a warning since",
			},
			{"The livepatch transition may never complete.", "5.1 and later"},
		},
		Means: "The kernel can't check whether a sleeping task is inside of a patched " +
			"function (no reliable stack traces), so it may never be sure that all tasks have " +
			"moved to the new code.",
		Causes: []Cause{
			{
				Why: "The kernel was built without HAVE_RELIABLE_STACKTRACE: on x86 with neither " +
					"CONFIG_UNWINDER_ORC nor CONFIG_STACK_VALIDATION. s390x has it since 5.5.",
				Fix: "Use a kernel with CONFIG_UNWINDER_ORC, or expect to wait.",
				Run: []string{
					"grep -E 'UNWINDER|RELIABLE_STACKTRACE' /boot/config-$(uname -r)",
				},
			},
		},
	},
	{
		ID:   "transition-stuck",
		From: "kernel/livepatch/transition.c",
		Forms: []Form{
			{"signaling remaining tasks", "4.15 and later"},
			{"sending fake signal to remaining tasks", "some vendors' kernels"},
		},
		Means: "Some tasks still run, or sleep in, functions that are to be patched. The " +
			"kernel wakes them about every 15 seconds.",
		Causes: []Cause{
			{
				Why: "A task sleeps for long in a patched function.",
				Fix: "Find it by patch_state (while patching, 0 is a task that has not moved; " +
					"while unpatching, 1), and wait or restart it.",
				Run: []string{
					"grep -l 0 /proc/[0-9]*/patch_state",
					"cat /proc/PID/stack",
				},
			},
			{
				Why: "It is not known which task it is, or why.",
				Fix: "Let the kernel name the task and the function at each try.",
				Run: []string{
					"echo 'file kernel/livepatch/transition.c +p' > " +
						"/sys/kernel/debug/dynamic_debug/control",
					"dmesg | klp-convert explain",
				},
			},
			{
				Why: "A kernel thread never returns.",
				Fix: "Wake it, or patch another function. Try " +
					"/sys/kernel/livepatch/PATCH/force last: it gives up consistency.",
			},
		},
	},
	{
		ID: "task-on-stack",
		From: "kernel/livepatch/transition.c, klp_try_switch_task (klp_check_stack in 5.10 " +
			"and earlier), with dynamic debugging",
		Forms: []Form{
			{"klp_try_switch_task: {task} is sleeping on function {function}", "after 5.10"},
			{"klp_check_stack: {task} is sleeping on function {function}", "4.12 to 6.0"},
		},
		Means: "{task} (name:PID) has not moved to the new code, because {function} is on its " +
			"stack. The transition waits for it.",
		Causes: []Cause{
			{
				Why: "The task sleeps in {function}, or in something that {function} called.",
				Fix: "Find out where, and give it what it waits for, or restart it.",
				Run: []string{"cat /proc/PID/stack"},
			},
			{
				Why: "It is a loop that never returns, for example of a kernel thread.",
				Fix: "Patch what the loop calls, and not the loop.",
			},
		},
	},
	{
		ID: "task-unreliable",
		From: "kernel/livepatch/transition.c, klp_try_switch_task (klp_check_stack in 5.10 " +
			"and earlier), with dynamic debugging",
		Forms: []Form{
			{"klp_try_switch_task: {task} has an unreliable stack", "after 5.10"},
			{"klp_check_stack: {task} has an unreliable stack", "4.12 to 6.0"},
		},
		Means: "The kernel can't tell whether {task} (name:PID) is inside of a patched " +
			"function. It tries again; if this happens rarely, it is harmless.",
		Causes: []Cause{
			{
				Why: "The task was in an interrupt, or in code for which the unwinder has no " +
					"data, for example a module without ORC data.",
				Fix: "Wait. If the message stays, find out where the task is.",
				Run: []string{"cat /proc/PID/stack"},
			},
		},
	},
	{
		ID:   "task-running",
		From: "kernel/livepatch/transition.c, klp_try_switch_task, with dynamic debugging",
		Forms: []Form{
			{"klp_try_switch_task: {task} is running", "4.12 and later"},
		},
		Means: "{task} (name:PID) was on a CPU when the kernel looked. It moves to the new " +
			"code when it returns to user space, or the next time that it sleeps.",
		Causes: []Cause{
			{
				Why: "The task runs for long inside of the kernel.",
				Fix: "Wait; if the message stays, find out what the task does.",
				Run: []string{"cat /proc/PID/stack"},
			},
		},
	},
	{
		ID:   "task-error",
		From: "kernel/livepatch/transition.c, klp_try_switch_task, with dynamic debugging",
		Forms: []Form{
			{
				"klp_try_switch_task: Unknown error code ({errno}) when trying to switch {task}",
				"after 5.10",
			},
		},
		Means: "The kernel could not read the stack of {task} (name:PID): {errno}. It tries " +
			"again.",
		Causes: []Cause{
			{
				Why: "Out of memory, or a defect of the kernel.",
				Fix: "Wait; if the message stays, find out what the task does.",
				Run: []string{"cat /proc/PID/stack"},
			},
		},
	},
	{
		ID:   "shadow-constructor",
		From: "kernel/livepatch/shadow.c, __klp_shadow_get_or_alloc",
		Forms: []Form{
			{"Failed to construct shadow variable <{word} {hex}> ({errno})", "4.19 and later"},
			{"Duplicate shadow variable <{word} {hex}>", "4.15 and later"},
		},
		Means: "klp_shadow_alloc() of the livepatch returns NULL: its constructor returned " +
			"{errno}, or the object already has a shadow variable with that id.",
		Causes: []Cause{
			{
				Why: "The constructor fails.",
				Fix: "Find out what it checks.",
			},
			{
				Why: "Two livepatches use one id.",
				Fix: "Use klp_shadow_get_or_alloc(), or another id.",
				If:  "Duplicate",
			},
		},
	},
	{
		ID:   "forced",
		From: "kernel/livepatch/transition.c, klp_force_transition",
		Forms: []Form{
			{"forcing remaining tasks to the patched state", "4.15 and later"},
			{"forcing remaining tasks to the unpatched state", "4.15 and later"},
		},
		Means: "Somebody wrote to the livepatch's force file. Tasks may run a mixture of old " +
			"and new code, and the livepatch can no longer be unloaded.",
		Causes: []Cause{
			{
				Why: "A user or a script did that.",
				Fix: "Reboot when it is convenient.",
			},
		},
	},
	{
		ID:   "klp-disabled",
		From: "kernel/module/main.c, check_modinfo_livepatch (kernel/module.c before 5.19)",
		Forms: []Form{
			{
				"{module}: module is marked as livepatch module, but livepatch support is " +
					"disabled",
				"4.7 and later",
			},
		},
		Means: "The kernel was built without CONFIG_LIVEPATCH. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "It is a kernel without livepatching: among Debian's, all except amd64.",
				Fix: "Use a kernel that has it.",
				Run: []string{"grep CONFIG_LIVEPATCH /boot/config-$(uname -r)"},
			},
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
		Means: "The kernel is enabling livepatch {patch}. After \"patching complete\" all " +
			"tasks run the new code.",
		Fine: true,
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
		Means: "The kernel is disabling livepatch {patch}, or removes it from a module that " +
			"is unloaded. On x86 kernels before 6.3 that module can't be loaded again while " +
			"the livepatch is loaded.",
		Fine: true,
	},
	{
		ID:   "tainted",
		From: "kernel/module/main.c, module_augment_kernel_taints",
		Forms: []Form{
			{"{module}: tainting kernel with TAINT_LIVEPATCH", ""},
		},
		Means: "The first livepatch was loaded; from now on, oopses show K among their taints.",
		Fine:  true,
	},
	{
		ID:   "out-of-tree",
		From: "kernel/module/main.c, module_augment_kernel_taints (kernel/module.c before 5.19)",
		Forms: []Form{
			{"{module}: loading out-of-tree module taints kernel.", ""},
		},
		Means: "The first module that was built outside of the kernel's tree was loaded; from " +
			"now on, oopses show O among their taints. That is not an error.",
		Fine: true,
	},
}
