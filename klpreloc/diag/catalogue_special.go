// SPDX-License-Identifier: GPL-2.0-or-later

package diag

// specialEntries are about alternatives, jump labels and static calls.
var specialEntries = []Entry{
	{
		ID:         "KLP030",
		Severities: []Severity{Error, Warning},
		When:       "warning with --unsafe",
		Topics:     []Topic{aboutSpecial},
		Title:      "klp relocation that is applied too late",
		Meaning: []string{
			"The kernel reads tables such as `__jump_table`, `.altinstructions` and " +
				"`.static_call_sites` when it loads the livepatch, and patches code by " +
				"them. It applies klp relocations of a module's symbols later, when the " +
				"module is loaded; before 5.8, all klp relocations. So they are too late in " +
				"three places: in the table, in the code that an entry is about, and in the " +
				"replacement that was to be copied.",
			"The kernel does not notice. The module loads; then code jumps to 0, or a " +
				"branch does not follow its key. `f+0x5` is the place as an oops would name " +
				"it, and the parentheses hold the entry. Since 5.8, vmlinux symbols work in " +
				"all these places.",
		},
		Cases: Table{
			Columns: []string{"message", "place"},
			Rows: [][]string{
				{
					"`in the jump label for f+0x5 (__jump_table+0x0)`",
					"in the table: its key or target. The kernel uses 0 as the address",
				},
				{
					"`in the site of the static call at f+0x5, key k " +
						"(.static_call_sites+0x0)`",
					"in the code that the entry is about: it is already patched",
				},
				{
					"`in the replacement of the alternative at f+0x5 " +
						"(.altinstructions+0x0)`",
					"in the code that was to be copied: it was copied before the relocation",
				},
				{"`in __ex_table`", "in a table that is read or sorted as a whole"},
				{
					"`holds klp relocations for a and for b`",
					"before 5.8: the entry has to go to one `.klp.arch` section, and is for " +
						"two objects",
				},
			},
		},
		Fix: "Make the edit of the hint. `--unsafe` converts in spite of this and says what " +
			"will break; it is for experiments only.",
		See: []string{"special-sections.md#refused"},
	},
	{
		ID:         "KLP069",
		Severities: []Severity{Error, Warning},
		When:       "warning with --unsafe",
		Topics:     []Topic{aboutSpecial},
		Title:      "unknown format of a special section",
		Meaning: []string{
			"The section has the name of a table by which the kernel patches code, but not " +
				"its contents: the size is not a multiple of the size of an entry, a " +
				"relocation is missing, or a place is outside of the module. (Only the " +
				"replacement of an alternative may be outside: an exported symbol of the " +
				"kernel, as objtool of 5.13 to 5.15 wrote it for every indirect call.) So " +
				"it is not known which code is patched, and whether a klp relocation is in " +
				"it.",
			"The wording `refers to a place in …, whose entries have to move` is about a " +
				"table that loses entries and that code refers to.",
		},
		Fix: "Build with Kbuild; don't write these sections by hand. If it is a format of " +
			"some kernel that klp-convert does not know, please report it.",
		See: []string{"special-sections.md#formats"},
	},
	{
		ID:         "KLP070",
		Severities: []Severity{Warning},
		Topics:     []Topic{aboutSpecial},
		Title:      "entry dropped",
		Meaning: []string{
			"The patched function has a tracepoint of a module, or a debug message that " +
				"uses a module's descriptor. Its entry can't be converted, as for KLP030. " +
				"Without the entry the tracepoint stays off in the patched function; " +
				"nothing else is lost. kpatch and objtool do the same.",
		},
		Fix: "None is needed. `--keep-inert` makes it an error.",
	},
	{
		ID:         "KLP071",
		Severities: []Severity{Note},
		Topics:     []Topic{aboutSpecial},
		Title:      "entries that go to .klp.arch",
		Meaning: []string{
			"Kernels 4.9 to 5.7 on x86_64 patch alternatives and paravirt sites when they " +
				"load the livepatch, and apply klp relocations after that. What is in " +
				"`.klp.arch.<object>.*` they patch again with the object. So entries whose " +
				"code gets a klp relocation move there.",
		},
		See: []string{"format.md#klp-arch", "special-sections.md#old"},
	},
}
