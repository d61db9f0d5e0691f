// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// declarationEntries are about what a livepatch declares of the kernel, compared with the kernel's
// types.
var declarationEntries = []Entry{
	{
		ID:         "KLP092",
		Severities: []Severity{Warning, Error, Note},
		Topics:     []Topic{aboutDeclarations},
		Title:      "declaration that does not match the kernel",
		Meaning: []string{
			"The livepatch declares a function or a variable of the kernel, or of a module, " +
				"with other types than it has. The compiler believes the declaration: " +
				"parameters are passed that nobody reads, or a result is read that is not " +
				"set. The table has what differs, and what follows from it.",
			"What is only spelt otherwise (the name of a typedef, `u8` for `unsigned " +
				"char`, `const`) is no difference. A pointer to a struct of another name, or " +
				"an integer where the other side has a pointer of the same size, is a note.",
		},
		Causes: []Cause{
			{
				Why: "The function has other parameters in this kernel than in the one that " +
					"the declaration was copied from.",
				Fix: "Declare it as the hint does.",
			},
			{
				Why: "Another function of the name is meant than the one that the symbol is.",
				Fix: "Correct object or position; `klp-convert sympos NAME` lists them.",
			},
		},
		Fix: "Declare it as the hint does, or include the kernel's header that declares it.",
		See: []string{"declarations.md"},
	},
	{
		ID:         "KLP093",
		Severities: []Severity{Warning, Error, Note},
		Topics:     []Topic{aboutDeclarations},
		Title:      "replacement with other parameters or another result",
		Meaning: []string{
			"The kernel calls the new function as it called the old one. What the old one does " +
				"not get, the new one must not read, and it has to return what the callers read.",
		},
		Fix: "Give the new function the parameters and the result of the hint.",
		See: []string{"declarations.md"},
	},
	{
		ID:         "KLP094",
		Severities: []Severity{Warning, Error, Note},
		Topics:     []Topic{aboutDeclarations},
		Title:      "struct, union or enum that is not defined as in the kernel",
		Meaning: []string{
			"Memory that the kernel and the livepatch both read has members in other places, " +
				"of other sizes, or that one side does not have; or an enumerator has another " +
				"value. The message names a function or a variable that leads to it. Structs " +
				"that differ only because they have this one in them are listed after \"also\".",
		},
		Causes: []Cause{
			{
				Why: "The definition was copied from another version of the source.",
				Fix: "Copy it from the source of this kernel.",
			},
			{
				Why: "The livepatch was built with the headers of another kernel, or with " +
					"another configuration. Then many structs differ.",
				Fix: "Build it with the headers of this kernel.",
			},
		},
		Fix: "Take the definition from the headers or the sources of this kernel.",
		See: []string{"declarations.md"},
	},
	{
		ID:         "KLP095",
		Severities: []Severity{Note, Warning, Error},
		Topics:     []Topic{aboutDeclarations},
		Title:      "declarations that were not compared",
		Meaning: []string{
			"Nothing is known of these, neither good nor bad. Either one side as a whole has no " +
				"types, or the types do not tell of some names; the message has the reason.",
		},
		Causes: []Cause{
			{
				Why: "The livepatch was built without `-g`, or stripped before it was converted.",
				Fix: "Build it with `CONFIG_DEBUG_INFO=y` or `-g`, and strip it after " +
					"conversion (`KLP_STRIP=y`).",
			},
			{
				Why: "What was given of the kernel has no types: a System.map, a list, an image " +
					"that was built without `CONFIG_DEBUG_INFO_BTF`.",
				Fix: "Give the image, or the vmlinux of the debug package.",
			},
		},
		Fix: "None is needed: declarations are evidence only. The causes say what would help.",
		See: []string{"declarations.md#not-compared"},
	},
	{
		ID:         "KLP171",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckPatch},
		Title:      "declaration that does not match the kernel",
		Kernel: "The kernel says nothing: it knows no types of what a module imports, and what " +
			"happens depends on what is read or passed.",
		Meaning: []string{
			"A function or variable that the livepatch borrows has other types in this " +
				"kernel than the livepatch was compiled with (KLP092 tells more).",
		},
		Fix: "Declare it as the fix in the report does, and build the livepatch again.",
		See: []string{"declarations.md"},
	},
	{
		ID:         "KLP172",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckPatch},
		Title:      "replacement with other parameters or another result",
		Kernel: "The kernel says nothing: ftrace hands the registers of the call to the new " +
			"function, whatever it makes of them.",
		Source: "`klp_ftrace_handler`.",
		Meaning: []string{
			"The new function has other parameters or another result than the function that it " +
				"replaces in this kernel (KLP093 tells more).",
		},
		Fix: "Give the new function the parameters and the result of the old one.",
		See: []string{"declarations.md"},
	},
	{
		ID:         "KLP173",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckPatch},
		Title:      "struct, union or enum that is not defined as in the kernel",
		Kernel: "The kernel says nothing: the livepatch reads and writes the memory of other " +
			"members.",
		Meaning: []string{
			"A struct that functions or variables of this kernel lead to, or that the code has a " +
				"variable of, is laid out otherwise than the livepatch was compiled with (KLP094 " +
				"tells more).",
		},
		Fix: "Take the definition from the headers or the sources of this kernel, and build the " +
			"livepatch again.",
		See: []string{"declarations.md"},
	},
}
