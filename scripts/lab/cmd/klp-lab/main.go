// SPDX-License-Identifier: GPL-2.0-or-later

// Command klp-lab is the kernel lab's kitchen door, for the Makefile:
//
//	klp-lab prereq         what this machine lacks, as a line to paste; exit 1 when there is any
//	klp-lab fetch          unpack the kernels of KLP_LAB_KERNELS into the cache, print the directories of their headers
//	klp-lab corpus         print KLP_CORPUS: the directories of the amd64, s390x and ppc64el modules
//	klp-lab modules [DIR]  build the lab's own livepatch modules, unconverted, and print their paths
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/klp-convert/klp-convert/scripts/lab"
)

const usage = "usage: klp-lab prereq | fetch | corpus | modules [DIR]"

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	var err error
	switch verb, args := os.Args[1], os.Args[2:]; verb {
	case "prereq":
		err = prereq()
	case "fetch":
		err = fetch()
	case "corpus":
		err = corpus()
	case "modules":
		err = modules(args)
	default:
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "klp-lab:", err)
		os.Exit(1)
	}
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "klp-lab: "+format+"\n", args...)
}

func prereq() error {
	missing := append(lab.Missing(), lab.MissingForTree()...)
	if len(missing) == 0 {
		return nil
	}
	for _, m := range missing {
		say("no %s here (%s)", m.What, m.Why)
	}
	fmt.Println(lab.InstallLine(missing))
	return errors.New("the line above installs what is missing")
}

func fetch() error {
	cache, err := lab.OpenCache()
	if err != nil {
		return err
	}
	releases, err := lab.Selected()
	if err != nil {
		return err
	}
	for _, r := range releases {
		kernel, err := lab.FetchRelease(cache, r, say)
		if err != nil {
			return fmt.Errorf("%v is not to be had: %w", r, err)
		}
		fmt.Println(kernel.Headers)
	}
	return nil
}

func corpus() error {
	cache, err := lab.OpenCache()
	if err != nil {
		return err
	}
	dirs, err := lab.Corpus(cache, say)
	if err != nil {
		return err
	}
	fmt.Println(strings.Join(dirs, ":"))
	return nil
}

// modules builds in DIR, which stays, or in a new temporary directory, for the first
// kernel of KLP_LAB_KERNELS.
func modules(args []string) error {
	cache, err := lab.OpenCache()
	if err != nil {
		return err
	}
	releases, err := lab.Selected()
	if err != nil {
		return err
	}
	kernel, err := lab.FetchRelease(cache, releases[0], say)
	if err != nil {
		return err
	}
	root, err := lab.Root()
	if err != nil {
		return err
	}
	var dir string
	if len(args) > 0 {
		dir, err = filepath.Abs(args[0])
	} else {
		dir, err = os.MkdirTemp("", "klp-lab-modules-")
	}
	if err != nil {
		return err
	}
	if _, err := kernel.BuildModules(dir, filepath.Join(root, "scripts/include")); err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(dir, "*/*.ko"))
	if err != nil {
		return err
	}
	fmt.Println(strings.Join(found, "\n"))
	return nil
}
