// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// linker is what GNU ld and lld say in the steps of a module's build: ld -r of its
// objects, and the final link with module.lds.
var linker = []Entry{
	{
		ID:   "ld-undefined",
		From: "GNU ld; lld",
		Forms: []Form{
			{"undefined reference to `{symbol}'", "GNU ld"},
			{"undefined reference to '{symbol}'", "GNU ld"},
			{"undefined reference to symbol '{symbol}'", "GNU ld"},
			{"undefined symbol: {symbol}", "lld"},
		},
		Means: "{symbol} is not defined in what is linked. ld -r, which links modules, does " +
			"not print this: it was an ordinary link.",
		Causes: []Cause{
			{
				Why: "The object was linked without -r, as a program.",
				Fix: "Link with Kbuild; klp-convert reads relocatable files.",
				Run: []string{"make -C /lib/modules/$(uname -r)/build M=$PWD modules"},
			},
			{
				Why: "The livepatch is built in (obj-y), where every symbol must be resolved.",
				Fix: "Build it as a module.",
				Run: []string{"obj-m := PATCH.o"},
			},
		},
		Weak: true,
	},
	{
		ID:   "ld-truncated",
		From: "GNU ld; lld",
		Forms: []Form{
			{"relocation truncated to fit: {word} against {text}", "GNU ld"},
			{"relocation {word} out of range: {n} is not in [{text}]", "lld"},
		},
		Means: "An address does not fit into the field of its relocation. ld -r applies no " +
			"relocations: it was an ordinary link, or a relocation within one section.",
		Causes: []Cause{
			{
				Why: "The object was linked without -r.",
				Fix: "Link with Kbuild.",
			},
			{
				Why: "The code was not compiled with -mcmodel=kernel.",
				Fix: "Compile with Kbuild.",
			},
		},
		Weak: true,
	},
	{
		ID:   "ld-discarded",
		From: "GNU ld; lld",
		Forms: []Form{
			{
				"`{symbol}' referenced in section `{section}' of {file}: defined in discarded " +
					"section `{where}' of {owner}",
				"GNU ld",
			},
			{
				"'{symbol}' referenced in section '{section}' of {file}: defined in discarded " +
					"section '{where}' of {owner}",
				"GNU ld",
			},
			{
				"sh_link of section `{section}' points to discarded section `{where}' of " +
					"`{file}'",
				"GNU ld",
			},
			{
				"sh_link of section '{section}' points to discarded section '{where}' of " +
					"'{file}'",
				"GNU ld",
			},
			{"relocation refers to a discarded section: {section}", "lld"},
			{"relocation against symbol in discarded section: {symbol}", "lld"},
		},
		Means: "A section that stays refers to one that the linker discards: of a group " +
			"(COMDAT) that another object has too, or one that the linker script discards.",
		Causes: []Cause{
			{
				Why: "Annotations, or a special section, name a symbol of a COMDAT group or " +
					"of .exit.text, .discard.*.",
				Fix: "Put the annotation beside code that stays.",
				Run: []string{"readelf -SWg FILE.o"},
			},
			{
				Why: "Objects of two compilers or configurations are linked.",
				Fix: "Build all of them with one run of Kbuild.",
			},
		},
		Weak: true,
	},
	{
		ID:   "section-type-conflict",
		From: "gcc; the assembler; lld",
		Forms: []Form{
			{"'{symbol}' causes a section type conflict with '{where}'", "gcc"},
			{"'{symbol}' causes a section type conflict", "gcc"},
			{"changed section type for {section}", "LLVM's assembler"},
			{"changed section flags for {section}", "LLVM's assembler"},
			{"ignoring changed section type for {section}", "GNU as"},
			{"ignoring changed section attributes for {section}", "GNU as"},
			{"section type mismatch for {section}", "lld"},
			{"incompatible section flags for {section}", "lld"},
		},
		Means: "Two definitions put things of different kinds (code and data, writable and " +
			"constant) into one section.",
		Causes: []Cause{
			{
				Why: "A record of an annotation is const in one place and not in another, or " +
					"a section's name is used for data and for code.",
				Fix: "Use the macros of klp_convert.h, which write all records in one form; " +
					"put other data into another section.",
			},
			{
				Why: "const is used together with __initdata or __ro_after_init.",
				Fix: "Use __initconst.",
			},
		},
		Weak: true,
	},
	{
		ID:   "ld-unrecognized",
		From: "GNU ld; lld",
		Forms: []Form{
			{"{file}: unrecognized relocation type 0x{hex} in section `{section}'", "GNU ld"},
			{"{file}: unrecognized relocation type 0x{hex} in section '{section}'", "GNU ld"},
			{"{file}: unsupported relocation type 0x{hex}", "GNU ld"},
			{"{file}: unsupported relocation type: 0x{hex}", "GNU ld"},
			{"unknown relocation ({n}) against symbol {symbol}", "lld"},
			{"unrecognised emulation mode: {word}", "GNU ld"},
			{"{file}: Relocations in generic ELF (EM: {n})", "GNU ld"},
			{"{file}: relocations in generic ELF (EM: {n})", "GNU ld"},
			{"{file}: error adding symbols: file in wrong format", "GNU ld"},
			{"{file}: file not recognized: file format not recognized", "GNU ld"},
			{"unknown file type", "lld"},
			{"{file} is incompatible with {word}", "lld"},
		},
		Means: "The linker does not know the file, or a relocation in it: it is for another " +
			"machine, or newer than the linker.",
		Causes: []Cause{
			{
				Why: "CROSS_COMPILE and ARCH are for different machines, or an object for " +
					"another machine is left from an earlier build.",
				Fix: "Build from clean objects, with both set.",
				Run: []string{
					"make ARCH=ARCH CROSS_COMPILE=PREFIX- M=$PWD clean modules",
				},
			},
			{
				Why: "The assembler is newer than the linker.",
				Fix: "Use both from one version of binutils.",
			},
			{
				Why: "The objects are LLVM bitcode (LTO), and the linker is GNU ld.",
				Fix: "Build with LLVM=1.",
			},
			{
				Why: "A converted livepatch is linked again.",
				Fix: "Link first, convert last.",
			},
		},
		Weak: true,
	},
	{
		ID:   "ld-symbols",
		From: "GNU ld; lld",
		Forms: []Form{
			{"multiple definition of `{symbol}'", "GNU ld"},
			{"multiple definition of '{symbol}'", "GNU ld"},
			{"duplicate symbol: {symbol}", "lld"},
			{
				"{file}: bad reloc symbol index ({word} >= {word}) for offset {word} in " +
					"section `{section}'",
				"GNU ld",
			},
			{"{file}: invalid symbol index", "lld"},
			{"invalid sh_info in symbol table", "lld"},
		},
		Means: "The linked objects contradict each other, or their symbol tables are damaged.",
		Causes: []Cause{
			{
				Why: "A function was copied into two files of the livepatch and is not static.",
				Fix: "Make it static, or keep one of them.",
			},
			{
				Why: "A tool renumbered symbols without their relocations; or a converted " +
					"livepatch is linked again.",
				Fix: "Link the output of the compiler; convert last.",
				If:  "index",
			},
		},
		Weak: true,
	},
	{
		ID:   "ld-build-id",
		From: "GNU ld; lld",
		Forms: []Form{
			{".note.gnu.build-id section discarded, --build-id ignored", "GNU ld"},
			{"unrecognized --build-id style ignored", "GNU ld"},
			{"unknown --build-id style: {word}", "lld"},
		},
		Means: "The linker gives the module no build id, because of an option or the linker " +
			"script. The module loads nevertheless; debuginfod and crash tools find it only " +
			"by name.",
		Causes: []Cause{
			{
				Why: "The linker script is not the kernel's module.lds, or there are " +
					"additional LDFLAGS.",
				Fix: "Link with Kbuild.",
				Run: []string{"readelf -nW FILE.ko"},
			},
		},
		Weak: true,
	},
	{
		ID:   "ld-warnings",
		From: "GNU ld",
		Forms: []Form{
			{
				"requires executable stack (because the .note.GNU-stack section is executable)",
				"binutils 2.39 and later",
			},
			{
				"missing .note.GNU-stack section implies executable stack",
				"binutils 2.39 and later",
			},
			{"has a LOAD segment with RWX permissions", "binutils 2.39 and later"},
			{
				"warning: orphan section `{section}' from `{file}' being placed in section " +
					"`{where}'",
				"GNU ld",
			},
			{
				"warning: orphan section '{section}' from '{file}' being placed in section " +
					"'{where}'",
				"GNU ld",
			},
			{"is being placed in '{section}'", "lld"},
		},
		Means: "The linker remarks on sections. It does not matter to the module loader.",
		Fine:  true,
		Weak:  true,
	},
}
