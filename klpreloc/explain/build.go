// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// build is what modpost, make, the compiler and binutils say.
var build = []Entry{
	{
		ID:   "modpost-undefined",
		From: "scripts/mod/modpost.c, check_exports",
		Forms: []Form{
			{"modpost: \"{symbol}\" [{file}] undefined!", "modpost, 5.7 and later"},
			{"ERROR: \"{symbol}\" [{file}] undefined!", "modpost, before 5.7"},
			{"WARNING: \"{symbol}\" [{file}] undefined!", "modpost, before 5.7"},
		},
		Means: "modpost knows no export called {symbol}. For a livepatch that is what is to be expected of everything that becomes a klp relocation.",
		Causes: []Cause{
			{Why: "The symbol is annotated, or is to be, and is declared as an ordinary extern.", Fix: "Turn the error into a warning, as klp-convert.mk does; klp-convert refuses what is still unresolved.", Run: []string{"make KBUILD_MODPOST_WARN=1 M=$PWD modules"}},
			{Why: "It is exported by an out-of-tree module.", Fix: "Give modpost that module's list.", Run: []string{"make KBUILD_EXTRA_SYMBOLS=/path/Module.symvers M=$PWD modules"}},
			{Why: "It is a typing error.", Fix: "Look for names like it.", Run: []string{"klp-convert sympos '/{symbol}/'"}},
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
		Means: "The kernel's tree has no Module.symvers, the list of what the kernel and its modules export. Every import is undefined then, and has no checksum.",
		Causes: []Cause{
			{Why: "The tree was configured and never built.", Fix: "Build against the headers of the kernel that is to be patched, or build the tree's modules once.", Run: []string{"make -C /lib/modules/$(uname -r)/build M=$PWD modules"}},
		},
	},
	{
		ID:    "btf-skipped",
		From:  "scripts/Makefile.modfinal",
		Forms: []Form{{"Skipping BTF generation for {file} due to unavailability of vmlinux", "6.1 and later"}},
		Means: "The module gets no .BTF, because the headers come without vmlinux. It loads as well; BPF programs and crash tools know less of its types.",
		Fine:  true,
	},
	{
		ID:     "modpost-license",
		From:   "scripts/mod/modpost.c",
		Forms:  []Form{{"missing MODULE_LICENSE() in {file}", "modpost"}},
		Means:  "The module declares no licence; it could use no GPL-only export, klp_enable_patch() among them.",
		Causes: []Cause{{Why: "The line is missing.", Fix: "Add it.", Run: []string{"MODULE_LICENSE(\"GPL\");"}}},
	},
	{
		ID:    "no-rule-tmp-ko",
		From:  "make",
		Forms: []Form{{"No rule to make target '{file}.tmp.ko'", ""}},
		Means: "klp-convert v1 to v7 ran out of the kernel's own Makefiles, which had no rule for modules outside of the tree.",
		Causes: []Cause{
			{Why: "A tree with those patches builds an external module.", Fix: "Include klp-convert.mk in the module's Makefile, with any kernel's tree.", Run: []string{"include /usr/local/share/klp-convert/klp-convert.mk"}},
		},
	},
	{
		ID:     "no-cmd-file",
		From:   "modpost; kpatch-build",
		Forms:  []Form{{"no .cmd file for {file}", ""}, {"could not open {file}.cmd", ""}},
		Means:  "Kbuild's record of how {file} was built is missing.",
		Causes: []Cause{{Why: "The object was made by something else than Kbuild.", Fix: "Make an empty record, or build it by Kbuild.", Run: []string{"touch .{file}.cmd"}}},
	},
	{
		ID:   "gas-comma",
		From: "the assembler of binutils up to 2.36.1",
		Forms: []Form{
			{"Warning: missing closing '\"'", "binutils up to 2.36.1"},
			{"Error: too many memory references for `{word}'", "binutils up to 2.36.1"},
			{"Error: too many memory references for '{word}'", "binutils up to 2.36.1"},
		},
		Means: "The assembler can't read a comma in a quoted symbol, as labels of KLP_RELOC_SYMBOL had it (.klp.sym.rela.….name,0).",
		Causes: []Cause{
			{Why: "An older klp header writes the comma.", Fix: "Use klp_convert.h of klp-convert, which writes a dot; both are read."},
			{Why: "The assembler is too old for it.", Fix: "binutils 2.37 or later."},
		},
	},
	{
		ID:   "bfd-bad-value",
		From: "objdump, objcopy, strip, ld, gdb (BFD of binutils)",
		Forms: []Form{
			{"{file}: bad value", ""},
			{"{file}: file format not recognized", ""},
			{"{file}({section}): link section cannot be set because the output file does not have a symbol table", "strip"},
			{"{file}: invalid string offset {n} >= {n} for section `{section}'", ""},
			{"{file}: warning: secondary relocation section '{section}' for section {word} found - ignoring", "binutils 2.35 and some later"},
		},
		Means: "GNU tools know neither klp symbols (SHN 0xff20) nor two relocation sections for one section. objdump 2.40 says nothing and leaves the klp relocations out; strip and objcopy lose them.",
		Causes: []Cause{
			{Why: "The file is a converted livepatch.", Fix: "Look at a copy made for debuggers; never load what objcopy, strip or ld wrote.", Run: []string{"klp-convert inspect --debug-copy DEBUG.ko PATCH.ko", "objdump -dr DEBUG.ko"}},
			{Why: "Debug information is to be split off.", Fix: "Do it before conversion.", Run: []string{"objcopy --only-keep-debug IN.ko IN.ko.debug; strip -g IN.ko; klp-convert IN.ko OUT.ko"}},
		},
		Weak: true,
	},
	{
		ID:    "llvm-loreserve",
		From:  "llvm-objcopy, llvm-strip",
		Forms: []Form{{"symbol '{klpsym}' has unsupported value greater than or equal to SHN_LORESERVE: {n}", ""}},
		Means: "LLVM's tools don't know klp symbols (65312 is SHN_LIVEPATCH) and refuse the file.",
		Causes: []Cause{
			{Why: "A converted livepatch is stripped or split.", Fix: "Strip and split before conversion.", Run: []string{"llvm-strip -g IN.ko; klp-convert IN.ko OUT.ko"}},
		},
	},
}
