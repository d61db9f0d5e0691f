// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// build is what modpost, make, the compiler and binutils say.
var build = []Entry{
	{
		ID:   "modpost-undefined",
		From: "scripts/mod/modpost.c, check_exports",
		Forms: []Form{
			{"modpost: {file}: symbol '{symbol}' undefined!", "modpost, 7.x"},
			{"modpost: symbol '{symbol}' undefined!", "modpost, 7.x"},
			{"modpost: \"{symbol}\" [{file}] undefined!", "modpost, 5.7 to 7.2"},
			{"ERROR: \"{symbol}\" [{file}] undefined!", "modpost, before 5.7"},
			{"WARNING: \"{symbol}\" [{file}] undefined!", "modpost, before 5.7"},
		},
		Means: "modpost knows no export called {symbol}. In a livepatch that is so for every " +
			"symbol that becomes a klp relocation.",
		Causes: []Cause{
			{
				Why: "The symbol is annotated, or should be, and is declared as an ordinary " +
					"extern.",
				Fix: "Turn the error into a warning, as klp-convert.mk does; klp-convert " +
					"refuses what is still unresolved.",
				Run: []string{"make KBUILD_MODPOST_WARN=1 M=$PWD modules"},
			},
			{
				Why: "It is exported by an out-of-tree module.",
				Fix: "Give modpost that module's list.",
				Run: []string{
					"make KBUILD_EXTRA_SYMBOLS=/path/Module.symvers M=$PWD modules",
				},
			},
			{
				Why: "It is a typing error.",
				Fix: "Look for similar names.",
				Run: []string{"klp-convert sympos '/{symbol}/'"},
			},
		},
	},
	{
		ID:   "no-symvers",
		From: "scripts/Makefile.modpost",
		Forms: []Form{
			{"WARNING: Symbol version dump \"{file}\" is missing.", "5.10"},
			{"WARNING: Module.symvers is missing.", "6.1 and later"},
			{"WARNING: {file}/Module.symvers is missing.", "7.3"},
		},
		Means: "The kernel's tree has no Module.symvers, the list of what the kernel and its " +
			"modules export. Then every import is undefined, and has no checksum.",
		Causes: []Cause{
			{
				Why: "The tree was configured and never built.",
				Fix: "Build against the headers of the kernel that is to be patched, or build " +
					"the tree's modules once.",
				Run: []string{"make -C /lib/modules/$(uname -r)/build M=$PWD modules"},
			},
		},
	},
	{
		ID:   "btf-skipped",
		From: "scripts/Makefile.modfinal",
		Forms: []Form{
			{
				"Skipping BTF generation for {file} due to unavailability of vmlinux",
				"6.1 and later",
			},
		},
		Means: "The module gets no .BTF, because the headers have no vmlinux. It loads " +
			"nevertheless; BPF programs and crash tools know less about its types.",
		Fine: true,
	},
	{
		ID:   "modpost-license",
		From: "scripts/mod/modpost.c",
		Forms: []Form{
			{"missing MODULE_LICENSE() in {file}", "modpost, before 7.3"},
			{"missing MODULE_LICENSE()", "modpost, 7.x"},
		},
		Means: "The module declares no licence; it could not use GPL-only exports such as " +
			"klp_enable_patch().",
		Causes: []Cause{
			{
				Why: "The line is missing.",
				Fix: "Add it.",
				Run: []string{"MODULE_LICENSE(\"GPL\");"},
			},
		},
	},
	{
		ID:   "modpost-description",
		From: "scripts/mod/modpost.c",
		Forms: []Form{
			{"missing MODULE_DESCRIPTION() in {file}", "modpost, 6.2 to 7.2"},
			{"missing MODULE_DESCRIPTION()", "modpost, 7.x"},
		},
		Means: "The module has no description. This is a warning; the module loads.",
		Causes: []Cause{
			{
				Why: "The line is missing.",
				Fix: "Add it.",
				Run: []string{"MODULE_DESCRIPTION(\"livepatch for …\");"},
			},
		},
	},
	{
		ID:   "modpost-crc",
		From: "scripts/mod/modpost.c",
		Forms: []Form{
			{"\"{symbol}\" [{file}] has no CRC!", "modpost, before 7.3"},
			{"symbol '{symbol}' has no CRC!", "modpost, 7.x"},
			{
				"EXPORT symbol \"{symbol}\" [{file}] version generation failed, symbol will " +
					"not be versioned.",
				"modpost, before 7.3",
			},
			{
				"EXPORT symbol '{symbol}' version generation failed, symbol will not be " +
					"versioned.",
				"modpost, 7.x",
			},
		},
		Means: "{symbol} is exported without a checksum, and the kernel has " +
			"CONFIG_MODVERSIONS. A module that imports it loads with \"no symbol version\", " +
			"or not at all.",
		Causes: []Cause{
			{
				Why: "Module.symvers has 0x00000000 for it: it comes from a build without " +
					"genksyms, or is an assembly function without a prototype.",
				Fix: "Use the Module.symvers of the kernel's own build; add a prototype to " +
					"asm-prototypes.h.",
				Run: []string{"grep -w {symbol} Module.symvers"},
			},
			{
				Why: "The livepatch exports it.",
				Fix: "Remove EXPORT_SYMBOL from the copied source: a livepatch need not export.",
			},
		},
	},
	{
		ID:   "modpost-export",
		From: "scripts/mod/modpost.c",
		Forms: []Form{
			{"'{symbol}' exported twice. Previous export was in {file}", "modpost, before 7.3"},
			{"symbol '{symbol}' exported twice. Previous export was in {file}", "modpost, 7.x"},
			{"\"{symbol}\" [{file}] was exported without definition", "modpost, 5.11 to 7.2"},
			{"symbol '{symbol}' was exported without definition", "modpost, 7.x"},
			{"local symbol '{symbol}' was exported", "modpost, after 6.1"},
			{"\"{symbol}\" [{file}] is a static {word}", "modpost, before 6.1"},
			{
				"EXPORT_SYMBOL used for init/exit symbol: {symbol} (section: {section})",
				"modpost, 6.1",
			},
			{
				"{symbol}: EXPORT_SYMBOL used for {word} symbol. Remove {word} or " +
					"EXPORT_SYMBOL.",
				"modpost, 6.2 to 7.2",
			},
			{
				"EXPORT_SYMBOL used for {word} symbol '{symbol}'. Remove {word} or " +
					"EXPORT_SYMBOL.",
				"modpost, 7.x",
			},
			{"The symbol {symbol} is exported and annotated {word}", "modpost, before 6.1"},
			{".export_symbol section contains strange symbol '{symbol}'", "modpost, after 6.1"},
			{
				".export_symbol section references '{symbol}', but it does not seem to be an " +
					"export symbol",
				"modpost, after 6.1",
			},
			{"unknown license '{word}' was specified for '{symbol}'", "modpost, after 6.1"},
		},
		Means: "The module exports {symbol} in a way that modpost does not accept.",
		Causes: []Cause{
			{
				Why: "The patched source was copied with its EXPORT_SYMBOL line.",
				Fix: "Remove the line: callers get to the new function through the patched one.",
			},
			{
				Why: "A tool renamed or removed the symbol before modpost.",
				Fix: "Run modpost on the output of the compiler and ld -r.",
			},
		},
	},
	{
		ID:   "modpost-too-long",
		From: "scripts/mod/modpost.c",
		Forms: []Form{
			{"too long symbol \"{klpsym}\" [{file}]", "modpost, before 7.3"},
			{"too long symbol '{klpsym}'", "modpost, 7.x"},
			{"module name is too long [{file}]", "modpost, before 7.3"},
			{"module name is too long", "modpost, 7.x"},
		},
		Means: "A name does not fit into __versions (55 bytes) or struct module (55 bytes); " +
			"the module is not built. A klp symbol is not in __versions and has other limits " +
			"(KLP009).",
		Causes: []Cause{
			{
				Why: "The label of an annotation (.klp.sym.rela.…) is long, and the kernel " +
					"has CONFIG_MODVERSIONS.",
				Fix: "Use a record, or a shorter C name with KLP_RELOC_SYMBOL; kernels with " +
					"CONFIG_EXTENDED_MODVERSIONS (6.14 and later) accept long names.",
				Run: []string{"klp-convert explain KLP009"},
			},
			{
				Why: "The module's name is too long.",
				Fix: "Rename it in obj-m.",
				If:  "module name",
			},
		},
	},
	{
		ID:   "modpost-import-module-namespace",
		From: "scripts/mod/modpost.c",
		Forms: []Form{
			{"explicitly importing namespace '{namespace}' is not allowed.", "modpost, 7.x"},
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
		ID:   "modpost-sections",
		From: "scripts/mod/modpost.c, check_section_mismatch",
		Forms: []Form{
			{
				"Section mismatch in reference from the {word} {text} to the {word} {text}",
				"modpost, before 6.12",
			},
			{
				"section mismatch in reference: {where} (section: {section}) -> {symbol} " +
					"(section: {section})",
				"modpost, after 5.10",
			},
			{"Section mismatches detected.", "modpost"},
			{"The relocation at {where} references", "modpost"},
			{"{where} references non-executable section '{section}'", "modpost, after 5.10"},
			{"({section}): unexpected non-allocatable section.", "modpost, before 7.3"},
			{"unexpected non-allocatable section '{section}'.", "modpost, 7.x"},
		},
		Means: "Code or data that stays refers to a section whose memory is freed after init, " +
			"or to one that is not loaded.",
		Causes: []Cause{
			{
				Why: "A function or a klp_func that is used later is __init, or refers to " +
					"__initdata.",
				Fix: "Remove the attribute: what a livepatch uses must stay in memory.",
			},
			{
				Why: "A section was defined in an .S file, or explicitly, without its flags.",
				Fix: "Write the flags: .section NAME, \"aw\".",
				If:  "non-allocatable",
			},
		},
	},
	{
		ID:   "modpost-table",
		From: "scripts/mod/file2alias.c",
		Forms: []Form{
			{"struct {word} is not terminated with a NULL entry!", "modpost, before 7.3"},
			{"{symbol}[] is not terminated with a NULL entry", "modpost, after 6.12"},
			{
				"type mismatch between {symbol}[] and MODULE_DEVICE_TABLE({text})",
				"modpost, after 6.12",
			},
			{"is not a modulo of the size of section", "modpost, before 7.3"},
			{"struct {word} is {n} bytes.", "modpost, before 7.3"},
		},
		Means: "A MODULE_DEVICE_TABLE of the module does not have the form of its type.",
		Causes: []Cause{
			{
				Why: "A driver's source was copied into the livepatch with its " +
					"MODULE_DEVICE_TABLE.",
				Fix: "Remove the table; a livepatch binds to no device.",
			},
		},
	},
	{
		ID:   "modpost-file",
		From: "scripts/mod/modpost.c",
		Forms: []Form{
			{"{file} has no symtab?", "modpost"},
			{"{file} has NOBITS .modinfo", "modpost"},
			{"{file} is truncated. sechdrs[i].sh_offset={n} > sizeof(*hrd)={n}", "modpost"},
			{"section header offset={n} in file '{file}' is bigger than filesize={n}", "modpost"},
			{"{file}: SYMTAB_SHNDX has bad sh_link: {n}!={n}", "modpost"},
			{"{file}: not relocatable object.", "modpost, after 5.10"},
			{"{file}: filename must be suffixed with .o", "modpost, after 5.10"},
			{"{file}: too long path was truncated", "modpost, after 5.10"},
			{"\"{symbol}\" [{file}] is COMMON symbol", "modpost, before 7.3"},
			{"'{symbol}' is COMMON symbol", "modpost, 7.x"},
			{"parse error in symbol dump file", "modpost"},
			{
				"Symbol info of vmlinux is missing. Unresolved symbol check will be entirely " +
					"skipped.",
				"modpost, before 6.1",
			},
			{"target endian is unknown", "modpost, after 6.1"},
			{"section_index is outside elf->num_sections!", "modpost, before 6.12"},
		},
		Means: "modpost can't read an object, or a Module.symvers that it was given.",
		Causes: []Cause{
			{
				Why: "The object is not what ld -r writes: it is truncated, was linked as a " +
					"program, or a tool edited it.",
				Fix: "Build it again.",
				Run: []string{"make M=$PWD clean modules"},
			},
			{
				Why: "Module.symvers, or a file of KBUILD_EXTRA_SYMBOLS, has a line that is " +
					"not four or five columns with tabs between them.",
				Fix: "Use the file that a build wrote; don't edit it.",
				If:  "symbol dump",
			},
			{
				Why: "The file was compiled without -fno-common.",
				Fix: "Build with Kbuild.",
				If:  "COMMON",
			},
		},
	},
	{
		ID:   "modpost-unused",
		From: "scripts/mod/modpost.c, check_exports",
		Forms: []Form{
			{"uses future GPL-only symbol '{symbol}'", "modpost, before 6.1"},
			{"uses GPL-only symbol marked UNUSED '{symbol}'", "modpost, before 6.1"},
			{"uses symbol '{symbol}' marked UNUSED", "modpost, before 6.1"},
		},
		Means: "Later kernels were to export {symbol} no longer, or only for GPL modules.",
		Causes: []Cause{
			{
				Why: "MODULE_LICENSE is missing or declares another licence, or the kernel " +
					"announced that the export will be removed.",
				Fix: "Declare the licence that a livepatch must have.",
				Run: []string{"MODULE_LICENSE(\"GPL\");"},
			},
		},
	},
	{
		ID:   "modpost-suppressed",
		From: "scripts/mod/modpost.c",
		Forms: []Form{
			{
				"suppressed {n} unresolved symbol warnings because there were too many)",
				"modpost, after 5.10",
			},
		},
		Means: "modpost names ten undefined symbols of a module and counts the rest. " +
			"klp-convert names all that it can't resolve.",
		Causes: []Cause{
			{
				Why: "Module.symvers is missing, so that every import is undefined.",
				Fix: "Build against the kernel's headers with it.",
				Run: []string{"ls -l /lib/modules/$(uname -r)/build/Module.symvers"},
			},
			{
				Why: "The module has many annotated symbols.",
				Fix: "Convert it, and read which are left.",
				Run: []string{"klp-convert --kernel KERNEL IN.ko OUT.ko"},
			},
		},
	},
	{
		ID:   "no-rule-tmp-ko",
		From: "make",
		Forms: []Form{
			{"No rule to make target '{file}.tmp.ko'", ""},
		},
		Means: "klp-convert v1 to v7 was part of the kernel's Makefiles, which had no rule " +
			"for modules outside of the tree.",
		Causes: []Cause{
			{
				Why: "A tree with those patches builds an external module.",
				Fix: "Include klp-convert.mk in the module's Makefile, with the tree of any " +
					"kernel.",
				Run: []string{"include /usr/local/share/klp-convert/klp-convert.mk"},
			},
		},
	},
	{
		ID:   "no-cmd-file",
		From: "modpost; kpatch-build",
		Forms: []Form{
			{"no .cmd file for {file}", ""},
			{"could not open {file}.cmd", ""},
			{"could not open {file}: {text}", "modpost, before 6.12"},
			{"malformed line: {text}", "modpost"},
		},
		Means: "Kbuild's record of how {file} was built is missing.",
		Causes: []Cause{
			{
				Why: "The object was not made by Kbuild.",
				Fix: "Make an empty record, or build it with Kbuild.",
				Run: []string{"touch .{file}.cmd"},
			},
		},
	},
	{
		ID:   "gas-comma",
		From: "the assembler of binutils up to 2.36.1, and that for loongarch64",
		Forms: []Form{
			{"Warning: missing closing '\"'", "binutils up to 2.36.1"},
			{"Error: too many memory references for `{word}'", "binutils up to 2.36.1"},
			{"Error: too many memory references for '{word}'", "binutils up to 2.36.1"},
			{"Error: no match insn: {text}.klp.sym.{text}", "loongarch64, binutils up to 2.44"},
		},
		Means: "The assembler can't read a comma in a quoted symbol, as labels of " +
			"KLP_RELOC_SYMBOL had (.klp.sym.rela.….name,0). That for loongarch64 can't read a " +
			"quoted symbol at all.",
		Causes: []Cause{
			{
				Why: "An older klp header writes the comma.",
				Fix: "Use klp_convert.h of klp-convert, which writes a dot; both are read.",
			},
			{
				Why: "The assembler is too old.",
				Fix: "Use binutils 2.37 or later.",
			},
			{
				Why: "It is a label by file (KLP_RELOC_SYMBOL_FILE), for loongarch64.",
				Fix: "Use a record (KLP_SYMFILE), or a label by position.",
			},
		},
	},
	{
		ID:   "bfd-bad-value",
		From: "objdump, objcopy, strip, ld, gdb (BFD of binutils)",
		Forms: []Form{
			{"{file}: bad value", ""},
			{"{file}: file format not recognized", ""},
			{
				"{file}({section}): link section cannot be set because the output file does " +
					"not have a symbol table",
				"strip",
			},
			{"{file}: invalid string offset {n} >= {n} for section `{section}'", ""},
			{
				"{file}: warning: secondary relocation section '{section}' for section {word} " +
					"found - ignoring",
				"binutils 2.35 and some later",
			},
		},
		Means: "GNU tools know neither klp symbols (SHN 0xff20) nor two relocation sections " +
			"for one section. objdump 2.40 silently omits the klp relocations; strip and " +
			"objcopy lose them.",
		Causes: []Cause{
			{
				Why: "The file is a converted livepatch.",
				Fix: "Use a copy made for debuggers; never load the output of objcopy, strip " +
					"or ld.",
				Run: []string{
					"klp-convert inspect --debug-copy DEBUG.ko PATCH.ko",
					"objdump -dr DEBUG.ko",
				},
			},
			{
				Why: "Debug information is split off.",
				Fix: "Split it off before conversion.",
				Run: []string{
					"objcopy --only-keep-debug IN.ko IN.ko.debug; strip -g IN.ko; klp-convert " +
						"IN.ko OUT.ko",
				},
			},
		},
		Weak: true,
	},
	{
		ID:   "llvm-loreserve",
		From: "llvm-objcopy, llvm-strip",
		Forms: []Form{
			{
				"symbol '{klpsym}' has unsupported value greater than or equal to " +
					"SHN_LORESERVE: {n}",
				"",
			},
		},
		Means: "LLVM's tools don't know klp symbols (65312 is SHN_LIVEPATCH) and refuse the " +
			"file.",
		Causes: []Cause{
			{
				Why: "A converted livepatch is stripped or split.",
				Fix: "Strip and split before conversion.",
				Run: []string{"llvm-strip -g IN.ko; klp-convert IN.ko OUT.ko"},
			},
		},
	},
}
