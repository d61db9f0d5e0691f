// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// loader is what the module loader says: kernel/module/*.c, one file kernel/module.c
// before 5.19.
var loader = []Entry{
	{
		ID:   "unknown-symbol",
		From: "kernel/module/main.c, simplify_symbols",
		Forms: []Form{
			{"{module}: Unknown symbol {symbol} (err {errno})", ""},
		},
		Means: "{module} has an undefined symbol {symbol} that the loader could not resolve: " +
			"-2 (or 0 on old kernels) means that nothing exports it for this module, -22 that " +
			"its version or its namespace is wrong, -16 that its module is not ready.",
		Causes: []Cause{
			{
				Why: "{symbol} exists and is not exported: it should have become a klp " +
					"relocation.",
				Fix: "Annotate it, or convert with --kernel, which finds it without annotation.",
				Run: []string{
					"klp-convert sympos {symbol}",
					"klp-convert --kernel KERNEL IN.ko OUT.ko",
				},
			},
			{
				Why: "A name that begins with .klp.sym. is a klp symbol that lost its section " +
					"index (SHN_LIVEPATCH): a tool edited the converted module, or it is a " +
					"copy for debuggers.",
				Fix: "Load the module as klp-convert wrote it.",
				Run: []string{"klp-convert inspect {module}.ko"},
				If:  "symbol .klp.sym.",
			},
			{
				Why: "It is exported by a module that is not loaded.",
				Fix: "Load that module first (modprobe does), or make it a klp relocation.",
				Run: []string{
					"grep -w {symbol} Module.symvers",
					"klp-convert --kernel KERNEL --convert-module-exports IN.ko OUT.ko",
				},
			},
			{
				Why: "It is exported for GPL modules only, and {module} declares another " +
					"licence.",
				Fix: "Declare MODULE_LICENSE(\"GPL\").",
			},
			{
				Why: "No kernel symbol has that name: a typing error, or another kernel.",
				Fix: "Look for similar names.",
				Run: []string{"klp-convert sympos '/{symbol}/'"},
			},
			{
				Why: "Its version or its namespace is wrong (-22); the line before this one " +
					"says which.",
				Fix: "Build against this kernel.",
				Run: []string{"dmesg | klp-convert explain"},
				If:  "(err -22)",
			},
		},
	},
	{
		ID:   "symbol-version",
		From: "kernel/module/version.c, check_version",
		Forms: []Form{
			{"{module}: disagrees about version of symbol {symbol}", ""},
		},
		Means: "{module} was built against another declaration of {symbol}: the checksums " +
			"(CONFIG_MODVERSIONS) differ. The kernel refuses it; \"Unknown symbol … (err " +
			"-22)\" follows.",
		Causes: []Cause{
			{
				Why: "The module was built for another kernel, or with another configuration.",
				Fix: "Build against the headers and the Module.symvers of this kernel.",
				Run: []string{"modinfo -F vermagic {module}.ko; uname -r"},
			},
			{
				Why: "module_layout: struct module itself differs.",
				Fix: "Build against the headers and the Module.symvers of this kernel.",
				If:  "module_layout",
			},
		},
	},
	{
		ID:   "no-symbol-version",
		From: "kernel/module/version.c, check_version",
		Forms: []Form{
			{"{module}: no symbol version for {symbol}", ""},
			{"{module}: no extended symbol version for {symbol}", "6.14 and later"},
		},
		Means: "The kernel has checksums and {module} has none for {symbol}. That is only a " +
			"warning, and the module loads, except on Debian's kernels: those refuse it " +
			"where the table is __versions.",
		Causes: []Cause{
			{
				Why: "Module.symvers was missing or incomplete in the build.",
				Fix: "Build against the whole kernel's Module.symvers.",
			},
			{
				Why: "KBUILD_MODPOST_WARN let an unknown symbol pass.",
				Fix: "Make sure that it became a klp relocation.",
				Run: []string{"klp-convert inspect {module}.ko"},
			},
		},
	},
	{
		ID:   "vermagic",
		From: "kernel/module/main.c, check_modinfo",
		Forms: []Form{
			{"{module}: version magic '{have}' should be '{want}'", ""},
		},
		Means: "{module} was not built for the running kernel. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "The running kernel has another version or another localversion.",
				Fix: "Build and convert for it. A livepatch fits only one build of a kernel; " +
					"don't force it.",
				Run: []string{"modinfo -F vermagic {module}.ko; uname -r"},
			},
			{
				Why: "The flags after the version differ (SMP, preempt, modversions): another " +
					"configuration.",
				Fix: "Build against the configuration of the running kernel.",
			},
		},
	},
	{
		ID:   "bad-vermagic",
		From: "kernel/module/main.c, try_to_force_load",
		Forms: []Form{
			{"{module}: bad vermagic: kernel tainted.", ""},
			{"{module}: module_layout: kernel tainted.", ""},
			{"{module}: no versions for exported symbols: kernel tainted.", ""},
			{"{module}: module has bad taint, not creating trace events", ""},
		},
		Means: "The module was loaded by force, without checks of its version.",
		Causes: []Cause{
			{
				Why: "modprobe --force, or a tool removed .modinfo or __versions.",
				Fix: "Don't force it: a livepatch for another kernel patches other code.",
			},
		},
	},
	{
		ID:   "this-module-size",
		From: "kernel/module/main.c, elf_validity_cache_index_mod",
		Forms: []Form{
			{
				"module {module}: .gnu.linkonce.this_module section size must match the " +
					"kernel's built struct module size at run time",
				"6.4 and later",
			},
		},
		Means: "struct module in {module} has another size than in this kernel. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "The module was built with another configuration: options like " +
					"CONFIG_LIVEPATCH, CONFIG_DEBUG_*, CONFIG_MODULE_* change struct module.",
				Fix: "Build against the .config of the running kernel.",
				Run: []string{"klp-convert inspect {module}.ko"},
			},
			{
				Why: "It was built for another kernel.",
				Fix: "Build against the headers of the running kernel.",
			},
		},
	},
	{
		ID:   "this-module",
		From: "kernel/module/main.c, elf_validity_cache_index_mod",
		Forms: []Form{
			{
				"module {module}: Exactly one .gnu.linkonce.this_module section must exist.",
				"6.4 and later",
			},
			{
				"module {module}: .gnu.linkonce.this_module section must have a size set",
				"6.4 and later",
			},
			{
				"module {module}: .gnu.linkonce.this_module must occupy memory during process " +
					"execution",
				"6.4 and later",
			},
			{"{module}: No module found in object", "before 6.4"},
		},
		Means: "The file has no struct module, or more than one. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "It is an object file, not a module: modpost and the final link did not " +
					"run.",
				Fix: "Build it with Kbuild (make M=…), and convert the .ko.",
			},
			{
				Why: "Modules were linked together, or a tool dropped the section.",
				Fix: "Link objects, not modules.",
			},
		},
	},
	{
		ID:   "one-modinfo",
		From: "kernel/module/main.c, elf_validity_cache_index_info",
		Forms: []Form{
			{"Only one .modinfo section must exist.", "6.4 and later"},
		},
		Means: "The file has several .modinfo sections. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "It was linked without the kernel's linker script (module.lds), which " +
					"merges them.",
				Fix: "Link with Kbuild.",
			},
		},
	},
	{
		ID:   "stripped",
		From: "kernel/module/main.c, elf_validity_cache_index_sym",
		Forms: []Form{
			{"{module}: module has no symbols (stripped?)", ""},
		},
		Means: "There is no symbol table, or more than one. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "The module was stripped (strip -s, INSTALL_MOD_STRIP=--strip-all).",
				Fix: "Strip only debug information (strip -g), before conversion.",
			},
		},
	},
	{
		ID:   "section-index",
		From: "kernel/module/main.c, simplify_symbols",
		Forms: []Form{
			{
				"{module}: Symbol {klpsym} has an invalid section index {n} (max {n})",
				"6.8 and later, 6.1.y",
			},
		},
		Means: "The section index of a symbol is neither that of a section nor a reserved " +
			"number that the loader knows. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "A tool wrote klp symbols with another number than 0xff20, or SHN_XINDEX.",
				Fix: "Convert with klp-convert, and edit nothing afterwards.",
				Run: []string{"readelf -sW {module}.ko | grep -F '{klpsym}'"},
			},
			{
				Why: "The file is damaged.",
				Fix: "Build it again.",
			},
		},
	},
	{
		ID:   "elf-layout",
		From: "kernel/module/main.c, elf_validity_check and its successors",
		Forms: []Form{
			{"Invalid ELF header len {n}", "after 5.10"},
			{"Invalid ELF header magic: != {text}", "after 5.10"},
			{"Invalid ELF header type: {n} != {n}", "after 5.10"},
			{"Invalid ELF section header size", "after 5.10"},
			{"Invalid ELF section header overflow", "after 5.10"},
			{"Invalid ELF section name index: {n}", "after 5.10"},
			{"Invalid ELF section name in module (section {n} type {n})", "after 5.3"},
			{"Invalid ELF section name table type: {n}", "after 6.1"},
			{"Invalid ELF symbol string table type: {n}", "after 6.1"},
			{"Invalid ELF section hdr(type {n})", "6.1"},
			{"Invalid ELF section in module (section {n} type {n})", "after 5.3"},
			{
				"ELF Spec violation: section 0 type({n})!=SH_NULL or non-zero len or addr",
				"after 5.10",
			},
			{"ELF Spec violation: section name table isn't null terminated", "after 5.10"},
			{"empty section name table", "after 5.10"},
			{"empty symbol string table", "6.13 and later"},
			{"symbol string table missing leading NUL", "6.13 and later"},
			{"symbol string table isn't NUL terminated", "6.13 and later"},
			{"symbol name out of bounds in string table", "6.13 and later"},
			{"Invalid ELF sh_link!=SHN_UNDEF({n})", "after 5.10"},
			{"Module has invalid ELF structures", "before 5.15, for all of these"},
			{"Module len {n} truncated", "before 5.12"},
		},
		Means: "The file is not a relocatable ELF file, or its tables contradict each other. " +
			"ENOEXEC.",
		Causes: []Cause{
			{
				Why: "The file is truncated or damaged: a full disk, a broken copy.",
				Fix: "Compare it with the one that was built.",
				Run: []string{"klp-convert inspect FILE.ko"},
			},
			{
				Why: "It is compressed, and neither the kernel nor the loading program can " +
					"decompress it.",
				Fix: "Unpack it first.",
				Run: []string{"zstd -d FILE.ko.zst"},
			},
			{
				Why: "A tool with a defect edited it.",
				Fix: "Convert again, the module as modpost left it.",
			},
		},
	},
	{
		ID:   "write-exec",
		From: "kernel/module/main.c, module_enforce_rwx_sections",
		Forms: []Form{
			{
				"{module}: section {section} (index {n}) has invalid WRITE|EXEC flags",
				"5.7 and later",
			},
		},
		Means: "The memory of {section} would be writable and executable at once. ENOEXEC, " +
			"with CONFIG_STRICT_MODULE_RWX.",
		Causes: []Cause{
			{
				Why: "The source puts data into a section of code, or sets the flags of a " +
					"section explicitly (__attribute__((section)), .section).",
				Fix: "Put code and data into different sections.",
				Run: []string{"readelf -SW {module}.ko | grep WAX"},
			},
			{
				Why: "A tool edited the flags.",
				Fix: "Convert again, the module as modpost left it.",
			},
		},
	},
	{
		ID:   "origin-taint",
		From: "kernel/module/main.c, check_modinfo",
		Forms: []Form{
			{
				"{module}: module is from the staging directory, the quality is unknown, you " +
					"have been warned.",
				"",
			},
			{"{module}: loading test module taints kernel.", "6.0 and later"},
		},
		Means: ".modinfo of {module} declares that it is not for production. The module is " +
			"loaded, and the kernel is tainted.",
		Causes: []Cause{
			{
				Why: "It is below drivers/staging (staging=), or a test (test=, " +
					"MODULE_INFO(test, \"Y\")).",
				Fix: "None is needed, if that is intended.",
				Run: []string{"modinfo {module}.ko"},
			},
		},
	},
	{
		ID:   "empty-name",
		From: "lib/kobject.c, kobject_add_internal",
		Forms: []Form{
			{"kobject: ({loc}): attempted to be registered with empty name!", ""},
		},
		Means: "The kernel was to create a directory in sysfs for something without a name, " +
			"and refuses. A stack trace follows. EINVAL.",
		Causes: []Cause{
			{
				Why: "A klp_object has the name \"\"; for vmlinux it must be NULL.",
				Fix: "Remove .name.",
				Run: []string{"klp-convert check FILE.ko --kernel KERNEL"},
			},
			{
				Why: "A klp_func's old_name is \"\".",
				Fix: "Name the function.",
			},
			{
				Why: "struct module has no name: .gnu.linkonce.this_module is damaged.",
				Fix: "Build the module again.",
			},
		},
	},
	{
		ID:   "percpu-memory",
		From: "kernel/module/main.c, percpu_modalloc",
		Forms: []Form{
			{"{module}: Could not allocate {n} bytes percpu data", ""},
			{"illegal size ({n}) or align ({n}) for percpu allocation", ""},
			{
				"{module}: per-cpu alignment {n} > {n}",
				"the module gets the alignment of a page, and loads",
			},
		},
		Means: "There is no room for the module's per-CPU data: the kernel reserves about 8 " +
			"KiB for all modules together (PERCPU_MODULE_RESERVE), and allocates at most 32 " +
			"KiB in one piece. ENOMEM.",
		Causes: []Cause{
			{
				Why: "The module has large DEFINE_PER_CPU data.",
				Fix: "Allocate it at run time.",
				Run: []string{"readelf -SW {module}.ko | grep percpu"},
			},
			{
				Why: "Other modules use the space.",
				Fix: "Remove those that are not needed, or use alloc_percpu().",
			},
		},
	},
	{
		ID:   "elf-machine",
		From: "kernel/module/main.c, elf_validity_ehdr",
		Forms: []Form{
			{"Invalid architecture in ELF header: {n}", "after 5.10"},
			{"Invalid module architecture in ELF header: {n}", "after 6.1"},
		},
		Means: "The module is for another machine (e_machine {n}). ENOEXEC.",
		Causes: []Cause{
			{
				Why: "It was built for another architecture.",
				Fix: "Build with the ARCH and CROSS_COMPILE of the kernel.",
				Run: []string{"klp-convert inspect FILE.ko"},
			},
		},
	},
	{
		ID:   "extended-versions",
		From: "kernel/module/main.c, elf_validity_cache_index_versions",
		Forms: []Form{
			{"extended version crc+name presence does not match", "6.14 and later"},
			{"more extended version crcs than names", "6.14 and later"},
		},
		Means: "__version_ext_crcs and __version_ext_names have different numbers of entries. " +
			"ENOEXEC.",
		Causes: []Cause{
			{
				Why: "A tool removed or shortened one of them.",
				Fix: "Convert again, the module as modpost left it; klp-convert edits both.",
			},
		},
	},
	{
		ID:   "namespace",
		From: "kernel/module/main.c, verify_namespace_is_imported; modpost",
		Forms: []Form{
			{
				"{module}: module uses symbol ({symbol}) from namespace {namespace}, but does " +
					"not import it.",
				"5.4 and later",
			},
			{
				"module {module} uses symbol {symbol} from namespace {namespace}, but does " +
					"not import it",
				"modpost, 5.4 to 7.2",
			},
			{
				"modpost: module uses symbol '{symbol}' from namespace '{namespace}', but " +
					"does not import it",
				"modpost, 7.x",
			},
			{
				"{module}: module uses symbol '{symbol}' from namespace '{namespace}', but " +
					"does not import it",
				"modpost, 7.x",
			},
			{
				"module uses symbol '{symbol}' from namespace '{namespace}', but does not " +
					"import it",
				"modpost, 7.x",
			},
		},
		Means: "{symbol} is exported in namespace {namespace}, which {module} does not " +
			"import. The loader refuses it with EINVAL, unless the kernel has " +
			"CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS.",
		Causes: []Cause{
			{
				When: "6.13 and later",
				Why:  "The source has no import.",
				Fix:  "Add one.",
				Run:  []string{"MODULE_IMPORT_NS(\"{namespace}\");"},
			},
			{
				When: "before 6.13",
				Why:  "The source has no import.",
				Fix:  "Add one, without quotes.",
				Run:  []string{"MODULE_IMPORT_NS({namespace});"},
			},
			{
				When: "6.16 and later",
				Why: "The namespace begins with \"module:\", and this livepatch is not on its " +
					"list.",
				Fix: "Make it a klp relocation.",
				Run: []string{"klp-convert --kernel KERNEL IN.ko OUT.ko"},
			},
		},
	},
	{
		ID:   "gpl-only",
		From: "kernel/module/main.c; modpost",
		Forms: []Form{
			{
				"{module}: module using GPL-only symbols uses symbols {symbol} from " +
					"proprietary module {owner}.",
				"after 5.10",
			},
			{
				"{module}: module using GPL-only symbols uses symbols from proprietary module " +
					"{owner}.",
				"before 6.1",
			},
			{
				"{module}: module uses symbols {symbol} from proprietary module {owner}, " +
					"inheriting taint.",
				"after 5.10: a warning",
			},
			{
				"{module}: module uses symbols from proprietary module {owner}, inheriting " +
					"taint.",
				"before 6.1: a warning",
			},
			{
				"failing symbol_get of non-GPLONLY symbol {symbol}.",
				"since 2023, stable releases too",
			},
			{
				"Symbol {symbol} is being used by a non-GPL module, which will not be allowed " +
					"in the future",
				"before 6.1",
			},
			{
				"GPL-incompatible module {module} uses GPL-only symbol '{symbol}'",
				"modpost, before 7.3",
			},
			{"modpost: GPL-incompatible module uses GPL-only symbol '{symbol}'", "modpost, 7.x"},
			{"{module}: GPL-incompatible module uses GPL-only symbol '{symbol}'", "modpost, 7.x"},
			{"GPL-incompatible module uses GPL-only symbol '{symbol}'", "modpost, 7.x"},
		},
		Means: "The licence that {module}, or a module that it uses, declares does not permit " +
			"the use of {symbol}.",
		Causes: []Cause{
			{
				Why: "MODULE_LICENSE is missing or declares another licence.",
				Fix: "Declare the GPL: klp_enable_patch() is exported for GPL modules only.",
				Run: []string{"MODULE_LICENSE(\"GPL\");"},
			},
		},
	},
	{
		ID:   "license",
		From: "kernel/module/main.c, module_license_taint_check",
		Forms: []Form{
			{"{module}: module license '{have}' taints kernel.", ""},
			{"{module}: module license taints kernel.", ""},
		},
		Means: "{module} has no licence that the kernel treats as compatible with the GPL; " +
			"'unspecified' means that it declares none. The kernel loads it without access to " +
			"exports for GPL modules, such as klp_enable_patch().",
		Causes: []Cause{
			{
				Why: "MODULE_LICENSE is missing or declares another licence.",
				Fix: "Declare the licence that a livepatch must have.",
				Run: []string{"MODULE_LICENSE(\"GPL\");"},
			},
		},
	},
	{
		ID:   "module-namespace",
		From: "kernel/module/main.c",
		Forms: []Form{
			{"{module}: module tries to import module namespace: {namespace}", "6.16 and later"},
		},
		Means: "Namespaces that begin with \"module:\" are those of " +
			"EXPORT_SYMBOL_FOR_MODULES; no module may import them.",
		Causes: []Cause{
			{
				Why: "The source has MODULE_IMPORT_NS for one.",
				Fix: "Remove the line, and make the symbols klp relocations.",
				Run: []string{"klp-convert --kernel KERNEL IN.ko OUT.ko"},
			},
		},
	},
	{
		ID:   "duplicate-export",
		From: "kernel/module/main.c, verify_exported_symbols",
		Forms: []Form{
			{"{module}: exports duplicate symbol {symbol} (owned by {owner})", ""},
		},
		Means: "{module} exports {symbol}, which {owner} already exports. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "The patched source was copied with its EXPORT_SYMBOL line.",
				Fix: "Remove the line: callers get to the new function through the patched one.",
			},
		},
	},
	{
		ID:   "already-loaded",
		From: "kernel/module/main.c, add_unformed_module",
		Forms: []Form{
			{"{module}: module is already loaded", ""},
		},
		Means: "A module called {module} is already loaded. EEXIST.",
		Causes: []Cause{
			{
				Why: "The livepatch is loaded, perhaps an earlier one of the same name.",
				Fix: "Disable and remove it first, or give the new one another name; a " +
					"cumulative patch with .replace replaces others.",
				Run: []string{
					"echo 0 > /sys/kernel/livepatch/{module}/enabled && rmmod {module}",
				},
			},
			{
				Why: "The livepatch has the name of the module that it patches, or of another " +
					"one.",
				Fix: "Rename it in obj-m.",
			},
		},
	},
	{
		ID:   "common-symbol",
		From: "kernel/module/main.c, simplify_symbols",
		Forms: []Form{
			{"{module}: please compile with -fno-common", ""},
		},
		Means: "{module} has a common symbol: a variable without a section, for which the " +
			"loader allocates no memory. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "It was compiled without Kbuild's flags.",
				Fix: "Build it with Kbuild, or with -fno-common.",
				Run: []string{"readelf -sW {module}.ko | grep COM"},
			},
		},
	},
	{
		ID:   "module-parameters",
		From: "kernel/module/main.c, unknown_module_param_cb, load_module; kernel/params.c",
		Forms: []Form{
			{"{module}: unknown parameter '{word}' ignored", ""},
			{"{module}: parameters '{text}' after `--' ignored", ""},
			{"{module}: Ignoring obsolete parameters", ""},
		},
		Means: "{module} has no such parameter. The module is loaded nevertheless.",
		Causes: []Cause{
			{
				Why: "A typing error, or a parameter of another version of the module.",
				Fix: "List its parameters.",
				Run: []string{"modinfo -p {module}.ko"},
			},
		},
	},
	{
		ID:   "init-returned",
		From: "kernel/module/main.c, do_init_module",
		Forms: []Form{
			{
				"{module}: '{module}'->init suspiciously returned {n}, it should follow 0/-E " +
					"convention",
				"before 7.3",
			},
			{
				"{module}: init suspiciously returned {n}, it should follow 0/-E convention",
				"after 6.12",
			},
			{
				"{module}: module_enable_rodata_ro_after_init() returned {n}, ro_after_init " +
					"data might still be writable",
				"after 6.1",
			},
		},
		Means: "The init function of {module} returned a number above 0, or its memory could " +
			"not be protected afterwards. The module is loaded.",
		Causes: []Cause{
			{
				Why: "init returns a value other than 0 or a negative errno.",
				Fix: "Return what klp_enable_patch() returned.",
			},
		},
	},
	{
		ID:   "waiting-for-init",
		From: "kernel/module/main.c, resolve_symbol_wait",
		Forms: []Form{
			{"{module}: gave up waiting for init of module {owner}.", ""},
		},
		Means: "{module} imports from {owner}, whose init function did not return within 30 " +
			"seconds. \"Unknown symbol … (err -16)\" follows.",
		Causes: []Cause{
			{
				Why: "{owner} hangs in its init function, or waits for {module}.",
				Fix: "Find out where it is.",
				Run: []string{
					"grep -w {owner} /proc/modules",
					"echo w > /proc/sysrq-trigger",
				},
			},
		},
	},
	{
		ID: "no-retpoline",
		From: "kernel/module/main.c, check_modinfo_retpoline; arch/x86/kernel/cpu/bugs.c, " +
			"retpoline_module_ok",
		Forms: []Form{
			{
				"{module}: loading module not compiled with retpoline compiler.",
				"4.15 and later: x86",
			},
			{"System may be vulnerable to spectre v2", "4.15 and later: x86"},
		},
		Means: "The module has no retpoline=Y in .modinfo, on a kernel that uses retpolines. " +
			"It is loaded; the kernel reports in sysfs that it is vulnerable (spectre_v2).",
		Causes: []Cause{
			{
				Why: "It was built without CONFIG_RETPOLINE, or .modinfo was replaced.",
				Fix: "Build against the configuration of the running kernel. klp-convert " +
					"check reports it as KLP159.",
				Run: []string{"modinfo -F retpoline {module}.ko"},
			},
		},
	},
	{
		ID:   "blacklisted",
		From: "kernel/module/main.c, early_mod_check (blacklisted)",
		Forms: []Form{
			{"Module {module} is blacklisted", "after 5.4"},
		},
		Means: "The kernel was booted with {module} in module_blacklist=. EPERM.",
		Causes: []Cause{
			{
				Why: "The kernel's command line has it.",
				Fix: "Remove it from the kernel's command line.",
				Run: []string{"cat /proc/cmdline"},
			},
		},
	},
	{
		ID:   "sysfs-not-ready",
		From: "kernel/module/sysfs.c, mod_sysfs_init",
		Forms: []Form{
			{"{module}: module sysfs not initialized", ""},
		},
		Means: "{module} was to be loaded before sysfs was initialised. EINVAL.",
		Causes: []Cause{
			{
				Why: "The kernel loads it while it boots.",
				Fix: "Load it later.",
			},
		},
	},
	{
		ID:   "export-tables",
		From: "kernel/module/main.c, find_module_sections, check_export_symbol_sections",
		Forms: []Form{
			{"{module}: no flags for exported symbols", "7.x"},
			{"{module}: ignoring obsolete section {section}", "7.x"},
		},
		Means: "The export tables of {module} have the form of an earlier kernel: 7.x has one " +
			"__ksymtab with __kflagstab. Without the flags the module is refused with " +
			"ENOEXEC; __ksymtab_gpl is ignored.",
		Causes: []Cause{
			{
				Why: "It was built for an earlier kernel.",
				Fix: "Build against this kernel.",
				Run: []string{"modinfo -F vermagic {module}.ko; uname -r"},
			},
		},
	},
	{
		ID:   "module-decompress",
		From: "kernel/module/decompress.c",
		Forms: []Form{
			{"not an xz compressed module", "5.17 and later"},
			{"decompression failed with status {n}", "5.17 and later"},
		},
		Means: "The kernel unpacks modules itself (CONFIG_MODULE_DECOMPRESS), with one " +
			"format; the file has another format, or is damaged.",
		Causes: []Cause{
			{
				Why: "The module is compressed by another program than the kernel's modules.",
				Fix: "Compress it in the same way, or load it uncompressed.",
				Run: []string{
					"cat /sys/module/compression",
					"xz --check=crc32 --lzma2=dict=1MiB FILE.ko",
				},
			},
			{
				Why: "The file is truncated.",
				Fix: "Copy it again.",
			},
		},
	},
	{
		ID: "hash-blacklisted",
		From: "security/integrity/ima; kernel/module/signing.c, mod_is_hash_blacklisted " +
			"(Debian)",
		Forms: []Form{
			{"Module hash {word} is blacklisted", "Debian's kernels"},
		},
		Means: "The hash of the module is on the list of revoked ones (dbx of Secure Boot). " +
			"EKEYREJECTED.",
		Causes: []Cause{
			{
				Why: "The list of the firmware or of the kernel has it.",
				Fix: "Build and sign a corrected module.",
			},
		},
	},
	{
		ID:   "signature",
		From: "kernel/module/signing.c; certs; lockdown",
		Forms: []Form{
			{"Loading of unsigned module is rejected", ""},
			{"Loading of module with unsupported crypto is rejected", ""},
			{"Loading of module with unavailable key is rejected", ""},
			{"PKCS#7 signature not signed with a trusted key", ""},
			{"{module}: {text} signed with expected PKCS#7 message", "'not' or 'Module is not'"},
			{"{module}: PKCS#7 signature info has unexpected non-zero params", ""},
			{"unsigned module loading is restricted", ""},
			{
				"module verification failed: signature and/or required key missing - tainting " +
					"kernel",
				"",
			},
			{"could not insert {text}: Key was rejected by service", ""},
			{"could not insert {text}: Required key not available", ""},
			{"can't insert {text}: Key was rejected by service", "busybox"},
			{"can't insert {text}: Required key not available", "busybox"},
			{"could not insert {text}: Bad message", ""},
			{"can't insert {text}: Bad message", "busybox"},
		},
		Means: "The kernel expects a signature that it trusts. \"tainting kernel\" is only a " +
			"warning; with the other messages it refuses the module.",
		Causes: []Cause{
			{
				Why: "The module was signed before it was converted. Conversion invalidates " +
					"the signature, and klp-convert removes it.",
				Fix: "Convert, then sign, then compress.",
				Run: []string{
					"/usr/src/linux/scripts/sign-file sha256 KEY.priv KEY.x509 FILE.ko",
				},
			},
			{
				Why: "It was signed with a key that this kernel does not know (Secure Boot, " +
					"lockdown).",
				Fix: "Enrol the key, or sign with an enrolled one.",
				Run: []string{"mokutil --import KEY.x509"},
			},
			{
				Why: "The signature at the end of the file is truncated or malformed (EBADMSG).",
				Fix: "Sign again; nothing may follow the signature.",
				If:  "Bad message",
			},
		},
	},
	{
		ID:   "btf",
		From: "kernel/bpf/btf.c, btf_module_notify",
		Forms: []Form{
			{"failed to validate module [{module}] BTF: {errno}", "5.11 and later"},
		},
		Means: "The module's .BTF does not fit the kernel's. The kernel refuses the module, " +
			"unless it has CONFIG_MODULE_ALLOW_BTF_MISMATCH.",
		Causes: []Cause{
			{
				Why: "The module was built against another vmlinux, or its configuration " +
					"differs a little.",
				Fix: "Build against the vmlinux of the running kernel, or remove .BTF: a " +
					"livepatch does not need it.",
				Run: []string{
					"objcopy --remove-section=.BTF --remove-section=.BTF.base IN.ko  # before " +
						"klp-convert, never after",
				},
			},
		},
	},
	{
		ID:   "sysfs-duplicate",
		From: "fs/sysfs/dir.c, sysfs_warn_dup",
		Forms: []Form{
			{"sysfs: cannot create duplicate filename '/module/{module}/sections/{section}'", ""},
		},
		Means: "Two loaded sections of {module} have the name {section}. Kernels up to 6.1 " +
			"continue after this warning and its trace; later ones (6.12.y, 7.x) refuse the " +
			"module with EEXIST.",
		Causes: []Cause{
			{
				Why: "Two klp relocation sections have one name, because two sections of the " +
					"module have one name (ld -r --unique, -ffunction-sections).",
				Fix: "Convert with klp-convert, which gives each a different name.",
				Run: []string{"klp-convert inspect {module}.ko"},
			},
			{
				Why: "A tool converted the module twice.",
				Fix: "Convert once, the module as modpost left it.",
			},
		},
	},
	{
		ID:   "sysfs-duplicate-object",
		From: "fs/sysfs/dir.c, sysfs_warn_dup",
		Forms: []Form{
			{"sysfs: cannot create duplicate filename '/kernel/livepatch/{where}'", ""},
		},
		Means: "The livepatch lists something twice, {where}: an object in klp_patch.objs, or " +
			"a function in klp_object.funcs. EEXIST; the livepatch is not enabled.",
		Causes: []Cause{
			{
				Why: "There are two klp_objects of one name, or two klp_funcs of one function " +
					"(old_sympos 0 and 1 have the same name in sysfs, FUNCTION,1).",
				Fix: "Merge them.",
				Run: []string{"klp-convert inspect PATCH.ko"},
			},
			{
				When: "before 5.10.248, 5.11 to 5.15.197, 5.16 to 6.1.159, 6.2 to 6.6.119, " +
					"6.7 to 6.12.63, 6.13 to 6.18.2",
				Why: "The livepatch replaces another (.replace) that names the same function " +
					"with old_sympos 0 where this one has 1, or the other way round. Before " +
					"6.19 (5.10.248, 5.15.198, 6.1.160, 6.6.120, 6.12.64, 6.18.3) the kernel " +
					"does not treat them as the same, and adds the function a second time.",
				Fix: "Write the old_sympos that the installed livepatch has, or disable that " +
					"one first.",
				Run: []string{
					"klp-convert diff INSTALLED.ko PATCH.ko",
					"echo 0 > /sys/kernel/livepatch/INSTALLED/enabled",
				},
				If: ",1'",
			},
			{
				Why: "A livepatch of that name is already loaded.",
				Fix: "Disable and unload it, or load this one under another name.",
				Run: []string{"ls /sys/kernel/livepatch"},
			},
		},
	},
	{
		ID:   "ctors",
		From: "kernel/module/main.c, find_module_sections",
		Forms: []Form{
			{"{module}: has both .ctors and .init_array.", ""},
		},
		Means: "Objects of two toolchains were linked into {module}. EINVAL.",
		Causes: []Cause{
			{
				Why: "Parts of it were built with different versions of gcc or ld.",
				Fix: "Build all of it with the kernel's compiler.",
			},
		},
	},
}
