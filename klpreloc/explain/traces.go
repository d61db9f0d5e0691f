// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// traces is warnings, oopses and their first lines. Nothing in them says "livepatch",
// so most are weak.
var traces = []Entry{
	{
		ID:   "fault-in-klp",
		From: "an oops of the kernel, its line with the program counter",
		Forms: []Form{
			{"RIP: {seg}:klp_apply_section_relocs+", "x86, 5.8 and later"},
			{"RIP: {seg}:klp_resolve_symbols", "x86"},
			{"RIP: {seg}:klp_write_section_relocs+", "x86, 6.3 and later"},
			{"RIP: {seg}:klp_write_object_relocations+", "x86, up to 5.7"},
			{"RIP: {seg}:klp_init_object_loaded", "x86"},
			{"pc : klp_apply_section_relocs+", "arm64"},
			{"pc : klp_resolve_symbols", "arm64"},
			{"NIP [{hex}] klp_apply_section_relocs+", "powerpc"},
		},
		Means: "The kernel faulted while it read the klp relocations of the module: a section " +
			"of them, or the name of a symbol, is no longer in memory.",
		Causes: []Cause{
			{
				Why: "A .klp.rela section for a module has no SHF_ALLOC, so it is freed " +
					"before the module is loaded.",
				Fix: "Convert with klp-convert; readelf must show the flags AIo for such " +
					"sections.",
				Run: []string{"readelf -SW PATCH.ko | grep klp.rela"},
			},
			{
				Why: "The symbol number of a relocation is outside of the symbol table: a " +
					"tool renumbered symbols.",
				Fix: "Edit nothing after conversion.",
				Run: []string{"readelf -rW PATCH.ko >/dev/null"},
			},
			{
				Why: "On 6.13 release candidates: a kernel bug in late relocation with ROX " +
					"memory.",
				Fix: "Use the release.",
			},
		},
	},
	{
		ID:   "fault-in-relocate",
		From: "an oops of the kernel, its line with the program counter",
		Forms: []Form{
			{"RIP: {seg}:apply_relocate_add+", "x86"},
			{"RIP: {seg}:__apply_relocate_add", "x86"},
			{"RIP: {seg}:__write_relocate_add", "x86, 6.3 and later"},
			{"pc : apply_relocate_add+", "arm64"},
			{"NIP [{hex}] apply_relocate_add+", "powerpc"},
		},
		Means: "The kernel faulted while it applied relocations: the place to write to does " +
			"not exist, or is read-only.",
		Causes: []Cause{
			{
				Why: "A klp relocation is outside of its section, or its section is not loaded.",
				Fix: "Convert again with klp-convert, which checks every place.",
				Run: []string{"klp-convert inspect PATCH.ko"},
			},
			{
				Why: "The kernel can't write there late (arm64 before 6.17, ppc64 read-only " +
					"data).",
				Fix: "Read the explanation of write-read-only.",
				Run: []string{"klp-convert explain KLP032"},
			},
		},
	},
	{
		ID:   "jump-label-del",
		From: "kernel/jump_label.c, jump_label_del_module",
		Forms: []Form{
			{"WARNING: {text}jump_label_del_module+", ""},
		},
		Means: "A livepatch is unloaded, and one of its jump labels is not registered with a " +
			"key. So it never followed its key.",
		Causes: []Cause{
			{
				Why: "__jump_table has a klp relocation that was applied late: a module's " +
					"static key (any kernel), or vmlinux's before 5.8.",
				Fix: "Use static_key_enabled() in the patched function, as the hint of " +
					"klp-convert says (KLP030).",
				Run: []string{
					"klp-convert explain KLP030",
					"klp-convert inspect PATCH.ko",
				},
			},
		},
	},
	{
		ID:   "jump-label-op",
		From: "arch/x86/kernel/jump_label.c",
		Forms: []Form{
			{"jump_label: Fatal kernel bug, unexpected op at {where}", "x86"},
		},
		Means: "The code of a jump label is not what its table says. BUG.",
		Causes: []Cause{
			{
				Why: "A klp relocation wrote to the place, or the entry names the wrong place.",
				Fix: "Keep klp relocations of modules out of special sections.",
				Run: []string{"klp-convert explain KLP030"},
			},
		},
	},
	{
		ID:   "null-dereference",
		From: "arch/*/mm/fault.c",
		Forms: []Form{
			{"BUG: kernel NULL pointer dereference, address: {hex}", "x86, 5.1 and later"},
			{"BUG: unable to handle kernel NULL pointer dereference at {hex}", "x86, before 5.1"},
			{
				"Unable to handle kernel NULL pointer dereference at virtual address {hex}",
				"arm64, s390",
			},
			{
				"Unable to handle kernel pointer dereference in virtual kernel address space",
				"s390",
			},
			{"BUG: Kernel NULL pointer dereference on read at {hex}", "powerpc"},
			{"BUG: unable to handle page fault for address: {hex}", "x86, 5.1 and later"},
			{"BUG: unable to handle kernel paging request at {hex}", "x86, before 5.1"},
			{"general protection fault", "x86"},
		},
		Means: "The kernel used an invalid address. On the first call of a patched function, " +
			"this means that a klp relocation was not applied, and the place still holds zero " +
			"and the addend.",
		Causes: []Cause{
			{
				Why: "The klp relocations are for an object that the patch does not have as " +
					"klp_object: they are never applied, and there is no message.",
				Fix: "Add the object (its funcs may be empty), or annotate for the one that " +
					"is patched. klp-convert reports it as KLP063.",
				Run: []string{
					"klp-convert inspect PATCH.ko",
					"klp-convert explain KLP063",
				},
			},
			{
				Why: "An ordinary relocation names a klp symbol: only a part was converted.",
				Fix: "Convert again, the module as modpost left it.",
				Run: []string{"klp-convert inspect PATCH.ko"},
			},
			{
				Why: "A weak undefined symbol was bound to address 0.",
				Fix: "List those that are left.",
				Run: []string{
					"klp-convert inspect PATCH.ko",
					"klp-convert explain KLP024",
				},
			},
			{
				Why: "A symbol of vmlinux is in .klp.rela.vmlinux on a kernel before 5.8, " +
					"without a klp_object for vmlinux.",
				Fix: "Convert for that kernel (--kernel or --target).",
			},
			{
				Why: "An alternative or a jump label of the patched function has a klp " +
					"relocation that was applied too late.",
				Fix: "Read KLP030.",
				Run: []string{"klp-convert explain KLP030"},
			},
			{
				Why: "The position is valid and is that of another symbol of the same name.",
				Fix: "Find out which files the symbols of that name are from.",
				Run: []string{"klp-convert sympos SYMBOL"},
			},
		},
		Weak: true,
	},
	{
		ID:   "jump-to-zero",
		From: "an oops of the kernel, its line with the program counter",
		Forms: []Form{
			{"RIP: {seg}:0x0", "x86"},
			{"RIP: {seg}:          (null)", "x86, before 4.20"},
			{"pc : 0x0", "arm64"},
		},
		Means: "A function was called at address 0: a pointer that was not filled in, or a " +
			"call to a weak symbol that stayed undefined.",
		Causes: []Cause{
			{
				Why: "The klp relocation of a function pointer was never applied: no " +
					"klp_object of that name.",
				Fix: "Read KLP063.",
				Run: []string{
					"klp-convert inspect PATCH.ko",
					"klp-convert explain KLP063",
				},
			},
			{
				Why: "The module was loaded without being converted, its symbols declared weak.",
				Fix: "Convert it.",
				Run: []string{"klp-convert IN.ko OUT.ko"},
			},
		},
		Weak: true,
	},
	{
		ID:   "fault-in-module",
		From: "an oops of the kernel, its line with the program counter",
		Forms: []Form{
			{"RIP: {seg}:{symbol}+{where} [{module}]", "x86"},
			{"pc : {symbol}+{where} [{module}]", "arm64"},
			{"NIP [{hex}] {symbol}+{where} [{module}]", "powerpc"},
		},
		Means: "The fault is in {symbol} of module {module}. If that is the livepatch, " +
			"{symbol} is the new function, and one of its klp symbols may be wrong.",
		Causes: []Cause{
			{
				Why: "A klp relocation in {symbol} was not applied, or resolves to another " +
					"symbol.",
				Fix: "Look at the instruction with its klp symbols, in a copy that objdump " +
					"can read.",
				Run: []string{
					"klp-convert inspect --debug-copy DEBUG.ko {module}.ko",
					"objdump -dr --disassemble={symbol} DEBUG.ko",
					"klp-convert inspect {module}.ko",
				},
			},
			{
				Why: "The new code has a defect.",
				Fix: "Debug it as any module.",
			},
		},
		Weak: true,
	},
	{
		ID:   "endbr",
		From: "arch/x86/kernel/cet.c (traps.c before 6.6), exc_control_protection",
		Forms: []Form{
			{"Missing ENDBR: {symbol}", "x86 with IBT, 5.18 and later"},
		},
		Means: "{symbol} was called through a pointer, and does not begin with ENDBR. The " +
			"kernel stops (BUG), or warns with ibt=warn.",
		Causes: []Cause{
			{
				Why: "The livepatch calls a function by an address from kallsyms_lookup_name " +
					"or a kprobe.",
				Fix: "Use a klp relocation and call it directly.",
				Run: []string{"KLP_RELOC_SYMBOL(LP_OBJ, SYM_OBJ, {symbol})"},
			},
		},
	},
	{
		ID:   "call-thunks",
		From: "arch/x86/kernel/callthunks.c",
		Forms: []Form{
			{"Invalid padding area for {where}", "x86, 6.2 and later"},
		},
		Means: "Call depth tracking (retbleed=stuff) counts calls in a padding before each " +
			"function. The destination of a call has no padding, or a late klp relocation " +
			"fills in the destination later. This is harmless: the call works, and is not " +
			"counted.",
		Causes: []Cause{
			{
				Why: "It is a call to a function of a module, in code that .call_sites lists.",
				Fix: "None is needed.",
			},
			{
				Why: "An object of the module was built without " +
					"-fpatchable-function-entry=16,16.",
				Fix: "Build all of it with this kernel's Kbuild. klp-convert check reports it " +
					"as KLP163.",
			},
		},
	},
	{
		ID:   "static-call",
		From: "objtool; kernel/static_call_inline.c",
		Forms: []Form{
			{"static_call: can't find static_call_key symbol: {symbol}", ""},
			{"can't find static_call_key symbol: {symbol}", "objtool"},
		},
		Means: "The trampoline of a static call is known, and its key, {symbol}, is not.",
		Causes: []Cause{
			{
				Why: "Only the trampoline is exported or annotated.",
				Fix: "Annotate the key too, or call the function that it points to: " +
					"STATIC_CALL_KEY(name).func or, with objtool klp, KLP_STATIC_CALL().",
				Run: []string{"klp-convert sympos {symbol}"},
			},
		},
	},
	{
		ID:   "kobject-exists",
		From: "lib/kobject.c, kobject_add_internal",
		Forms: []Form{
			{
				"kobject_add_internal failed for {where} with -EEXIST, don't try to register " +
					"things with the same name in the same directory.",
				"",
			},
		},
		Means: "Something called {where} already exists; for a livepatch that is the patch, " +
			"or an object or a function that it lists twice.",
		Causes: []Cause{
			{
				Why: "The line \"sysfs: cannot create duplicate filename\" before this one " +
					"says what exists.",
				Fix: "Merge what is listed twice, or unload the livepatch of that name.",
				Run: []string{"ls /sys/kernel/livepatch"},
			},
		},
		Weak: true,
	},
}
