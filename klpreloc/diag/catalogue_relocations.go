// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// relocationEntries are about relocations.
var relocationEntries = []Entry{
	{
		ID:         "KLP017",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutRelocations},
		Title:      "relocation type that the loader does not apply",
		Meaning: []string{
			"The module loader applies only some relocation types, and klp relocations go " +
				"through the same code. All places with one cause are one diagnostic.",
		},
		Causes: []Cause{
			{
				Why: "The type has `GOT` in its name: the code was compiled with `-fpic`, " +
					"`-fpie` or `-mno-direct-extern-access`.",
				Fix: "Build with Kbuild.",
			},
			{
				Why: "The type has `GOT` in its name and the symbol is weak: the " +
					"declaration says `__weak`. On arm64, gcc 12 and clang 14 use the GOT " +
					"for it even with `-fno-pic`.",
				Fix: "Remove `__weak`.",
			},
			{
				Why: "The type has `TLS`, `TPOFF` or `DTP` in its name: the variable is " +
					"`__thread`.",
				Fix: "A kernel module can't use thread-local variables.",
			},
			{
				Why: "The type is `COPY`, `GLOB_DAT`, `JUMP_SLOT` or `RELATIVE`: the file " +
					"was linked with `-shared`.",
				Fix: "Link with `ld -r`, as Kbuild does.",
			},
		},
		Fix: "Follow the hint, which depends on the type.",
	},
	{
		ID:         "KLP018",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutRelocations},
		Title:      "bytes to be relocated are not zero",
		Meaning: []string{
			"x86 kernels refuse to relocate bytes that are not zero: `Skipping invalid " +
				"relocation target, existing value is nonzero` (before 6.3) or `Invalid " +
				"relocation target, existing value is nonzero`. The file was relocated " +
				"before, or a tool has written there.",
		},
		Fix: "Convert the module as modpost left it.",
	},
	{
		ID:         "KLP019",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutRelocations},
		Title:      "call without a nop after it, ppc64le",
		Meaning: []string{
			"A call into another object goes through a stub. The kernel turns the nop after " +
				"the call into a reload of r2, and says `Expected nop after call` when " +
				"there is no nop. The compiler leaves it out when it believes the function " +
				"to be local. A plain branch (`b`, a sibling call) needs none.",
		},
		Fix: "Declare the function `extern`, without hidden visibility.",
	},
	{
		ID:         "KLP020",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutRelocations},
		Title:      "klp relocation into per-CPU data",
		Meaning: []string{
			"The loader places `.data..percpu` itself. Kernels before 7.x then silently " +
				"skip klp relocations into it, and no kernel applies those of a module's " +
				"symbol.",
		},
		Fix: "Initialise the variable in code, as the hint says.",
	},
	{
		ID:         "KLP021",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutRelocations},
		Title:      "SHT_REL relocations",
		Meaning: []string{
			"These relocations have no addends. Every architecture with livepatching uses " +
				"`SHT_RELA`, and klp relocations exist in that form only. There is one " +
				"diagnostic for all such places. A file like this without annotations is " +
				"copied.",
		},
		Fix: "Build the module with the kernel's own compiler and flags (Kbuild).",
	},
	{
		ID:         "KLP022",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutRelocations},
		Title:      "relocations that belong together, loongarch64",
		Meaning: []string{
			"On loongarch, several relocations at one place compute one value (ADD and SUB, " +
				"the SOP stack machine). The loader goes through one section at a time, so " +
				"they can't be split between an ordinary and a klp section. A difference " +
				"like `foo - .` does that.",
		},
		Fix: "Take the address of the symbol in code, or in a pointer of its own, without " +
			"arithmetic.",
	},
	{
		ID:         "KLP032",
		Severities: []Severity{Warning},
		Topics:     []Topic{aboutRelocations},
		Title:      "late write into read-only memory, ppc64le",
		Meaning: []string{
			"On ppc64le the kernel writes everything but a call with plain stores. It " +
				"resolves a module's symbol when the module is loaded, and by then `.text` " +
				"and `.rodata` of the livepatch are read-only under `STRICT_MODULE_RWX`: " +
				"the kernel faults. `.data..ro_after_init` is so once the livepatch's init function " +
				"has returned: the kernel faults when the module is loaded after that.",
			"A `const` pointer in C is no reason for this: compilers put constants that hold " +
				"addresses into `.data.rel.ro`, which the kernel leaves writable.",
		},
		Fix: "Use the symbol through a writable pointer (a plain, non-const variable in " +
			"`.data`).",
	},
	{
		ID:         "KLP035",
		Severities: []Severity{Note},
		Topics:     []Topic{aboutRelocations},
		Title:      "relocations of debug information",
		Meaning: []string{
			"Relocations of sections that the kernel does not load can't be klp " +
				"relocations. They lose their symbol, or are removed when they refer to an " +
				"annotation.",
		},
		See: []string{"format.md#debug-information", "architecture.md#debug-information"},
	},
	{
		ID:         "KLP037",
		Severities: []Severity{Error, Warning},
		When:       "warning with --unsafe",
		Topics:     []Topic{aboutRelocations},
		Title:      "a module's symbol in an init section",
		Meaning: []string{
			"The kernel applies klp relocations of a module when that module is loaded. By " +
				"then the livepatch's own `__init` code and data (sections whose names " +
				"begin with `.init`) are freed, and their memory may have another owner. " +
				"Seen on Debian's 6.1 with a module made by hand: the livepatch loads; the " +
				"target, loaded afterwards into that very memory, is refused with `existing " +
				"value is nonzero`. vmlinux symbols are resolved while the livepatch is " +
				"loaded, so they may be used there. Before 5.8 that is a warning: they are " +
				"resolved by `klp_enable_patch()`, and code that runs before that would use " +
				"the address 0.",
		},
		Fix: "Use the symbol in code that stays, for instance in a pre-patch callback.",
	},
}
