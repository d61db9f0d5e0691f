// SPDX-License-Identifier: GPL-2.0-or-later

// Klp-convert turns the annotations in a linked livepatch module into klp
// relocations, which the kernel resolves when it loads the module or the
// object that the module patches.
//
//	klp-convert [flags] in.ko out.ko
//	klp-convert inspect FILE
//	klp-convert sympos NAME[@OBJECT]...
//	klp-convert check FILE... --kernel KERNEL...
//	klp-convert annotate FILE --kernel KERNEL
//	klp-convert new [DIR] OBJECT:FUNCTION...
//	klp-convert diff A.ko B.ko
//	klp-convert explain [TEXT | -]
//	klp-convert cache [--clear]
//
// Rules of its user interface:
//
//   - stdout carries results, stderr diagnostics; a successful conversion prints
//     nothing unless something deserves a warning.
//   - A diagnostic is one line, "file: severity: klp-convert: place: message
//     [id]", and below it, indented, what can be pasted to fix it.
//   - Exit status 0: done; 1: can't be converted, something differs, nothing is
//     found, or a file can't be read; 2: wrong use of the command line.
//   - An output file appears whole, by rename, or not at all.
//   - A long operation shows its progress on a terminal, in one line that it erases.
//   - Colour only on a terminal and without NO_COLOR, unless --color says otherwise.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/kernel"
)

func main() {
	// Most runs end before a collection would be worth its pauses.
	debug.SetGCPercent(400)
	removeTempsOnSignal()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Exit statuses.
const (
	exitDone  = 0
	exitFound = 1
	exitUsage = 2
)

// errReported ends a command whose errors are on stderr already.
var errReported = errors.New("reported")

// usageError is wrong use of the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run is main with its arguments and files as parameters. It returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) (status int) {
	// Inputs are mapped: an access past the end of one that was truncated is a fault,
	// which is reported as an error and not as a stack trace.
	debug.SetPanicOnFault(true)
	defer func() {
		if r := recover(); r != nil {
			if _, fault := r.(interface{ Addr() uintptr }); !fault {
				panic(r)
			}
			temps.remove()
			progress.end()
			fmt.Fprintln(stderr, "error: klp-convert: an input file changed while it was read")
			status = exitFound
		}
	}()

	cmd := newCommand()
	cmd.SetArgs(args)
	cmd.SetIn(stdin)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.Execute()
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errReported):
		return exitFound
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "error: klp-convert: %s\nhint: klp-convert --help\n", clean(err.Error()))
		return exitUsage
	}
	fmt.Fprintf(stderr, "error: klp-convert: %s\n", clean(err.Error()))
	for _, h := range missingHints(err) {
		fmt.Fprintf(stderr, "    %s\n", oneLine(h))
	}
	return exitFound
}

func newCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "klp-convert [flags] in.ko out.ko",
		Short: "Turn the annotations in a livepatch module into klp relocations",
		Long: `Turn the annotations in a linked livepatch module (KLP_MODULE_RELOC records
and KLP_RELOC_SYMBOL labels) into klp relocations, which the kernel resolves
late: .klp.rela.<object>.<section> sections and .klp.sym.<object>.<name>,<pos>
symbols. Run it after modpost and before signing and compression, as the last
step that edits the module.

--symbols reads annotations of further symbols from a text file, one a line:
object:name, object:name,position or object:name@path/of/the/source.c, with
symbol= in front where the module calls the symbol something else; # begins a
comment.

With --kernel, annotations are checked against that kernel's symbols, and an
undefined symbol without an annotation is converted if it can mean only one
symbol of the kernel (use --no-infer to disable this). References to exports of
patched modules are converted too; other modules stay dependencies, unless
--convert-module-exports is given.
The build-id of each patched module is recorded in .modinfo (klp_target=), for
check to compare, unless --no-target-id is given.
With --kernel, what the module declares of functions, variables and structures
is compared with the types of that kernel and its modules (BTF, or debug
information), if the module was built with -g. What differs is a warning;
--strict-types makes it an error, --no-types turns this off.
Use --target if the module does not show the version of its kernel: old kernels
and vendors' kernels. Table entries that cannot work in a livepatch and are not
needed (tracepoints, debug messages) are dropped; with --keep-inert they are an
error.

` + kernelHelp + `

in.ko may be compressed (gzip, xz, zstd, bzip2, lz4, lzma); out.ko is compressed
if its name ends in .gz, .xz or .zst. Either may be "-". Both may be the same
file. A module with nothing to convert or to record is copied byte for byte.`,
		Example: `  klp-convert livepatch.tmp.ko livepatch.ko
  klp-convert livepatch.ko livepatch.ko        # in place
  klp-convert -n livepatch.ko                  # show what would be done
  klp-convert --kernel 6.1.0-56-amd64 livepatch.tmp.ko livepatch.ko
  klp-convert inspect livepatch.ko`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          o.parseArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return convert(cmd, &o) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.out, "output", "o", "", "write to `FILE` instead of the second argument")
	f.BoolVarP(&o.dryRun, "dry-run", "n", false, "print the plan, write nothing")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "also print notes and what was done")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print errors only")
	f.BoolVar(&o.json, "json", false, "print plan and diagnostics as JSON")
	o.kernel.register(cmd)
	o.lists.register(cmd)
	f.StringArrayVar(&o.symvers, "symvers", nil, "check imports against the exports in `FILE` too")
	f.BoolVar(&o.noInfer, "no-infer", false, "convert annotated symbols only")
	f.BoolVar(&o.noTargetID, "no-target-id", false, "do not record builds of patched modules")
	f.BoolVar(&o.noTypes, "no-types", false, "do not compare declarations with the kernel's")
	f.BoolVar(&o.strictTypes, "strict-types", false, "fail where declarations differ")
	f.StringVar(&o.target, "target", "", "convert for kernel `VERSION`, not the module's")
	f.BoolVar(&o.keepInert, "keep-inert", false, "fail instead of dropping entries")
	f.BoolVar(&o.unsafe, "unsafe", false, "for experiments: convert even what will break")
	f.BoolVar(&o.moduleExports, "convert-module-exports", false,
		"also convert references to modules' exports")
	cmd.PersistentFlags().StringVar(&o.color, "color", "auto", "`WHEN`: auto, always, never")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	cmd.SetVersionTemplate("klp-convert {{.Version}}\n" + buildInfo())
	cmd.CompletionOptions.HiddenDefaultCmd = false
	cmd.ValidArgsFunction = completeModules
	cmd.AddCommand(newInspectCommand(&o), newSymposCommand(&o), newCheckCommand(&o),
		newAnnotateCommand(&o), newNewCommand(&o), newExplainCommand(&o), newDiffCommand(&o),
		newCacheCommand(&o))
	completeFlags(cmd)
	return cmd
}

// options is the command line.
type options struct {
	in, out        string
	dryRun         bool
	verbose, quiet bool
	json           bool
	kernel         kernelFlags
	lists          listFlags
	symvers        []string
	list           string // symbols.klp of a command line of v7
	noInfer        bool   // see klpreloc.Options
	moduleExports  bool
	noTargetID     bool
	noTypes        bool
	strictTypes    bool
	target         string
	keepInert      bool
	unsafe         bool
	color          string
	inspectJSON    bool
}

// checkColor checks the flag that all commands have.
func (o *options) checkColor() error {
	switch o.color {
	case "auto", "always", "never":
		return nil
	}
	return usagef("--color is %q, want auto, always or never", o.color)
}

// parseArgs reads the positional arguments and checks how flags go together.
func (o *options) parseArgs(_ *cobra.Command, args []string) error {
	if err := o.checkColor(); err != nil {
		return err
	}
	if (len(args) == 2 || len(args) == 3) && isSymbolList(args[0]) {
		o.list, args = args[0], args[1:] // klp-convert symbols.klp in.ko out.ko, as up to v7
	}
	switch {
	case len(args) == 0:
		return usagef("no input file")
	case len(o.kernel.kernels) > 1:
		return usagef("a module is converted for one kernel; to give several files of one: --kernel %s",
			strings.Join(o.kernel.kernels, ","))
	case o.list != "" && len(o.kernel.kernels) > 0:
		return usagef("both --kernel and the symbol list %s; if they are of one kernel: --kernel %s,%s",
			o.list, o.kernel.kernels[0], o.list)
	case len(args) == 1 && o.out == "" && !o.dryRun:
		return usagef("no output file: klp-convert %s OUT.ko", args[0])
	case len(args) == 2 && o.out != "":
		return usagef("two output files: %s and, by --output, %s", args[1], o.out)
	case len(args) > 2:
		return usagef("too many arguments: %s", strings.Join(args[2:], " "))
	case slices.Contains(args, ""):
		return usagef("a file name is empty")
	case o.strictTypes && o.noTypes:
		return usagef("--strict-types and --no-types exclude each other")
	case o.verbose && o.quiet:
		return usagef("--verbose and --quiet exclude each other")
	}
	o.in = args[0]
	if len(args) == 2 {
		o.out = args[1]
	}
	if err := o.lists.check(o.in); err != nil {
		return err
	}
	if err := checkSuffix(o.out); err != nil {
		return err
	}
	if _, ok := kernel.ParseVersion(o.target); o.target != "" && !ok {
		return usagef("--target is %q, want a version: 4.18, 6.1", o.target)
	}
	if o.json && o.out == "-" && !o.dryRun {
		return usagef("--json and the module can't both go to stdout")
	}
	return nil
}

// buildVersion is set by the linker for releases (make build).
var buildVersion string

func version() string {
	if buildVersion != "" {
		return buildVersion
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// buildInfo returns what the program was built with and, where Go knows it, from which
// commit: a report of a defect needs it beside the version.
func buildInfo() string {
	s := fmt.Sprintf("built with %s for %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, kv := range info.Settings {
			switch {
			case kv.Key == "vcs.revision":
				s += ", commit " + kv.Value
			case kv.Key == "vcs.modified" && kv.Value == "true":
				s += ", modified"
			}
		}
	}
	return s + "\n"
}
