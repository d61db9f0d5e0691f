// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// objtool is what objtool says about the objects of a module while Kbuild compiles them,
// after the place: lp.o: warning: objtool: foo()+0x12: …
var objtool = []Entry{
	{
		ID:   "objtool-unreachable",
		From: "objtool, check.c",
		Forms: []Form{
			{"objtool: {where}: unreachable instruction", ""},
			{"objtool: {function}() falls through to next function {symbol}()", ""},
			{"objtool: {where}() falls through to next function {symbol}()", ""},
			{"objtool: {where}: {symbol}() is missing a __noreturn annotation", "6.2 to 7.2"},
			{
				"objtool: {where}: {symbol}() missing __noreturn in .c/.h or NORETURN() in " +
					"noreturns.h",
				"after 6.12",
			},
			{"objtool: {where}: unexpected end of section", "before 7.3"},
			{"objtool: {where}: {text}unexpected end of section {section}", "after 6.12"},
			{"objtool: {where}(): STT_FUNC at end of section", "after 6.1"},
			{"objtool: {where}: can't find starting instruction", ""},
		},
		Means: "objtool followed the code of a function and the code runs past its end, or it " +
			"found code that cannot be reached. Then it has no reliable unwind data (ORC) for " +
			"that function; stack traces, and with them the livepatch's transition, may be " +
			"unreliable there.",
		Causes: []Cause{
			{
				Why: "The function calls one that never returns, and that is not in objtool's " +
					"list of such functions.",
				Fix: "Declare the callee __noreturn; for a klp relocation, declare it as the " +
					"kernel's header does.",
				Run: []string{"grep -rn __noreturn include/linux/{symbol}.h"},
			},
			{
				Why: "The compiler saw undefined behaviour (a division by a constant 0, an " +
					"index out of range) and left out the rest.",
				Fix: "Fix the code; read the compiler's warnings.",
			},
			{
				Why: "The compiler is newer than the kernel.",
				Fix: "Build with the compiler that built the kernel.",
			},
		},
	},
	{
		ID:   "objtool-stack",
		From: "objtool, check.c",
		Forms: []Form{
			{"objtool: {where}: call without frame pointer save/setup", ""},
			{"objtool: {where}: return with modified stack frame", ""},
			{"objtool: {where}: leave instruction with modified stack frame", "5.10"},
			{
				"objtool: {where}: sibling call from callable instruction with modified stack " +
					"frame",
				"",
			},
			{"objtool: {where}: stack state mismatch: {text}", ""},
			{"objtool: {where}: undefined stack state", ""},
			{"objtool: {where}: BP used as a scratch register", ""},
			{"objtool: {where}: unsupported stack register modification", ""},
			{"objtool: {where}: unsupported stack pointer realignment", ""},
			{"objtool: {where}: unknown stack-related instruction", ""},
			{"objtool: {where}: unknown stack-related memory operation", ""},
			{"objtool: {where}: stack layout conflict in alternatives", ""},
			{"objtool: {where}: unsupported instruction in callable function", ""},
			{"objtool: {where}: unannotated intra-function call", ""},
			{"objtool: {where}: intra_function_call not a direct call", ""},
			{"objtool: {where}: unsupported call to non-function", ""},
			{"objtool: {where}: PUSHF stack exhausted", ""},
			{"objtool: {where}: no corresponding CFI save for CFI restore", ""},
			{
				"objtool: {where}: objtool isn't smart enough to handle this CFI save/restore " +
					"combo",
				"",
			},
			{"objtool: {symbol}() is missing an ELF size annotation", ""},
			{"objtool: {where}: {symbol}() is missing an ELF size annotation", ""},
			{"objtool: {where}: unknown CFA base reg {n}", ""},
			{"objtool: {where}: unknown BP base reg {n}", ""},
			{"objtool: {where}: unknown unwind hint type {n}", "after 6.1"},
			{"objtool: {where}: unsupported unwind_hint sp base reg {n}", ""},
		},
		Means: "objtool can't tell what the stack looks like at {where}. The unwinder may " +
			"call a stack with that function on it unreliable, and a transition then waits " +
			"for the task.",
		Causes: []Cause{
			{
				Why: "Inline assembly or an .S file moves the stack pointer, or calls, " +
					"without annotations for objtool.",
				Fix: "Use the kernel's macros (ASM_CALL_CONSTRAINT, SYM_FUNC_START, " +
					"UNWIND_HINT_*).",
			},
			{
				Why: "The compiler's flags are not Kbuild's.",
				Fix: "Build with Kbuild, with the compiler that built the kernel.",
			},
		},
	},
	{
		ID:   "objtool-mitigation",
		From: "objtool, check.c",
		Forms: []Form{
			{"objtool: {where}: indirect {word} found in RETPOLINE build", "before 6.12"},
			{
				"objtool: {where}: indirect {word} found in MITIGATION_RETPOLINE build",
				"after 6.1",
			},
			{"objtool: {where}: 'naked' return found in RETHUNK build", "before 6.12"},
			{"objtool: {where}: 'naked' return found in MITIGATION_RETHUNK build", "after 6.1"},
			{"objtool: {where}: missing int3 after ret", ""},
			{"objtool: {where}: missing int3 after indirect jump", ""},
			{"objtool: {where}: early indirect call", ""},
			{"objtool: {where}: retpoline_safe hint not an indirect jump/call/ret/nop", ""},
			{"objtool: {where}: no-cfi indirect call!", "after 6.12"},
			{"objtool: {where}: dodgy NOCFI annotation", "after 6.12"},
		},
		Means: "The code at {where} jumps, calls or returns without the thunks that this " +
			"kernel uses against speculation. It works, and is not protected.",
		Causes: []Cause{
			{
				Why: "The file was not compiled with Kbuild's flags (-mindirect-branch, " +
					"-mfunction-return, -mharden-sls), or by a compiler without such flags.",
				Fix: "Build with Kbuild, with the compiler that built the kernel.",
			},
			{
				Why: "Inline assembly or an .S file has the plain instruction.",
				Fix: "Use CALL_NOSPEC, JMP_NOSPEC and RET.",
			},
		},
	},
	{
		ID:   "objtool-ibt",
		From: "objtool --ibt, check.c",
		Forms: []Form{
			{"objtool: {where}: relocation to !ENDBR: {target}", "5.18 and later"},
			{"objtool: {where}: data relocation to !ENDBR: {target}", "5.18 and later"},
			{"objtool: {where}: not an indirect call target", "6.2 to 7.2"},
			{"objtool: {where}: UNWIND_HINT_IRET_REGS without ENDBR", "5.18 and later"},
			{"objtool: notrack prefix found at {where}", "5.18 and later"},
		},
		Means: "The code at {where} uses the address of {target}, and {target} does not begin " +
			"with ENDBR. On a kernel with IBT a call by that address ends in \"Missing " +
			"ENDBR\".",
		Causes: []Cause{
			{
				Why: "It is a label or a function in assembly.",
				Fix: "Begin it with ENDBR (SYM_FUNC_START does), or mark the reference with " +
					"ANNOTATE_NOENDBR.",
			},
			{
				Why: "The file was compiled without -fcf-protection=branch.",
				Fix: "Build with Kbuild.",
			},
		},
	},
	{
		ID:   "objtool-section",
		From: "objtool, check.c",
		Forms: []Form{
			{"objtool: {where}: call to {symbol}() leaves .noinstr.text section", ""},
			{"objtool: {where}: call to {symbol}() with UACCESS enabled", ""},
			{"objtool: {where}: call to {symbol}() with DF set", ""},
			{"objtool: {where}: return with UACCESS enabled", ""},
			{"objtool: {where}: return with UACCESS disabled from a UACCESS-safe function", ""},
			{"objtool: {where}: return with DF set", ""},
			{"objtool: {where}: return with instrumentation enabled", ""},
			{"objtool: {where}: recursive UACCESS enable", ""},
			{"objtool: {where}: redundant UACCESS disable", ""},
			{"objtool: {where}: UACCESS-safe disables UACCESS", ""},
			{"objtool: {where}: recursive STD", ""},
			{"objtool: {where}: redundant CLD", ""},
		},
		Means: "The code at {where} calls or returns in a state in which that is forbidden: " +
			"inside of user_access_begin(), with the direction flag set, or from noinstr code " +
			"to code that may be traced.",
		Causes: []Cause{
			{
				Why: "A function that was copied into the livepatch is noinstr or works " +
					"between user_access_begin() and user_access_end(), and what it calls was " +
					"inline in the original.",
				Fix: "Compile it with the attributes of the original, or patch its caller.",
				Run: []string{"klp-convert sympos {symbol}"},
			},
		},
	},
	{
		ID:   "objtool-twice",
		From: "objtool, check.c",
		Forms: []Form{
			{"objtool: file already has {section} section, skipping", ""},
			{"objtool: file already has {section}, skipping", ""},
		},
		Means: "objtool has already processed this object. It leaves {section} as it is.",
		Causes: []Cause{
			{
				Why: "An object that was already processed is linked again, or objtool was " +
					"run by hand.",
				Fix: "Build from clean objects.",
				Run: []string{"make M=$PWD clean modules"},
			},
			{
				Why: "The object was converted, and Kbuild processes it again.",
				Fix: "Convert last, after modpost and the final link.",
			},
		},
	},
	{
		ID:   "objtool-special",
		From: "objtool, special.c and check.c",
		Forms: []Form{
			{"objtool: {where}: special: can't find orig instruction", ""},
			{"objtool: {where}: special: can't find new instruction", ""},
			{"objtool: {where}: can't find orig reloc", ""},
			{"objtool: {where}: can't find new reloc", ""},
			{"objtool: {where}: can't find key reloc", "after 5.10"},
			{"objtool: {section} size not a multiple of {n}", ""},
			{"objtool: {where}: empty alternative entry", ""},
			{"objtool: {where}: weirdly overlapping alternative! {n} != {n}", "after 6.1"},
			{"objtool: {where}: unsupported relocation in alternatives section", ""},
			{"objtool: {where}: can't find alternative jump destination", ""},
			{"objtool: {where}: can't find last new alternative instruction", ""},
			{"objtool: {where}: unsupported instruction at jump label", ""},
			{"objtool: {where}: can't find jump dest instruction at {target}", ""},
			{"objtool: {where}: can't find call dest symbol at {target}", ""},
			{"objtool: {where}: can't find call dest at {target}", ""},
			{"objtool: {where}: can't find switch jump table", ""},
			{"objtool: static_call: trampoline name malformed: {symbol}", ""},
		},
		Means: "A table by which the kernel rewrites code (alternatives, jump labels, static " +
			"calls), or a jump, does not lead to code that objtool knows.",
		Causes: []Cause{
			{
				Why: "A tool moved or removed sections or relocations of the object before " +
					"objtool read it (objcopy, strip, ld -r --gc-sections).",
				Fix: "Let Kbuild run objtool on the output of the compiler.",
			},
			{
				Why: "The headers and objtool are from different kernels, so entries have " +
					"another size.",
				Fix: "Build against the headers of one kernel.",
			},
		},
	},
	{
		ID:   "objtool-toolchain",
		From: "objtool",
		Forms: []Form{
			{"objtool: can't decode instruction at {where}", ""},
			{"objtool: unexpected ELF machine type {n}", ""},
			{
				"objtool: section {section} has absolute relocation at offset 0x{hex}",
				"after 6.12",
			},
			{"objtool: unexpected relocation symbol type in {section}", ""},
			{"objtool: {where}: unresolved jump target after linking?!?", ""},
			{"objtool: Unresolved function after linking!?: {symbol}", ""},
			{"objtool: {where}: ENQCMD instruction at {target}", "after 5.10"},
			{"objtool: ENQCMD instruction at {where}", "after 5.10"},
			{"objtool: {where}: invalid LEA encoding at {target}", "after 5.10"},
			{"objtool: invalid LEA encoding at {where}", "after 5.10"},
			{"objtool: couldn't find section for symbol {symbol}", ""},
			{"objtool: {where}: can't find parent function", ""},
			{"objtool: {symbol}(): cold subfunction without \".cold\"?", "after 6.12"},
			{
				"objtool: Magic init_module() function name is deprecated, use " +
					"module_init(fn) instead",
				"after 6.12",
			},
			{
				"objtool: {where}(): Magic init_module() function name is deprecated, use " +
					"module_init(fn) instead",
				"after 6.12",
			},
			{"objtool: {n} warning(s) upgraded to errors", "after 6.12"},
		},
		Means: "The object has a form that objtool of this kernel does not expect, or the " +
			"source uses what modules may no longer use.",
		Causes: []Cause{
			{
				Why: "The compiler or assembler is newer than the kernel, or not the one that " +
					"built it.",
				Fix: "Build with the compiler that built the kernel.",
				Run: []string{"cat /proc/version"},
			},
			{
				Why: "The module defines init_module() itself.",
				Fix: "Use module_init(); a livepatch calls klp_enable_patch() there.",
				If:  "init_module",
			},
			{
				Why: "CONFIG_OBJTOOL_WERROR makes errors of warnings.",
				Fix: "Fix what the lines before this one say.",
				If:  "upgraded to errors",
			},
		},
	},
	{
		ID: "objtool-klp-diff",
		From: "objtool klp diff and objtool klp checksum, klp-diff.c, klp-sympos.c, " +
			"klp-checksum.c",
		Forms: []Form{
			{
				"objtool: can't open '{file}', \"objtool diff\" should be run from the kernel " +
					"tree",
				"6.19 and later",
			},
			{"objtool: malformed Module.symvers {text}at line {n}", "6.19 and later"},
			{
				"objtool: '{file}' missing .discard.sym_checksum section, file not processed " +
					"by 'objtool klp checksum'?",
				"6.19 and later",
			},
			{"objtool: missing reloc section for .discard.sym_checksum", "6.19 and later"},
			{"objtool: struct sym_checksum size mismatch", "6.19 and later"},
			{"objtool: can't find reloc for sym_checksum[{n}]", "6.19 and later"},
			{"objtool: not sure how to handle section {section}", "6.19 and later"},
			{"objtool: FILE symbol mismatch: {text} != {text}", "6.19 and later"},
			{"objtool: no correlation: {symbol}", "6.19 and later"},
			{"objtool: changed data: {symbol}", "6.19 and later"},
			{"objtool: missing .modinfo section", "6.19 and later"},
			{"objtool: unexpected klp reloc for new symbol {symbol}", "6.19 and later"},
			{"objtool: no clone for {symbol}", "6.19 and later"},
			{"objtool: {section}: missing special section relocations", "6.19 and later"},
			{
				"objtool: {section}: missing special section entsize or annotations",
				"6.19 and later",
			},
			{
				"objtool: {file}: missing {section} section, kernel not built with " +
					"CONFIG_KLP_BUILD?",
				"7.x",
			},
			{"objtool: {file}: {section}: struct klp_symid size mismatch", "7.x"},
			{"objtool: {file}: missing symbol table", "7.x"},
			{"objtool: {file}: missing reloc for {section} entry", "7.x"},
			{"objtool: no {section} entry for symbol {symbol} in orig {file}", "7.x"},
			{"objtool: can't find symbol {symbol} in orig vmlinux", "7.x"},
			{
				"objtool: {section} address mismatch for symbol {symbol}, stale orig vmlinux?",
				"7.x",
			},
			{"objtool: can't find sympos for {symbol}", "6.19 and later"},
			{
				"objtool: file already has .discard.sym_checksum section, skipping",
				"6.19 and later",
			},
			{"objtool: --debug-checksum: can't find '{symbol}'", "6.19 and later"},
		},
		Means: "klp-build can't compare the kernel's objects before and after the patch: they " +
			"are from different builds, or the patch changes what a livepatch can't change.",
		Causes: []Cause{
			{
				Why: "The patch changes data, or a special section that has no entry sizes.",
				Fix: "Change code only; set data in a callback.",
				If:  "changed data",
			},
			{
				Why: "The two builds have different compilers or configurations, or one is " +
					"stale.",
				Fix: "Run klp-build on a clean tree, with the configuration of the kernel " +
					"that is to be patched.",
			},
			{
				Why: "The kernel was built without CONFIG_KLP_BUILD.",
				Fix: "Build it with that option, or write the livepatch as source with " +
					"annotations.",
				If: "CONFIG_KLP_BUILD",
			},
		},
	},
}
