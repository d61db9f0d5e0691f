// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// hardening is what the kernel says about code that was built without what its mitigations
// need: return thunks, retpolines, CFI, BTI, call depth tracking, shadow stacks.
var hardening = []Entry{
	{
		ID:   "return-thunk",
		From: "arch/x86/kernel/cpu/bugs.c, __warn_thunk",
		Forms: []Form{
			{"Unpatched return thunk in use. This should not happen!", "x86, 6.9 and later"},
		},
		Means: "A function returned by a jump to __x86_return_thunk that the kernel had not " +
			"replaced. It works, without the mitigation for that return. The kernel warns " +
			"once per boot; the trace that follows shows which function returned.",
		Causes: []Cause{
			{
				Why: "objtool did not run on a module, or on an object in it: " +
					"OBJECT_FILES_NON_STANDARD, an object that was built elsewhere. Its " +
					".return_sites does not name the jump.",
				Fix: "Let Kbuild and objtool build the whole module. klp-convert check " +
					"reports it as KLP158.",
				Run: []string{"klp-convert check PATCH.ko --kernel $(uname -r)"},
			},
			{
				Why: "A tool removed .return_sites or its relocations.",
				Fix: "Edit the module only with klp-convert after the build.",
				Run: []string{"readelf -SW PATCH.ko | grep return_sites"},
			},
			{
				Why: "If it is printed before modules are loaded, the kernel itself was built " +
					"so (seen with KCSAN and KASAN).",
				Fix: "It is not about a livepatch.",
			},
		},
	},
	{
		ID:   "return-site",
		From: "arch/x86/kernel/alternative.c, apply_returns",
		Forms: []Form{
			{
				"missing return thunk: {place}-{place}: {text}",
				"x86, 5.19 and later, and stable kernels with return thunks",
			},
		},
		Means: "In a module that was being loaded, an entry of .return_sites names a place " +
			"that is not a jump to __x86_return_thunk. It is a warning; the module loads.",
		Causes: []Cause{
			{
				Why: "The module's code or its tables were edited after objtool, or objtool " +
					"was not that of this kernel.",
				Fix: "Build it again with this kernel's headers. klp-convert check reports it " +
					"as KLP158.",
			},
		},
	},
	{
		ID:   "cfi-failure",
		From: "kernel/cfi.c, report_cfi_failure",
		Forms: []Form{
			{"CFI failure at {place} (target: {place}; expected type: {hex})", "6.1 and later"},
			{"CFI failure at {place} (no target information)", "6.1 and later"},
			{"CFI failure (target: {place})", "arm64, 5.13 to 6.0"},
			{"Internal error: Oops - CFI: {text}", "arm64, 6.1 and later"},
		},
		Means: "The kernel has CONFIG_CFI (CONFIG_CFI_CLANG before 6.18). A function was " +
			"called through a pointer, and the type hash before the function is not the one " +
			"that the caller expects, or is missing. The kernel treats it as an attack, and " +
			"stops (or warns, with CONFIG_CFI_PERMISSIVE).",
		Causes: []Cause{
			{
				Why: "The module was built without kCFI: with gcc, or without Kbuild. The " +
					"first function that is called through a pointer is its init function.",
				Fix: "Build it with the kernel's compiler and Kbuild (-fsanitize=kcfi). " +
					"klp-convert check reports it as KLP162.",
				Run: []string{"klp-convert check PATCH.ko --kernel $(uname -r)"},
			},
			{
				Why: "The livepatch calls, through a pointer, a function that it declares " +
					"with a wrong type.",
				Fix: "Declare it with the type of its definition.",
			},
			{
				Why: "The livepatch uses the address of a static function of the kernel " +
					"through a klp symbol; clang writes no hash before a function that is " +
					"only called directly.",
				Fix: "Call it directly, in a function of the livepatch, and use the address " +
					"of that function.",
			},
		},
	},
	{
		ID:   "cfi-rewrite",
		From: "arch/x86/kernel/alternative.c, __apply_fineibt",
		Forms: []Form{
			{
				"Something went horribly wrong trying to rewrite the CFI implementation.",
				"x86, 6.2 and later",
			},
		},
		Means: "With FineIBT the kernel rewrites the hashes before functions and the checks " +
			"of callers. The code that .cfi_sites and .retpoline_sites name is not what it " +
			"expects.",
		Causes: []Cause{
			{
				Why: "The module was built with other flags or another compiler than the " +
					"kernel.",
				Fix: "Build it with the kernel's compiler and headers. Or boot with cfi=kcfi, " +
					"to find out whether that is the cause.",
			},
		},
	},
	{
		ID:   "bti",
		From: "arch/arm64/kernel/traps.c, do_el1_bti",
		Forms: []Form{
			{"Internal error: Oops - BTI: {text}", "arm64, 5.8 and later"},
		},
		Means: "A function was called through a pointer and does not begin with a landing pad " +
			"(bti c, paciasp). The pc line that follows names it.",
		Causes: []Cause{
			{
				Why: "The module was built without -mbranch-protection, or the function is " +
					"assembly without one.",
				Fix: "Build it with Kbuild; in assembly use SYM_TYPED_FUNC_START. klp-convert " +
					"check reports it as KLP160.",
			},
		},
	},
	{
		ID:   "scs-patching",
		From: "arch/arm64/kernel/module.c, module_finalize",
		Forms: []Form{
			{
				"module {module}: error occurred during dynamic SCS patching ({n})",
				"arm64, after 6.12",
			},
		},
		Means: "The kernel could not turn pointer authentication in the module into a shadow " +
			"call stack: .init.eh_frame can't be read. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "The module's unwind tables were edited, or are from another compiler.",
				Fix: "Build it with the kernel's compiler, and edit it only with klp-convert " +
					"afterwards.",
			},
		},
	},
	{
		ID:   "patch-site",
		From: "arch/arm64/kernel/ftrace.c, ftrace_call_adjust",
		Forms: []Form{
			{"Misaligned patch-site {place}", "arm64 with CONFIG_DYNAMIC_FTRACE_WITH_CALL_OPS"},
			{"unexpected insn in patch-site {place}: {hex}", "arm64"},
		},
		Means: "An entry for ftrace is not where the kernel's compiler flags put it. A " +
			"function whose entry is misaligned can't be livepatched.",
		Causes: []Cause{
			{
				Why: "The module was built without the kernel's -falign-functions=8, or with " +
					"other -fpatchable-function-entry.",
				Fix: "Build it with this kernel's Kbuild. klp-convert check reports a " +
					"function without an entry as KLP140.",
			},
		},
	},
}
