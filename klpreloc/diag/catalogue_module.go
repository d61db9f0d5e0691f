// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// moduleEntries are about the module as a whole, files, and klp-convert itself.
var moduleEntries = []Entry{
	{
		ID:         "KLP001",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutModule},
		Title:      "annotations, but not a livepatch",
		Meaning: []string{
			"The kernel goes by the key `livepatch` in `.modinfo`. In a module without it, " +
				"the kernel does not keep the sections and symbols that late relocations " +
				"need, and `klp_enable_patch()` says `module x is not marked as a livepatch " +
				"module`.",
		},
		Fix: "Add the line of the hint to the source of the module. If the module is not a " +
			"livepatch, remove the annotations: an ordinary module can't use klp " +
			"relocations.",
	},
	{
		ID:         "KLP015",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutModule},
		Title:      "kernel before 4.7",
		Meaning: []string{
			"klp relocations exist since 4.7. The kernel is what `--target` says; without " +
				"it, the kernel given with `--kernel`; without both, what the vermagic of " +
				"the module says. Kernels from 4.7 to 5.7 get the older form (KLP068).",
		},
		Fix: "klp-convert can't convert for such a kernel. Correct `--target`, if it is " +
			"wrong.",
	},
	{
		ID:         "KLP016",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutModule},
		Title:      "machine without livepatching",
		Meaning: []string{
			"Kernels up to 7.3 have livepatching on x86_64, s390x, ppc64, ppc (32-bit), " +
				"aarch64 and loongarch64, and on no other machine. Usually the module is " +
				"from the wrong build.",
		},
		Fix: "Build the module for one of these machines.",
	},
	{
		ID:         "KLP023",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutModule},
		Title:      "klp relocations beside annotations",
		Meaning: []string{
			"A part of the module is converted and a part is not. Two tools worked on it, " +
				"or a converted object was linked with a new one, which also breaks the " +
				"converted part.",
		},
		Fix: "Convert once, at the end.",
		See: []string{"format.md#afterwards"},
	},
	{
		ID:         "KLP026",
		Severities: []Severity{Warning},
		Topics:     []Topic{aboutModule},
		Title:      "signature dropped",
		Meaning: []string{
			"The signature at the end of the file covers bytes that changed. It is removed, " +
				"because a kernel refuses a wrong signature where it may accept a missing " +
				"one. A module with nothing to convert keeps its signature.",
		},
		Fix: "Sign after klp-convert.",
	},
	{
		ID:         "KLP027",
		Severities: []Severity{Note},
		Topics:     []Topic{aboutModule},
		Title:      "input of objtool klp",
		Meaning: []string{
			"`objtool klp diff` writes `__klp_relocs*` sections, and `objtool klp " +
				"post-link` converts them. klp-convert leaves them as they are.",
		},
	},
	{
		ID:         "KLP028",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutModule},
		Title:      "layout that can't be edited",
		Meaning: []string{
			"klp-convert lays a file out as linkers do: contents aligned and in order, " +
				"zeros between them, section headers last. In this file contents overlap, " +
				"or bytes between them are not zero, or there are program headers: it is " +
				"not known which bytes may move. The file can be copied, but not edited.",
			"The same id is used for compact relocations (`SHT_CREL`) and for relocation " +
				"sections that are not linked to the symbol table. Such relocations are not " +
				"read, so nothing that depends on them is reported.",
		},
		Fix: "`ld -r -o out.o in.o` before conversion gives a regular layout.",
	},
	{
		ID:         "KLP031",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutModule},
		Title:      "not a valid ELF file",
		Meaning: []string{
			"The message says which rule of the ELF specification is broken, and where; " +
				"`file+0x28` is an offset in the file. A file that is not ELF, or not " +
				"relocatable, is named by its contents: LLVM bitcode, a slim LTO object, an " +
				"ar archive, a web page, a Git LFS pointer and others. A hint says what to " +
				"do with it.",
			"`inspect`, `diff`, `annotate`, `check`, `--kernel`, `--module`, `--symvers` " +
				"and `explain` use the same names.",
		},
		Causes: []Cause{
			{
				Why: "A download stopped.",
				Fix: "Download the file again.",
			},
			{
				Why: "It is a final executable instead of a relocatable file.",
				Fix: "Give the module (`.ko`).",
			},
			{
				Why: "It is a text file.",
				Fix: "Give the module (`.ko`).",
			},
		},
		Fix: "Build the module again.",
	},
	{
		ID:         "KLP033",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutSelf},
		Title:      "the proof failed",
		Meaning: []string{
			"klp-convert reads each result back and compares it with the input before the " +
				"result gets its name. This message says that the comparison failed. No " +
				"module is known that causes it.",
		},
		Fix: "Report it, with the module: it is a defect of klp-convert.",
		See: []string{"architecture.md#what-is-proven"},
	},
	{
		ID:         "KLP034",
		Severities: []Severity{Note},
		Topics:     []Topic{aboutModule},
		Title:      "nothing to convert",
		Meaning: []string{
			"The module has no annotations, and no build is recorded in it (KLP091). It is " +
				"copied byte for byte; with the same file " +
				"as input and output, nothing is written. Kbuild can therefore run " +
				"klp-convert on every module. A module that is already converted gets the " +
				"same note.",
		},
		Fix: "None is needed. If you expected a conversion: include `klp_convert.h`, and " +
			"have the tables in C files that are linked into the module. `klp-convert " +
			"inspect` lists the annotations that it sees.",
	},
	{
		ID:         "KLP036",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutFiles},
		Title:      "a file can't be read or written",
		Meaning: []string{
			"The message is that of the operating system, or says what is wrong with the " +
				"compressed data. Only `an input file changed while it was read` has no id: " +
				"another program writes to the file; run klp-convert again.",
		},
		Cases: Table{
			Columns: []string{"message", "check"},
			Rows: [][]string{
				{"`no such file or directory`", "the path; for an output, its directory"},
				{
					"`is a directory`",
					"the output: it must be a file name, klp-convert does not choose one",
				},
				{
					"`can't make a temporary file in`",
					"the permissions of that directory: the output is renamed into it, in " +
						"place too",
				},
				{"`permission denied`", "the permissions of the input"},
				{
					"`gzip:`, `xz:`, `zstd: the packed data is cut short`",
					"the file ends early: copy it again",
				},
				{"`no space left on device`", "the disk; nothing was left there"},
			},
		},
		Fix: "Correct what the table says for the message.",
	},
	{
		ID:         "KLP068",
		Severities: []Severity{Note, Warning},
		Topics:     []Topic{aboutModule},
		Title:      "which form was chosen",
		Meaning: []string{
			"The form is that of `--target VERSION`; without it, of the kernel given with " +
				"`--kernel`, where its functions tell (`arch_klp_init_object_loaded`, " +
				"`klp_apply_section_relocs`), whatever its number is; without both, of the " +
				"vermagic of the module. Without vermagic it is the newer form. " +
				"`klp-convert inspect` shows the form that the module asks for.",
			"Some vendors' kernels have the newer form under an older number (RHEL 8 since " +
				"4.18.0-284, SLE's 4.12.14 and 5.3.18 since August 2020): for these use " +
				"`--kernel`, or `--target 5.8`. It is a warning where only the vermagic " +
				"tells, and it is that of such a vendor.",
		},
		Cases: Table{
			Columns: []string{
				"kernels", "klp relocations of vmlinux", "of a module", "special sections, x86_64",
			},
			Rows: [][]string{
				{
					"5.8 and later",
					"applied by the module loader",
					"with the module",
					"stay where they are",
				},
				{
					"4.9 to 5.7",
					"with the patch's vmlinux object, or with a module's",
					"with the module",
					"`.klp.arch` (KLP071)",
				},
				{"4.7 and 4.8", "the same", "the same", "nothing can be done"},
			},
		},
		Fix: "None is needed. `--target` chooses another form.",
	},
	{
		ID:         "KLP082",
		Severities: []Severity{Warning},
		Topics:     []Topic{aboutFiles},
		Title:      "bytes after the end of a compressed module",
		Meaning: []string{
			"The module itself is whole: formats of compressed files say where they end. " +
				"Several members, streams or frames one after another are one module, and " +
				"zero bytes are padding; neither causes a warning.",
		},
		Fix: "Compress the module again. kmod and the kernel may refuse such a file.",
	},
}
