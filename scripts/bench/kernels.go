// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/exp/slices"
)

// What is asked of kernels: a name that modules have in many positions and vmlinux has too.
const (
	askedName  = "name_show"
	askedOfAll = askedName + "@vmlinux"
)

// sameWithout is what the table calls a command that is run with an index and without.
const sameWithout = "the same, no index"

// kernel returns the directory of the newest kernel of a series that the lab has unpacked.
func (w *Workshop) kernel(series string) (string, error) {
	all := w.kernels.Kept("amd64")
	for i := len(all) - 1; i >= 0; i-- {
		if strings.HasPrefix(filepath.Base(all[i]), "linux-image-"+series+".") {
			return all[i], nil
		}
	}
	return "", &NotRunError{fmt.Sprintf("no kernel %s in the lab's cache: "+
		"KLP_LAB_KERNELS=%s go run ./scripts/lab/cmd/klp-lab fetch", series, series)}
}

// imageOf returns the image of an unpacked kernel.
func imageOf(root string) (string, error) {
	for _, pattern := range []string{"boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err == nil && len(found) > 0 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("%s has no image", root)
}

// magics are how packed data begins, and what unpacks it.
var magics = []struct {
	magic   string
	program []string
}{
	{"\xfd7zXZ\x00", []string{"xz", "-dc"}},
	{"\x28\xb5\x2f\xfd", []string{"zstd", "-dc", "--long=31"}},
}

// unpacking returns the entrant "unpack", which unpacks all of the files.
func unpacking(paths ...string) (Entrant, error) {
	file, err := os.Open(paths[0])
	if err != nil {
		return Entrant{}, err
	}
	defer file.Close()
	var head [8]byte
	if _, err := file.Read(head[:]); err != nil {
		return Entrant{}, err
	}
	e := Entrant{Name: "unpack", Args: []string{"cat"}}
	for _, m := range magics {
		if bytes.HasPrefix(head[:], []byte(m.magic)) {
			e.Args = slices.Clone(m.program)
		}
	}
	if err := installed(e.Args[0]); err != nil {
		return Entrant{}, err
	}
	e.Label = strings.TrimSuffix(strings.Join(e.Args, " "), " --long=31")
	e.Args = append(e.Args, paths...)
	return e, nil
}

// readVmlinux: Debian's kernel for ppc64el is a vmlinux with a symbol table.
func readVmlinux(w *Workshop, _ int) ([]Entrant, error) {
	for _, root := range w.kernels.Kept("powerpc64le") {
		found, err := filepath.Glob(filepath.Join(root, "boot/vmlinux-*"))
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			if nm := public("nm", path); installed("nm") == nil {
				if _, err := nm.Run(); err != nil {
					return nil, &NotRunError{"nm does not know ppc64el here"}
				}
			}
			return []Entrant{w.first("sympos", "sympos", askedOfAll, "-k", path),
				public("nm", path)}, installed("nm")
		}
	}
	return nil, &NotRunError{"no kernel for ppc64el in the lab's cache: " +
		"go run ./scripts/lab/cmd/klp-lab corpus"}
}

// imageContest asks first questions of an image alone.
func imageContest(series string) Contest {
	title := func(what string) string { return what + ", image of " + series + ", first" }
	return Contest{
		Entrants: func(w *Workshop, _ int) ([]Entrant, error) {
			root, err := w.kernel(series)
			if err != nil {
				return nil, err
			}
			image, err := imageOf(root)
			if err != nil {
				return nil, err
			}
			payload, err := w.worked("payload-"+series, "payload", image)
			if err != nil {
				return nil, err
			}
			module, err := w.converted(w.sample())
			if err != nil {
				return nil, err
			}
			check := w.first("check", "check", module, "-k", image)
			check.Finds = true
			unpack, err := unpacking(payload)
			return []Entrant{w.first("sympos", "sympos", askedOfAll, "-k", image), check,
				unpack}, err
		},
		Lines: []Line{
			{title("sympos NAME@vmlinux"), "sympos", "unpack",
				[]Limit{cpuTimes(1.6), megabytes(100)}},
			{title("check the sample"), "check", "unpack",
				[]Limit{cpuTimes(1.6), megabytes(100)}},
		},
	}
}

// kernelContest asks a kernel, as it is unpacked, with an index and without.
func kernelContest(series string) Contest {
	title := func(what string) string { return what + " -k " + series + ", index there" }
	return Contest{
		Entrants: func(w *Workshop, _ int) ([]Entrant, error) {
			root, err := w.kernel(series)
			if err != nil {
				return nil, err
			}
			list, err := w.symbolList()
			if err != nil {
				return nil, err
			}
			module, err := w.converted(w.sample())
			if err != nil {
				return nil, err
			}
			indexes := "indexes-" + series
			dry := []string{"-q", "-n", w.sample()}
			sympos := []string{"sympos", askedOfAll, "-k", root}
			convert := append(slices.Clone(dry), "-k", root)
			check := []string{"check", module, "-k", root}
			entrants := []Entrant{
				w.first("sympos", sympos...),
				w.first("convert", convert...),
				w.first("check", check...),
				w.again("sympos again", indexes, sympos...),
				w.again("convert again", indexes, convert...),
				w.again("check again", indexes, check...),
				w.first("without -k", dry...),
				w.first("with -k System.map", "check", module, "-k", list),
			}
			for i := range entrants {
				e := &entrants[i]
				e.Finds = e.Args[1] == "check"
				if slices.Contains(e.Env, noIndex) && slices.Contains(e.Args, root) {
					e.Label = sameWithout
				}
			}
			return entrants, nil
		},
		Lines: []Line{
			{title("sympos NAME@vmlinux"), "sympos again", "sympos",
				[]Limit{wallMilliseconds(50), cpuTimes(1. / 20)}},
			{title("convert"), "convert again", "convert", nil},
			{title("convert"), "convert again", "without -k",
				[]Limit{cpuTimes(1.5), moreMilliseconds(80)}},
			{title("check the sample"), "check again", "check", nil},
			{title("check the sample"), "check again", "with -k System.map",
				[]Limit{cpuTimes(1.5), moreMilliseconds(80)}},
		},
	}
}

// moduleContest asks where a name is among so many modules of a kernel.
func moduleContest(series string, counts ...int) Contest {
	title := fmt.Sprintf("sympos NAME, %d modules of %s", counts[0], series)
	if len(counts) > 1 {
		title = fmt.Sprintf("sympos NAME, %d to %d modules of %s", counts[0],
			counts[len(counts)-1], series)
	}
	c := Contest{
		Sizes: counts,
		Entrants: func(w *Workshop, size int) ([]Entrant, error) {
			root, err := w.kernel(series)
			if err != nil {
				return nil, err
			}
			tree, paths, err := w.moduleTree(root, size)
			if err != nil {
				return nil, err
			}
			unpack, err := unpacking(paths...)
			args := []string{"sympos", askedName, "-k", tree}
			first := w.first("first", args...)
			first.Label = sameWithout
			again := w.again("again", filepath.Base(tree)+"-indexes", args...)
			return []Entrant{first, unpack, again}, err
		},
		Lines: []Line{
			{title + ", first", "first", "unpack", []Limit{shared(1.5)}},
			{title + ", index there", "again", "first", []Limit{wallMilliseconds(100)}},
		},
	}
	if len(counts) == 1 {
		c.Lines[0].Asked = nil // it is asked of compressed modules
		only := c.Entrants
		c.Sizes = nil
		c.Entrants = func(w *Workshop, _ int) ([]Entrant, error) { return only(w, counts[0]) }
	}
	return c
}

// moduleTree returns a directory with the image of a kernel and n of its modules, spread evenly,
// as symbolic links, and the paths of these modules.
func (w *Workshop) moduleTree(root string, n int) (string, []string, error) {
	image, err := imageOf(root)
	if err != nil {
		return "", nil, err
	}
	var all []string
	below := filepath.Join(root, "usr/lib/modules")
	err = filepath.WalkDir(below, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.Contains(d.Name(), ".ko") {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		return "", nil, err
	}
	if len(all) < n {
		return "", nil, &NotRunError{fmt.Sprintf("%s has %d modules only", filepath.Base(root),
			len(all))}
	}
	paths := make([]string, n)
	for i := range paths {
		paths[i] = all[i*len(all)/n]
	}
	released, err := filepath.Rel(below, all[0])
	if err != nil {
		return "", nil, err
	}
	release, _, _ := strings.Cut(released, "/")
	tree := w.path(fmt.Sprintf("%s-%d", release, n))
	links := map[string]string{filepath.Join(tree, "boot/vmlinuz-"+release): image}
	for i, path := range paths {
		links[filepath.Join(tree, "lib/modules", release, "kernel", fmt.Sprint(i),
			filepath.Base(path))] = path
	}
	for link, path := range links {
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			return "", nil, err
		}
		if err := os.Symlink(path, link); err != nil {
			return "", nil, err
		}
	}
	return tree, paths, nil
}

// matrixContest checks n modules on all kernels for this machine that the lab has unpacked.
func matrixContest(n int) Contest {
	return Contest{
		Entrants: func(w *Workshop, _ int) ([]Entrant, error) {
			kernels := w.kernels.Kept("amd64")
			if len(kernels) == 0 {
				return nil, &NotRunError{"no kernel in the lab's cache: " +
					"KLP_LAB_KERNELS=debian go run ./scripts/lab/cmd/klp-lab fetch"}
			}
			converted, err := w.converted(w.sample())
			if err != nil {
				return nil, err
			}
			args := []string{"check"}
			for i := range n {
				module, err := w.made(fmt.Sprintf("livepatch-%02d.ko", i), "cp", converted)
				if err != nil {
					return nil, err
				}
				args = append(args, module)
			}
			for _, k := range kernels[max(0, len(kernels)-10):] {
				args = append(args, "-k", k)
			}
			first, again := w.first("first", args...), w.again("again", "indexes-matrix", args...)
			first.Finds, again.Finds, first.Label = true, true, sameWithout
			return []Entrant{first, again}, nil
		},
		Lines: []Line{
			{fmt.Sprintf("check %d modules on up to 10 kernels, index there", n), "again",
				"first", []Limit{wallMilliseconds(3000)}},
		},
	}
}
