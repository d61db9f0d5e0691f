// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// kernelEntries are about the kernel that was given.
var kernelEntries = []Entry{
	{
		ID:         "KLP057",
		Severities: []Severity{Error, Note},
		Topics:     []Topic{aboutGivenKernel},
		Title:      "the kernel can't be read",
		Meaning: []string{
			"A file that was given as part of a kernel, or found for it, is damaged or is " +
				"something else. It is a note where the file was only found, and another " +
				"source has the same: then that is used instead.",
			"It is also reported where no kernel is found, or nothing of one part of a " +
				"list, with the places that were searched.",
		},
		Fix: "Give a file or a release of a kernel that exists, undamaged.",
	},
	{
		ID:         "KLP058",
		Severities: []Severity{Warning, Error},
		Topics:     []Topic{aboutGivenKernel},
		Title:      "files of different kernels",
		Meaning: []string{
			"Three things are compared: how many symbols of a name there are, the releases " +
				"that the parts name (`parts of different kernels: …`, `… says that it is " +
				"…`), and the build-ids of image and vmlinux.",
			"Positions are from the better of the two: a file of a module, the image, " +
				"kallsyms, vmlinux, System.map, in this order. Nothing else is used from " +
				"the vmlinux of another build. So an annotation by file that only such a " +
				"vmlinux could resolve is an error. `sympos` prints the same warnings, " +
				"without an id.",
		},
		Fix: "Give files of one build.",
	},
	{
		ID:         "KLP060",
		Severities: []Severity{Warning},
		Topics:     []Topic{aboutGivenKernel},
		Title:      "built for another kernel",
		Meaning: []string{
			"The vermagic of the module names another release than that of the given " +
				"kernel.",
		},
		Fix: "Give the kernel that the module was built for, or build the module for this " +
			"one.",
	},
	{
		ID:         "KLP081",
		Severities: []Severity{Warning},
		Topics:     []Topic{aboutGivenKernel},
		Title:      "a file of the kernel that may be incomplete",
		Meaning: []string{
			"A symbol that a list does not have may still exist, and one that it has once " +
				"may exist twice. So nothing is concluded from what is missing: an " +
				"annotated symbol that is not in the list is not refused, exports count as " +
				"unknown, and a module that no list has is not called missing.",
			"`check` lists the same under \"not judged\", `sympos` prints it beside the " +
				"answer, and `--json` has it as `doubt`.",
		},
		Fix: "Copy the whole file again. The output of `grep` on a list is not a list.",
		See: []string{"sympos.md#whole"},
	},
	{
		ID:         "KLP091",
		Severities: []Severity{Note, Warning},
		When:       "warning where it is another one",
		Topics:     []Topic{aboutGivenKernel},
		Title:      "build of a livepatched module",
		Meaning: []string{
			"With `--kernel` or `--module`, the build of each livepatched module whose file " +
				"was read goes into `.modinfo`, as `klp_target=MODULE:ID`. ID is the " +
				"build-id of the module or, where it has none, its srcversion. No kernel " +
				"looks at the key; `modinfo` shows it, and `check` compares it (KLP170).",
			"A module that `.modinfo` has an entry of already gets no other one. It is a " +
				"warning when none of these entries is the build that symbols are looked " +
				"up in. Of a file without build-id and srcversion nothing is recorded.",
		},
		Fix: "None is needed for a note. For a warning, give the file of the module that the " +
			"livepatch is for, or correct `MODULE_INFO(klp_target, …)` in the source. " +
			"`--no-target-id` records nothing.",
		See: []string{"format.md#target-builds"},
	},
	{
		ID:         "KLP098",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutPatch},
		Title:      "function that a livepatch can't replace",
		Meaning: []string{
			"`klp-convert new` writes a replacement for functions that ftrace can change, and for " +
				"no others. Nothing was written. The lines below the message name what can be " +
				"replaced instead, as an argument for the command.",
		},
		Causes: []Cause{
			{
				Why: "Several symbols have the name.",
				Fix: "Choose one by its position: `vmlinux:name_show,2`.",
			},
			{
				Why: "There is no symbol of that name: the compiler put the function into those that " +
					"call it, or made another one of it (`name.isra.0`), or it is a system call, " +
					"whose function is called `__x64_sys_name`.",
				Fix: "Replace the functions that call it, or the one that is offered.",
			},
			{
				Why: "It has no ftrace entry: it is `notrace`, in assembler, or in `.noinstr.text`; or " +
					"it is `__init`, and gone when the kernel has started.",
				Fix: "Replace a function that calls it.",
			},
			{
				Why: "No module of that name is known, or it is part of the kernel.",
				Fix: "Name the module's file with `--module`, or `vmlinux` as the object.",
			},
		},
		Fix: "Name what the message offers instead.",
		See: []string{"guide.md#a-livepatch-begun-by-klp-convert"},
	},
	{
		ID:         "KLP099",
		Severities: []Severity{Note, Warning, Error},
		Topics:     []Topic{aboutGivenKernel},
		Title:      "types of an object that can't be used",
		Meaning: []string{
			"`annotate` writes declarations, and `new` writes functions, from the types that the " +
				"kernel's files describe: BTF, which an image, a vmlinux and modules have with " +
				"`CONFIG_DEBUG_INFO_BTF`, or debug information.",
			"Without types `annotate` writes its annotations alone. `new` writes nothing.",
		},
		Causes: []Cause{
			{
				Why: "The files that were given have no types (System.map, kallsyms, a module " +
					"whose file is not available).",
				Fix: "Give the image or a vmlinux with debug information: " +
					"`--kernel /boot/vmlinuz-RELEASE`, and `--module FILE` for a module.",
			},
			{
				Why: "A vmlinux is of another build than the image, or its BTF is damaged.",
				Fix: "Give files of one build.",
			},
		},
		Fix: "Give a file of this kernel that has types: its image, or the vmlinux of its debug package.",
		See: []string{"format.md#declarations"},
	},
}
