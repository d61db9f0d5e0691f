// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/cmd/klp-convert/pages"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/index"
)

// kernelFlags are the flags that select kernels.
type kernelFlags struct {
	kernels []string
	modules []string
	noCache bool
}

// kernelMemory is what a question about the types of a kernel, or about all of its modules,
// allocates when there is an index: 16 to 20 MB, half of whose time was that of page faults.
const kernelMemory = 24 << 20

// kernelHelp explains them in the help of each command that has them.
const kernelHelp = `--kernel takes a release (6.1.0-56-amd64, or "running"), a directory
(/lib/modules/R, a build tree, headers, an unpacked kernel package), a file
(kernel image, vmlinux, System.map, saved /proc/kallsyms, symbols.klp,
Module.symvers), or several of these separated by commas, all of one kernel.`

// register adds the flags to a command.
func (k *kernelFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&k.kernels, "kernel", "k", nil, "use this `KERNEL`: release, directory, file")
	f.StringArrayVar(&k.modules, "module", nil, "also use the module `FILE`, or a directory's")
	f.BoolVar(&k.noCache, "no-cache", false, "read all files, use and write no index")
}

// find returns the kernels that the flags name. --module alone gives a kernel that consists of
// these modules; without any flag the list is empty.
func (k *kernelFlags) find() ([]*sympos.Kernel, error) {
	names := k.kernels
	switch {
	case slices.Contains(names, ""):
		return nil, usagef("--kernel is empty")
	case slices.Contains(k.modules, ""):
		return nil, usagef("--module is empty")
	case len(names) > 1 && len(k.modules) > 0:
		return nil, usagef("--module with several kernels; name it with its kernel: --kernel %s,%s",
			names[0], k.modules[0])
	}
	var kernels []*sympos.Kernel
	store := k.store()
	for _, name := range names {
		running := name == "running"
		if running {
			var err error
			if name, err = runningRelease("/"); err != nil {
				return nil, err
			}
		}
		kernel, err := sympos.FindKernel(name, store)
		if err != nil {
			return nil, err
		}
		if running {
			kernel.Sysfs = "/sys"
		}
		kernels = append(kernels, kernel)
	}
	if len(k.modules) > 0 && len(kernels) == 0 {
		kernels = append(kernels, sympos.NewKernel(strings.Join(k.modules, ",")))
		kernels[0].Index = store
	}
	for _, m := range k.modules {
		if err := kernels[0].AddModules(m); err != nil {
			return nil, fmt.Errorf("--module: %w", err)
		}
	}
	return kernels, nil
}

// store returns the indexes that kernels are read from, nil for none.
func (k *kernelFlags) store() *index.Store {
	if k.noCache {
		return nil
	}
	return userIndex()
}

// expect makes room for what is found out of kernels that have indexes. Reading an image takes
// more memory than that, and for longer.
func (k *kernelFlags) expect() {
	if len(k.kernels) > 0 && k.store() != nil {
		pages.Expect(kernelMemory)
	}
}

// runningRelease returns the release of the running kernel (uname -r). Tests give a root.
func runningRelease(root string) (string, error) {
	b, err := os.ReadFile(filepath.Join(root, "proc/sys/kernel/osrelease"))
	if err != nil {
		return "", fmt.Errorf("the release of the running kernel is not known: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// noteKernel prints which files of a kernel were found and used.
func noteKernel(w io.Writer, name string, notes []string) {
	for _, n := range notes {
		fmt.Fprintf(w, "%s: note: klp-convert: %s\n", oneLine(name), oneLine(n))
	}
}

// warnKernel prints warnings about the files of a kernel.
func warnKernel(w io.Writer, name string, warnings []string, o *options) {
	r := newReporter(w, name, o)
	for i, text := range warnings {
		if i == maxPerID {
			fmt.Fprintf(w, "%s: %s: klp-convert: and %d more like this\n",
				r.file, r.severity(diag.Warning), len(warnings)-i)
			return
		}
		fmt.Fprintf(w, "%s: %s: klp-convert: %s\n",
			r.file, r.severity(diag.Warning), oneLine(text))
	}
}

// missingHints returns the lines below the error when no kernel was found: where it was
// looked for, and what to do.
func missingHints(err error) []string {
	var missing *sympos.MissingError
	if !errors.As(err, &missing) {
		return nil
	}
	var hints, absent []string
	for _, l := range missing.Looked {
		if path, ok := strings.CutSuffix(l, ": not there"); ok {
			absent = append(absent, path)
		} else {
			hints = append(hints, l)
		}
	}
	const width = 76 // after 4 blanks
	line := "not there:"
	for _, path := range absent {
		if len(line)+1+len(path) > width {
			hints, line = append(hints, line), "         "
		}
		line += " " + path
	}
	if len(absent) > 0 {
		hints = append(hints, line)
	}
	return append(hints, missing.Advice...)
}

// A namedKernel has the name that the user gave and, if known, the release.
type namedKernel struct{ name, release string }

// kernelLabels returns a short and unique name for each kernel: the release, or the name that
// the user gave, of a long path the last part.
func kernelLabels(kernels []namedKernel) []string {
	const short = 48
	choices := func(k namedKernel) []string {
		if len(k.name) < short {
			return []string{k.release, k.name}
		}
		return []string{k.release, filepath.Base(k.name), k.name}
	}
	count := map[string]int{}
	for _, k := range kernels {
		for i, c := range choices(k) {
			if !slices.Contains(choices(k)[:i], c) {
				count[c]++
			}
		}
	}
	labels := make([]string, len(kernels))
	for i, k := range kernels {
		labels[i] = clean(k.name)
		for _, c := range choices(k) {
			if c != "" && count[c] == 1 {
				labels[i] = clean(c)
				break
			}
		}
	}
	return labels
}
