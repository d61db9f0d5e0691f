// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// checkKlpEntries are what check finds about klp sections and klp symbols.
var checkKlpEntries = []Entry{
	{
		ID:         "KLP118",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckKlp},
		Title:      "unreadable name of a klp section",
		Kernel: "The kernel says: `livepatch: section %s has an incorrectly formatted " +
			"name`, EINVAL.",
		Source: "`klp_apply_section_relocs`: `.klp.rela.%55[^.]`.",
		Fix: "Convert again: the name is `.klp.rela.<object>.<section>`, and an object has " +
			"at most 55 bytes and no dot.",
	},
	{
		ID:         "KLP119",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckKlp},
		Title:      "wrong header of a klp section",
		Kernel: "The kernel has a page fault in klp_apply_section_relocs " +
			"(klp_write_section_relocs since 6.3) for a module's section without SHF_ALLOC, " +
			"or whose sh_info is not a section that is loaded. It never applies a partial " +
			"relocation at the end. sh_link, sh_entsize, sh_type and, since 5.8, a vmlinux " +
			"section without SHF_ALLOC are notes.",
		Source: "`klp_apply_section_relocs`, `copy_module_elf`.",
		Fix: "Convert again: such a section has SHF_ALLOC, SHF_INFO_LINK and 0x100000 " +
			"(SHF_RELA_LIVEPATCH).",
	},
	{
		ID:         "KLP120",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckKlp},
		Title:      "klp section that is never applied",
		Kernel:     "The kernel says nothing: the code runs with the address 0.",
		Source:     "`klp_init_object_loaded`; `apply_relocations`.",
		Fix: "Give the patch a klp_object of that name (an empty `funcs` array is enough), " +
			"or annotate for an object that it has.",
	},
	{
		ID:         "KLP121",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckKlp},
		Title:      "unreadable name of a klp symbol",
		Kernel: "The kernel says: `livepatch: symbol %s has an incorrectly formatted name`, " +
			"EINVAL.",
		Source: "`klp_resolve_symbols`: `.klp.sym.%55[^.].%511[^,],%lu`, %127 before 6.1.",
		Fix: "Convert again: the name is `.klp.sym.<object>.<name>,<position>`. A klp " +
			"relocation can't use a symbol whose name is longer than the kernel reads.",
	},
	{
		ID:         "KLP122",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckKlp},
		Title:      "klp relocation of an ordinary symbol",
		Kernel: "The kernel says: `livepatch: symbol %s is not marked as a livepatch " +
			"symbol`; since 6.19 `symbol %s at rela sec %u idx %d is not …`; EINVAL.",
		Source: "`klp_resolve_symbols`.",
		Fix: "Convert again. A symbol that the kernel is to resolve has the section index " +
			"0xff20; any other symbol belongs in the ordinary relocation section.",
	},
	{
		ID:         "KLP123",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckKlp},
		Title:      "ordinary relocation of a klp symbol",
		Kernel:     "The kernel says nothing: the loader uses the value of the symbol, 0.",
		Source:     "`simplify_symbols`, `apply_relocations`.",
		Fix:        "Convert the module as modpost left it.",
	},
	{
		ID:         "KLP124",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckKlp},
		Title:      "vmlinux symbol in a section for a module",
		Kernel: "The kernel says: `livepatch: invalid access to vmlinux symbol '%s' from " +
			"module-specific livepatch relocation section`, EINVAL, since 5.8.",
		Source: "`klp_resolve_symbols` (ca376a937486).",
		Fix: "Convert again for that kernel: since 5.8 vmlinux symbols belong in " +
			"`.klp.rela.vmlinux.*`.",
	},
	{
		ID:         "KLP125",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckKlp},
		Title:      "module's symbol in a section for vmlinux",
		Kernel: "The kernel says: `livepatch: symbol '%s' not found in symbol table`, " +
			"EINVAL, unless that module happens to be loaded. It says nothing where the " +
			"livepatch imports from that module, or from one that needs it: the import " +
			"keeps the module loaded.",
		Source: "`klp_resolve_symbols`; `resolve_symbol` and `ref_module` for imports.",
		Fix: "Annotate the symbol for the module that owns it, so that it goes to " +
			"`.klp.rela.<module>.*`, and patch that module.",
	},
	{
		ID:         "KLP126",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckKlp},
		Title:      "klp symbol that does not exist",
		Kernel: "The kernel says: `livepatch: symbol '%s' not found in symbol table`, " +
			"EINVAL.",
		Source: "`klp_find_object_symbol`.",
		Fix: "`klp-convert sympos NAME -k KERNEL` shows where the name is; `/^NAME/` finds " +
			"the names that the compiler made of it.",
	},
	{
		ID:         "KLP127",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckKlp},
		Title:      "ambiguous klp symbol",
		Kernel: "The kernel says: `livepatch: unresolvable ambiguity for symbol '%s' in " +
			"object '%s'`, EINVAL. It prints vmlinux as (null).",
		Source: "`klp_find_object_symbol`.",
		Fix: "`klp-convert sympos NAME@OBJECT -k KERNEL` shows the positions. Write the one " +
			"that is meant.",
	},
	{
		ID:         "KLP128",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckKlp},
		Title:      "klp symbol without such a position",
		Kernel: "The kernel says: `livepatch: symbol position %lu for symbol '%s' in object " +
			"'%s' not found`, EINVAL.",
		Source: "`klp_find_object_symbol`.",
		Fix:    "`klp-convert sympos NAME@OBJECT -k KERNEL` shows the positions that exist.",
	},
	{
		ID:         "KLP129",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckKlp},
		Title:      "position that depends on the order of loading",
		Kernel: "The kernel says nothing: in one of the orders it uses another symbol. " +
			"While it loads a module, it counts the symbols of `.init` sections; later it " +
			"does not.",
		Source: "`is_core_symbol` in kernel/module/kallsyms.c.",
		Fix:    "Use another symbol.",
	},
	{
		ID:         "KLP130",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckKlp},
		Title:      "symbol of a module that need not be loaded",
		Kernel: "The kernel says: `livepatch: symbol '%s' not found in symbol table` when " +
			"the module of the section is loaded without the other. It says nothing where " +
			"the module of the section needs the other, or the livepatch imports from it.",
		Source: "`klp_resolve_symbols`.",
		Fix: "Name the module that owns the symbol as the livepatched object, and patch " +
			"something of that module.",
	},
	{
		ID:         "KLP151",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckKlp},
		Title:      "position that is another symbol in another kernel",
		Kernel:     "The kernel says nothing: it uses the symbol at that position.",
		Source:     "`klp_find_object_symbol`.",
		Meaning: []string{
			"A position is counted in one kernel. Where the files were linked in another " +
				"order, or there is one more symbol of that name, it is another symbol. " +
				"`check` sees it when it is given both kernels. It is a finding where the " +
				"files of the symbols are known (a vmlinux with its symbol table, as in " +
				"debug packages), and a note where only their number or size tells.",
		},
		Fix: "Convert the module for each kernel, with `--kernel`. `klp-convert sympos " +
			"NAME@OBJECT -k A -k B` shows what has moved.",
	},
	{
		ID:         "KLP156",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckKlp},
		Title:      "klp symbol whose name is too long for the kernel",
		Kernel: "The kernel says: `livepatch: symbol %s has an incorrectly formatted name`, " +
			"EINVAL, with the first 127 bytes of the name. Where a digit of the position is " +
			"left, it says nothing and uses the symbol at another position.",
		Source: "`add_kallsyms`, before 5.19: it copies names into 128 bytes each, which " +
			"`klp_resolve_symbols` reads for relocations that are applied late (KLP077).",
		Fix: "Get to the symbol by one whose name is shorter, or patch its caller.",
	},
}
