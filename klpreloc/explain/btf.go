// SPDX-License-Identifier: GPL-2.0-or-later

package explain

// btf is what pahole and resolve_btfids say, which make .BTF of a module after the link.
var btf = []Entry{
	{
		ID:   "btfids-unresolved",
		From: "tools/bpf/resolve_btfids/main.c",
		Forms: []Form{
			{"WARN: resolve_btfids: unresolved symbol {symbol}", "5.10 and later"},
			{"FAILED unresolved symbol {symbol}", "earlier"},
			{"WARN: multiple IDs found for '{symbol}': {n}, {n} - using {n}", "after 5.10"},
			{"WARN: resolve_btfids: no BTF ID symbol for {symbol} entry {n}", "7.x"},
			{"WARN: resolve_btfids: no BTF func for kfunc {function} in {where}", "7.x"},
		},
		Means: "The object lists {symbol} among types or functions for BPF (BTF_ID), and its " +
			"BTF has no type of that name, or several. The id stays 0, or is that of the " +
			"first. It does not matter for livepatching.",
		Causes: []Cause{
			{
				Why: "The function was inlined, or renamed by the compiler, or has no debug " +
					"information.",
				Fix: "None is needed, for a livepatch without BPF of its own.",
			},
			{
				Why: "A source file with BTF_ID lists was copied into the livepatch.",
				Fix: "Remove the lists.",
			},
		},
	},
	{
		ID:   "btfids-failed",
		From: "tools/bpf/resolve_btfids/main.c",
		Forms: []Form{
			{"FAILED: load BTF from {file}: {text}", ""},
			{"FAILED: load base BTF from {file}: {text}", ""},
			{"FAILED load BTF from {file}: {text}", ""},
			{"FAILED cannot open {file}: {text}", ""},
			{"FAILED cannot create ELF descriptor: {text}", ""},
			{"FAILED cannot get ELF header: {text}", ""},
			{"FAILED cannot get shdr str ndx", ""},
			{"FAILED get section({n}) header", ""},
			{"FAILED get section({n}) name", ""},
			{"FAILED to get section({n}) data from {file}", ""},
			{"FAILED to get section header", "7.x"},
			{"FAILED to get {section} section data from {file}", "7.x"},
			{"FAILED: section {section} not found in {file}", "7.x"},
			{
				"FAILED: size mismatch - {section} section in {file} is {n} bytes, {file} is " +
					"{n} bytes",
				"7.x",
			},
			{"FAILED to open {file}: {text}", "7.x"},
			{"FAILED to stat {file}: {text}", "7.x"},
			{"FAILED to read {file}", "7.x"},
			{"FAILED to update ELF file {file}", "7.x"},
			{"FAILED cannot update section header: {text}", ""},
			{"FAILED elf_update(WRITE): {text}", ""},
			{"FAILED: malformed BTF, can't resolve type for ID {n}", ""},
			{"FAILED: malformed BTF, can't resolve name for ID {n}", ""},
			{"FAILED patching index {n} out of bounds {n}", ""},
			{"FAILED malformed data for set '{symbol}'", ""},
			{"FAILED to parse set name: {symbol}", ""},
			{"FAILED to parse symbol name: {symbol}", ""},
			{"FAILED unsupported prefix {word}", ""},
			{"FAILED symbol {symbol} crossed the number of allowed lists", ""},
		},
		Means: "resolve_btfids can't read or write the module, or the vmlinux on whose BTF it " +
			"builds. The build stops, and the .ko is removed.",
		Causes: []Cause{
			{
				Why: "pahole made no BTF, or the vmlinux of the headers is from another build.",
				Fix: "Read what pahole printed, or build without BTF for this module.",
				Run: []string{"make CONFIG_DEBUG_INFO_BTF_MODULES= M=$PWD modules"},
			},
			{
				Why: "The file was converted, stripped or linked before this step.",
				Fix: "Convert after the whole build, as klp-convert.mk does.",
			},
			{
				Why: "The disk is full, or the file is not writable.",
				Fix: "Make room, or the file writable.",
				If:  "FAILED to",
			},
		},
		Weak: true,
	},
	{
		ID:   "pahole",
		From: "pahole; scripts/Makefile.modfinal, gen-btf.sh",
		Forms: []Form{
			{"pahole: {file}: Invalid argument", ""},
			{"pahole: {file}: No such file or directory", ""},
			{"pahole: unrecognized option '{word}'", ""},
			{"pahole: not found", "the shell"},
			{"pahole: command not found", "the shell"},
			{"btf_encoder__encode: {text}", ""},
			{"Encountered error while encoding BTF.", ""},
			{"Failed to encode BTF", ""},
			{"Error creating BTF encoder.", ""},
			{"Error while encoding BTF.", ""},
			{"Failed to parse base BTF '{file}': {errno}", ""},
			{"error: failed to encode function '{function}': invalid {word}", ""},
			{
				"PAHOLE: Error: Use '--btf_encode_force' to ignore such symbols and force " +
					"emit the btf.",
				"",
			},
			{"libbpf: failed to find '.BTF' ELF section in {file}", ""},
			{
				"DW_TAG_compile_unit, DW_TAG_type_unit, DW_TAG_partial_unit or " +
					"DW_TAG_skeleton_unit expected got {text}",
				"",
			},
			{"pahole (pahole) is not available", "scripts/link-vmlinux.sh, up to 6.11"},
			{
				"BTF: {file}: pahole version {text} is too old, need at least {text}",
				"scripts/link-vmlinux.sh, up to 6.11",
			},
		},
		Means: "pahole, which makes BTF of the module's DWARF, failed. Kbuild runs it where " +
			"the headers come with a vmlinux; depending on the kernel, the build stops or the " +
			"module has no .BTF.",
		Causes: []Cause{
			{
				Why: "pahole is not installed, or older than the kernel's configuration " +
					"expects.",
				Fix: "Install the version that built the kernel.",
				Run: []string{
					"apt-get install pahole",
					"grep PAHOLE_VERSION /boot/config-$(uname -r)",
				},
			},
			{
				Why: "The vmlinux of the headers has no .BTF, or is from another build.",
				Fix: "Build without BTF: a livepatch does not need it.",
				Run: []string{"make CONFIG_DEBUG_INFO_BTF_MODULES= M=$PWD modules"},
			},
		},
		Weak: true,
	},
}
