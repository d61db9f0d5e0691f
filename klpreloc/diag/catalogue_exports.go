// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// exportEntries are about imports and exports of modules.
var exportEntries = []Entry{
	{
		ID:         "KLP051",
		Severities: []Severity{Warning},
		Topics:     []Topic{aboutExports},
		Title:      "dependency on a module",
		Meaning: []string{
			"This is an ordinary import. It is right where the livepatch is of no use " +
				"without that module. Otherwise the livepatch makes modprobe load the " +
				"module, and prevents it from being unloaded.",
		},
		Fix: "`--convert-module-exports`, or annotate the symbol.",
	},
	{
		ID:         "KLP052",
		Severities: []Severity{Note},
		Topics:     []Topic{aboutExports},
		Title:      "converted export of a module",
		Meaning: []string{
			"A livepatch that imported from a module that it patches could not be loaded " +
				"before that module. So such a symbol becomes a klp relocation, although it " +
				"is exported. With `--convert-module-exports`, so does an export of any " +
				"module.",
		},
	},
	{
		ID:         "KLP054",
		Severities: []Severity{Warning},
		Topics:     []Topic{aboutExports},
		Title:      "an export and a hidden symbol of the same name",
		Meaning: []string{
			"modpost resolved the symbol to an export of a module, and klp-convert keeps " +
				"that. If the code that was copied into the livepatch means the hidden " +
				"symbol, the export is the wrong function.",
		},
		Fix: "Annotate the symbol: an annotation has precedence over any export.",
	},
	{
		ID:         "KLP055",
		Severities: []Severity{Note},
		Topics:     []Topic{aboutExports},
		Title:      "removed from modpost's tables",
		Meaning: []string{
			"modpost treated the symbols as imports. As klp symbols they are removed from " +
				"`__versions` (and `__version_ext_crcs`, `__version_ext_names`). A module " +
				"from which nothing is imported any longer is removed from `depends=`; for " +
				"that the exports must be known, hence a kernel.",
		},
	},
	{
		ID:         "KLP056",
		Severities: []Severity{Warning},
		Topics:     []Topic{aboutExports},
		Title:      "dependency on a module that is patched",
		Meaning: []string{
			"modprobe first loads what `depends=` names. A livepatch for a module is meant " +
				"to be loaded whether the module is loaded or not.",
		},
		Fix: "`--kernel`: klp-convert then converts references to exports of the module, " +
			"and corrects `depends=`.",
	},
	{
		ID:         "KLP074",
		Severities: []Severity{Error, Warning},
		Topics:     []Topic{aboutExports},
		Title:      "import that no known object exports",
		Meaning: []string{
			"What modpost resolved is never converted to a hidden symbol of the same name. " +
				"The warning says that the symbol stays an import, of a module whose " +
				"exports no source tells.",
			"Where the answer is not known, it is an error:",
		},
		Cases: Table{
			Columns: []string{"message", "meaning"},
			Rows: [][]string{
				{
					"`modpost resolved … to an export of …, which the livepatch patches`",
					"a livepatch must not depend on what it patches. Nothing tells whether " +
						"that module has the export",
				},
				{
					"`… may be an export of …`",
					"the module has no checksum of the symbol (a kernel without " +
						"`CONFIG_MODVERSIONS`), but `depends=` says that it uses an export " +
						"of a module whose exports nothing tells. Or it imports a namespace " +
						"that no known export is in",
				},
				{
					"`modpost resolved … to an export, and no object … exports it`",
					"all modules in `depends=` are known. Another kernel, or another " +
						"version of such a module, exported it",
				},
			},
		},
		Fix: "Give the file of the module, or the Module.symvers of its build. Where the " +
			"hidden symbol is meant, annotate it: an annotation has precedence over what " +
			"modpost resolved.",
		See: []string{"sympos.md#exports"},
	},
	{
		ID:         "KLP075",
		Severities: []Severity{Warning},
		Topics:     []Topic{aboutExports},
		Title:      "depends= names a module that is not used",
		Meaning: []string{
			"modpost names a module in `depends=` for at least one symbol that it exports. " +
				"The exports of this module are known, and the livepatch uses none of them.",
			"`depends= still names tgtb, and no import is left that it can export`: the " +
				"symbol that tgtb could export is annotated, so it is no longer imported. " +
				"No source tells whether tgtb really exports it, so tgtb stays in " +
				"`depends=`.",
		},
		Fix: "Build the livepatch against the modules that it is for, or give tgtb.ko by " +
			"`--module`.",
	},
}
