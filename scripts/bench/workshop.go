// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/klp-convert/klp-convert/scripts/lab"
)

// A Workshop is where inputs are made: each once.
type Workshop struct {
	Dir  string // temporary
	Tool string // path of klp-convert
	Root string // of this project's sources
	self string // path of this program

	kernels *lab.Cache
}

// newWorkshop makes a directory, which the caller removes.
func newWorkshop(tool string) (*Workshop, error) {
	w := &Workshop{}
	var err error
	if w.Tool, err = filepath.Abs(tool); err != nil {
		return nil, err
	}
	if _, err = os.Stat(w.Tool); err != nil {
		return nil, err
	}
	if w.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if w.Root, err = lab.Root(); err != nil {
		return nil, err
	}
	if w.kernels, err = lab.OpenCache(); err != nil {
		return nil, err
	}
	w.Dir, err = os.MkdirTemp("", "klp-bench-")
	return w, err
}

// path returns the path of a file in the workshop.
func (w *Workshop) path(name string) string { return filepath.Join(w.Dir, name) }

// testdata returns the path of a file of the project.
func (w *Workshop) testdata(name string) string { return filepath.Join(w.Root, "testdata", name) }

// sample is the shipped sample.
func (w *Workshop) sample() string { return w.testdata("x86_64/livepatch-cmdline.ko") }

// worked returns the path of the file called name, which a verb makes (work.go).
func (w *Workshop) worked(name string, verb ...any) (string, error) {
	args := []string{"work"}
	for _, a := range verb {
		args = append(args, fmt.Sprint(a))
	}
	return w.made(name, w.self, args...)
}

// grown returns the sample with that many relocations, every so many annotated.
func (w *Workshop) grown(relocs, every, text, debug int) (string, error) {
	name := fmt.Sprintf("grown-%d-%d-%d-%d.ko", relocs, every, text, debug)
	return w.worked(name, "grow", w.sample(), relocs, every, text, debug)
}

// converted returns the conversion of a module.
func (w *Workshop) converted(module string) (string, error) {
	name := strings.TrimSuffix(filepath.Base(module), ".ko") + ".converted.ko"
	return w.made(name, w.Tool, "-q", module)
}

// made returns the path of the file called name. If it does not exist, a command makes it,
// whose last argument it is.
func (w *Workshop) made(name, command string, args ...string) (string, error) {
	path := w.path(name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cmd := exec.Command(command, append(args, path)...)
	cmd.Env = append(environ(), noIndex)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%.2000s", name, err, out)
	}
	return path, nil
}

// noIndex turns indexes off (docs/cache.md).
const noIndex = "KLP_CACHE=off"

// first is a run of klp-convert without an index.
func (w *Workshop) first(name string, args ...string) Entrant {
	return Entrant{Name: name, Args: append([]string{w.Tool}, args...),
		Env: []string{noIndex}}
}

// again is a run with the index that an earlier run with the same indexes made.
func (w *Workshop) again(name, indexes string, args ...string) Entrant {
	return Entrant{Name: name, Args: append([]string{w.Tool}, args...),
		Env: []string{"KLP_CACHE=" + w.path(indexes)}}
}

// public is a run of a program of others.
func public(args ...string) Entrant { return Entrant{Name: args[0], Args: args} }

// installed returns a NotRunError for the first of the programs that is not installed.
func installed(programs ...string) error {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			return &NotRunError{p + " is not installed"}
		}
	}
	return nil
}

// sizeOf returns the size of a file that exists.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
