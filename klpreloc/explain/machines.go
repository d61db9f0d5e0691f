// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// machines is what arch/*/kernel/module.c say while they apply relocations,
// ordinary ones and klp relocations alike.
var machines = []Entry{
	{
		ID:   "nonzero-target",
		From: "arch/x86/kernel/module.c, __write_relocate_add (apply_relocate_add before 6.3)",
		Forms: []Form{
			{
				"x86/modules: Skipping invalid relocation target, existing value is nonzero " +
					"for type {type}, loc {loc}, val {hex}",
				"x86 up to 6.2",
			},
			{
				"x86/modules: Invalid relocation target, existing value is nonzero for type " +
					"{type}, loc {loc}, val {hex}",
				"x86, 6.3 to 6.18",
			},
			{
				"x86/modules: Invalid relocation target, existing value is nonzero for sec " +
					"{n}, idx {n}, type {type}, loc {loc}, val {hex}",
				"x86, 6.19 and later",
			},
			{
				"Skipping invalid relocation target, existing value is nonzero for type " +
					"{type}, loc {loc}, val {hex}",
				"x86 up to 5.9",
			},
		},
		Means: "The bytes that a relocation of type {type} is to fill are not zero. ENOEXEC.",
		Causes: []Cause{
			{
				When: "before 6.3",
				Why: "The patched module was unloaded and loaded again: its klp relocations " +
					"are still in the livepatch. The kernel refuses the patched module.",
				Fix: "Unload the livepatch too and load it again, or use 6.3 or later.",
			},
			{
				Why: "A relocation exists twice, in .rela.X and in .klp.rela.*.X, or twice in " +
					"one section.",
				Fix: "Convert with klp-convert, which moves relocations and proves the result.",
				Run: []string{"readelf -rW PATCH.ko"},
			},
			{
				Why: "struct module of the build differs from the kernel's, so " +
					".gnu.linkonce.this_module is filled in at the wrong places.",
				Fix: "Build with the configuration of this kernel.",
				Run: []string{"klp-convert check FILE.ko --kernel KERNEL"},
				If:  "type 1, loc",
			},
			{
				Why: "A klp relocation of a module is at a place that the kernel has already " +
					"patched: an alternative, a jump label, a static call.",
				Fix: "Read about special sections (KLP030).",
				Run: []string{"klp-convert explain KLP030"},
			},
			{
				Why: "The file was relocated or linked before (prelink, a strip that resolves " +
					"relocations).",
				Fix: "Convert the module as modpost left it.",
			},
		},
	},
	{
		ID:   "clear-mismatch",
		From: "arch/x86/kernel/module.c, __write_relocate_add",
		Forms: []Form{
			{"existing value does not match expected value for type {type}", "x86, 6.3 to 6.18"},
			{
				"existing value does not match expected value for sec {n}, idx {n}, type {type}",
				"x86, 6.19 and later",
			},
		},
		Means: "A patched module is unloaded. The kernel clears its klp relocations, and " +
			"finds other bytes than it wrote. It stops; the module may not load again.",
		Causes: []Cause{
			{
				Why: "Something patched these bytes afterwards: an alternative, a jump label " +
					"or a static call at the same place.",
				Fix: "Keep klp relocations of modules out of special sections.",
				Run: []string{"klp-convert explain KLP030"},
			},
		},
	},
	{
		ID: "rel",
		From: "kernel/module/main.c, apply_relocations; include/linux/moduleloader.h, " +
			"apply_relocate",
		Forms: []Form{
			{"module {module}: REL relocation unsupported", "x86, arm64, powerpc, s390x"},
		},
		Means: "A relocation section has the type SHT_REL, without addends; modules of this " +
			"machine have SHT_RELA. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "A tool changed the type of a section.",
				Fix: "Convert again, the module as modpost left it.",
				Run: []string{"readelf -SW {module}.ko | grep -w REL"},
			},
		},
	},
	{
		ID:   "x86-unknown",
		From: "arch/x86/kernel/module.c",
		Forms: []Form{
			{"{module}: Unknown rela relocation: {type}", "x86"},
		},
		Means: "The loader does not apply relocations of type {type} on x86: it applies 64, " +
			"32, 32S, PC32, PLT32, PC64 (5.0 and later) and NONE. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "Type 9, 41, 42: code built as position-independent (GOTPCREL).",
				Fix: "Build with Kbuild, without -fpic or -fpie.",
			},
			{
				Why: "Thread-local storage, or another compiler's defaults.",
				Fix: "Build with the kernel's own flags.",
			},
		},
	},
	{
		ID:   "x86-overflow",
		From: "arch/x86/kernel/module.c",
		Forms: []Form{
			{"overflow in relocation type {type} val {hex}", "x86"},
			{
				"overflow in relocation type {type} val {hex} sec {n} idx {n}",
				"x86, 6.19 and later",
			},
			{"`{module}' likely not compiled with -mcmodel=kernel", "x86"},
		},
		Means: "An address does not fit into the 32 bits of a relocation. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "The module was not built with -mcmodel=kernel.",
				Fix: "Build with Kbuild.",
			},
			{
				Why: "A klp relocation of a module refers to something that is too far away " +
					"(per-CPU symbols, the area of another module).",
				Fix: "Get its address from a pointer in data (R_X86_64_64) instead of in code.",
			},
		},
	},
	{
		ID:   "ppc64-nop",
		From: "arch/powerpc/kernel/module_64.c, restore_r2",
		Forms: []Form{
			{"{module}: Expected nop after call, got {hex} at {where}", "ppc64"},
			{"{module}: Expect noop after relocate, got {hex}", "ppc64, before 4.19"},
		},
		Means: "A call to a function outside of the module is not followed by the nop that " +
			"becomes the reload of the TOC pointer. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "The compiler believed the function to be local (static, hidden).",
				Fix: "Declare it extern with default visibility.",
				Run: []string{"klp-convert explain KLP019"},
			},
			{
				Why: "The patched module is loaded a second time, on an older kernel: the " +
					"reload is already there (ld r2,24(r1), e8410018).",
				Fix: "Load the livepatch again too.",
			},
		},
	},
	{
		ID:   "ppc64-unknown",
		From: "arch/powerpc/kernel/module_64.c",
		Forms: []Form{
			{"{module}: Unknown ADD relocation: {type}", "ppc64"},
		},
		Means: "The loader does not apply relocations of type {type}. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "Type 0 (R_PPC64_NONE): a tool neutralised relocations instead of " +
					"removing them, as objtool does on x86.",
				Fix: "Convert with klp-convert, which removes them.",
			},
			{
				Why: "GOT or TLS relocations: built as position-independent.",
				Fix: "Build with Kbuild.",
			},
		},
	},
	{
		ID:   "ppc64-range",
		From: "arch/powerpc/kernel/module_64.c",
		Forms: []Form{
			{"{module}: REL24 {n} out of range!", "ppc64"},
			{"{module}: REL32 {n} out of range!", "ppc64"},
			{"{module}: REL34 {n} out of range!", "ppc64, after 6.1"},
			{"{module}: bad TOC16 relocation (0x{hex})", "ppc64"},
			{"{module}: bad TOC16_DS relocation (0x{hex})", "ppc64"},
			{"{module}: bad TOC16_LO_DS relocation (0x{hex})", "ppc64"},
			{
				"{module}: Address of {where} out of range of 34-bit relative address.",
				"ppc64, after 6.1",
			},
		},
		Means: "A symbol is too far from the place that refers to it. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "Data of the kernel is addressed as if it were in the module's TOC area.",
				Fix: "Load its address from .toc (as -mcmodel=medium does), or from a pointer " +
					"in data.",
			},
			{
				Why: "A REL32 or TOC16 was made a klp relocation.",
				Fix: "Use ADDR64 or calls: only they have no limit of distance.",
			},
		},
	},
	{
		ID:   "ppc64-stubs",
		From: "arch/powerpc/kernel/module_64.c, module_frob_arch_sections",
		Forms: []Form{
			{"{module}: doesn't contain .stubs.", "ppc64"},
			{"{module}: doesn't contain .mygot.", "ppc64, after 6.1"},
		},
		Means: "The section for call stubs, which the kernel's linker script creates, is " +
			"missing. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "The module was linked without module.lds.",
				Fix: "Link with Kbuild.",
			},
		},
	},
	{
		ID:   "s390",
		From: "arch/s390/kernel/module.c",
		Forms: []Form{
			{
				"module {module}: relocation error for symbol {symbol} (r_type {type}, value " +
					"0x{hex})",
				"s390",
			},
			{"module {module}: unknown relocation: {type}", "s390"},
			{"module {module}: no symbol table", "s390"},
		},
		Means: "The loader of s390 could not apply a relocation, or found no symbol table, by " +
			"which it counts PLT and GOT entries. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "A PC-relative relocation can't span the distance to the symbol: calls " +
					"need the PLT (R_390_PLT32DBL), data the GOT.",
				Fix: "Build with the kernel's flags; before 6.10 kpatch uses -fpie.",
				Run: []string{"klp-convert sympos {symbol}"},
			},
			{
				Why: "The patched module was loaded again: the livepatch's PLT entries keep " +
					"the old address.",
				Fix: "Load the livepatch again too.",
			},
			{
				Why: "COPY, JMP_SLOT, RELATIVE and similar: it was linked as a shared object.",
				Fix: "Link with ld -r, as Kbuild does.",
			},
		},
	},
	{
		ID:   "arm64-relocation",
		From: "arch/arm64/kernel/module.c, apply_relocate_add",
		Forms: []Form{
			{"module {module}: unsupported RELA relocation: {type}", "arm64"},
			{"module {module}: overflow in relocation type {type} val {hex}", "arm64"},
		},
		Means: "The loader of arm64 does not know relocation type {type}, or the symbol is " +
			"too far away for it. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "311, 312: GOT relocations of position-independent code.",
				Fix: "Build with Kbuild, without -fpic.",
			},
			{
				Why: "Overflow of ADR_PREL_PG_HI21 or PREL32: module and symbol are more than " +
					"4 GiB or 2 GiB apart (KASLR of modules).",
				Fix: "Access data through a pointer (ABS64); the loader gives calls a PLT " +
					"entry.",
			},
		},
	},
	{
		ID:   "arm64-plt",
		From: "arch/arm64/kernel/module-plts.c",
		Forms: []Form{
			{"{module}: module PLT section(s) missing", "arm64, loongarch"},
			{"{module}: module symtab section missing", "arm64"},
		},
		Means: "The sections for jumps (.plt, .init.plt), which the kernel's linker script " +
			"creates, or the symbol table, are missing. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "The module was linked without module.lds, or these sections were " +
					"removed as empty.",
				Fix: "Link with Kbuild, and strip nothing.",
			},
		},
	},
	{
		ID:   "loongarch",
		From: "arch/loongarch/kernel/module.c and module-sections.c",
		Forms: []Form{
			{"{module}: Unknown relocation type {type}", "loongarch, 5.19 and later"},
			{"{module}: Unsupport relocation type {type}", "loongarch, 5.19 and later"},
			{
				"{module}: Unsupport relocation type {type}, please add its support.",
				"loongarch, 5.19 and later",
			},
			{
				"module {module}: jump offset = 0x{hex} unaligned! dangerous R_LARCH_B26 " +
					"({type}) relocation", "loongarch, 5.19 and later",
			},
			{
				"module {module}: jump offset = 0x{hex} overflow! dangerous R_LARCH_B26 " +
					"({type}) relocation", "loongarch, 5.19 and later",
			},
			{"{module}: Can not find HI20 relocation information", "loongarch, 7.x"},
			{"{module}: module contains bad GOT relocation", "loongarch, 5.19 and later"},
			{"{module}: module GOT section(s) missing", "loongarch, 5.19 and later"},
			{"{module}: module PLT.IDX section(s) missing", "loongarch, 5.19 and later"},
		},
		Means: "The loader of loongarch could not apply a relocation, or the sections that " +
			"the kernel's linker script creates are missing. ENOEXEC.",
		Causes: []Cause{
			{
				Why: "Relocations that belong together (PCADD_HI20 and LO12, the SOP stack) " +
					"are in different sections.",
				Fix: "Convert with klp-convert, which refuses to separate them (KLP022).",
				Run: []string{"klp-convert explain KLP022"},
			},
			{
				Why: "The module was linked without module.lds.",
				Fix: "Link with Kbuild.",
			},
			{
				Why: "The compiler is newer than the kernel, and uses relocations that the " +
					"kernel does not know.",
				Fix: "Build with the compiler that built the kernel.",
			},
		},
	},
	{
		ID:   "write-read-only",
		From: "arch/arm64/mm/fault.c; arch/powerpc/mm/fault.c",
		Forms: []Form{
			{
				"Unable to handle kernel write to read-only memory at virtual address {hex}",
				"arm64",
			},
			{"Kernel attempted to write user page ({hex}) - exploit attempt?", "powerpc"},
			{"BUG: Unable to handle kernel data access on write at {hex}", "powerpc"},
		},
		Means: "The kernel wrote to memory that is read-only. In apply_relocate_add, that is " +
			"a klp relocation that was applied late by a plain store.",
		Causes: []Cause{
			{
				Why: "The kernel can't apply a module's klp relocations after the livepatch's " +
					"memory is protected: arm64 before 6.17, ppc64 for read-only data " +
					"(STRICT_MODULE_RWX).",
				Fix: "Have klp relocations of modules only in writable data or (ppc64) code, " +
					"or use a later kernel.",
				Run: []string{"klp-convert explain KLP032"},
			},
		},
		Weak: true,
	},
}
