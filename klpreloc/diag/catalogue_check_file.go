// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// checkFileEntries are what check finds about the file, its signature, vermagic, struct module.
var checkFileEntries = []Entry{
	{
		ID:         "KLP101",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckFile},
		Title:      "not an ELF file that the loader accepts",
		Kernel: "The kernel says: `Invalid ELF …`, `ELF Spec violation: …`, `%s: module has " +
			"no symbols (stripped?)`, `Only one .modinfo section must exist.` and similar; " +
			"ENOEXEC. Before 5.15, one line is used for all but two: `Module has invalid " +
			"ELF structures`. `%s: section %s (index %d) has invalid WRITE|EXEC flags` " +
			"since 5.7. Where nothing checks names and symbol numbers that are far outside " +
			"of their tables, they cause page faults; so does a struct module that is not " +
			"writable.",
		Source: "`elf_validity_check`, since 6.13 (and 6.12 stable) " +
			"`elf_validity_cache_copy` in kernel/module/main.c.",
		Meaning: []string{
			"The loader does not read EI_CLASS, EI_DATA, EI_VERSION, e_version, e_ehsize, " +
				"e_phnum, sh_entsize, sh_addralign, sh_info of the symbol table, and " +
				"headers of type SHT_NULL: wrong values there are not a finding. A file " +
				"that the loader would accept and klp-convert can't read is one: the rest " +
				"of it was not judged.",
		},
		Fix: "Build the module again. Only klp-convert and the signature may follow " +
			"modpost: no `strip`, no `objcopy`, no `ld -r`.",
	},
	{
		ID:         "KLP102",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckFile},
		Title:      "signature missing or malformed",
		Kernel: "The kernel says: `Loading of unsigned module is rejected`, EKEYREJECTED; " +
			"EBADMSG for a length that is impossible and for what is not a PKCS#7 message; " +
			"`module: not signed with expected PKCS#7 message` for another type, which " +
			"loads.",
		Source: "`module_sig_check`, `mod_check_sig`.",
		Meaning: []string{
			"Whether a signature is valid, and its key trusted, is not checked.",
		},
		Fix: "Sign last, after klp-convert.",
	},
	{
		ID:         "KLP103",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckFile},
		Title:      "annotations that are not converted",
		Kernel: "The kernel says: `%s: Unknown symbol %s (err -2)` for each annotated " +
			"symbol.",
		Source: "`simplify_symbols`.",
		Fix: "Convert the module, and check the result: `klp-convert in.ko out.ko && " +
			"klp-convert check out.ko -k KERNEL`.",
	},
	{
		ID:         "KLP104",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckFile},
		Title:      "not marked as a livepatch",
		Kernel: "The kernel says: `livepatch: module %s is not marked as a livepatch " +
			"module`, EINVAL.",
		Source: "`klp_enable_patch`.",
		Fix:    "Add `MODULE_INFO(livepatch, \"Y\");` to the source.",
	},
	{
		ID:         "KLP105",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckFile},
		Title:      "kernel without livepatching",
		Kernel: "The kernel says: `%s: module is marked as livepatch module, but livepatch " +
			"support is disabled`, ENOEXEC.",
		Source: "`check_modinfo_livepatch`.",
		Fix:    "Use a kernel with CONFIG_LIVEPATCH; no edit of the module helps.",
	},
	{
		ID:         "KLP106",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckFile},
		Title:      "vermagic of another kernel",
		Kernel: "The kernel says: `%s: version magic '%s' should be '%s'`, ENOEXEC; without " +
			"a vermagic `%s: bad vermagic: kernel tainted.`, a note with " +
			"`CONFIG_MODULE_FORCE_LOAD`.",
		Source: "`check_modinfo`, `same_magic`: for a module with `__versions` the release " +
			"does not count.",
		Fix: "Build the module against the headers of that kernel.",
	},
	{
		ID:         "KLP107",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckFile},
		Title:      "struct module of another size",
		Kernel: "The kernel says: `module %s: .gnu.linkonce.this_module section size must " +
			"match the kernel's built struct module size at run time`, ENOEXEC, since 6.4. " +
			"Older kernels treat the memory after the section as the rest of it; a section " +
			"that is larger than needed is a note.",
		Source: "`elf_validity_cache_index_mod`.",
		Fix:    "Build the module against the headers and configuration of that kernel.",
	},
	{
		ID:         "KLP108",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckFile},
		Title:      "impossible module name",
		Kernel: "The kernel says: `livepatch: vmlinux.ko: invalid module name`, EINVAL. It " +
			"silently returns EEXIST where a module with the name in struct module is " +
			"loaded.",
		Source: "`klp_module_coming`; `add_unformed_module`.",
		Fix:    "Rename the module: another `obj-m` name.",
	},
	{
		ID:         "KLP109",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutCheckFile},
		Title:      "init or exit at another place in struct module",
		Kernel: "The kernel says nothing: it never calls init, and nothing is patched. " +
			"Without exit, removal fails with EBUSY; a module that has no exit function at " +
			"all is a note.",
		Source: "`do_init_module`: `mod->init`.",
		Fix:    "Build the module against the headers and configuration of that kernel.",
	},
	{
		ID:         "KLP149",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckFile},
		Title:      "sections for jump tables missing",
		Kernel: "The kernel says on ppc64le `%s: doesn't contain .stubs.`, on arm64 and " +
			"loongarch64 `%s: module PLT section(s) missing`; ENOEXEC.",
		Source: "`module_frob_arch_sections`.",
		Fix:    "Link the module with Kbuild, which has the linker script.",
	},
	{
		ID:         "KLP150",
		Severities: []Severity{Note},
		Topics:     []Topic{aboutCheckFile},
		Title:      "not a livepatch",
		Kernel:     "The kernel loads it as any other module.",
		Fix:        "For a livepatch, add a klp_patch and `MODULE_INFO(livepatch, \"Y\");`.",
	},
	{
		ID:         "KLP153",
		Severities: []Severity{Note, Error},
		Topics:     []Topic{aboutCheckFile},
		Title:      "table of an impossible size, or without addresses",
		Kernel: "The kernel says: `WARNING … arch/x86/kernel/unwind_orc.c … " +
			"unwind_module_init`, once. Stack traces through the module are then guesses.",
		Source: "`unwind_module_init`.",
		Fix:    "Build the module again.",
	},
	{
		ID:         "KLP154",
		Severities: []Severity{Note},
		Topics:     []Topic{aboutCheckFile},
		Title:      "module that declares itself as staging or test",
		Kernel: "The kernel says: `%s: module is from the staging directory, the quality is " +
			"unknown, you have been warned.` for a module with `staging=` in .modinfo; `%s: " +
			"loading test module taints kernel.`, since 6.0 and once, for one with `test=`.",
		Source: "`check_modinfo`.",
		Fix:    "None is needed. To avoid the taint, remove the tag.",
	},
}
