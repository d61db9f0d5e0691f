// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
)

func newAnnotateCommand(o *options) *cobra.Command {
	var (
		flags   kernelFlags
		dialect string
		file    string
		symvers []string
		lists   listFlags
	)
	dialects := map[string]annotation.Dialect{
		"": "", "records": annotation.Records, "labels": annotation.Labels,
		"list": annotation.Listed,
	}
	cmd := &cobra.Command{
		Use:   "annotate [flags] --kernel KERNEL FILE",
		Short: "Print the annotations that a livepatch module is missing",
		Long: `Print annotations, as lines of C for klp_convert.h, for the undefined symbols of
a linked livepatch module that the kernel has but does not export. A comment
gives position, address and source file of each. Where a name can mean several
symbols, one line is printed for each, commented out: choose one. Before these
lines are declarations, as far as the kernel's files have types: BTF or debug
information.

With --dialect list the lines are those of a list for --symbols instead. What
the list that --symbols names annotates is not missing.

` + kernelHelp + `

Nothing is printed when no annotation is missing. Exit status 1 when a symbol
is not found, or the file can't be read.`,
		Example: `  klp-convert annotate livepatch.ko --kernel 6.1.0-56-amd64 >> livepatch-syms.h
  klp-convert annotate --dialect labels livepatch.ko -k ./linux
  klp-convert annotate --dialect list livepatch.ko -k ./linux > symbols.txt`,
		Args: func(_ *cobra.Command, args []string) error {
			_, known := dialects[dialect]
			switch {
			case len(args) == 0:
				return usagef("annotate takes a module: klp-convert annotate FILE --kernel KERNEL")
			case len(args) > 1:
				return usagef("annotate takes one module, not %d", len(args))
			case args[0] == "":
				return usagef("a file name is empty")
			case !known:
				return usagef("--dialect is %q, want records, labels or list", dialect)
			case len(flags.kernels) == 0 && len(flags.modules) == 0:
				return usagef("annotate needs a kernel: --kernel KERNEL (see klp-convert annotate --help)")
			case len(flags.kernels) > 1:
				return usagef("annotations are looked up in one kernel")
			}
			file = args[0]
			if err := lists.check(file); err != nil {
				return err
			}
			return o.checkColor()
		},
		ValidArgsFunction: completeModules,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in, err := readInput(file, cmd.InOrStdin())
			if err != nil {
				return printError(cmd.ErrOrStderr(), err, o)
			}
			defer in.unmap()
			annotations, err := lists.read(cmd.InOrStdin())
			if err != nil {
				return printError(cmd.ErrOrStderr(), err, o)
			}
			kernels, err := flags.find()
			if err == nil {
				kernels, err = withSymvers(kernels, symvers)
			}
			if err != nil {
				return err
			}
			report := newReporter(cmd.ErrOrStderr(), in.name, o)
			f, broken := in.parse()
			if f == nil {
				return report.report(broken)
			}
			showProgress(kernels[0], "", cmd.ErrOrStderr(), o)
			if o.verbose {
				noteKernel(cmd.ErrOrStderr(), kernels[0].Name, kernels[0].Notes)
			}
			text, found := klpreloc.Annotate(f, klpreloc.Options{Kernel: kernels[0], Lists: annotations},
				dialects[dialect])
			if _, err := io.WriteString(cmd.OutOrStdout(), text); err != nil {
				return err
			}
			return report.report(append(found, in.found...))
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	flags.register(cmd)
	lists.register(cmd)
	f.StringVar(&dialect, "dialect", "", "`DIALECT`: records, labels, list (default: the module's)")
	f.StringArrayVar(&symvers, "symvers", nil, "also read exports from the Module.symvers `FILE`")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print notes, and which files were used")
	return cmd
}
