// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/exp/slices"
)

// Completion in a shell must be immediate, so only lists of names are read, and neither
// images nor modules.

// Releases returns the releases of the kernels that are installed below root, or that
// unpacked packages have there, sorted. FindKernelIn finds each of them.
func Releases(root string) []string { return releasesBelow(root) }

// ObjectNames returns the names of the objects of a kernel: vmlinux and its modules,
// sorted, as far as the lists that depmod and the build wrote have them. x is what
// FindKernelIn takes. A kernel without lists is searched for files, which takes ten
// times as long.
func ObjectNames(root, x string) []string {
	names := map[string]bool{Vmlinux: true}
	listed := true
	for _, part := range strings.Split(x, ",") {
		if isModuleFile(filepath.Base(part)) {
			names[ModuleName(part)] = true
			continue
		}
		listed = slices.ContainsFunc(moduleDirs(root, part),
			func(dir string) bool { return addListed(names, dir) }) && listed
	}
	if !listed {
		if k, err := FindKernelIn(root, x, nil); err == nil {
			for name := range k.modules {
				names[name] = true
			}
		}
	}
	sorted := make([]string, 0, len(names))
	for name := range names {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	return sorted
}

// moduleDirs returns where the lists of a kernel's modules may be.
func moduleDirs(root, x string) []string {
	release := x
	var dirs []string
	switch info, err := os.Stat(x); {
	case err != nil:
	case !info.IsDir():
		return nil
	default:
		dirs = append(dirs, x)
		root, release = x, ""
		if below := releasesBelow(x); len(below) == 1 {
			release = below[0]
		}
	}
	if release != "" {
		for _, p := range places.modules {
			dirs = append(dirs, filepath.Join(root, fmt.Sprintf(p, release)))
		}
	}
	return dirs
}

// addListed adds the modules in the lists of the directory, and reports whether it has
// any. modules.dep, if it exists, also has those that were installed later.
func addListed(names map[string]bool, dir string) bool {
	for _, list := range []string{"modules.dep", "modules.order"} {
		err := eachModule(filepath.Join(dir, list), func(path string) {
			path, _, _ = strings.Cut(path, ":")
			names[ModuleName(path)] = true
		})
		if err == nil {
			return true
		}
	}
	return false
}
