// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/klp-convert/klp-convert/klpreloc/skeleton"
)

// newNewCommand makes the command that begins a livepatch.
func newNewCommand(o *options) *cobra.Command {
	var (
		flags   kernelFlags
		uses    []string
		include string
		dir     string
		order   skeleton.Order
	)
	cmd := &cobra.Command{
		Use:   "new [flags] [DIR] OBJECT:FUNCTION...",
		Short: "Begin a livepatch that replaces functions of a kernel",
		Long: `Write the source of a livepatch that replaces functions of vmlinux or of
modules: a C file with a replacement for each in its true signature, the
structures that the kernel wants, and a Makefile. They are written to DIR, or to
the current directory, and called as the directory is. Nothing is overwritten.

A function of which its object has several is chosen by its position:
vmlinux:name_show,2. --use names a symbol that the new functions use: it is
declared and annotated.

` + kernelHelp + `

Without --kernel, the livepatch is for the running kernel. Its image, or a
vmlinux with debug information, must be available: it has the types of
functions. The same goes for the file of a module.

The module that is written replaces nothing until its parameter ready is set:
write the bodies first.

Exit status 1 when a function can't be replaced. Then nothing is written.`,
		Example: `  klp-convert new livepatch-uptime vmlinux:uptime_proc_show
  klp-convert new livepatch-stat ext4:ext4_getattr --use ext4:ext4_readdir
  klp-convert new vmlinux:name_show,2 --kernel 6.1.0-56-amd64`,
		Args: func(_ *cobra.Command, args []string) (err error) {
			if len(args) > 0 && !strings.Contains(args[0], ":") {
				dir, args = args[0], args[1:]
				if dir == "" {
					return usagef("a directory's name is empty")
				}
			}
			if len(args) == 0 {
				return usagef("new takes functions: klp-convert new [DIR] OBJECT:FUNCTION...")
			}
			if len(flags.kernels) > 1 {
				return usagef("a livepatch is written for one kernel")
			}
			if order.Functions, err = parseRefs(args); err != nil {
				return err
			}
			if order.Uses, err = parseRefs(uses); err != nil {
				return err
			}
			if order.Name, err = nameOfProject(dir); err != nil {
				return err
			}
			return o.checkColor()
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(flags.kernels) == 0 {
				flags.kernels = []string{"running"}
			}
			source := filepath.Join(dir, order.Name+".c")
			makefile := filepath.Join(dir, "Makefile")
			if include == "" {
				include = findInclude()
			} else if path, err := filepath.Abs(include); err != nil {
				return err
			} else {
				include = path
			}
			if err := checkProject(dir, source, makefile, include); err != nil {
				return err
			}
			kernels, err := flags.find()
			if err != nil {
				return err
			}
			order.Kernel = kernels[0]
			showProgress(order.Kernel, "", cmd.ErrOrStderr(), o)
			text, found, err := skeleton.Write(order)
			progress.end()
			if err != nil {
				return err
			}
			if o.verbose {
				noteKernel(cmd.ErrOrStderr(), order.Kernel.Name, order.Kernel.Notes)
			}
			if err := newReporter(cmd.ErrOrStderr(), source, o).report(found); err != nil {
				return err
			}
			err = writeProject(dir, []projectFile{{source, text}, {makefile, fmt.Sprintf(
				"# SPDX-License-Identifier: GPL-2.0-only\nobj-m := %s.o\ninclude %s\n",
				order.Name, include)}})
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n%s\n", source, makefile)
			}
			return err
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	flags.register(cmd)
	f.StringArrayVar(&uses, "use", nil, "also declare and annotate `SYMBOL` (OBJECT:NAME)")
	f.StringVar(&include, "include", "", "the Makefile includes `FILE` (default: klp-convert.mk)")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print notes, and which files were used")
	return cmd
}

func parseRefs(args []string) ([]skeleton.Ref, error) {
	var refs []skeleton.Ref
	for _, a := range args {
		r, err := skeleton.ParseRef(a)
		if err != nil {
			return nil, usageError{err}
		}
		refs = append(refs, r)
	}
	return refs, nil
}

// nameOfProject returns the name of the directory, which the module gets.
func nameOfProject(dir string) (string, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	name := filepath.Base(path)
	const longest = 55 // MODULE_NAME_LEN of 64-bit kernels
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	switch {
	case strings.IndexFunc(name, func(r rune) bool { return !strings.ContainsRune(letters, r) }) >= 0:
		return "", usagef("a module is called as its directory is, and %q is no name of a module",
			name)
	case name[0] == '-':
		return "", usagef("a module is called as its directory is, and compilers read %q as an option",
			name)
	case len(name) > longest:
		return "", usagef("a module is called as its directory is, and %q is longer than %d bytes",
			name, longest)
	}
	return name, nil
}

// checkProject refuses what would be overwritten, and what make would not read as it is meant.
func checkProject(dir, source, makefile, include string) error {
	for _, path := range []string{source, makefile} {
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s exists, and nothing is overwritten", path)
		}
	}
	// GNU make, "What Name to Give Your Makefile"; scripts/Makefile.build of the kernel.
	for _, name := range []string{"GNUmakefile", "makefile", "Kbuild"} {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s exists, which make reads in place of Makefile", path)
		}
	}
	const special = "$#*?[]~\\:;=|%&'\"`(){}<>"
	if strings.IndexFunc(include, func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune(special, r)
	}) >= 0 {
		return fmt.Errorf("make can't include %q: --include takes a path without spaces and special "+
			"characters", include)
	}
	return nil
}

// findInclude returns the path of klp-convert.mk: in the sources that the program was built in, or
// where it was installed.
func findInclude() string {
	if self, err := os.Executable(); err == nil {
		if self, err = filepath.EvalSymlinks(self); err == nil {
			for _, path := range []string{"../share/klp-convert/klp-convert.mk",
				"../scripts/klp-convert.mk"} {
				path = filepath.Join(filepath.Dir(self), path)
				if _, err := os.Stat(path); err == nil {
					return path
				}
			}
		}
	}
	return "/usr/share/klp-convert/klp-convert.mk"
}

type projectFile struct{ path, text string }

// writeProject writes new files, all or none. The directory is made if it does not exist.
func writeProject(dir string, files []projectFile) (err error) {
	if dir != "" {
		switch err := os.Mkdir(dir, 0o777); {
		case err == nil:
			defer func() { os.Remove(dir) }() // only succeeds when it is empty: nothing was written
		case !errors.Is(err, fs.ErrExist):
			return err
		}
	}
	var done []string
	defer func() {
		for _, path := range done {
			if temps.forget(path) && err != nil {
				os.Remove(path)
			}
		}
	}()
	for _, f := range files {
		if err := writeOnce(f); err != nil {
			return err
		}
		done = append(done, f.path)
	}
	return nil
}

// writeOnce writes a file that must not exist: it appears whole. Until temps.forget, a signal
// removes it.
func writeOnce(f projectFile) error {
	dir := filepath.Dir(f.path)
	temp, err := temps.create(dir)
	if err != nil {
		return fileError(f.path, noTemp(dir, err))
	}
	defer func() {
		temp.Close()
		if temps.forget(temp.Name()) {
			os.Remove(temp.Name())
		}
	}()
	if _, err = temp.WriteString(f.text); err == nil {
		err = temp.Chmod(0o666 &^ umask())
	}
	if err == nil {
		err = temp.Close()
	}
	if err == nil {
		err = temps.link(temp.Name(), f.path)
	}
	if err != nil {
		return fileError(f.path, err)
	}
	return nil
}
