// SPDX-License-Identifier: GPL-2.0-or-later

package manpage

// What the pages say beyond the help, by command and flag. A test checks the keys
// against the commands.

// forms are the command lines beside the one in the help.
var forms = map[string][]string{
	"klp-convert": {"-n [flags] in.ko", "[flags] symbols.klp in.ko out.ko", "COMMAND [flags] [ARGUMENT]..."},
}

// details go on where the usage of a flag in the help ends.
var details = map[string]map[string][]string{
	"klp-convert": {
		"output":  {`"-" is stdout. An output file appears whole, by rename, or not at all.`},
		"dry-run": {"All checks of a conversion are made and reported. With --json the plan is printed as JSON."},
		"verbose": {"Notes need no action. They tell what was dropped, what was decided by the kernel's files rather than by the module, and which of those files were used."},
		"json": {"One object on stdout: input, output, status (converted, copied, planned, refused, failed), plan, diagnostics. " +
			"Every diagnostic has id, severity, section, offset, symbol, message and hints."},
		"kernel": {"Every annotation is then checked: the object must exist, it must have a symbol of that name, and this kernel's loader must accept the position."},
		"module": {"For modules that are not installed with the kernel. With several kernels, name the file with its kernel: --kernel KERNEL,FILE."},
		"symvers": {"FILE is a Module.symvers, of modules that do not come with the kernel. With this flag an undefined symbol that no module exports is an error: " +
			"modpost only warns about it when it is run with KBUILD_MODPOST_WARN=1."},
		"no-infer": {"Without this flag, and with --kernel, an undefined symbol that has no annotation, that no module exports, " +
			"and that can mean only one symbol of the kernel is converted as if it were annotated."},
		"target": {"VERSION is a number such as 4.18. How klp relocations are applied changed in 4.9 and in 5.8; vendors brought the newer form to older versions. " +
			"Without this flag the version is taken from the kernel given with --kernel, else from the module's vermagic."},
		"keep-inert":             {"Such an entry belongs to a tracepoint or a debug message in code that the livepatch copied."},
		"unsafe":                 {"Refusals of entries in special sections become warnings. The module may crash the kernel."},
		"color":                  {"Whether diagnostics are coloured. With auto they are on a terminal, unless the environment disables it."},
		"convert-module-exports": {"A livepatch that uses the export of a module depends on that module and cannot be loaded before it. After this conversion it can."},
	},
	"check": {
		"json":    {"For every kernel: the verdict, the findings in the order of the loader, what it prints as text and as a regular expression, and the error number."},
		"sarif":   {"For code scanning; the ids of its rules are those of the findings."},
		"kernel":  {"May be given several times: the file is checked for each."},
		"verbose": {"Lists, with the reason, what only a running kernel can tell and what needs a file that is not available."},
	},
	"annotate": {
		"dialect": {"records: a table of KLP_SYMPOS lines. labels: declarations with KLP_RELOC_SYMBOL."},
	},
	"sympos": {
		"kernel": {"May be given several times: the kernels are compared."},
	},
}

// exits are the meanings of status 1, of commands whose help does not say it.
var exits = map[string]string{
	"klp-convert": "The module can't be converted, or a file can't be read or written. Nothing was written.",
	"inspect":     "The file can't be read, or its content is wrong.",
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
				"Indented lines below it can be pasted into the source. All errors are reported in one run. An id (KLP001 and up) never changes its meaning; klp-convert explain ID tells what it means and what to do.",
		}, nil},
		{"ENVIRONMENT", nil, []item{
			{"NO_COLOR", "If set, diagnostics are not coloured unless --color always is given."},
			{"TERM", `"dumb" is a terminal without colours.`},
		}},
		{"NOTES", []string{
			"klp-convert must be the last tool that edits the module. Sign and compress after it. Never strip the module or link it again: strip, objcopy and ld -r may silently damage klp relocations.",
			"A livepatch annotates a symbol that it may not import by a line of C: KLP_SYMPOS in a KLP_MODULE_RELOC table, or KLP_RELOC_SYMBOL in the declaration, from klp_convert.h. " +
				"Its Makefile includes klp-convert.mk, which builds against the headers of an unmodified kernel and converts each module.",
		}, nil},
	},
	"check": {
		{"DIAGNOSTICS", []string{"Findings have ids, KLP101 and up. check.md describes how they are found, errors.md the cause and the fix of each."}, nil},
	},
}

// kernelFiles is where --kernel looks for a release R.
var kernelFiles = []item{
	{"/boot/vmlinuz-R", "The kernel's image, which contains the symbol table that the loader searches; also in /lib/modules/R. It is enough for vmlinux."},
	{"/usr/lib/debug", "vmlinux of a debug package, which has the source files of symbols."},
	{"/lib/modules/R", "The modules, and the headers through the link build."},
}

var files = map[string][]item{
	"klp-convert": {
		{"@DATADIR@/include/klp_convert.h", "The macros for annotations."},
		{"@DATADIR@/klp-convert.mk", "For the Makefile of a livepatch module."},
		{"@DATADIR@/kbuild/install.sh", "Adds klp-convert to a kernel tree, so that its own livepatch modules are converted."},
		{"@DATADIR@/dkms/dkms.conf", "A configuration for building a livepatch with DKMS."},
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

// docs are the documents with more on a command.
var docs = map[string]string{
	"klp-convert": "guide.md from a bug to a loaded livepatch, kbuild.md for builds, format.md for what is read and written, special-sections.md for what a livepatch can refer to, errors.md for each diagnostic",
	"annotate":    "sympos.md for positions, special-sections.md for what a livepatch can refer to",
	"check":       "check.md",
	"diff":        "debugging.md",
	"explain":     "messages.md has all of the kernel's and the tools' messages, errors.md those of klp-convert",
	"inspect":     "format.md for klp relocations and klp symbols, debugging.md for debuggers",
	"sympos":      "sympos.md",
}
