// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// checkCopyEntries are what check finds about code of patched functions that is not replaced.
var checkCopyEntries = []Entry{
	{
		ID:         "KLP176",
		Severities: []Severity{Error, Note},
		When:       "a note if all callers are patched",
		Topics:     []Topic{aboutCheckPatch},
		Title:      "patched function that is inlined elsewhere",
		Kernel: "The kernel says nothing: ftrace redirects what enters the function at its " +
			"symbol. Where the compiler inlined the function, its old code runs as part of the " +
			"caller.",
		Source: "`klp_ftrace_handler`; DWARF 5, 3.3.8 (`DW_TAG_inlined_subroutine`).",
		Meaning: []string{
			"Debug information of the patched object says so: of a vmlinux with debug " +
				"information, as debug packages have it, or of the module's file if it was " +
				"built with -g. The finding names each function with a symbol whose code has a " +
				"copy, the line of the call, and the functions by way of which it came there.",
			"Code that runs once (`__init`) does not count.",
			"A note says that the compiler inlined the function and that no instruction of it is " +
				"left: of a function that returns a constant, its callers have the constant. " +
				"gcc says so (`DW_AT_inline`); where, nothing tells.",
			"With link-time optimisation, and for functions of headers, copies in all source " +
				"files of the object are found. Those that other modules have of a header's " +
				"function are not looked at.",
		},
		Fix: "Replace these functions as well, and make sure that their new code uses the new " +
			"code of the function.",
		See: []string{"inlining.md"},
	},
	{
		ID:         "KLP177",
		Severities: []Severity{Error, Note},
		When:       "a note if its callers are not known",
		Topics:     []Topic{aboutCheckPatch},
		Title:      "clone of a patched function that is called",
		Kernel: "The kernel says nothing: it does not know that `f.isra.0` and " +
			"`f.constprop.0` were made of `f`. Calls of the clone run the old code.",
		Source: "`klp_ftrace_handler`; gcc's options -fipa-sra, -fipa-cp and -fpartial-inlining.",
		Meaning: []string{
			"With debug information the functions are named that call the clone and are not " +
				"patched. Without, the name of the clone tells that it exists, and not which " +
				"function of the name it was made of, nor what calls it.",
			"`f.part.0` is the rest of a function whose beginning is inlined: where, is " +
				"KLP176. `f.cold` is entered from `f` alone and does not matter.",
		},
		Fix: "Replace the callers, with an own copy of the function. Do not replace the clone: " +
			"its arguments are not those of the source, and the next build has others.",
		See: []string{"inlining.md"},
	},
	{
		ID:         "KLP178",
		Severities: []Severity{Error},
		Topics:     []Topic{aboutCheckPatch},
		Title:      "patched function that is compiled again for other files",
		Kernel: "The kernel says nothing: it replaces the symbol at the position that " +
			"old_sympos names. Others of the name run on.",
		Source: "`klp_find_object_symbol`; DWARF 5, 3.3.8.",
		Meaning: []string{
			"A static function of a header has code of its own in each file that includes the " +
				"header. Debug information tells which symbols of one name are the same " +
				"function of the source: those with the same file and line.",
		},
		Fix: "Add a klp_func for each position.",
		See: []string{"inlining.md"},
	},
}
