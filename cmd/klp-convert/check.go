// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/sympos"
)

// checking is the command line of check.
type checking struct {
	*options
	flags       kernelFlags
	file        string
	json, sarif bool
	strict      bool // unchecked things count as findings
	noTypes     bool
}

func newCheckCommand(o *options) *cobra.Command {
	c := &checking{options: o}
	cmd := &cobra.Command{
		Use:   "check [flags] --kernel KERNEL FILE",
		Short: "Predict whether kernels will load a livepatch module",
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

FILE is checked as it is: convert it first. Exit status 0 when it loads on all
kernels and there are no findings, 1 when there are findings, 2 for wrong use.
Notes do not count. If a file of the kernel that a check needs is not available,
the verdict is "loads, as far as its files tell", which changes the exit status
with --strict only. --verbose lists what only a running kernel can tell.`,
		Example: `  klp-convert check livepatch.ko --kernel 6.1.0-56-amd64
  klp-convert check livepatch.ko -k 6.1.0-50-amd64 -k 6.1.0-56-amd64
  klp-convert check livepatch.ko -k 6.1.0-56-amd64 --module mydriver.ko
  klp-convert check --sarif livepatch.ko -k ./linux > check.sarif`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return usagef("check takes a module: klp-convert check FILE --kernel KERNEL")
			case len(args) > 1:
				return usagef("check takes one module, not %d", len(args))
			case args[0] == "":
				return usagef("a file name is empty")
			case len(c.flags.kernels) == 0:
				return usagef("check needs a kernel: --kernel KERNEL (see klp-convert check --help)")
			case c.json && c.sarif:
				return usagef("--json and --sarif exclude each other")
			}
			c.file = args[0]
			return o.checkColor()
		},
		ValidArgsFunction: completeModules,
		RunE:              func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	c.flags.register(cmd)
	f.Lookup("module").Usage = "treat `FILE`, or the modules in a directory, as loaded"
	f.BoolVar(&c.json, "json", false, "print {file, kernels: [{verdict, findings, …}, …]}")
	f.BoolVar(&c.sarif, "sarif", false, "print SARIF 2.1.0, for code scanning")
	f.BoolVar(&c.strict, "strict", false, "exit with 1 also when something could not be checked")
	f.BoolVar(&c.noTypes, "no-types", false, "do not compare declarations with the kernel's")
	f.BoolVarP(&o.verbose, "verbose", "v", false,
		"list what was not checked, and which files were used")
	return cmd
}

// verdict is the result of the check for one kernel.
type verdict struct {
	*loader.Report
	label string
	notes []string // about the kernel's files
}

func (c *checking) run(cmd *cobra.Command) error {
	in, err := readInput(c.file, cmd.InOrStdin())
	if err != nil {
		return printError(cmd.ErrOrStderr(), err, c.options)
	}
	defer in.unmap()
	if err := newReporter(cmd.ErrOrStderr(), in.name, c.options).report(in.found); err != nil {
		return err
	}
	kernels, loaded, err := c.kernels()
	if err != nil {
		return err
	}
	all, err := c.checkKernels(cmd, in.module, kernels, loaded)
	if err != nil {
		return err
	}
	setLabels(all)
	var reports []*loader.Report
	for _, v := range all {
		reports = append(reports, v.Report)
	}
	loader.Compare(reports)
	switch {
	case c.json:
		err = writeJSON(cmd.OutOrStdout(), c.result(in.name, all))
	case c.sarif:
		err = writeJSON(cmd.OutOrStdout(), sarifOf(in.name, all))
	default:
		err = c.print(cmd.OutOrStdout(), in.name, all)
	}
	if err == nil && !c.passes(all) {
		err = errReported
	}
	return err
}

// passes reports whether there is no finding for any kernel.
func (c *checking) passes(all []verdict) bool {
	return !slices.ContainsFunc(all, func(v verdict) bool {
		return v.Problems() > 0 || c.strict && len(v.NotJudged()) > 0
	})
}

// maxParallel is how many kernels are read at a time: most of the work is unpacking an
// image, which takes one processor and the memory of the unpacked kernel.
const maxParallel = 2

// checkKernels checks the module against each kernel, several at a time. Notes and warnings
// about the kernels' files are printed in the order of the kernels.
func (c *checking) checkKernels(
	cmd *cobra.Command, b []byte, kernels []*sympos.Kernel, loaded []string,
) ([]verdict, error) {
	if len(kernels) > 1 {
		debug.SetGCPercent(100) // main is generous, with one kernel in mind
	}
	all := make([]verdict, len(kernels))
	failed := make([]error, len(kernels))
	next := make(chan int)
	var (
		wait sync.WaitGroup
		stop atomic.Bool // an error ends the command: the other kernels are not read
	)
	path := c.file
	if path == "-" {
		path = "" // stdin cannot be read a second time
	}
	for range min(maxParallel, runtime.GOMAXPROCS(0), len(kernels)) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			debug.SetPanicOnFault(true) // as in run, of which this is a part
			module := loader.Open(b)
			for i := range next {
				all[i], failed[i] = checkKernel(module, loader.Options{
					Kernel: kernels[i], Loaded: loaded, File: path, ComparesFiles: len(kernels) > 1,
					NoTypes: c.noTypes,
				})
				kernels[i] = nil
				runtime.GC() // otherwise several kernels would be in memory at once
				if failed[i] != nil {
					stop.Store(true)
				}
			}
		}()
	}
	for i := 0; i < len(kernels) && !stop.Load(); i++ {
		showProgress(kernels[i], nth(i, len(kernels)), cmd.ErrOrStderr(), c.options)
		next <- i
	}
	close(next)
	wait.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	for _, v := range all {
		if c.verbose {
			noteKernel(cmd.ErrOrStderr(), v.Kernel, v.notes)
		}
		warnKernel(cmd.ErrOrStderr(), v.Kernel, v.Warnings, c.options)
	}
	return all, nil
}

// checkKernel checks against one kernel. A module that is truncated while it is read is an
// error here: run cannot recover from a fault in another goroutine.
func checkKernel(m *loader.Module, o loader.Options) (v verdict, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, fault := r.(interface{ Addr() uintptr }); !fault {
				panic(r)
			}
			err = errors.New("an input file changed while it was read")
		}
	}()
	r, err := m.Check(o)
	if err != nil {
		return v, fmt.Errorf("kernel %s: %w", o.Kernel.Name, err)
	}
	return verdict{r, "", o.Kernel.Notes}, nil
}

// kernels finds the kernels; --module belongs to each of them, and is loaded.
func (c *checking) kernels() (kernels []*sympos.Kernel, loaded []string, err error) {
	for _, m := range c.flags.modules {
		if m == "" {
			return nil, nil, usagef("--module is empty")
		}
	}
	for _, name := range c.flags.kernels {
		flags := kernelFlags{kernels: []string{name}, modules: c.flags.modules}
		found, err := flags.find()
		if err != nil {
			return nil, nil, err
		}
		kernels = append(kernels, found...)
	}
	if len(c.flags.modules) > 0 {
		own := sympos.NewKernel("")
		for _, m := range c.flags.modules {
			if err := own.AddModules(m); err != nil {
				return nil, nil, fmt.Errorf("--module: %w", err)
			}
		}
		loaded = own.Modules()
	}
	return kernels, loaded, nil
}

// setLabels gives each kernel a name that is short and unique.
func setLabels(all []verdict) {
	var kernels []namedKernel
	for _, v := range all {
		kernels = append(kernels, namedKernel{v.Kernel, v.Release})
	}
	for i, l := range kernelLabels(kernels) {
		all[i].label = l
	}
}

// message returns the verdict in one line: "loads", or what the kernel prints first.
func (v verdict) message() string {
	if f := v.First(); f != nil {
		return f.KernelSays()
	}
	return "loads"
}

// qualifiedMessage is message, which also tells when a file for a check was missing.
func (v verdict) qualifiedMessage() string {
	if n := len(v.NotJudged()); n > 0 && v.First() == nil {
		return fmt.Sprintf("loads, as far as its files tell: %d not judged", n)
	}
	return v.message()
}

// print writes a table of verdicts, and below it the findings.
func (c *checking) print(w io.Writer, file string, all []verdict) error {
	t := newTable(w)
	t.section("check of "+oneLine(file), "KERNEL", "VERDICT")
	// A verdict is shortened to the terminal: its message is printed whole below the table.
	label, room := len("KERNEL"), terminalWidth(w)
	for _, v := range all {
		label = max(label, utf8.RuneCountInString(v.label))
	}
	for _, v := range all {
		message := v.qualifiedMessage()
		most := room - 1 - label - 2*gap
		if room > 0 && most > gap && utf8.RuneCountInString(message) > most {
			message = truncate(message, most-1) + "…"
		}
		t.row(v.label, message)
	}
	if err := t.flush(); err != nil {
		return err
	}
	// Findings that several kernels share are printed once.
	var texts []string
	of := map[string][]string{}
	for _, v := range all {
		text := c.details(v)
		if text != "" && of[text] == nil {
			texts = append(texts, text)
		}
		of[text] = append(of[text], v.label)
	}
	for _, text := range texts {
		if _, err := fmt.Fprintf(w, "\n%s\n%s", strings.Join(of[text], "\n"), text); err != nil {
			return err
		}
	}
	return nil
}

// details returns the findings for one kernel.
func (c *checking) details(v verdict) string {
	b := new(strings.Builder)
	for i := range v.Findings {
		f := &v.Findings[i]
		place := f.Where()
		if f.Section != "" && f.Symbol != "" {
			place += " " + f.Symbol
		}
		if place != "" {
			place += ": "
		}
		fmt.Fprintf(b, "  %s: %s%s [%s]\n", findingWord(f.Severity), place, f.Message, f.ID)
		for _, line := range differenceLines(f.Differences) {
			fmt.Fprintf(b, "      %s\n", line)
		}
		for _, line := range alsoAt(f.Places) {
			fmt.Fprintf(b, "      %s\n", line)
		}
		for _, k := range f.Cases {
			if f.Severity == diag.Note && k.When == diag.Loading && len(k.Messages) == 0 {
				continue
			}
			fmt.Fprintf(b, "      %s\n", describeMoment(k))
			for _, m := range k.Messages {
				fmt.Fprintf(b, "          %s\n", m.Text)
			}
		}
		for _, x := range f.Hints {
			fmt.Fprintf(b, "      fix: %s\n", x)
		}
	}
	if c.verbose || v.First() == nil {
		writeUnchecked(b, "not judged", v.Unchecked, true)
	}
	if c.verbose {
		writeUnchecked(b, "not checked", v.Unchecked, false)
	}
	return b.String()
}

// writeUnchecked writes the checks that could not be made: those that lack a file of the
// kernel, or those that only a running kernel can make.
func writeUnchecked(b *strings.Builder, title string, list []loader.Unchecked, lacking bool) {
	for _, u := range list {
		if u.NotJudged != lacking {
			continue
		}
		if title != "" {
			fmt.Fprintf(b, "  %s:\n", title)
			title = ""
		}
		fmt.Fprintf(b, "      %s: %s\n", u.What, u.Why)
	}
}

// describeMoment says when a finding shows, and what insmod reports.
func describeMoment(k diag.Case) string {
	s := map[diag.When]string{
		diag.Loading:  "when it is loaded",
		diag.Enabling: "when it is enabled, by its init function",
		diag.Coming:   "when " + k.Object + " is loaded later",
		diag.Calling:  "when the code runs",
		diag.Again:    "when " + k.Object + " is loaded a second time",
		diag.Removing: "when it is removed",
	}[k.When]
	if k.When == diag.Enabling && k.Object != "" {
		s += ", if " + k.Object + " is loaded by then"
	}
	if k.When == diag.Loading && k.Object != "" {
		s += ", if " + k.Object + " is not there"
	}
	switch k.Errno {
	case "":
	case "killed":
		s += ", insmod is killed"
	default:
		s += ", " + k.Errno
	}
	if len(k.Messages) > 0 {
		return s + ":"
	}
	return s + ", without a message"
}
