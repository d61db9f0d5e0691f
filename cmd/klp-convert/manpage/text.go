// SPDX-License-Identifier: GPL-2.0-or-later

package manpage

// What the pages say beyond the help, by command and flag. A test holds the keys
// against the commands.

// forms are the command lines beside the one in the help.
var forms = map[string][]string{
	"klp-convert": {"-n [flags] in.ko", "[flags] symbols.klp in.ko out.ko", "COMMAND [flags] [ARGUMENT]..."},
}

// details go on where the usage of a flag in the help ends.
var details = map[string]map[string][]string{
	"klp-convert": {
		"output":  {`"-" is stdout. An output file appears whole, by rename, or not at all.`},
		"dry-run": {"All that would be found in a conversion is found and said; with --json the plan is data."},
		"verbose": {"Notes ask for nothing: what was dropped, what rests on the kernel rather than on the module, which of its files were used."},
		"json": {"One object on stdout: input, output, status (converted, copied, planned, refused, failed), plan, diagnostics. " +
			"Every diagnostic has id, severity, section, offset, symbol, message and hints."},
		"kernel": {"Every annotation is then checked: the object has to be there, the name in it, and the position has to be one that the loader of this kernel takes."},
		"module": {"For objects that are not installed with the kernel. Of several kernels it has to be said whose it is: --kernel KERNEL,FILE."},
		"symvers": {"A Module.symvers, of modules that the kernel does not come with. With this flag an undefined symbol that nobody exports is an error: " +
			"modpost, when it is run with KBUILD_MODPOST_WARN=1, lets it pass."},
		"no-infer": {"Without it, and with --kernel, an undefined symbol that carries no annotation, that nobody exports, " +
			"and that only one symbol of the kernel can be is converted as if it were annotated."},
		"target": {"VERSION is a number such as 4.18. How klp relocations are applied changed in 4.9 and in 5.8; vendors brought the newer form to older versions. " +
			"Without this flag the kernel given with --kernel tells, else the vermagic of the module."},
		"keep-inert":             {"Of a tracepoint or a debug message that the livepatch has only copied, the entry in its table can't be made to work."},
		"unsafe":                 {"Refusals of entries in special sections become warnings. The module may crash the kernel."},
		"color":                  {"When diagnostics are coloured: auto is on a terminal, unless the environment speaks against it."},
		"convert-module-exports": {"A livepatch that uses the export of a module depends on the module and is not loaded before it. Converted, it does not depend on it any more."},
	},
	"check": {
		"json":    {"For every kernel: the verdict, the findings in the order of the loader, what it prints as text and as a regular expression, and the error number."},
		"sarif":   {"For code scanning; the ids of its rules are those of the findings."},
		"kernel":  {"Given several times, the file is judged for each of them."},
		"verbose": {"What only a running kernel can tell, and what no file at hand tells, is listed with the reason."},
	},
	"annotate": {
		"dialect": {"records: a table of KLP_SYMPOS lines. labels: declarations with KLP_RELOC_SYMBOL."},
	},
	"sympos": {
		"kernel": {"Given several times, the kernels are compared."},
	},
}

// exits are the meanings of status 1, of commands whose help does not say it.
var exits = map[string]string{
	"klp-convert": "The module can't be converted, or a file can't be read or written. Nothing was written.",
	"inspect":     "The file can't be read, or what it holds is wrong.",
}

type item struct{ what, means string }

type section struct {
	title string
	prose []string
	items []item
}

var sections = map[string][]section{
	"klp-convert": {
		{"DIAGNOSTICS", []string{
			`Results go to stdout, diagnostics to stderr, one line each: "file: severity: klp-convert: place: message [id]". ` +
				"Indented lines below it can be pasted into the source. Errors are all found in one run. The ids, KLP001 and on, never change their meaning: klp-convert explain ID says what one means, and what to do.",
		}, nil},
		{"ENVIRONMENT", nil, []item{
			{"NO_COLOR", "When set to anything, diagnostics have no colour unless --color always asks for it."},
			{"TERM", `"dumb" is a terminal without colours.`},
		}},
		{"NOTES", []string{
			"klp-convert has to be the last tool that edits the module. Signing and compression come after it. Never strip the module or link it again: strip, objcopy and ld -r may spoil klp relocations without an error.",
			"A module's author borrows a symbol by a line of C: KLP_SYMPOS in a KLP_MODULE_RELOC table, or KLP_RELOC_SYMBOL in its declaration, from klp_convert.h. " +
				"Its Makefile includes klp-convert.mk, which builds with the headers of a stock kernel and converts every module.",
		}, nil},
	},
	"check": {
		{"DIAGNOSTICS", []string{"Findings have ids, KLP101 and on. check.md has the message, the source in the kernel and the fix of each."}, nil},
	},
}

// kernelFiles is where --kernel looks for a release; what stands for it is R.
var kernelFiles = []item{
	{"/boot/vmlinuz-R", "The kernel's image, which holds the table that the loader walks; also in /lib/modules/R. It is enough for vmlinux."},
	{"/usr/lib/debug", "vmlinux of a debug package, which knows the source files of symbols."},
	{"/lib/modules/R", "The modules, and the headers by the link build."},
}

var files = map[string][]item{
	"klp-convert": {
		{"@DATADIR@/include/klp_convert.h", "The macros for annotations."},
		{"@DATADIR@/klp-convert.mk", "For the Makefile of a livepatch module."},
		{"@DATADIR@/kbuild/install.sh", "Hooks klp-convert into a kernel tree, so that its own livepatch modules are converted."},
		{"@DATADIR@/dkms/dkms.conf", "A recipe for a livepatch by DKMS."},
	},
}

var seeAlso = map[string][]string{
	"klp-convert": {"depmod(8)", "insmod(8)", "modinfo(8)"},
	"annotate":    {"nm(1)"},
	"check":       {"insmod(8)", "modinfo(8)"},
	"diff":        {"diff(1)"},
	"explain":     {"dmesg(1)", "journalctl(1)"},
	"inspect":     {"crash(8)", "gdb(1)", "modinfo(8)", "objdump(1)", "readelf(1)"},
	"sympos":      {"nm(1)", "readelf(1)"},
}

// docs are the documents that say more.
var docs = map[string]string{
	"klp-convert": "guide.md from a bug to a loaded livepatch, kbuild.md for builds, format.md for what is read and written, special-sections.md for what can be borrowed, errors.md for each diagnostic",
	"annotate":    "sympos.md for positions, special-sections.md for what can be borrowed",
	"check":       "check.md",
	"diff":        "debugging.md",
	"explain":     "messages.md has all of the kernel's and the tools' messages, errors.md those of klp-convert",
	"inspect":     "format.md for klp relocations and klp symbols, debugging.md for debuggers",
	"sympos":      "sympos.md",
}
