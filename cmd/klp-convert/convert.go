// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/cmd/klp-convert/pages"
	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/proof"
	"github.com/klp-convert/klp-convert/sympos"
)

// convert is the command without a subcommand: read, plan, apply, prove, write.
func convert(cmd *cobra.Command, o *options) error {
	c := &conversion{options: o, cmd: cmd, result: &result{
		Input: o.in, Output: o.out, Diagnostics: diag.List{},
	}}
	var err error
	if c.input, err = readInput(o.in, cmd.InOrStdin()); err == nil {
		defer c.unmap()
		c.result.Input = c.name
		if c.annotations, err = c.options.lists.read(cmd.InOrStdin()); err == nil {
			err = c.findKernel()
		}
		if err == nil {
			err = c.run()
		}
	}
	var named *namedError
	switch {
	case errors.As(err, &named):
		c.result.Status = "failed"
	case err != nil:
		c.result.Status = "refused"
	}
	newReporter(cmd.ErrOrStderr(), c.result.Input, o).print(c.result.Diagnostics)
	if named != nil {
		err = printError(cmd.ErrOrStderr(), err, o)
		c.found(named.diagnostic())
	}
	if o.json {
		if jerr := writeJSON(cmd.OutOrStdout(), c.result); err == nil {
			err = jerr
		}
	}
	if err == nil && o.verbose && c.result.Status == "converted" {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: klp-convert: %s\n", c.result.Input, c.result.summary())
	}
	return err
}

// result is what --json prints.
type result struct {
	Input  string `json:"input"`
	Output string `json:"output,omitempty"`
	// converted, copied, planned, refused, or failed to read or write
	Status      string             `json:"status"`
	Plan        *klpreloc.PlanInfo `json:"plan,omitempty"`
	Diagnostics diag.List          `json:"diagnostics"`
}

// summary returns what was done, for -v.
func (r *result) summary() string {
	n := 0
	for _, m := range r.Plan.Moves {
		n += m.Relocs
	}
	return fmt.Sprintf("%s to %s: %s in %s, %s", r.Status, r.Output, diag.Count(n, "relocation"),
		diag.Count(len(r.Plan.Moves), "klp relocation section"),
		diag.Count(len(r.Plan.Symbols), "klp symbol"))
}

type conversion struct {
	*options
	*input
	cmd     *cobra.Command
	result  *result
	kernel  *sympos.Kernel // nil when none is given
	answers proof.Claims

	annotations []annotation.List
}

// findKernel finds the kernel that the module is for, if one was given.
func (c *conversion) findKernel() error {
	flags := c.options.kernel
	if c.list != "" {
		flags.kernels = []string{c.list}
	}
	flags.expect()
	found, err := flags.find()
	if err == nil {
		found, err = withSymvers(found, c.symvers)
	}
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return err
	case err != nil:
		d := diag.Diagnostic{
			ID: diag.KernelUnreadable, Severity: diag.Error, Message: oneLine(err.Error()),
		}
		for _, h := range missingHints(err) {
			d.Hints = append(d.Hints, oneLine(h))
		}
		c.found(d)
		return errReported
	}
	if len(found) > 0 {
		c.kernel = found[0]
		showProgress(c.kernel, "", c.cmd.ErrOrStderr(), c.options)
		if c.verbose {
			noteKernel(c.cmd.ErrOrStderr(), c.kernel.Name, c.kernel.Notes)
		}
	}
	return nil
}

// withSymvers adds the exports of Module.symvers files to the kernel. Without a kernel, it
// returns one that consists of these files.
func withSymvers(found []*sympos.Kernel, files []string) ([]*sympos.Kernel, error) {
	if slices.Contains(files, "") {
		return nil, usagef("--symvers is empty")
	}
	if len(files) > 0 && len(found) == 0 {
		found = append(found, sympos.NewKernel(strings.Join(files, ",")))
	}
	for _, f := range files {
		if err := found[0].AddSymvers(f); err != nil {
			return nil, fmt.Errorf("--symvers: %w", err)
		}
	}
	return found, nil
}

// run does the conversion. What it finds wrong with the module is in the
// result's diagnostics; the error is about files.
func (c *conversion) run() error {
	f, broken := c.parse()
	if f == nil {
		c.found(broken...)
		return errReported
	}
	c.found(c.input.found...)
	plan, found := klpreloc.NewPlan(f, c.planOptions())
	c.found(found...)
	if found.Failed() {
		return errReported
	}
	c.result.Plan = plan.Info()
	switch {
	case c.dryRun:
		c.result.Status = "planned"
		if c.json {
			return nil
		}
		return writePlan(c.cmd.OutOrStdout(), c.result.Plan)
	case plan.Empty():
		c.result.Status = "copied"
		return c.copyInput()
	}
	if err := plan.Apply(); err != nil {
		c.found(diag.OfFile(err))
		return errReported
	}
	c.result.Status, c.answers = "converted", plan.Claims
	return c.write(f)
}

// planOptions returns the options of the conversion from the command line.
func (c *conversion) planOptions() klpreloc.Options {
	target, _ := kernel.ParseVersion(c.target)
	types := klpreloc.TypeCheck{Contents: c.module, Strict: c.strictTypes}
	if c.noTypes {
		types.Contents = nil
	}
	return klpreloc.Options{
		Kernel: c.kernel, Imports: len(c.symvers) > 0, Target: target,
		Lists: c.annotations, NoInfer: c.noInfer, ConvertModuleExports: c.moduleExports,
		KeepInert: c.keepInert, Unsafe: c.unsafe, NoTargetID: c.noTargetID,
		Types: types,
	}
}

func (c *conversion) found(d ...diag.Diagnostic) {
	c.result.Diagnostics = append(c.result.Diagnostics, d...)
}

// copyInput writes the input as it is, or in another compression if the name of the output
// requires one. In place there is nothing to do.
func (c *conversion) copyInput() error {
	if c.inPlace() {
		return nil
	}
	if want := c.outputCompression(); want.name != c.packed.name {
		return writeFile(c.out, c.info, c.cmd.OutOrStdout(), want, c.module)
	}
	return writeFile(c.out, c.info, c.cmd.OutOrStdout(), plain, c.raw)
}

// inPlace reports whether input and output are the same file, under any names.
func (c *conversion) inPlace() bool {
	if c.info == nil {
		return false
	}
	info, err := os.Stat(c.out)
	return err == nil && os.SameFile(info, c.info)
}

// outputCompression returns how the output is compressed: by its name or, on stdout,
// like the input.
func (c *conversion) outputCompression() compression {
	if c.out == "-" {
		return c.packed
	}
	return compressionFor(c.out)
}

// write proves the edited module and writes it.
func (c *conversion) write(f *elfrw.File) error {
	want := c.outputCompression()
	if c.out == "-" {
		return c.writeWhole(f, "<stdout>", func(b []byte) error {
			return want.compress(c.cmd.OutOrStdout(), b)
		})
	}
	inPlace := c.inPlace()
	o, err := create(c.out, c.info)
	if err != nil {
		return err
	}
	defer o.discard()
	if o.temp && want.writer == nil {
		err = c.writeMapped(f, o)
	} else {
		// What was written to a device stays there, and the proof reads no compressed
		// module: prove before writing.
		err = c.writeWhole(f, c.out, func(b []byte) error { return want.compress(o.f, b) })
	}
	if err == nil {
		err = o.finish()
	}
	if err == nil && inPlace && o.temp {
		err = o.alsoName(c.in)
	}
	return err
}

// writeWhole makes the module in memory, proves it and hands it to put.
func (c *conversion) writeWhole(f *elfrw.File, name string, put func([]byte) error) error {
	b, err := f.Bytes()
	if err == nil {
		err = c.prove(b, nil)
	}
	if err != nil {
		return c.defect(err)
	}
	if err := put(b); err != nil {
		return fileError(name, err)
	}
	return nil
}

// writeMapped writes the module to a temporary file and proves the bytes of that file.
func (c *conversion) writeMapped(f *elfrw.File, o *output) error {
	if err := f.Write(o.f); err != nil {
		var format *elfrw.Error
		switch {
		case errors.As(err, &format):
			return c.defect(err)
		case errors.Is(err, syscall.EFAULT):
			return fileError(c.name, errors.New("changed while it was read"))
		}
		return fileError(c.out, err) // a full disk
	}
	info, err := o.f.Stat()
	if err != nil {
		return fileError(c.out, err)
	}
	b, unmap, err := mapFile(o.f, info.Size())
	if err != nil {
		return fileError(c.out, err)
	}
	defer unmap()
	if err := c.prove(b, pages.Release); err != nil {
		return c.defect(err)
	}
	return nil
}

// prove is what every output has to pass. Tests replace it.
var prove = proof.Check

// prove compares the finished bytes with the input, both parsed again. done, if not nil, is
// called with the parts of b that were compared.
func (c *conversion) prove(b []byte, done func([]byte)) error {
	before, err := elfrw.Parse("", c.module)
	if err != nil {
		return err
	}
	after, err := elfrw.Parse("", b)
	if err != nil {
		return err
	}
	return prove(before, after, c.answers, done)
}

func (c *conversion) defect(err error) error {
	c.found(klpreloc.ProofDiagnostic(err))
	return errReported
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// writePlan prints a plan for --dry-run.
func writePlan(w io.Writer, p *klpreloc.PlanInfo) error {
	t := newTable(w)
	if len(p.Moves) == 0 && len(p.Symbols) == 0 && len(p.DropSections) == 0 &&
		len(p.DropSymbols) == 0 && len(p.Targets) == 0 {
		t.line("nothing to convert")
	}
	t.section("relocations to move", "FROM", "TO", "RELOCATIONS")
	for _, m := range p.Moves {
		t.row(m.From, m.To, m.Relocs)
	}
	t.section("symbols to rename", "SYMBOL", "TO", "RELOCATIONS")
	for _, s := range p.Symbols {
		t.row(s.Symbol, s.To, s.Relocs)
	}
	t.section("sections to drop", "SECTION")
	for _, s := range p.DropSections {
		t.row(s)
	}
	t.section("symbols to drop", "SYMBOL")
	for _, s := range p.DropSymbols {
		t.row(s)
	}
	t.section("special sections", "FROM", "TO", "ENTRIES")
	for _, x := range p.Tables {
		to := x.To
		if to == "" {
			to = "(dropped)"
		}
		t.row(x.From, to, x.Entries)
	}
	t.section("modpost's tables to clean", "SECTION")
	for _, s := range p.Rewrites {
		t.row(s)
	}
	t.section("builds of modules to record", "MODULE", "BUILD")
	for _, x := range p.Targets {
		module, build, _ := strings.Cut(x, ":")
		t.row(module, build)
	}
	t.section("debug information", "SECTION", "DETACHED", "DROPPED")
	for _, d := range p.Detached {
		t.row(d.Section, d.Detached, d.Dropped)
	}
	if p.DropTrailer {
		t.line("the module signature is dropped")
	}
	return t.flush()
}
