// SPDX-License-Identifier: GPL-2.0-or-later

package explain_test

// Lines of the build's programs and of the module loader, in the words that
// TestMessagesOfEveryKernelAreExplained (scripts/lab) reads from the programs themselves.
func init() {
	lines = append(lines,
		wording{
			"klp_try_switch_task: Unknown error code (-22) when trying to switch cat:77",
			"task-error", "task=cat:77",
		},
		wording{
			"Failed to construct shadow variable <struct 2a> (-22)",
			"shadow-constructor", "",
		},
		wording{"Duplicate shadow variable <struct 2a>", "shadow-constructor", ""},
		wording{
			"'lp2': canceling patching transition, going to unpatch",
			"disabled", "patch=lp2",
		},
		wording{"'lp2': reversing transition from struct to struct", "disabled", "patch=lp2"},
		wording{"Invalid ELF section name table type: 7", "elf-layout", ""},
		wording{"Invalid ELF symbol string table type: 7", "elf-layout", ""},
		wording{"Invalid ELF section hdr(type 7)", "elf-layout", ""},
		wording{
			"lp1: module uses symbol 'show' from namespace 'DMA_BUF', but does not import it",
			"namespace", "module=lp1 symbol=show namespace=DMA_BUF",
		},
		wording{
			"ERROR: modpost: module uses symbol 'show$1' from namespace 'module:kvm-*', but " +
				"does not import it.",
			"namespace", "symbol=show$1 namespace=module:kvm-*",
		},
		wording{
			"ERROR: modpost: GPL-incompatible module uses GPL-only symbol 'show'",
			"gpl-only", "symbol=show",
		},
		wording{
			"module uses symbol 'show' from namespace 'DMA_BUF', but does not import it",
			"namespace", "symbol=show namespace=DMA_BUF",
		},
		wording{
			"lp1: module using GPL-only symbols uses symbols from proprietary module tgt.",
			"gpl-only", "module=lp1 owner=tgt",
		},
		wording{
			"lp1: module uses symbols show from proprietary module tgt, inheriting taint.",
			"gpl-only", "module=lp1 symbol=show owner=tgt",
		},
		wording{
			"lp1: module uses symbols from proprietary module tgt, inheriting taint.",
			"gpl-only", "module=lp1 owner=tgt",
		},
		wording{"failing symbol_get of non-GPLONLY symbol show.", "gpl-only", "symbol=show"},
		wording{
			"Symbol show is being used by a non-GPL module, which will not be allowed in the " +
				"future",
			"gpl-only", "symbol=show",
		},
		wording{
			"lp1: GPL-incompatible module uses GPL-only symbol 'show'",
			"gpl-only", "module=lp1 symbol=show",
		},
		wording{"GPL-incompatible module uses GPL-only symbol 'show'", "gpl-only", "symbol=show"},
		wording{"lp1: unknown parameter 'struct' ignored", "module-parameters", "module=lp1"},
		wording{
			"lp1: parameters 'some text' after `--' ignored",
			"module-parameters", "module=lp1",
		},
		wording{"lp1: Ignoring obsolete parameters", "module-parameters", "module=lp1"},
		wording{
			"lp1: 'lp1'->init suspiciously returned 7, it should follow 0/-E convention",
			"init-returned", "module=lp1",
		},
		wording{
			"lp1: init suspiciously returned 7, it should follow 0/-E convention",
			"init-returned", "module=lp1",
		},
		wording{
			"lp1: module_enable_rodata_ro_after_init() returned 7, ro_after_init data might " +
				"still be writable",
			"init-returned", "module=lp1",
		},
		wording{
			"lp1: gave up waiting for init of module tgt.",
			"waiting-for-init", "module=lp1 owner=tgt",
		},
		wording{
			"lp1: loading module not compiled with retpoline compiler.",
			"no-retpoline", "module=lp1",
		},
		wording{"Module lp1 is blacklisted", "blacklisted", "module=lp1"},
		wording{"lp1: module sysfs not initialized", "sysfs-not-ready", "module=lp1"},
		wording{"lp1: no flags for exported symbols", "export-tables", "module=lp1"},
		wording{
			"lp1: ignoring obsolete section .text.show",
			"export-tables", "module=lp1 section=.text.show",
		},
		wording{"not an xz compressed module", "module-decompress", ""},
		wording{"decompression failed with status 7", "module-decompress", ""},
		wording{"Module hash struct is blacklisted", "hash-blacklisted", ""},
		wording{"could not insert some text: Module already in kernel", "insert-eexist", ""},
		wording{"Module lp1 is not in kernel.", "not-loaded", "module=lp1"},
		wording{"Module lp1 is builtin.", "module-builtin", "module=lp1"},
		wording{
			"ERROR: modpost: lp1.ko: symbol 'show' undefined!",
			"modpost-undefined", "file=lp1.ko symbol=show",
		},
		wording{"ERROR: modpost: symbol 'show' undefined!", "modpost-undefined", "symbol=show"},
		wording{"WARNING: modpost: missing MODULE_LICENSE()", "modpost-license", ""},
		wording{
			"WARNING: modpost: missing MODULE_DESCRIPTION() in lp1.ko",
			"modpost-description", "file=lp1.ko",
		},
		wording{"WARNING: modpost: missing MODULE_DESCRIPTION()", "modpost-description", ""},
		wording{
			"WARNING: modpost: \"show\" [lp1.ko] has no CRC!",
			"modpost-crc", "symbol=show file=lp1.ko",
		},
		wording{"WARNING: modpost: symbol 'show' has no CRC!", "modpost-crc", "symbol=show"},
		wording{
			"WARNING: modpost: EXPORT symbol \"show\" [lp1.ko] version generation failed, " +
				"symbol will not be versioned.",
			"modpost-crc", "symbol=show file=lp1.ko",
		},
		wording{
			"WARNING: modpost: EXPORT symbol 'show' version generation failed, symbol will " +
				"not be versioned.",
			"modpost-crc", "symbol=show",
		},
		wording{
			"WARNING: modpost: 'show' exported twice. Previous export was in lp1.ko",
			"modpost-export", "symbol=show file=lp1.ko",
		},
		wording{
			"WARNING: modpost: symbol 'show' exported twice. Previous export was in lp1.ko",
			"modpost-export", "symbol=show file=lp1.ko",
		},
		wording{
			"WARNING: modpost: \"show\" [lp1.ko] was exported without definition",
			"modpost-export", "symbol=show file=lp1.ko",
		},
		wording{
			"WARNING: modpost: symbol 'show' was exported without definition",
			"modpost-export", "symbol=show",
		},
		wording{
			"WARNING: modpost: local symbol 'show' was exported",
			"modpost-export", "symbol=show",
		},
		wording{
			"WARNING: modpost: \"show\" [lp1.ko] is a static struct",
			"modpost-export", "symbol=show file=lp1.ko",
		},
		wording{
			"WARNING: modpost: EXPORT_SYMBOL used for init/exit symbol: show (section: " +
				".text.show)",
			"modpost-export", "symbol=show section=.text.show",
		},
		wording{
			"WARNING: modpost: show: EXPORT_SYMBOL used for struct symbol. Remove struct or " +
				"EXPORT_SYMBOL.",
			"modpost-export", "symbol=show",
		},
		wording{
			"WARNING: modpost: EXPORT_SYMBOL used for struct symbol 'show'. Remove struct or " +
				"EXPORT_SYMBOL.",
			"modpost-export", "symbol=show",
		},
		wording{
			"WARNING: modpost: The symbol show is exported and annotated struct",
			"modpost-export", "symbol=show",
		},
		wording{
			"WARNING: modpost: .export_symbol section contains strange symbol 'show'",
			"modpost-export", "symbol=show",
		},
		wording{
			"WARNING: modpost: .export_symbol section references 'show', but it does not seem " +
				"to be an export symbol",
			"modpost-export", "symbol=show",
		},
		wording{
			"WARNING: modpost: unknown license 'struct' was specified for 'show'",
			"modpost-export", "symbol=show",
		},
		wording{
			"WARNING: modpost: too long symbol \".klp.sym.vmlinux.x,0\" [lp1.ko]",
			"modpost-too-long", "file=lp1.ko symbol=x",
		},
		wording{
			"WARNING: modpost: too long symbol '.klp.sym.vmlinux.x,0'",
			"modpost-too-long", "symbol=x",
		},
		wording{
			"WARNING: modpost: module name is too long [lp1.ko]",
			"modpost-too-long", "file=lp1.ko",
		},
		wording{"WARNING: modpost: module name is too long", "modpost-too-long", ""},
		wording{
			"WARNING: modpost: explicitly importing namespace 'DMA_BUF' is not allowed.",
			"modpost-import-module-namespace", "namespace=DMA_BUF",
		},
		wording{
			"WARNING: modpost: Section mismatch in reference from the struct some text to the " +
				"struct some text",
			"modpost-sections", "",
		},
		wording{
			"WARNING: modpost: section mismatch in reference: show+0x1a (section: .text.show) " +
				"-> show (section: .text.show)",
			"modpost-sections", "section=.text.show symbol=show",
		},
		wording{"WARNING: modpost: Section mismatches detected.", "modpost-sections", ""},
		wording{
			"WARNING: modpost: The relocation at show+0x1a references",
			"modpost-sections", "",
		},
		wording{
			"WARNING: modpost: show+0x1a references non-executable section '.text.show'",
			"modpost-sections", "section=.text.show",
		},
		wording{
			"WARNING: modpost: (.text.show): unexpected non-allocatable section.",
			"modpost-sections", "section=.text.show",
		},
		wording{
			"WARNING: modpost: unexpected non-allocatable section '.text.show'.",
			"modpost-sections", "section=.text.show",
		},
		wording{
			"WARNING: modpost: struct struct is not terminated with a NULL entry!",
			"modpost-table", "",
		},
		wording{
			"WARNING: modpost: show[] is not terminated with a NULL entry",
			"modpost-table", "symbol=show",
		},
		wording{
			"WARNING: modpost: type mismatch between show[] and MODULE_DEVICE_TABLE(some text)",
			"modpost-table", "symbol=show",
		},
		wording{"WARNING: modpost: is not a modulo of the size of section", "modpost-table", ""},
		wording{"WARNING: modpost: struct struct is 7 bytes.", "modpost-table", ""},
		wording{"WARNING: modpost: lp1.ko has no symtab?", "modpost-file", "file=lp1.ko"},
		wording{"WARNING: modpost: lp1.ko has NOBITS .modinfo", "modpost-file", "file=lp1.ko"},
		wording{
			"WARNING: modpost: lp1.ko is truncated. sechdrs[i].sh_offset=7 > sizeof(*hrd)=7",
			"modpost-file", "file=lp1.ko",
		},
		wording{
			"WARNING: modpost: section header offset=7 in file 'lp1.ko' is bigger than " +
				"filesize=7",
			"modpost-file", "file=lp1.ko",
		},
		wording{
			"WARNING: modpost: lp1.ko: SYMTAB_SHNDX has bad sh_link: 7!=7",
			"modpost-file", "file=lp1.ko",
		},
		wording{
			"WARNING: modpost: lp1.ko: not relocatable object.",
			"modpost-file", "file=lp1.ko",
		},
		wording{
			"WARNING: modpost: lp1.ko: filename must be suffixed with .o",
			"modpost-file", "file=lp1.ko",
		},
		wording{
			"WARNING: modpost: lp1.ko: too long path was truncated",
			"modpost-file", "file=lp1.ko",
		},
		wording{
			"WARNING: modpost: \"show\" [lp1.ko] is COMMON symbol",
			"modpost-file", "symbol=show file=lp1.ko",
		},
		wording{"WARNING: modpost: 'show' is COMMON symbol", "modpost-file", "symbol=show"},
		wording{"WARNING: modpost: parse error in symbol dump file", "modpost-file", ""},
		wording{
			"WARNING: modpost: Symbol info of vmlinux is missing. Unresolved symbol check " +
				"will be entirely skipped.",
			"modpost-file", "",
		},
		wording{"WARNING: modpost: target endian is unknown", "modpost-file", ""},
		wording{
			"WARNING: modpost: section_index is outside elf->num_sections!",
			"modpost-file", "",
		},
		wording{
			"WARNING: modpost: uses future GPL-only symbol 'show'",
			"modpost-unused", "symbol=show",
		},
		wording{
			"WARNING: modpost: uses GPL-only symbol marked UNUSED 'show'",
			"modpost-unused", "symbol=show",
		},
		wording{
			"WARNING: modpost: uses symbol 'show' marked UNUSED",
			"modpost-unused", "symbol=show",
		},
		wording{
			"WARNING: modpost: suppressed 7 unresolved symbol warnings because there were too " +
				"many)",
			"modpost-suppressed", "",
		},
		wording{"could not open lp1.ko: some text", "no-cmd-file", "file=lp1.ko"},
		wording{"malformed line: some text", "no-cmd-file", ""},
		wording{
			"lp1.o: warning: objtool: show+0x1a: unreachable instruction",
			"objtool-unreachable", "",
		},
		wording{
			"lp1.o: warning: objtool: show() falls through to next function show()",
			"objtool-unreachable", "function=show symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a() falls through to next function show()",
			"objtool-unreachable", "symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: show() is missing a __noreturn annotation",
			"objtool-unreachable", "symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: show() missing __noreturn in .c/.h or " +
				"NORETURN() in noreturns.h",
			"objtool-unreachable", "symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: unexpected end of section",
			"objtool-unreachable", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: some textunexpected end of section .text.show",
			"objtool-unreachable", "section=.text.show",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a(): STT_FUNC at end of section",
			"objtool-unreachable", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: can't find starting instruction",
			"objtool-unreachable", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: call without frame pointer save/setup",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: return with modified stack frame",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: leave instruction with modified stack frame",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: sibling call from callable instruction with " +
				"modified stack frame",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: stack state mismatch: some text",
			"objtool-stack", "",
		},
		wording{"lp1.o: warning: objtool: show+0x1a: undefined stack state", "objtool-stack", ""},
		wording{
			"lp1.o: warning: objtool: show+0x1a: BP used as a scratch register",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: unsupported stack register modification",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: unsupported stack pointer realignment",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: unknown stack-related instruction",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: unknown stack-related memory operation",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: stack layout conflict in alternatives",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: unsupported instruction in callable function",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: unannotated intra-function call",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: intra_function_call not a direct call",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: unsupported call to non-function",
			"objtool-stack", "",
		},
		wording{"lp1.o: warning: objtool: show+0x1a: PUSHF stack exhausted", "objtool-stack", ""},
		wording{
			"lp1.o: warning: objtool: show+0x1a: no corresponding CFI save for CFI restore",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: objtool isn't smart enough to handle this " +
				"CFI save/restore combo",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show() is missing an ELF size annotation",
			"objtool-stack", "symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: show() is missing an ELF size annotation",
			"objtool-stack", "symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: unknown CFA base reg 7",
			"objtool-stack", "",
		},
		wording{"lp1.o: warning: objtool: show+0x1a: unknown BP base reg 7", "objtool-stack", ""},
		wording{
			"lp1.o: warning: objtool: show+0x1a: unknown unwind hint type 7",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: unsupported unwind_hint sp base reg 7",
			"objtool-stack", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: indirect struct found in RETPOLINE build",
			"objtool-mitigation", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: indirect struct found in " +
				"MITIGATION_RETPOLINE build",
			"objtool-mitigation", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: 'naked' return found in RETHUNK build",
			"objtool-mitigation", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: 'naked' return found in MITIGATION_RETHUNK " +
				"build",
			"objtool-mitigation", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: missing int3 after ret",
			"objtool-mitigation", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: missing int3 after indirect jump",
			"objtool-mitigation", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: early indirect call",
			"objtool-mitigation", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: retpoline_safe hint not an indirect " +
				"jump/call/ret/nop",
			"objtool-mitigation", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: no-cfi indirect call!",
			"objtool-mitigation", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: dodgy NOCFI annotation",
			"objtool-mitigation", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: relocation to !ENDBR: other+0x10",
			"objtool-ibt", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: data relocation to !ENDBR: other+0x10",
			"objtool-ibt", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: not an indirect call target",
			"objtool-ibt", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: UNWIND_HINT_IRET_REGS without ENDBR",
			"objtool-ibt", "",
		},
		wording{"lp1.o: warning: objtool: notrack prefix found at show+0x1a", "objtool-ibt", ""},
		wording{
			"lp1.o: warning: objtool: show+0x1a: call to show() leaves .noinstr.text section",
			"objtool-section", "symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: call to show() with UACCESS enabled",
			"objtool-section", "symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: call to show() with DF set",
			"objtool-section", "symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: return with UACCESS enabled",
			"objtool-section", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: return with UACCESS disabled from a " +
				"UACCESS-safe function",
			"objtool-section", "",
		},
		wording{"lp1.o: warning: objtool: show+0x1a: return with DF set", "objtool-section", ""},
		wording{
			"lp1.o: warning: objtool: show+0x1a: return with instrumentation enabled",
			"objtool-section", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: recursive UACCESS enable",
			"objtool-section", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: redundant UACCESS disable",
			"objtool-section", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: UACCESS-safe disables UACCESS",
			"objtool-section", "",
		},
		wording{"lp1.o: warning: objtool: show+0x1a: recursive STD", "objtool-section", ""},
		wording{"lp1.o: warning: objtool: show+0x1a: redundant CLD", "objtool-section", ""},
		wording{
			"lp1.o: warning: objtool: file already has .text.show section, skipping",
			"objtool-twice", "section=.text.show",
		},
		wording{
			"lp1.o: warning: objtool: file already has .text.show, skipping",
			"objtool-twice", "section=.text.show",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: special: can't find orig instruction",
			"objtool-special", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: special: can't find new instruction",
			"objtool-special", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: can't find orig reloc",
			"objtool-special", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: can't find new reloc",
			"objtool-special", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: can't find key reloc",
			"objtool-special", "",
		},
		wording{
			"lp1.o: warning: objtool: .text.show size not a multiple of 7",
			"objtool-special", "section=.text.show",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: empty alternative entry",
			"objtool-special", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: weirdly overlapping alternative! 7 != 7",
			"objtool-special", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: unsupported relocation in alternatives section",
			"objtool-special", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: can't find alternative jump destination",
			"objtool-special", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: can't find last new alternative instruction",
			"objtool-special", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: unsupported instruction at jump label",
			"objtool-special", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: can't find jump dest instruction at other+0x10",
			"objtool-special", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: can't find call dest symbol at other+0x10",
			"objtool-special", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: can't find call dest at other+0x10",
			"objtool-special", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: can't find switch jump table",
			"objtool-special", "",
		},
		wording{
			"lp1.o: warning: objtool: static_call: trampoline name malformed: show",
			"objtool-special", "symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: can't decode instruction at show+0x1a",
			"objtool-toolchain", "",
		},
		wording{
			"lp1.o: warning: objtool: unexpected ELF machine type 7",
			"objtool-toolchain", "",
		},
		wording{
			"lp1.o: warning: objtool: section .text.show has absolute relocation at offset 0x2a",
			"objtool-toolchain", "section=.text.show",
		},
		wording{
			"lp1.o: warning: objtool: unexpected relocation symbol type in .text.show",
			"objtool-toolchain", "section=.text.show",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: unresolved jump target after linking?!?",
			"objtool-toolchain", "",
		},
		wording{
			"lp1.o: warning: objtool: Unresolved function after linking!?: show",
			"objtool-toolchain", "symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: ENQCMD instruction at other+0x10",
			"objtool-toolchain", "",
		},
		wording{
			"lp1.o: warning: objtool: ENQCMD instruction at show+0x1a",
			"objtool-toolchain", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: invalid LEA encoding at other+0x10",
			"objtool-toolchain", "",
		},
		wording{
			"lp1.o: warning: objtool: invalid LEA encoding at show+0x1a",
			"objtool-toolchain", "",
		},
		wording{
			"lp1.o: warning: objtool: couldn't find section for symbol show",
			"objtool-toolchain", "symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a: can't find parent function",
			"objtool-toolchain", "",
		},
		wording{
			"lp1.o: warning: objtool: show(): cold subfunction without \".cold\"?",
			"objtool-toolchain", "symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: Magic init_module() function name is deprecated, use " +
				"module_init(fn) instead",
			"objtool-toolchain", "",
		},
		wording{
			"lp1.o: warning: objtool: show+0x1a(): Magic init_module() function name is " +
				"deprecated, use module_init(fn) instead",
			"objtool-toolchain", "",
		},
		wording{
			"lp1.o: warning: objtool: 7 warning(s) upgraded to errors",
			"objtool-toolchain", "",
		},
		wording{
			"lp1.o: warning: objtool: can't open 'lp1.ko', \"objtool diff\" should be run " +
				"from the kernel tree",
			"objtool-klp-diff", "file=lp1.ko",
		},
		wording{
			"lp1.o: warning: objtool: malformed Module.symvers some textat line 7",
			"objtool-klp-diff", "",
		},
		wording{
			"lp1.o: warning: objtool: 'lp1.ko' missing .discard.sym_checksum section, file " +
				"not processed by 'objtool klp checksum'?",
			"objtool-klp-diff", "file=lp1.ko",
		},
		wording{
			"lp1.o: warning: objtool: missing reloc section for .discard.sym_checksum",
			"objtool-klp-diff", "",
		},
		wording{
			"lp1.o: warning: objtool: struct sym_checksum size mismatch",
			"objtool-klp-diff", "",
		},
		wording{
			"lp1.o: warning: objtool: can't find reloc for sym_checksum[7]",
			"objtool-klp-diff", "",
		},
		wording{
			"lp1.o: warning: objtool: not sure how to handle section .text.show",
			"objtool-klp-diff", "section=.text.show",
		},
		wording{
			"lp1.o: warning: objtool: FILE symbol mismatch: some text != some text",
			"objtool-klp-diff", "",
		},
		wording{
			"lp1.o: warning: objtool: no correlation: show",
			"objtool-klp-diff", "symbol=show",
		},
		wording{"lp1.o: warning: objtool: changed data: show", "objtool-klp-diff", "symbol=show"},
		wording{"lp1.o: warning: objtool: missing .modinfo section", "objtool-klp-diff", ""},
		wording{
			"lp1.o: warning: objtool: unexpected klp reloc for new symbol show",
			"objtool-klp-diff", "symbol=show",
		},
		wording{"lp1.o: warning: objtool: no clone for show", "objtool-klp-diff", "symbol=show"},
		wording{
			"lp1.o: warning: objtool: .text.show: missing special section relocations",
			"objtool-klp-diff", "section=.text.show",
		},
		wording{
			"lp1.o: warning: objtool: .text.show: missing special section entsize or annotations",
			"objtool-klp-diff", "section=.text.show",
		},
		wording{
			"lp1.o: warning: objtool: lp1.ko: missing .text.show section, kernel not built " +
				"with CONFIG_KLP_BUILD?",
			"objtool-klp-diff", "file=lp1.ko section=.text.show",
		},
		wording{
			"lp1.o: warning: objtool: lp1.ko: .text.show: struct klp_symid size mismatch",
			"objtool-klp-diff", "file=lp1.ko section=.text.show",
		},
		wording{
			"lp1.o: warning: objtool: lp1.ko: missing symbol table",
			"objtool-klp-diff", "file=lp1.ko",
		},
		wording{
			"lp1.o: warning: objtool: lp1.ko: missing reloc for .text.show entry",
			"objtool-klp-diff", "file=lp1.ko section=.text.show",
		},
		wording{
			"lp1.o: warning: objtool: no .text.show entry for symbol show in orig lp1.ko",
			"objtool-klp-diff", "section=.text.show symbol=show file=lp1.ko",
		},
		wording{
			"lp1.o: warning: objtool: can't find symbol show in orig vmlinux",
			"objtool-klp-diff", "symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: .text.show address mismatch for symbol show, stale orig " +
				"vmlinux?",
			"objtool-klp-diff", "section=.text.show symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: can't find sympos for show",
			"objtool-klp-diff", "symbol=show",
		},
		wording{
			"lp1.o: warning: objtool: file already has .discard.sym_checksum section, skipping",
			"objtool-klp-diff", "",
		},
		wording{
			"lp1.o: warning: objtool: --debug-checksum: can't find 'show'",
			"objtool-klp-diff", "symbol=show",
		},
		wording{"ld: undefined reference to `show'", "ld-undefined", "symbol=show"},
		wording{"ld: undefined reference to 'show'", "ld-undefined", "symbol=show"},
		wording{"ld: undefined reference to symbol 'show'", "ld-undefined", "symbol=show"},
		wording{"ld: undefined symbol: show", "ld-undefined", "symbol=show"},
		wording{"ld: relocation truncated to fit: struct against some text", "ld-truncated", ""},
		wording{
			"ld: relocation struct out of range: 7 is not in [some text]",
			"ld-truncated", "",
		},
		wording{
			"ld: `show' referenced in section `.text.show' of lp1.ko: defined in discarded " +
				"section `show+0x1a' of tgt",
			"ld-discarded", "symbol=show section=.text.show file=lp1.ko owner=tgt",
		},
		wording{
			"ld: 'show' referenced in section '.text.show' of lp1.ko: defined in discarded " +
				"section 'show+0x1a' of tgt",
			"ld-discarded", "symbol=show section=.text.show file=lp1.ko owner=tgt",
		},
		wording{
			"ld: sh_link of section `.text.show' points to discarded section `show+0x1a' of " +
				"`lp1.ko'",
			"ld-discarded", "section=.text.show file=lp1.ko",
		},
		wording{
			"ld: sh_link of section '.text.show' points to discarded section 'show+0x1a' of " +
				"'lp1.ko'",
			"ld-discarded", "section=.text.show file=lp1.ko",
		},
		wording{
			"ld: relocation refers to a discarded section: .text.show",
			"ld-discarded", "section=.text.show",
		},
		wording{
			"ld: relocation against symbol in discarded section: show",
			"ld-discarded", "symbol=show",
		},
		wording{
			"lp1.c:3:5: error: 'show' causes a section type conflict with 'show+0x1a'",
			"section-type-conflict", "symbol=show",
		},
		wording{
			"lp1.c:3:5: error: 'show' causes a section type conflict",
			"section-type-conflict", "symbol=show",
		},
		wording{
			"lp1.c:3:5: error: changed section type for .text.show",
			"section-type-conflict", "section=.text.show",
		},
		wording{
			"lp1.c:3:5: error: changed section flags for .text.show",
			"section-type-conflict", "section=.text.show",
		},
		wording{
			"lp1.c:3:5: error: ignoring changed section type for .text.show",
			"section-type-conflict", "section=.text.show",
		},
		wording{
			"lp1.c:3:5: error: ignoring changed section attributes for .text.show",
			"section-type-conflict", "section=.text.show",
		},
		wording{
			"lp1.c:3:5: error: section type mismatch for .text.show",
			"section-type-conflict", "section=.text.show",
		},
		wording{
			"lp1.c:3:5: error: incompatible section flags for .text.show",
			"section-type-conflict", "section=.text.show",
		},
		wording{
			"ld: lp1.ko: unrecognized relocation type 0x2a in section `.text.show'",
			"ld-unrecognized", "file=lp1.ko section=.text.show",
		},
		wording{
			"ld: lp1.ko: unrecognized relocation type 0x2a in section '.text.show'",
			"ld-unrecognized", "file=lp1.ko section=.text.show",
		},
		wording{"ld: lp1.ko: unsupported relocation type 0x2a", "ld-unrecognized", "file=lp1.ko"},
		wording{
			"ld: lp1.ko: unsupported relocation type: 0x2a",
			"ld-unrecognized", "file=lp1.ko",
		},
		wording{
			"ld: unknown relocation (7) against symbol show",
			"ld-unrecognized", "symbol=show",
		},
		wording{"ld: unrecognised emulation mode: struct", "ld-unrecognized", ""},
		wording{
			"ld: lp1.ko: Relocations in generic ELF (EM: 7)",
			"ld-unrecognized", "file=lp1.ko",
		},
		wording{
			"ld: lp1.ko: relocations in generic ELF (EM: 7)",
			"ld-unrecognized", "file=lp1.ko",
		},
		wording{
			"ld: lp1.ko: error adding symbols: file in wrong format",
			"ld-unrecognized", "file=lp1.ko",
		},
		wording{
			"ld: lp1.ko: file not recognized: file format not recognized",
			"ld-unrecognized", "file=lp1.ko",
		},
		wording{"ld: unknown file type", "ld-unrecognized", ""},
		wording{"ld: lp1.ko is incompatible with struct", "ld-unrecognized", "file=lp1.ko"},
		wording{"ld: multiple definition of `show'", "ld-symbols", "symbol=show"},
		wording{"ld: multiple definition of 'show'", "ld-symbols", "symbol=show"},
		wording{"ld: duplicate symbol: show", "ld-symbols", "symbol=show"},
		wording{
			"ld: lp1.ko: bad reloc symbol index (struct >= struct) for offset struct in " +
				"section `.text.show'",
			"ld-symbols", "file=lp1.ko section=.text.show",
		},
		wording{"ld: lp1.ko: invalid symbol index", "ld-symbols", "file=lp1.ko"},
		wording{"ld: invalid sh_info in symbol table", "ld-symbols", ""},
		wording{
			"ld: .note.gnu.build-id section discarded, --build-id ignored",
			"ld-build-id", "",
		},
		wording{"ld: unrecognized --build-id style ignored", "ld-build-id", ""},
		wording{"ld: unknown --build-id style: struct", "ld-build-id", ""},
		wording{
			"ld: requires executable stack (because the .note.GNU-stack section is executable)",
			"ld-warnings", "",
		},
		wording{
			"ld: missing .note.GNU-stack section implies executable stack",
			"ld-warnings", "",
		},
		wording{"ld: has a LOAD segment with RWX permissions", "ld-warnings", ""},
		wording{
			"ld: warning: orphan section `.text.show' from `lp1.ko' being placed in section " +
				"`show+0x1a'",
			"ld-warnings", "section=.text.show file=lp1.ko",
		},
		wording{
			"ld: warning: orphan section '.text.show' from 'lp1.ko' being placed in section " +
				"'show+0x1a'",
			"ld-warnings", "section=.text.show file=lp1.ko",
		},
		wording{"ld: is being placed in '.text.show'", "ld-warnings", "section=.text.show"},
		wording{
			"WARN: resolve_btfids: unresolved symbol show",
			"btfids-unresolved", "symbol=show",
		},
		wording{"FAILED unresolved symbol show", "btfids-unresolved", "symbol=show"},
		wording{
			"WARN: multiple IDs found for 'show': 7, 7 - using 7",
			"btfids-unresolved", "symbol=show",
		},
		wording{
			"WARN: resolve_btfids: no BTF ID symbol for show entry 7",
			"btfids-unresolved", "symbol=show",
		},
		wording{
			"WARN: resolve_btfids: no BTF func for kfunc show in show+0x1a",
			"btfids-unresolved", "function=show",
		},
		wording{"FAILED: load BTF from lp1.ko: some text", "btfids-failed", "file=lp1.ko"},
		wording{"FAILED: load base BTF from lp1.ko: some text", "btfids-failed", "file=lp1.ko"},
		wording{"FAILED load BTF from lp1.ko: some text", "btfids-failed", "file=lp1.ko"},
		wording{"FAILED cannot open lp1.ko: some text", "btfids-failed", "file=lp1.ko"},
		wording{"FAILED cannot create ELF descriptor: some text", "btfids-failed", ""},
		wording{"FAILED cannot get ELF header: some text", "btfids-failed", ""},
		wording{"FAILED cannot get shdr str ndx", "btfids-failed", ""},
		wording{"FAILED get section(7) header", "btfids-failed", ""},
		wording{"FAILED get section(7) name", "btfids-failed", ""},
		wording{"FAILED to get section(7) data from lp1.ko", "btfids-failed", "file=lp1.ko"},
		wording{"FAILED to get section header", "btfids-failed", ""},
		wording{
			"FAILED to get .text.show section data from lp1.ko",
			"btfids-failed", "section=.text.show file=lp1.ko",
		},
		wording{
			"FAILED: section .text.show not found in lp1.ko",
			"btfids-failed", "section=.text.show file=lp1.ko",
		},
		wording{
			"FAILED: size mismatch - .text.show section in lp1.ko is 7 bytes, lp1.ko is 7 bytes",
			"btfids-failed", "section=.text.show file=lp1.ko",
		},
		wording{"FAILED to open lp1.ko: some text", "btfids-failed", "file=lp1.ko"},
		wording{"FAILED to stat lp1.ko: some text", "btfids-failed", "file=lp1.ko"},
		wording{"FAILED to read lp1.ko", "btfids-failed", "file=lp1.ko"},
		wording{"FAILED to update ELF file lp1.ko", "btfids-failed", "file=lp1.ko"},
		wording{"FAILED cannot update section header: some text", "btfids-failed", ""},
		wording{"FAILED elf_update(WRITE): some text", "btfids-failed", ""},
		wording{"FAILED: malformed BTF, can't resolve type for ID 7", "btfids-failed", ""},
		wording{"FAILED: malformed BTF, can't resolve name for ID 7", "btfids-failed", ""},
		wording{"FAILED patching index 7 out of bounds 7", "btfids-failed", ""},
		wording{"FAILED malformed data for set 'show'", "btfids-failed", "symbol=show"},
		wording{"FAILED to parse set name: show", "btfids-failed", "symbol=show"},
		wording{"FAILED to parse symbol name: show", "btfids-failed", "symbol=show"},
		wording{"FAILED unsupported prefix struct", "btfids-failed", ""},
		wording{
			"FAILED symbol show crossed the number of allowed lists",
			"btfids-failed", "symbol=show",
		},
		wording{"pahole: lp1.ko: Invalid argument", "pahole", "file=lp1.ko"},
		wording{"pahole: lp1.ko: No such file or directory", "pahole", "file=lp1.ko"},
		wording{"pahole: unrecognized option 'struct'", "pahole", ""},
		wording{"pahole: not found", "pahole", ""},
		wording{"pahole: command not found", "pahole", ""},
		wording{"btf_encoder__encode: some text", "pahole", ""},
		wording{"Encountered error while encoding BTF.", "pahole", ""},
		wording{"Failed to encode BTF", "pahole", ""},
		wording{"Error creating BTF encoder.", "pahole", ""},
		wording{"Error while encoding BTF.", "pahole", ""},
		wording{"Failed to parse base BTF 'lp1.ko': -22", "pahole", "file=lp1.ko"},
		wording{
			"error: failed to encode function 'show': invalid struct",
			"pahole", "function=show",
		},
		wording{
			"PAHOLE: Error: Use '--btf_encode_force' to ignore such symbols and force emit " +
				"the btf.",
			"pahole", "",
		},
		wording{"libbpf: failed to find '.BTF' ELF section in lp1.ko", "pahole", "file=lp1.ko"},
		wording{
			"DW_TAG_compile_unit, DW_TAG_type_unit, DW_TAG_partial_unit or " +
				"DW_TAG_skeleton_unit expected got some text",
			"pahole", "",
		},
		wording{"pahole (pahole) is not available", "pahole", ""},
		wording{
			"BTF: lp1.ko: pahole version some text is too old, need at least some text",
			"pahole", "file=lp1.ko",
		},
	)
}
