// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// checkImportEntries are what check finds about imports and exports.
var checkImportEntries = []Entry{
	{
		ID:         "KLP110",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckImports},
		Title:      "undefined symbol that is not exported",
		Kernel:     "The kernel says: `%s: Unknown symbol %s (err -2)`, ENOENT.",
		Source:     "`simplify_symbols`.",
		Fix: "`klp-convert annotate FILE -k KERNEL` prints the annotation. Add it, build, " +
			"and convert.",
	},
	{
		ID:         "KLP111",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckImports},
		Title:      "weak undefined symbol, bound to 0",
		Kernel: "The kernel says nothing: the symbol is 0, and a call of it faults. A " +
			"symbol that nothing uses is a note.",
		Source: "`simplify_symbols`: \"Ok if weak or ignored\".",
		Fix: "Annotate the symbol and convert; a weak reference in a livepatch is a " +
			"forgotten annotation.",
	},
	{
		ID:         "KLP112",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckImports},
		Title:      "license that excludes exports",
		Kernel: "The kernel says: `%s: Unknown symbol %s (err -2)`. The license alone is a " +
			"note.",
		Source: "`find_symbol`.",
		Fix:    "`MODULE_LICENSE(\"GPL\");`, if that is the license of the module.",
	},
	{
		ID:         "KLP113",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckImports},
		Title:      "namespace not imported",
		Kernel: "The kernel says: `%s: module uses symbol (%s) from namespace %s, but does " +
			"not import it.`, then `Unknown symbol … (err -22)`, EINVAL. It is a note where " +
			"the kernel's configuration allows that " +
			"(`CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS`).",
		Source: "`verify_namespace_is_imported`.",
		Fix: "`MODULE_IMPORT_NS(NAME);`, since 6.13 `MODULE_IMPORT_NS(\"NAME\");`. An " +
			"export for certain modules only (EXPORT_SYMBOL_FOR_MODULES) needs a klp " +
			"relocation.",
	},
	{
		ID:         "KLP114",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckImports},
		Title:      "checksum of another kernel",
		Kernel: "The kernel says: `%s: disagrees about version of symbol %s`, then `Unknown " +
			"symbol … (err -22)`, EINVAL; for module_layout ENOEXEC. An import without a " +
			"checksum is a note; Debian's kernels refuse it: `%s: no symbol version for %s`, " +
			"and `Unknown symbol … (err -22)`. It says nothing of a module without a version " +
			"table, and returns ENOEXEC; with `CONFIG_MODULE_FORCE_LOAD` it loads the module.",
		Source: "`check_version`, `check_modstruct_version`.",
		Meaning: []string{
			"Whether a kernel compares checksums its configuration tells (a file, or in its " +
				"data: `CONFIG_IKCONFIG`), else the vermagic of its modules or the " +
				"checksums in its Module.symvers.",
			"Since 6.14 there are two tables. The kernel reads `__version_ext_crcs` alone " +
				"where a module has it, and accepts what is not in it. A kernel with " +
				"`CONFIG_MODVERSIONS`, but neither `CONFIG_BASIC_MODVERSIONS` nor " +
				"`CONFIG_EXTENDED_MODVERSIONS`, refuses all modules of its own build. " +
				"Older kernels read `__versions` only.",
		},
		Fix: "Build the module against the headers of that kernel, with its Module.symvers.",
	},
	{
		ID:         "KLP115",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckImports},
		Title:      "export of a module that has to be loaded before",
		Kernel: "The kernel says: `%s: Unknown symbol %s (err -2)` while that module is not " +
			"loaded.",
		Source: "`resolve_symbol`.",
		Fix: "Make it a klp relocation (`--convert-module-exports`), or keep `depends=`: " +
			"with that it is a note, since modprobe loads the module first.",
	},
	{
		ID:         "KLP116",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckImports},
		Title:      "symbol in a section that does not exist",
		Kernel: "The kernel says: `%s: Symbol %s has an invalid section index %u (max %u)`, " +
			"ENOEXEC, in 6.1 and since 6.8. Other kernels read memory that is not the " +
			"module's. A symbol that nothing uses is a note there.",
		Source: "`simplify_symbols`.",
		Fix: "Convert the module again, and let no other tool edit the result: klp symbols " +
			"have the section index 0xff20.",
	},
	{
		ID:         "KLP117",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckImports},
		Title:      "common symbol",
		Kernel:     "The kernel says: `%s: please compile with -fno-common`, ENOEXEC.",
		Source:     "`simplify_symbols`.",
		Fix:        "Compile with -fno-common, or initialise the variable.",
	},
	{
		ID:         "KLP152",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckImports},
		Title:      "export that already exists",
		Kernel: "The kernel says: `%s: exports duplicate symbol %s (owned by %s)`, ENOEXEC; " +
			"vmlinux is called kernel.",
		Source: "`verify_exported_symbols`.",
		Fix:    "Rename the export.",
	},
	{
		ID:         "KLP155",
		Severities: []Severity{Note},
		Topics:     []Topic{aboutCheckImports},
		Title:      "dependency on a module of which nothing is used",
		Kernel: "The kernel does not read `depends=`, and says nothing. Tools that read it " +
			"load that module before this one, without need.",
		Source: "nothing in the kernel; modpost writes `depends=` (`scripts/mod/modpost.c`, " +
			"`add_depends`).",
		Fix: "Build the livepatch with the Module.symvers of the module as it is now. After a " +
			"conversion: give the module, by `--module`, so that klp-convert removes it " +
			"from `depends=`.",
	},
}
