// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/sympos"
)

// checking is the command line of check.
type checking struct {
	*options
	flags       kernelFlags
	file        string
	json, sarif bool
}

func newCheckCommand(o *options) *cobra.Command {
	c := &checking{options: o}
	cmd := &cobra.Command{
		Use:   "check [flags] --kernel KERNEL FILE",
		Short: "Say what kernels will make of a livepatch module",
		Long: `Go through what the module loader and the livepatch core of a kernel will do
with the module, in their order, and print for each kernel either "loads" or the
message that it will print; below, the cause, the fix, and when it comes.

` + kernelHelp + `

--module names a module that the kernel has beside its own, and that is loaded
before FILE. Each livepatched module is judged for being loaded later as well.

The file is judged as it is: convert it first. Exit status 0 when it loads on
all kernels and nothing was found, 1 when something was, 2 for wrong use. Notes
do not count. What only a running kernel can tell is listed by --verbose.`,
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
			return o.common()
		},
		ValidArgsFunction: completeModules,
		RunE:              func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	cmd.Flags().SortFlags = false
	c.flags.register(cmd)
	cmd.Flags().Lookup("module").Usage = "this module, or those in a folder, are loaded (`FILE`)"
	cmd.Flags().BoolVar(&c.json, "json", false, "print {file, kernels: [{verdict, findings, …}, …]}")
	cmd.Flags().BoolVar(&c.sarif, "sarif", false, "print SARIF 2.1.0, for code scanning")
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "list what was not checked, and which files were used")
	return cmd
}

// verdict is what one kernel makes of the module.
type verdict struct {
	*loader.Report
	label string
}

func (c *checking) run(cmd *cobra.Command) error {
	in, err := readInput(c.file, cmd.InOrStdin())
	if err != nil {
		return printError(cmd.ErrOrStderr(), err, c.options)
	}
	defer in.unmap()
	kernels, loaded, err := c.kernels()
	if err != nil {
		return err
	}
	module := loader.Open(in.module)
	var all []verdict
	for _, k := range kernels {
		if c.verbose {
			noteKernel(cmd.ErrOrStderr(), k.Name, k.Notes)
		}
		warnKernel(cmd.ErrOrStderr(), k.Name, k.Warnings, c.options)
		showProgress(k, cmd.ErrOrStderr())
		r, err := module.Check(loader.Options{Kernel: k, Loaded: loaded})
		if err != nil {
			return fmt.Errorf("kernel %s: %w", k.Name, err)
		}
		all = append(all, verdict{r, r.Kernel})
	}
	labels(all)
	switch {
	case c.json:
		err = writeJSON(cmd.OutOrStdout(), checkResult(in.name, all))
	case c.sarif:
		err = writeJSON(cmd.OutOrStdout(), sarifOf(in.name, all))
	default:
		err = c.print(cmd.OutOrStdout(), in.name, all)
	}
	if err == nil && slices.ContainsFunc(all, func(v verdict) bool { return v.Problems() > 0 }) {
		err = errReported
	}
	return err
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

// labels gives each kernel a name that is short and its own.
func labels(all []verdict) {
	count := map[string]int{}
	for _, v := range all {
		count[v.Release]++
	}
	for i := range all {
		if v := &all[i]; v.Release != "" && count[v.Release] == 1 {
			v.label = v.Release
		}
		all[i].label = clean(all[i].label)
	}
}

// word is the verdict in one line.
func (v verdict) word() string {
	if f := v.First(); f != nil {
		return f.Message()
	}
	return "loads"
}

// print writes the table, and what there is to say below it.
func (c *checking) print(w io.Writer, file string, all []verdict) error {
	t := newTable(w)
	t.section("check of "+oneLine(file), "KERNEL", "VERDICT")
	for _, v := range all {
		t.row(v.label, v.word())
	}
	if err := t.flush(); err != nil {
		return err
	}
	var b strings.Builder
	for _, v := range all {
		c.details(&b, v)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// details writes what was found for one kernel.
func (c *checking) details(b *strings.Builder, v verdict) {
	if len(v.Findings) == 0 && !c.verbose {
		return
	}
	fmt.Fprintf(b, "\n%s\n", v.label)
	for i := range v.Findings {
		f := &v.Findings[i]
		place := f.Place()
		if f.Section != "" && f.Symbol != "" {
			place += " " + f.Symbol
		}
		if place != "" {
			place += ": "
		}
		fmt.Fprintf(b, "  %s: %s%s [%s]\n", f.Severity, place, f.Cause, f.ID)
		for _, k := range f.Cases {
			if f.Severity == loader.Note && k.When == loader.Loading && len(k.Messages) == 0 {
				continue
			}
			fmt.Fprintf(b, "      %s\n", moment(k))
			for _, m := range k.Messages {
				fmt.Fprintf(b, "          %s\n", m.Text)
			}
		}
		for _, x := range f.Fix {
			fmt.Fprintf(b, "      fix: %s\n", x)
		}
	}
	if c.verbose && len(v.Unchecked) > 0 {
		fmt.Fprintf(b, "  not checked:\n")
		for _, u := range v.Unchecked {
			fmt.Fprintf(b, "      %s: %s\n", u.What, u.Why)
		}
	}
}

// moment says when something comes, and what becomes of it.
func moment(k loader.Case) string {
	s := map[loader.When]string{
		loader.Loading:  "when it is loaded",
		loader.Enabling: "when it is enabled, by its init function",
		loader.Coming:   "when " + k.Object + " is loaded later",
		loader.Calling:  "when the code runs",
		loader.Again:    "when " + k.Object + " is loaded a second time",
		loader.Removing: "when it is removed",
	}[k.When]
	if k.When == loader.Enabling && k.Object != "" {
		s += ", if " + k.Object + " is loaded by then"
	}
	if k.When == loader.Loading && k.Object != "" {
		s += ", if " + k.Object + " is not there"
	}
	switch k.Errno {
	case "":
		return s + ":"
	case "killed":
		return s + ", insmod is killed:"
	}
	return s + ", " + k.Errno + ":"
}

// checkJSON is what --json prints.
type checkJSON struct {
	File    string          `json:"file"`
	Loads   bool            `json:"loads"` // everywhere, with no finding
	Kernels []kernelVerdict `json:"kernels"`
}

type kernelVerdict struct {
	*loader.Report
	Verdict string `json:"verdict"` // "loads", or the first message
	Problem int    `json:"problems"`
	Insmod  bool   `json:"insmod"` // insmod succeeds
}

func checkResult(file string, all []verdict) checkJSON {
	r := checkJSON{File: file, Loads: true}
	for _, v := range all {
		r.Loads = r.Loads && v.Problems() == 0
		r.Kernels = append(r.Kernels, kernelVerdict{v.Report, v.word(), v.Problems(), v.Loads()})
	}
	return r
}
