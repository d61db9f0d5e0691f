// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/exp/slices"
)

// What a shell offers while somebody types has to be there at once, so lists of
// names are read, and neither images nor modules.

// Releases returns which kernels are installed below root, or lie there as packages
// do that were unpacked, sorted. FindKernelIn finds each of them.
func Releases(root string) []string { return releasesBelow(root) }

// ObjectNames returns the names that symbols of a kernel can be asked for under:
// vmlinux and its modules, sorted, as far as is known in a moment. x is what
// FindKernelIn takes. The lists that depmod and the build wrote tell; a kernel without
// them is searched for files, which takes ten times as long.
func ObjectNames(root, x string) []string {
	names := map[string]bool{Vmlinux: true}
	listed := true
	for _, part := range strings.Split(x, ",") {
		if isModuleFile(filepath.Base(part)) {
			names[ModuleName(part)] = true
			continue
		}
		listed = slices.ContainsFunc(moduleFolders(root, part), func(dir string) bool { return addListed(names, dir) }) && listed
	}
	if !listed {
		if k, err := FindKernelIn(root, x); err == nil {
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

// moduleFolders returns where the lists of a kernel's modules may be.
func moduleFolders(root, x string) []string {
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

// addListed adds the modules that the folder's lists name. modules.dep, where there
// is one, has those too that were installed later.
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
