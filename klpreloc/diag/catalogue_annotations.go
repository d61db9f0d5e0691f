// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// annotationEntries are about annotations: their form, their names, what they ask for.
var annotationEntries = []Entry{
	{
		ID:         "KLP002",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutReading},
		Title:      "annotation section without relocations",
		Meaning: []string{
			"A record names its symbol by a relocation. This section has bytes and no " +
				"relocation, so it is not known which symbols are meant.",
		},
		Causes: []Cause{
			{
				Why: "The file was linked with its relocations resolved.",
				Fix: "Keep them: `ld -r`.",
			},
			{
				Why: "A tool removed `.rela.klp.module_relocs.*`.",
				Fix: "Convert the module as modpost left it.",
			},
			{
				Why: "The table holds numbers instead of addresses.",
				Fix: "Write entries as `KLP_SYMPOS(sym, n)`.",
			},
		},
		Fix: "Convert the module as modpost left it, and write entries as `KLP_SYMPOS(sym, " +
			"n)`.",
	},
	{
		ID:         "KLP003",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutReading},
		Title:      "bytes outside of every record",
		Meaning: []string{
			"There is one record for each relocation. Zero bytes around records are " +
				"padding, as compilers write it. A byte that is not zero belongs to " +
				"something that klp-convert can't name: an entry without a symbol " +
				"(`KLP_SYMPOS(NULL, 7)`), or other data in the section.",
		},
		Fix: "Keep only `KLP_MODULE_RELOC(obj)` arrays in `.klp.module_relocs.<obj>`.",
	},
	{
		ID:         "KLP004",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutReading},
		Title:      "unreadable record",
		Meaning: []string{
			"A record of an annotation section does not have the form that `klp_convert.h` " +
				"gives it.",
		},
		Cases: Table{
			Columns: []string{"message", "meaning"},
			Rows: [][]string{
				{
					"`record overlaps the previous one`",
					"two relocations are closer together than a record is long",
				},
				{
					"`record of N bytes extends past the end of the section`",
					"the section ends inside the record",
				},
				{"`record names no symbol`", "the relocation is against symbol 0"},
				{
					"`record holds T; an address is U`",
					"the relocation is not the one that stores a whole pointer",
				},
				{
					"`record holds sym+N; only a symbol itself can be annotated`",
					"`KLP_SYMPOS(array[3], 0)` or `&sym + 1`",
				},
				{
					"`record names X, which is an annotation itself (a label)`",
					"the symbol already has a `KLP_RELOC_SYMBOL` label",
				},
			},
		},
		Fix: "Include `klp_convert.h`. Annotate plain symbols, and each only once, by a " +
			"record or by a label.",
	},
	{
		ID:         "KLP005",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutReading},
		Title:      "ELF32 records of unknown size",
		Meaning: []string{
			"On 32-bit targets there are two record layouts: 8 bytes (the RFC of 2016) and " +
				"12 bytes (v6, v7, `klp_convert.h`). The size of the array's symbol, or the " +
				"distance between records, tells which one it is. Here it is neither. For " +
				"records outside of any array symbol the message is `records lie N bytes " +
				"apart; those of the 2016 proposal have 8, those of v7 12`.",
		},
		Fix: "Include `klp_convert.h`, and do not strip local symbols before conversion.",
	},
	{
		ID:         "KLP006",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutReading},
		Title:      "unreadable label",
		Meaning: []string{
			"A label is `.klp.sym.rela.<livepatched object>.<symbol object>.<name>`, then " +
				"`,` or `.` and a position of at most 32 bits. Here a part is missing, or " +
				"the position is not a number. A label with a quote must have both quotes.",
			"A label by file is `.klp.sym.file.<livepatched object>.<symbol " +
				"object>.<name>/<path>`. The name ends at the first slash.",
		},
		Fix: "Let `KLP_RELOC_SYMBOL`, `KLP_RELOC_SYMBOL_POS` or `KLP_RELOC_SYMBOL_FILE` " +
			"write the label. The position must be a plain number, not a macro. The path is " +
			"a string.",
	},
	{
		ID:         "KLP007",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutNames},
		Title:      "object name that the kernel can't read",
		Meaning: []string{
			"The kernel reads the name of an object with `%55[^.]`: at most 55 bytes, up to " +
				"the first dot. What it reads must equal the name of the module. Otherwise " +
				"it never applies the relocations, and prints nothing.",
		},
		Fix: "Write the name of the module as `lsmod` prints it (`nf_conntrack`), or " +
			"`vmlinux`: not a file name, not a path. Where the name has a dot, the hint " +
			"shows only the part before it; check that there is a module of that name.",
	},
	{
		ID:         "KLP008",
		Severities: []Severity{Note},
		Topics:     []Topic{aboutNames},
		Title:      "dash in an object name",
		Meaning: []string{
			"The file of a module may have dashes in its name; the module itself has " +
				"underscores. klp-convert writes underscores.",
		},
		Fix: "None is needed. Write `_` to silence the note.",
	},
	{
		ID:         "KLP009",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutNames},
		Title:      "symbol name that the kernel can't read",
		Meaning: []string{
			"The kernel reads the name of a klp symbol up to a comma, and at most 511 bytes " +
				"of it (127 before 6.1). The version comes from the vermagic of the module. " +
				"Control characters, blanks and bytes outside of ASCII are refused too. On " +
				"ppc64le each module has its own `.TOC.`, which can't be annotated.",
		},
		Fix: "Check the name in the label, or in the declaration that the record uses.",
	},
	{
		ID:         "KLP010",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutAsked},
		Title:      "annotated symbol is defined in the module",
		Meaning: []string{
			"An annotation is about a symbol elsewhere in the kernel, but this module " +
				"defines a symbol of that name. Relocations against it use the module's own " +
				"copy.",
		},
		Causes: []Cause{
			{
				Why: "The declaration lacks `extern`.",
				Fix: "Add it.",
			},
			{
				Why: "The function was copied into the module under its old name.",
				Fix: "Remove the annotation, or rename the copy.",
			},
		},
		Fix: "Follow the hint. To have both, keep your symbol and declare that of the " +
			"kernel under another C name with `KLP_RELOC_SYMBOL`.",
	},
	{
		ID:         "KLP012",
		Severities: []Severity{Warning},
		Topics:     []Topic{aboutAsked},
		Title:      "unused annotation",
		Meaning: []string{
			"No relocation of a loaded section uses the symbol. The symbol of a record is " +
				"removed; a label's becomes a klp symbol that nothing uses.",
		},
		Causes: []Cause{
			{
				Why: "The code that used it is gone, or the compiler removed it.",
				Fix: "Remove the annotation.",
			},
			{
				Why: "The annotation has a typing error, and another symbol stays undefined " +
					"(see KLP025).",
				Fix: "Correct the name.",
			},
			{
				Why: "A line of a list (`--symbols`) is about a symbol that this module " +
					"does not have.",
				Fix: "Remove the line, or give each module its own list.",
			},
		},
		Fix: "Remove the annotation, or correct the name.",
	},
	{
		ID:         "KLP013",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutAsked},
		Title:      "label with a module's symbol under vmlinux",
		Meaning: []string{
			"The label has LP_OBJ `vmlinux` and SYM_OBJ a module. The kernel would look the " +
				"symbol up when it loads the livepatch. If the module is not loaded then, " +
				"loading fails; if it is, nothing prevents the module from being unloaded " +
				"later.",
		},
		Fix: "Name the module as livepatched object, and have a `klp_object` of that name " +
			"in the patch (its list of functions may be empty).",
	},
	{
		ID:         "KLP014",
		Severities: []Severity{Note},
		Topics:     []Topic{aboutAsked},
		Title:      "label with a vmlinux symbol under a module",
		Meaning: []string{
			"Kernels since 5.8 refuse a vmlinux symbol in a klp relocation section of a " +
				"module (`invalid access to vmlinux symbol`). klp-convert puts the " +
				"relocations into `.klp.rela.vmlinux.*`, where these kernels apply them " +
				"when they load the livepatch. For kernels from 4.7 to 5.7 the label is " +
				"followed, and there is no note.",
		},
		Fix: "None is needed. `KLP_RELOC_SYMBOL(vmlinux, vmlinux, name)` has the same " +
			"effect.",
	},
	{
		ID:         "KLP029",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutReading},
		Title:      "reference to an annotation",
		Meaning: []string{
			"Annotations are removed, so nothing that stays in the module may refer to " +
				"them. Debug information may: those relocations are removed with the " +
				"annotation. Other wordings name a field of a section header (`sh_link`, " +
				"`sh_info`) or the signature of a section group.",
		},
		Fix: "Use the kernel's symbol, not the entry of the table.",
	},
	{
		ID:         "KLP038",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutAsked},
		Title:      "annotated by file, and no kernel to look it up in",
		Meaning: []string{
			"`KLP_SYMFILE` and `KLP_RELOC_SYMBOL_FILE` say in which source file the symbol " +
				"is defined. The kernel needs a number: the position of the symbol among " +
				"those of its name, which differs from kernel to kernel. klp-convert finds " +
				"it in the kernel that the module is for. One message lists all annotations " +
				"by file.",
		},
		Fix: "Give that kernel (`--kernel`), or annotate by position (`KLP_SYMPOS`, " +
			"`KLP_RELOC_SYMBOL_POS`).",
	},
	{
		ID:         "KLP039",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutReading},
		Title:      "unreadable path of a source file",
		Meaning: []string{
			"An annotation by file needs the path of a source file as a string. Here the " +
				"string is not such a path, or can't be read.",
		},
		Cases: Table{
			Columns: []string{"message", "meaning"},
			Rows: [][]string{
				{
					"`is absolute`, `leads upwards`",
					"the path must be one within the source tree of the kernel or, for a " +
						"module built outside of it, of the module",
				},
				{
					"`position 4294967295 says that a file's path follows`",
					"half of a `KLP_SYMFILE`, or a position that no kernel has",
				},
				{
					"`the record holds T; an address is U`",
					"the relocation is not the one that stores a whole pointer",
				},
				{
					"`its path is in S, which has no contents to read`",
					"the pointer leads into `.bss`, or into a compressed section",
				},
				{
					"`its path is at …, past the end of the section`",
					"the pointer leads out of its section",
				},
				{
					"`its path, at …, does not end`, `has more than 4096 bytes`",
					"what is there is not a string",
				},
			},
		},
		Fix: "Write the path as a string, from the root of the kernel's source tree.",
	},
	{
		ID:         "KLP077",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutNames},
		Title:      "klp symbol whose name is too long for the kernel",
		Meaning: []string{
			"The whole name counts, `.klp.sym.OBJECT.NAME,POSITION`. When kernels before " +
				"5.19 load a livepatch, they copy the names of its symbols into 128 bytes " +
				"each (`add_kallsyms`), and klp relocations that are applied later use the " +
				"copy: all of them before 5.8, those for modules since. The kernel then " +
				"says that the symbol `has an incorrectly formatted name`, EINVAL; where a " +
				"digit of the position is left, it silently uses the symbol at that " +
				"position. For what the module loader applies itself, vmlinux symbols since " +
				"5.8, it reads the name from the file.",
		},
		Fix: "Get to the symbol by another one (a pointer to it, a function that calls it), " +
			"or patch its caller.",
	},
	{
		ID:         "KLP090",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutReading},
		Title:      "line of a list that can't be read",
		Meaning: []string{
			"`--symbols` names a text file with one annotation a line: `object:name`, " +
				"`object:name,position` or `object:name@path/to/file.c`, with `symbol=` in " +
				"front where the module calls the symbol something else. A comment begins " +
				"with `#`, at the beginning of the line or after a blank. The place of the " +
				"message is the file and the line.",
		},
		Cases: Table{
			Columns: []string{"message", "meaning"},
			Rows: [][]string{
				{
					"`has no object`",
					"a bare name: the line must say where the symbol lives, `vmlinux:name`",
				},
				{
					"`position X is not a number of 32 bits`",
					"what follows the comma is not a decimal number",
				},
				{"`holds a blank`", "blanks are around an annotation, and not in it"},
				{"`holds a NUL byte`", "the file is UTF-16 text, or no text"},
				{
					"`line names X, which is an annotation itself (a label)`",
					"the symbol of the module already has a `KLP_RELOC_SYMBOL` label",
				},
				{
					"`more than 200 lines can't be read`, `more than 100000 annotations`",
					"the file is something else than a list",
				},
			},
		},
		Fix: "Correct the line. `klp-convert annotate --dialect list` prints such lines.",
		See: []string{"format.md#input-lists"},
	},
}
