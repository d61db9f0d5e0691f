// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// tools is what other programs that make livepatches say.
var tools = []Entry{
	{
		ID:   "v7-missing",
		From: "klp-convert v1 to v7",
		Forms: []Form{
			{"Unable to find missing symbol: {symbol}", ""},
		},
		Means: "{symbol} is not in symbols.klp exactly once, or its annotation does not fit.",
		Causes: []Cause{
			{
				Why: "It is not in the kernel that symbols.klp was made from.",
				Fix: "Find out where it is.",
				Run: []string{"klp-convert sympos {symbol} -k KERNEL"},
			},
			{
				Why: "There are several symbols of that name, and no annotation.",
				Fix: "Annotate it.",
				Run: []string{"klp-convert sympos {symbol} -k KERNEL"},
			},
		},
	},
	{
		ID:   "v7-define",
		From: "klp-convert v1 to v7",
		Forms: []Form{
			{"Define KLP_SYMPOS for the symbol: {symbol}", ""},
			{"Valid KLP_SYMPOS for symbol {symbol}:", ""},
		},
		Means: "There are several symbols called {symbol}. The list that follows counts from " +
			"0, although valid positions begin at 1, and is sorted by name, not by address: " +
			"don't paste from it.",
		Causes: []Cause{
			{
				Why: "The annotation is missing.",
				Fix: "Use the position that sympos prints.",
				Run: []string{
					"klp-convert sympos {symbol} -k KERNEL",
					"KLP_SYMPOS({symbol}, POS)",
				},
			},
		},
	},
	{
		ID:   "v7-position",
		From: "klp-convert v4 to v7",
		Forms: []Form{
			{"Provided KLP_SYMPOS does not match a symbol: {object}.{symbol},{pos}", ""},
			{
				"Provided KLP_SYMPOS of 0, but found {n} symbols matching: " +
					"{object}.{symbol},{pos}",
				"",
			},
		},
		Means: "The annotated position {pos} of {symbol} is not one of those that {object} " +
			"has in symbols.klp.",
		Causes: []Cause{
			{
				Why: "The position was counted elsewhere.",
				Fix: "Count in this kernel.",
				Run: []string{"klp-convert sympos {symbol}@{object} -k KERNEL"},
			},
		},
	},
	{
		ID:   "v7-conflict",
		From: "klp-convert v4 to v7",
		Forms: []Form{
			{"Conflicting KLP_SYMPOS definition: {text} vs. {text}.", ""},
			{"Couldn't find rela for annotated symbol: {symbol}", ""},
			{"Unable to load user-provided sympos", ""},
		},
		Means: "Annotations contradict each other, or one is about a symbol that nothing uses.",
		Causes: []Cause{
			{
				Why: "One C name is annotated twice, differently.",
				Fix: "Give each meaning a name of its own by KLP_RELOC_SYMBOL_POS.",
				Run: []string{"klp-convert explain KLP011"},
			},
			{
				Why: "The compiler removed the use.",
				Fix: "Remove the annotation.",
				Run: []string{"klp-convert explain KLP012"},
			},
		},
	},
	{
		ID:   "v7-special",
		From: "klp-convert v4 to v7",
		Forms: []Form{
			{"Special ELF section: {section} not supported", ""},
		},
		Means: "klp-convert v7 refuses every klp relocation in {section}, even where the " +
			"kernel would apply it.",
		Causes: []Cause{
			{
				Why: "Alternatives or jump labels use the symbol.",
				Fix: "Convert with this klp-convert: since 5.8 symbols of vmlinux are no " +
					"problem, and errors name the function.",
				Run: []string{
					"klp-convert --kernel KERNEL IN.ko OUT.ko",
					"klp-convert explain KLP030",
				},
			},
		},
	},
	{
		ID:   "v7-list",
		From: "klp-convert v1 to v7",
		Forms: []Form{
			{"Symbol list is in unknown format.", ""},
			{"Unable to open Symbol list: {file}", ""},
			{"Unable to read Symbol list: {file}", ""},
			{"nr_entries mismatch ({n} != {n}) for {section}", ""},
		},
		Means: "symbols.klp, or the annotation section, does not have the form of that version.",
		Causes: []Cause{
			{
				Why: "The list was made by another version, or not at all.",
				Fix: "This klp-convert reads the kernel itself.",
				Run: []string{"klp-convert --kernel KERNEL IN.ko OUT.ko"},
			},
		},
	},
	{
		ID:   "mini-format",
		From: "klp-convert-mini (SUSE)",
		Forms: []Form{
			{"Invalid format of symbol ({klpsym})", ""},
			{"Invalid relocation symbol name.", ""},
			{"Unable to convert relocation: {klpsym}", ""},
			{"Unable to convert symbol name ({klpsym})", ""},
		},
		Means: "A label is not .klp.sym.rela.<livepatched object>.<symbol " +
			"object>.<name>,<position>.",
		Causes: []Cause{
			{
				Why: "There is a dot instead of the comma (later headers, for old " +
					"assemblers), a part is missing, or a name is too long.",
				Fix: "Use this klp-convert, which reads commas and dots, and says what is " +
					"wrong.",
				Run: []string{"klp-convert -n IN.ko"},
			},
		},
	},
	{
		ID:   "kpatch-locals",
		From: "kpatch, create-diff-object (lookup.c)",
		Forms: []Form{
			{"couldn't find matching {file} local symbols in {where} symbol table", ""},
			{"found duplicate matches for {file} local symbols in {where} symbol table", ""},
			{"find_local_syms for {file}: found_none", "kpatch up to 0.8"},
			{"find_local_syms for {file}: found_dup", "kpatch up to 0.8"},
		},
		Means: "kpatch finds static symbols by comparing all local symbols of {file} with " +
			"those of vmlinux. No file matches, or several do.",
		Causes: []Cause{
			{
				Why: "{file} was built with another compiler, or with other options, than the " +
					"kernel.",
				Fix: "Use the compiler and configuration of the kernel.",
			},
			{
				Why: "LTO or ld -r merged files, or there are new helper symbols (__pfx_).",
				Fix: "Write the patch as source with annotations by file; only the one symbol " +
					"has to match.",
				Run: []string{
					"KLP_RELOC_SYMBOL_FILE(LP_OBJ, SYM_OBJ, SYMBOL, \"path/to/{file}\")",
				},
			},
		},
	},
	{
		ID:   "kpatch-jump-label",
		From: "kpatch, create-diff-object",
		Forms: []Form{
			{"Found a jump label at {function}()+{where}, using key {key}", ""},
			{"{function}+{where}: unsupported static branch key {key}", "objtool klp"},
		},
		Means: "{function} has a jump label for static key {key}, which a livepatch can't " +
			"register: before 5.8 any key, later those of modules.",
		Causes: []Cause{
			{
				Why: "The code has static_branch_likely() or static_branch_unlikely() for a " +
					"key of a module, or the kernel is older than 5.8.",
				Fix: "Test the key in plain code.",
				Run: []string{"if (static_key_enabled(&{key}))"},
			},
		},
	},
	{
		ID:   "kpatch-static-call",
		From: "kpatch, create-diff-object; objtool klp",
		Forms: []Form{
			{"Found a static call at {function}()+{where}, using key {key}", ""},
			{"Found a static call at {function}()+{where}", ""},
			{"{function}()+{where}: unsupported static call key {key}", "objtool klp"},
		},
		Means: "{function} makes a static call whose key is in a module.",
		Causes: []Cause{
			{
				Why: "The code has static_call() for a key of a module.",
				Fix: "Call through the key's pointer: KPATCH_STATIC_CALL() of kpatch, " +
					"KLP_STATIC_CALL() of the kernel.",
				Run: []string{"klp-convert explain KLP030"},
			},
		},
	},
	{
		ID:   "kpatch-special-symbol",
		From: "kpatch, create-diff-object",
		Forms: []Form{
			{
				"unsupported klp relocation reference to symbol '{symbol}' in module-specific " +
					"special section '{section}'",
				"",
			},
		},
		Means: "{section} refers to {symbol} of a module. The kernel reads {section} before " +
			"it applies klp relocations of modules.",
		Causes: []Cause{
			{
				Why: "An alternative, a jump label or a static call in the patched function " +
					"names {symbol}.",
				Fix: "Change the code so that it does not use {symbol} there.",
				Run: []string{"klp-convert explain KLP030"},
			},
		},
	},
	{
		ID:   "kpatch-fentry",
		From: "kpatch, create-diff-object",
		Forms: []Form{
			{"function {function} doesn't have patchable function entry, unable to patch", ""},
			{"function {function} has no fentry/mcount call, unable to patch", "older kpatch"},
		},
		Means: "{function} does not begin with a call to ftrace, so it can't be patched.",
		Causes: []Cause{
			{
				Why: "It is notrace, or inline (which implies notrace), or in a file without " +
					"ftrace's flags.",
				Fix: "Patch its callers.",
				Run: []string{"klp-convert sympos {function}"},
			},
		},
	},
	{
		ID:   "kpatch-version",
		From: "kpatch-build",
		Forms: []Form{
			{"Patch module references {symbol} with invalid version", ""},
		},
		Means: "The checksum of {symbol} in the patch module is not that of the kernel, which " +
			"would refuse the module (disagrees about version).",
		Causes: []Cause{
			{
				Why: "The patch changes the declaration of an exported symbol, or a type that " +
					"it uses.",
				Fix: "Avoid the change of the type; use shadow variables.",
				Run: []string{"grep -w {symbol} Module.symvers"},
			},
		},
	},
	{
		ID:   "kpatch-ibt",
		From: "kpatch-build",
		Forms: []Form{
			{"kernel option 'CONFIG_X86_KERNEL_IBT' not supported", ""},
		},
		Means: "kpatch-build does not handle kernels with IBT.",
		Causes: []Cause{
			{
				Why: "The kernel has CONFIG_X86_KERNEL_IBT.",
				Fix: "Use the kernel's klp-build (6.19 and later), or source with " +
					"annotations; IBT does not affect klp relocations.",
			},
		},
	},
	{
		ID:   "kpatch-address",
		From: "the kpatch core module, before klp relocations",
		Forms: []Form{
			{"symbol '{symbol}' not found at specified address {word}, kernel mismatch?", ""},
		},
		Means: "Old kpatch modules contained addresses; with KASLR or another kernel they are " +
			"wrong.",
		Causes: []Cause{
			{
				Why: "The patch is for another build of the kernel, or the kernel is " +
					"relocated at boot.",
				Fix: "Use klp relocations.",
				Run: []string{"klp-convert sympos {symbol}"},
			},
		},
	},
	{
		ID:   "kpatch-sections",
		From: "kpatch, create-diff-object",
		Forms: []Form{
			{"{n} unsupported section change(s)", ""},
			{"changed section {section} not selected for inclusion", ""},
			{"unreconcilable difference", ""},
			{"no changed objects found", "kpatch-build"},
		},
		Means: "kpatch can't make a patch of the difference between the builds, or there is " +
			"no difference.",
		Causes: []Cause{
			{
				Why: "The patch changes data, or what the compiler does not put into separate " +
					"sections.",
				Fix: "Change code only; set data in a callback.",
			},
			{
				Why: "The patch changes a file that is not built.",
				Fix: "Make sure that its file is in this configuration.",
			},
		},
	},
	{
		ID:   "objtool-init",
		From: "objtool klp diff",
		Forms: []Form{
			{"can't patch or reference init code/data", ""},
		},
		Means: "The patch changes or uses __init code or data, whose memory is freed after " +
			"boot.",
		Causes: []Cause{
			{
				Why: "The symbol is __init or __initdata.",
				Fix: "Remove it from the patch; it has already run.",
			},
		},
	},
	{
		ID:   "objtool-dependency",
		From: "objtool klp diff",
		Forms: []Form{
			{
				"new reference to {symbol} (exported by {owner}) would create an undeclared " +
					"module dependency",
				"",
			},
		},
		Means: "The patched code of a module uses {symbol} of {owner}, which that module did " +
			"not depend on.",
		Causes: []Cause{
			{
				Why: "The patch adds the use.",
				Fix: "Make sure that {owner} is loaded whenever it is used, or avoid the use.",
				Run: []string{"klp-convert explain KLP051"},
			},
		},
	},
	{
		ID:   "objtool-inert",
		From: "objtool klp diff",
		Forms: []Form{
			{"disabling unsupported tracepoint {symbol}", ""},
			{"disabling unsupported pr_debug()", ""},
		},
		Means: "A tracepoint or debug message in the patched function of a module stays off. " +
			"Nothing else changes; klp-convert does the same (KLP070).",
		Causes: []Cause{
			{
				Why: "Its key is in a module.",
				Fix: "None is needed, unless you need the message.",
			},
		},
	},
	{
		ID:   "objtool-post-link",
		From: "objtool klp post-link",
		Forms: []Form{
			{"malformed {section} section", ""},
			{"klp not implemented", "objtool of distributions"},
			{"missing .symtab", ""},
		},
		Means: "objtool can't finish the module: its own records (__klp_relocs) do not have " +
			"the form in which it writes them, or it was built without klp.",
		Causes: []Cause{
			{
				Why: "objtool diff and post-link are from different kernels, or strip ran " +
					"between them.",
				Fix: "Use both from one tree.",
				Run: []string{"klp-convert inspect FILE.ko"},
			},
			{
				Why: "The distribution's objtool has no klp.",
				Fix: "Build it from the kernel's tree with CONFIG_KLP_BUILD.",
			},
		},
	},
	{
		ID:   "suse-depends",
		From: "SUSE's kernel-livepatch, scripts/lp-mod-checks.sh",
		Forms: []Form{
			{"error: dependency on livepatch {file}", ""},
		},
		Means: "The check requires that depends= of {file} is empty, and it is not: the " +
			"livepatch imports an export of a module, so modprobe loads that module, and it " +
			"can't be removed.",
		Causes: []Cause{
			{
				Why: "The export belongs to a module that is patched.",
				Fix: "Make it a klp relocation, which --kernel does without annotation.",
				Run: []string{
					"modinfo -F depends {file}",
					"klp-convert --kernel KERNEL IN.ko OUT.ko",
				},
			},
			{
				Why: "It belongs to another module.",
				Fix: "Convert that too, if the module is certainly loaded when it is used.",
				Run: []string{
					"klp-convert --kernel KERNEL --convert-module-exports IN.ko OUT.ko",
				},
			},
		},
	},
	{
		ID:   "suse-jump-table",
		From: "SUSE's kernel-livepatch, scripts/lp-mod-checks.sh",
		Forms: []Form{
			{"error: .klp.*__jump_table section found in livepatch {file}", ""},
		},
		Means: "{file} has klp relocations in its jump labels. The check refuses all of them. " +
			"The kernel accepts those for keys of vmlinux since 5.8, and never those for keys " +
			"of modules.",
		Causes: []Cause{
			{
				Why: "The code has static_branch_likely() or static_branch_unlikely() for a " +
					"key that is not exported.",
				Fix: "Test the key in plain code.",
				Run: []string{
					"if (static_key_enabled(&KEY))",
					"klp-convert explain KLP030",
				},
			},
		},
	},
}
