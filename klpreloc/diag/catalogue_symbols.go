// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// symbolEntries are about symbols: annotated ones compared with a kernel, and undefined ones.
var symbolEntries = []Entry{
	{
		ID:         "KLP024",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutUndefined},
		Title:      "weak undefined symbol",
		Meaning: []string{
			"The symbol is not annotated, and modpost did not resolve it to an export. The " +
				"kernel's loader silently binds a weak symbol that it does not find to 0, " +
				"and the first use would crash. In a livepatch module this is nearly always " +
				"a forgotten annotation.",
			"It is not reported for names that modpost itself allows, nor for input of " +
				"`objtool klp post-link`, nor on ppc64le for `mach_NAME`: " +
				"`machine_is(NAME)` leaves that undefined where the kernel has no such " +
				"platform, and 0 is right then.",
		},
		Fix: "Annotate the symbol (the hint has the record), or remove its use.",
	},
	{
		ID:         "KLP025",
		Severities: []Severity{Warning, Error},
		Topics:     []Topic{aboutUndefined},
		Title:      "undefined symbol that is not exported",
		Meaning: []string{
			"The symbol is not annotated, and not in `__versions`, the table in which " +
				"modpost lists the exports that it found. The kernel will most likely say " +
				"`Unknown symbol forgotten (err -2)`. A few exports have no CRC and are " +
				"missing from the table too, so this is a warning.",
			"For a module without `__versions` (`CONFIG_MODVERSIONS=n`) there are no such " +
				"warnings: only the output of modpost tells.",
			"It is an error for a symbol whose name begins with `.klp.sym.`: such a name is " +
				"not one of the kernel's.",
		},
		Fix: "Annotate the symbol, or correct its name.",
	},
	{
		ID:         "KLP040",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCompared},
		Title:      "no such module",
		Meaning: []string{
			"All modules of that kernel are known (`modules.order`, and a file for each " +
				"name in it), and none has this name, nor is one of this name built in. The " +
				"kernel would wait for the object for ever, and never apply the " +
				"relocations.",
		},
		Fix: "Correct the name. It is the name that `lsmod` prints: no `.ko`, and `_` " +
			"instead of `-`. For a module that does not come with the kernel give its file: " +
			"`--module FILE` (with klp-convert.mk: `KLP_CONVERT_FLAGS := --module FILE`).",
	},
	{
		ID:         "KLP041",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCompared},
		Title:      "a module that is built in",
		Meaning: []string{
			"`modules.builtin` lists it: in this configuration the code is part of vmlinux, " +
				"and no module of that name is ever loaded.",
		},
		Fix: "Use the line of the hint. The position may be another one: vmlinux may have " +
			"several symbols of that name.",
	},
	{
		ID:         "KLP042",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCompared},
		Title:      "no such symbol",
		Meaning: []string{
			"The object exists, and has no symbol of that name that the loader would find: " +
				"it would say `symbol 'cmdline_proc_shw' not found in symbol table`. At " +
				"most three others are offered, in the order of the table. `foo.cold` is " +
				"never offered: `foo` jumps to it. `check` and `sympos` offer the same.",
			"What source code calls `sys_openat` has other names in the symbol table " +
				"(`arch/*/include/asm/syscall_wrapper.h`). On x86 since 4.17 it is " +
				"`__x64_sys_openat`, for 32-bit programs `__ia32_sys_openat` or, where they " +
				"need another system call, `__ia32_compat_sys_openat`. It is " +
				"`__arm64_sys_openat` since 4.19, `__s390x_sys_openat`, " +
				"`__riscv_sys_openat` since 6.6, and `sys_openat` on powerpc. Its body, " +
				"`__do_sys_openat`, is mostly inlined: patch all of the entries instead.",
		},
		Cases: Table{
			Columns: []string{"offered", "for example"},
			Rows: [][]string{
				{"the same name in another object", ""},
				{
					"names with the same stem, which the compiler made",
					"`foo.isra.0`, `foo.constprop.0`, `foo.part.0`, `foo.llvm.123`, a " +
						"static variable `foo.17`",
				},
				{"for padding, its function", "`foo` for `__pfx_foo`, `__cfi_foo`"},
				{
					"the functions of a system call",
					"`__x64_sys_getpid` for `sys_getpid`, `SyS_getpid` or " +
						"`__arm64_sys_getpid`",
				},
				{"variants of the name", "`__foo`, `do_foo`, `foo_inner`"},
				{"names with a small difference in spelling, if there is nothing else", ""},
			},
		},
		Fix: "Use one of the lines, if it is what you meant. A function whose arguments the " +
			"compiler changed (`.isra`, `.constprop`) must not be called like the original. " +
			"A name that ends in a number may be another one after the next build. A " +
			"function that was inlined everywhere has no symbol: copy it.",
	},
	{
		ID:         "KLP043",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCompared, aboutUnannotated},
		Title:      "ambiguous symbol",
		Meaning: []string{
			"Position 0 means \"the only one\", and there are several; the loader would say " +
				"`unresolvable ambiguity for symbol`. Or the symbol has no annotation and " +
				"several could be meant (`undefined symbol x is ambiguous (1 candidate in " +
				"ext4, 1 candidate in vmlinux)`). Or it is annotated by a file, and several " +
				"files have that name. v7 said `Unable to find missing symbol` and `Define " +
				"KLP_SYMPOS for the symbol`.",
			"Each line of the hint can be pasted; its position is what the kernel uses. The " +
				"comment has type, address, size and, where a source knows it, the file. A " +
				"last line, `and 31 more: klp-convert sympos x`, says how to see all.",
		},
		Fix: "Choose one. `KLP_SYMFILE` chooses by file, and stays right in the next " +
			"kernel.",
		See: []string{"sympos.md#sources"},
	},
	{
		ID:         "KLP044",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCompared},
		Title:      "no such position",
		Meaning: []string{
			"The loader would say `symbol position 3 for symbol 'probes_seq_show' in object " +
				"'(null)' not found`. Positions are counted from 1.",
		},
		Fix: "Use one of the lines. The position may have been right for another kernel.",
	},
	{
		ID:         "KLP045",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCompared},
		Title:      "unreliable position",
		Meaning: []string{
			"While the kernel loads a module, it counts all symbols of that module; " +
				"afterwards only those that stay, without `.init` sections, absolute " +
				"symbols and the like. Where one of the symbols of the name is not kept, a " +
				"position means one symbol when the livepatch was loaded first, and another " +
				"one when the module was. The addresses are offsets in the symbols' " +
				"sections, so they can be equal.",
			"The same id is used for a symbol at address 0, which the loader treats as not " +
				"found (the first per-CPU symbol of x86 before 6.15).",
		},
		Fix: "Get to the function in another way, for instance through a pointer that the " +
			"module keeps. Where the module is yours, give the function a name of its own.",
	},
	{
		ID:         "KLP046",
		Severities: []Severity{Warning, Error},
		Topics:     []Topic{aboutCompared},
		Title:      "position that can't be checked",
		Meaning: []string{
			"`symbols.klp` was sorted by name when it was made, and so is a " +
				"`/proc/kallsyms` without addresses that went through `sort`. Such a file " +
				"tells how many symbols of a name there are, not which is which. An " +
				"annotation by file needs the order, so it is an error there.",
		},
		Fix: "Give the kernel's image, or any other source with an order.",
		See: []string{"sympos.md#sources"},
	},
	{
		ID:         "KLP047",
		Severities: []Severity{Warning, Error},
		Topics:     []Topic{aboutCompared},
		Title:      "not checked",
		Meaning: []string{
			"The annotation is converted as it is. `/proc/kallsyms` has the modules that " +
				"are loaded, an image has none. The other wordings are:",
		},
		Cases: Table{
			Columns: []string{"message", "meaning"},
			Rows: [][]string{
				{
					"`nothing that was given for kernel X has the symbols of vmlinux`",
					"only modules were given. Undefined symbols without annotation are not " +
						"looked up either",
				},
				{
					"`nothing tells what kernel X exports`",
					"there is no Module.symvers, and no table with `__ksymtab_*`: what " +
						"modpost resolved (`__versions`) stays an import, everything else " +
						"is treated as hidden",
				},
				{
					"`undefined symbol … is hidden in …, but whether … has one of that name " +
						"is not known`",
					"a module that the livepatch names was not given, or can't be read " +
						"(error)",
				},
				{
					"of a symbol annotated by file",
					"it is the only one of its name, and no source tells its file",
				},
			},
		},
		Fix: "Give what the hint names, or the directory `/lib/modules/RELEASE`.",
	},
	{
		ID:         "KLP048",
		Severities: []Severity{Note},
		Topics:     []Topic{aboutUnannotated},
		Title:      "converted without annotation",
		Meaning: []string{
			"The symbol is undefined, not annotated and not exported, and exactly one " +
				"symbol of that name exists in vmlinux and the modules that the livepatch " +
				"names (in its `klp_patch` or in annotations). It needs no position, so the " +
				"result is right for this kernel. Another kernel may have a second symbol " +
				"of the same name: convert for each kernel.",
		},
		Fix: "None is needed. Use `--no-infer` to disable this.",
	},
	{
		ID:         "KLP049",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutUnannotated},
		Title:      "not annotated",
		Meaning: []string{
			"The symbol is hidden in the kernel and not annotated. Without `--no-infer`, " +
				"klp-convert would convert it (KLP048).",
		},
		Fix: "Use the line of the hint, or remove `--no-infer`.",
	},
	{
		ID:         "KLP050",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutUndefined, aboutUnannotated},
		Title:      "undefined symbol that does not exist",
		Meaning: []string{
			"The kernel would refuse the module (`Unknown symbol ext4_seq_options_show (err " +
				"-2)`) or, where the symbol is weak, silently bind it to 0. klp-convert " +
				"looks into vmlinux and the modules that the `klp_patch` or annotations " +
				"name. For a symbol of another module it is not known when it has to be " +
				"there, so such a symbol is offered, not used. Similar names are offered " +
				"too, as for KLP042.",
			"With `--symvers`, which says that all exports are known, every undefined " +
				"symbol is compared with them, in ordinary modules too. klp-convert.mk does " +
				"so, since it tells modpost to accept undefined symbols. In a livepatch, " +
				"where nothing tells what vmlinux has, the message is `… is not annotated, " +
				"and no module exports it`.",
		},
		Fix: "Use one of the lines, or define the symbol. For an export of a module that is " +
			"built elsewhere, give its Module.symvers: `--symvers` or " +
			"`KBUILD_EXTRA_SYMBOLS`.",
		See: []string{"kbuild.md#modpost"},
	},
	{
		ID:         "KLP053",
		Severities: []Severity{Note, Error, Warning},
		When:       "error with --no-infer or --symvers",
		Topics:     []Topic{aboutUnannotated},
		Title:      "export that this module may not import",
		Meaning: []string{
			"`EXPORT_SYMBOL_FOR_MODULES` (since 6.16) names the modules that may import a " +
				"symbol, and the livepatch is not one of them. For a klp relocation the " +
				"kernel does not check that. So the note says that the symbol is converted.",
			"With `--symvers`, what stays an import is checked as modpost would, in " +
				"ordinary modules too: klp-convert.mk does so, since it makes modpost only " +
				"warn. An annotated symbol is not an import. It is a warning (`… this " +
				"kernel only warns of that`) where the kernel's configuration, found by " +
				"`--kernel` or beside Module.symvers, has " +
				"`CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS=y`.",
		},
		Fix: "Import the namespace; in a livepatch, annotate the symbol. Namespaces of " +
			"`EXPORT_SYMBOL_FOR_MODULES` can't be imported.",
		See: []string{"kbuild.md#namespaces"},
	},
	{
		ID:         "KLP059",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutUnannotated},
		Title:      "a module's symbol for no livepatched object",
		Meaning: []string{
			"The kernel applies a klp relocation when it loads the object after which the " +
				"section is named, and that has to be one of the objects of the patch. " +
				"Reported only where the `klp_patch` can't be read (KLP064; for instance " +
				"where the module allocates it at run time) and annotations name no module, " +
				"or several.",
		},
		Fix: "Say which object, by a label.",
	},
	{
		ID:         "KLP061",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCompared},
		Title:      "annotated by file, and no source tells files",
		Meaning: []string{
			"The file of a symbol is in symbol tables (`STT_FILE`) and in debug " +
				"information. A kernel image has neither, and distributions remove both " +
				"from their modules.",
		},
		Fix: "Install the kernel's debug package (Debian: " +
			"`linux-image-6.1.0-56-amd64-dbg`), whose vmlinux `--kernel` finds, or give its " +
			"vmlinux: `--kernel 6.1.0-56-amd64,vmlinux`. Or annotate by position.",
	},
	{
		ID:         "KLP062",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCompared},
		Title:      "no such symbol in that file",
		Meaning: []string{
			"The object has symbols of that name, from other files. A path is the whole " +
				"path in the source tree: `trace_kprobe.c` and `trace/trace_kprobe.c` are " +
				"not `kernel/trace/trace_kprobe.c`, as `kernel/signal.c` is not " +
				"`arch/x86/kernel/signal.c`.",
		},
		Fix: "Correct the path, or use one of the lines.",
		See: []string{"sympos.md#byfile"},
	},
	{
		ID:         "KLP072",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCompared},
		Title:      "a vmlinux symbol that is freed",
		Meaning: []string{
			"The symbol is between `__init_begin` and `__init_end`. It stays in the " +
				"kernel's symbol table, so the loader would silently find it, but its " +
				"memory is freed after boot and used for other things. Per-CPU variables, " +
				"whose initial values are there too, are not such symbols.",
		},
		Fix: "No relocation helps. Copy the code, or use what it has set up.",
	},
	{
		ID:         "KLP076",
		Severities: []Severity{Warning},
		Topics:     []Topic{aboutCompared},
		Title:      "which names the kernel compares is not known",
		Meaning: []string{
			"Kernels built with `CONFIG_LTO_CLANG` end the names of some static symbols in " +
				"`.llvm.` and a number. Those since 6.2, up to 6.6.45 and 6.10.6, ignore " +
				"that end when livepatch looks for a name: `f.llvm.1234` counts as `f`, " +
				"alone or beside another one. With the kernel's release and configuration " +
				"klp-convert counts as the kernel does. It warns where they are not known, " +
				"or where it is not known on which side the release is; the position then " +
				"counts whole names.",
		},
		Fix: "Give the kernel's release and configuration. Without `CONFIG_LTO_CLANG` in " +
			"it, whole names count.",
	},
	{
		ID:         "KLP078",
		Severities: []Severity{Warning},
		Topics:     []Topic{aboutCompared},
		Title:      "annotated by a file of whose path only a part is known",
		Meaning: []string{
			"The symbol table has the names of files (`STT_FILE`), not their directories: " +
				"`signal.c` may as well be `arch/x86/kernel/signal.c`. The symbol is " +
				"converted, since no other one of its name is from a file of this name. " +
				"Where the annotation has only `signal.c`, the message is `the annotation " +
				"names no directory`: no file of a vmlinux is in the root of the tree.",
			"`symbol show of vmlinux is from /src/linux/kernel/signal.c, which is treated " +
				"as kernel/signal.c: nothing tells where the source tree begins`: debug " +
				"information has an absolute path that ends in that of the annotation, and " +
				"what comes before can be the root of the tree. Here that is not certain, " +
				"because the compiler ran elsewhere (`O=`), and the file has no " +
				"`init/main.c`.",
		},
		Fix: "Compare the path. A vmlinux with debug information tells the directory.",
		See: []string{"sympos.md#byfile"},
	},
}
