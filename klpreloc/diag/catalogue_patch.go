// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// patchEntries are about the klp_patch, and which code is for which object.
var patchEntries = []Entry{
	{
		ID:         "KLP011",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutPatch},
		Title:      "contradictory annotations",
		Meaning: []string{
			"Two records, or lines of a list (`--symbols`), give one C symbol two " +
				"positions, two objects or two names. In the module it is one undefined " +
				"symbol.",
			"Two positions can't be told apart. Two objects can, where the patch has a " +
				"`klp_object` for both and each use is in code for one of them: then both " +
				"records are converted, each use by the object of its function. Code that " +
				"works for both objects does not tell which one is meant.",
			"The same record twice is not an error.",
		},
		Fix: "Paste the declaration of the hint for one of the two, use the new C name for " +
			"it, and remove its record. Labels, and lines of a list that begin with " +
			"`symbol=`, give each meaning a symbol of its own.",
		See: []string{"special-sections.md#two-objects"},
	},
	{
		ID:         "KLP063",
		Severities: []Severity{Error, Warning},
		When:       "warning with --unsafe",
		Topics:     []Topic{aboutPatch},
		Title:      "klp relocations that would never be applied",
		Meaning: []string{
			"The kernel goes through the objects of the patch and applies " +
				"`.klp.rela.<object>.*` for each. It ignores a section for any other " +
				"object: the module loads, nothing is printed, and the code uses the " +
				"address 0. Before 5.8 this is so for vmlinux too, and the message says " +
				"`that needs a klp_object without a name`.",
		},
		Causes: []Cause{
			{
				Why: "The name of the object is wrong in the annotation or in the patch.",
				Fix: "Correct it.",
			},
		},
		Fix: "Add the two lines of the hint. An object without functions is enough: the " +
			"kernel then resolves the symbols when the module is loaded. KLP065 says what " +
			"to do where the code may run before that.",
	},
	{
		ID:         "KLP064",
		Severities: []Severity{Warning, Note},
		Topics:     []Topic{aboutPatch},
		Title:      "unreadable klp_patch",
		Meaning: []string{
			"klp-convert reads which objects the patch has, and which function is for which " +
				"object, from the static `klp_patch`, `klp_object` and `klp_func` in the " +
				"module's data. The parentheses in the message say why that did not work; " +
				"often the module fills them in when it is loaded. klp-convert does not " +
				"guess. It uses the objects that annotations name, and does not check what " +
				"KLP063, KLP065 and KLP067 are about.",
			"It is a note where the module declares no `klp_patch` at all.",
		},
		Fix: "Use static arrays, or check by hand that each object in `klp-convert inspect " +
			"out.ko` is a `klp_object` of the patch.",
	},
	{
		ID:         "KLP065",
		Severities: []Severity{Warning},
		Topics:     []Topic{aboutPatch},
		Title:      "a module's symbol in code for another object",
		Meaning: []string{
			"The function is for vmlinux, so it runs as soon as the livepatch is enabled. " +
				"The symbol of the module is resolved when that module is loaded. Before " +
				"that, and after the module is unloaded, a call goes to the address 0.",
		},
		Fix: "Give the `klp_object` of the module a `pre_patch` callback that sets a flag, " +
			"and a `post_unpatch` callback that clears it. Call only while the flag is set.",
	},
	{
		ID:         "KLP066",
		Severities: []Severity{Warning},
		Topics:     []Topic{aboutPatch},
		Title:      "label for an object that the function is not for",
		Meaning: []string{
			"The LP_OBJ of the label says with which object the symbol is to be resolved. " +
				"By what the patch declares, this code is for another object, and runs " +
				"before that of the label is loaded. klp-convert follows the label, since " +
				"the author wrote it.",
		},
		Fix: "`KLP_RELOC_SYMBOL(ext4, jbd2, …)` where the function for ext4 needs the " +
			"symbol of jbd2; a second declaration with its own C name where both do.",
	},
	{
		ID:         "KLP067",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutPatch},
		Title:      "code for several objects that needs a third one",
		Meaning: []string{
			"For example, a helper is used by functions of ext4 and of jbd2, and needs a " +
				"symbol of mbcache. A klp relocation is applied with one object; whichever " +
				"that is, the functions of the other may run before. Often KLP063 is " +
				"reported too: mbcache could be that object if the patch had it.",
			"Before 5.8 the same is reported for a vmlinux symbol in code for several " +
				"modules, where the patch has no vmlinux object.",
		},
		Fix: "Write two helpers, each with a label of its own (the hint, with ext4 and jbd2 " +
			"as LP_OBJ). Or add a `klp_object` for mbcache, and follow KLP065.",
	},
}
