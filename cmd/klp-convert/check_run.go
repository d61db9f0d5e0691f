// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/klp-convert/klp-convert/cmd/klp-convert/pages"
	"github.com/klp-convert/klp-convert/klpreloc/loader"
	"github.com/klp-convert/klp-convert/klpreloc/matrix"
	"github.com/klp-convert/klp-convert/sympos"
)

// readModules reads all modules; done releases them. What can't be read is reported for each,
// and nothing is checked then.
func (c *checking) readModules(cmd *cobra.Command) (all []*input, done func(), err error) {
	done = func() {
		for _, in := range all {
			in.unmap()
		}
	}
	largest := int64(0)
	for _, file := range c.files {
		in, failed := readInput(file, cmd.InOrStdin())
		if failed != nil {
			failed = printError(cmd.ErrOrStderr(), failed, c.options)
		} else {
			all, largest = append(all, in), max(largest, int64(len(in.module)))
			failed = newReporter(cmd.ErrOrStderr(), in.name, c.options).report(in.found)
		}
		if failed != nil {
			err = failed
		}
	}
	if largest >= 8<<20 {
		pages.Expect(5 * largest) // seen with two million klp relocations
	}
	return all, done, err
}

// readBaseline reads the log of --baseline, which may be the file that --sarif writes.
func (c *checking) readBaseline() ([]matrix.SARIFResult, error) {
	if c.baseline == "" {
		return nil, nil
	}
	f, err := os.Open(c.baseline)
	if err != nil {
		return nil, fileError(c.baseline, err)
	}
	defer f.Close()
	b, err := readBounded(f)
	if err != nil {
		return nil, fileError(c.baseline, err)
	}
	results, err := matrix.ReadBaseline(b)
	if err != nil {
		return nil, fileError(c.baseline, err)
	}
	return results, nil
}

// moduleLabels gives each module a name that is short and unique: that of its file or, where
// several have it, the path that was given.
func moduleLabels(modules []*input) []string {
	name := func(in *input) string {
		if in.name == stdinName {
			return in.name
		}
		return filepath.Base(in.name)
	}
	count := map[string]int{}
	for _, in := range modules {
		count[name(in)]++
	}
	labels := make([]string, len(modules))
	for i, in := range modules {
		if labels[i] = name(in); count[labels[i]] > 1 {
			labels[i] = in.name
		}
		labels[i] = oneLine(labels[i])
	}
	return labels
}

// kernelReports are the reports of all modules for one kernel.
type kernelReports struct {
	reports []*loader.Report
	notes   []string // about the kernel's files
}

// maxParallel is how many kernels are read at a time: most of the work is unpacking an
// image, which takes one processor and the memory of the unpacked kernel.
const maxParallel = 2

// checkKernels checks the modules against each kernel, several kernels at a time: each is read
// once, for all modules, and is gone when they are checked. Notes and warnings about the
// kernels' files are printed in the order of the kernels.
func (c *checking) checkKernels(
	cmd *cobra.Command, modules []*input, kernels []*sympos.Kernel, loaded []string,
) ([]kernelReports, error) {
	if len(kernels) > 1 {
		debug.SetGCPercent(100) // main is generous, with one kernel in mind
	}
	all := make([]kernelReports, len(kernels))
	failed := make([]error, len(kernels))
	next := make(chan int)
	var (
		wait sync.WaitGroup
		stop atomic.Bool // an error ends the command: the other kernels are not read
	)
	for range min(maxParallel, runtime.GOMAXPROCS(0), len(kernels)) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			debug.SetPanicOnFault(true) // as in run, of which this is a part
			var open []*loader.Module   // a module is for one goroutine
			for i := range next {
				all[i], failed[i] = checkKernel(modules, &open, loader.Options{
					Kernel: kernels[i], Loaded: loaded, ComparesFiles: len(kernels) > 1,
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
	for _, k := range all {
		name, warnings := k.reports[0].Kernel, k.reports[0].Warnings
		if c.verbose {
			noteKernel(cmd.ErrOrStderr(), name, k.notes)
		}
		warnKernel(cmd.ErrOrStderr(), name, warnings, c.options)
	}
	return all, nil
}

// checkKernel checks against one kernel, and opens the modules if they are not. A module that
// is truncated while it is read is an error here: run cannot recover from a fault in another
// goroutine.
func checkKernel(
	modules []*input, open *[]*loader.Module, o loader.Options,
) (k kernelReports, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, fault := r.(interface{ Addr() uintptr }); !fault {
				panic(r)
			}
			err = errors.New("an input file changed while it was read")
		}
	}()
	if *open == nil {
		for _, in := range modules {
			path := in.name
			if path == stdinName {
				path = "" // stdin cannot be read a second time
			}
			*open = append(*open, loader.OpenAs(path, in.module))
		}
	}
	reports, err := loader.CheckAll(*open, o)
	if err != nil {
		return k, fmt.Errorf("kernel %s: %w", o.Kernel.Name, err)
	}
	return kernelReports{reports, o.Kernel.Notes}, nil
}

// kernels finds the kernels; --module belongs to each of them, and is loaded.
func (c *checking) kernels() (kernels []*sympos.Kernel, loaded []string, err error) {
	for _, m := range c.flags.modules {
		if m == "" {
			return nil, nil, usagef("--module is empty")
		}
	}
	for _, name := range c.flags.kernels {
		flags := c.flags
		flags.kernels = []string{name}
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
