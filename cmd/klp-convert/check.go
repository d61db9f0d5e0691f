// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/klpreloc/matrix"
)

// checking is the command line of check.
type checking struct {
	*options
	flags       kernelFlags
	files       []string
	json, sarif streamFlag
	junit, html string // files, "" for none
	baseline    string // a file, "" for none
	strict      bool   // unchecked things count as findings
	noTypes     bool
}

func newCheckCommand(o *options) *cobra.Command {
	c := &checking{options: o}
	cmd := &cobra.Command{
		Use:   "check [flags] --kernel KERNEL FILE...",
		Short: "Predict whether kernels will load livepatch modules",
		Long: `Go through the steps of a kernel's module loader and livepatch core, in their
order, and print for each kernel either "loads" or the message that the kernel
will print, followed by the cause, when it happens, and the fix.

` + kernelHelp + `

--module names a module that does not come with the kernel and is loaded before
FILE. For each livepatched module, loading it after FILE is checked as well. If
FILE says which build of it is meant (klp_target= in .modinfo), its file is
compared and, with -k running, what is loaded.

If FILE was built with -g, what it declares of functions, variables and
structures is compared with the kernel's types (BTF, or debug information); what
differs is a finding.

If debug information of what is patched is available (a vmlinux of a debug
package, or the module's own), code of the patched functions that FILE does not
replace is a finding: inlined copies and clones.

Several modules are checked each as if it were alone. The answer is a table of
modules and kernels, and below it each finding once, with where it is.
--json=FILE, --sarif=FILE, --junit and --html write the same for programs, CI
systems and people; several of them can be given. Findings that the log of
--baseline has do not count; what it has and is not found is listed as gone.

FILE is checked as it is: convert it first. Exit status 0 when each module loads
on all kernels and there are no findings, or known ones only, 1 when there are
findings or a file can't be read or written, 2 for wrong use.
Notes do not count. If a file of the kernel that a check needs is not available,
the verdict is "loads, as far as its files tell", which changes the exit status
with --strict only. --verbose lists what only a running kernel can tell.`,
		Example: `  klp-convert check livepatch.ko --kernel 6.1.0-56-amd64
  klp-convert check livepatch.ko -k 6.1.0-50-amd64 -k 6.1.0-56-amd64
  klp-convert check livepatch.ko -k 6.1.0-56-amd64 --module mydriver.ko
  klp-convert check a.ko b.ko -k 6.1.0-56-amd64 -k ./linux --html all.html
  klp-convert check --sarif livepatch.ko -k ./linux > check.sarif
  klp-convert check --baseline check.sarif livepatch.ko -k ./linux`,
		Args: func(_ *cobra.Command, args []string) error {
			c.files = args
			if err := c.checkArgs(); err != nil {
				return err
			}
			return o.checkColor()
		},
		ValidArgsFunction: completeModules,
		RunE:              func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	c.flags.register(cmd)
	f.Lookup("module").Usage = "treat `FILE`, or the modules in a directory, as loaded"
	c.json.register(cmd, "json", "print JSON; --json=FILE writes it")
	c.sarif.register(cmd, "sarif", "print SARIF, for code scanning; --sarif=FILE writes it")
	f.StringVar(&c.junit, "junit", "", "write XML for CI systems to `FILE`")
	f.StringVar(&c.html, "html", "", "write one page to read to `FILE`")
	f.StringVar(&c.baseline, "baseline", "", "let findings pass that the SARIF log `FILE` has")
	f.BoolVar(&c.strict, "strict", false, "exit with 1 also when something could not be checked")
	f.BoolVar(&c.noTypes, "no-types", false, "do not compare declarations with the kernel's")
	f.BoolVarP(&o.verbose, "verbose", "v", false,
		"list what was not checked, and which files were used")
	return cmd
}

// checkArgs checks the command line.
func (c *checking) checkArgs() error {
	switch {
	case len(c.files) == 0:
		return usagef("check takes modules: klp-convert check FILE... --kernel KERNEL")
	case slices.Contains(c.files, ""):
		return usagef("a file name is empty")
	case len(c.flags.kernels) == 0:
		return usagef("check needs a kernel: --kernel KERNEL (see klp-convert check --help)")
	}
	for i, file := range c.files {
		if slices.Contains(c.files[:i], file) {
			return usagef("%s is given twice", file)
		}
		// --sarif FILE is read as a flag and a module.
		for _, end := range []string{".sarif", ".json"} {
			if strings.HasSuffix(file, end) && (c.sarif.path == "-" || c.json.path == "-") {
				return usagef("%s is no module; to write to a file: --%s=%s", file, end[1:], file)
			}
		}
	}
	return c.outputs().check(c.files)
}

// outputs returns what is written, and where.
func (c *checking) outputs() outputs {
	var all outputs
	for _, o := range []outputOf{
		{flag: "json", path: c.json.path, write: writeJSONOf},
		{flag: "sarif", path: c.sarif.path, write: writeSARIF},
		{flag: "junit", path: c.junit, write: writeJUnit},
		{flag: "html", path: c.html, write: writeHTML},
	} {
		if o.path != "" {
			all = append(all, o)
		}
	}
	return all
}

func (c *checking) run(cmd *cobra.Command) error {
	modules, done, err := c.readModules(cmd)
	defer done()
	if err != nil {
		return err
	}
	known, err := c.readBaseline()
	if err != nil {
		return printError(cmd.ErrOrStderr(), err, c.options)
	}
	c.flags.expect()
	kernels, loaded, err := c.kernels()
	if err != nil {
		return err
	}
	// What cannot be written is reported before a minute of work.
	files, err := c.outputs().open()
	defer files.discard()
	if err != nil {
		return printError(cmd.ErrOrStderr(), err, c.options)
	}
	all, err := c.checkKernels(cmd, modules, kernels, loaded)
	if err != nil {
		return err
	}
	m := c.matrixOf(modules, all)
	if c.baseline != "" {
		m.Compare(c.baseline, known)
	}
	switch {
	case files.useStdout():
	case len(modules) == 1 && c.baseline == "":
		err = c.print(cmd.OutOrStdout(), m)
	default:
		err = c.printMatrix(cmd.OutOrStdout(), m)
	}
	if err == nil {
		err = printError(cmd.ErrOrStderr(), files.write(m, cmd.OutOrStdout()), c.options)
	}
	if err == nil && !m.Passes() {
		err = errReported
	}
	return err
}

// matrixOf makes the matrix of what was found, by kernel and then by module.
func (c *checking) matrixOf(modules []*input, all []kernelReports) *matrix.Matrix {
	var rows []matrix.Module
	for i, label := range moduleLabels(modules) {
		rows = append(rows, matrix.Module{File: modules[i].name, Label: label})
	}
	reports := make([][]*loader.Report, len(modules))
	for i := range modules {
		for _, k := range all {
			reports[i] = append(reports[i], k.reports[i])
		}
		loader.Compare(reports[i])
	}
	var named []namedKernel
	for _, r := range reports[0] {
		named = append(named, namedKernel{r.Kernel, r.Release})
	}
	m := matrix.New(rows, kernelLabels(named), reports)
	m.Strict = c.strict
	return m
}
