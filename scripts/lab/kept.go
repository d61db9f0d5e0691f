// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/exp/slices"
)

var digits = regexp.MustCompile(`\d+`)

// Kept returns the directories of Debian's kernels of a flavour (amd64, powerpc64le) that are
// in the cache, oldest version first. It downloads nothing.
func (c *Cache) Kept(flavour string) []string {
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return nil
	}
	var kept []string
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() && strings.HasPrefix(name, "linux-image-") &&
			strings.Contains(name, "-"+flavour+"_") && !strings.HasSuffix(name, ".tmp") {
			kept = append(kept, name)
		}
	}
	slices.SortFunc(kept, func(a, b string) int {
		return slices.Compare(versionOf(a), versionOf(b))
	})
	for i, name := range kept {
		kept[i] = filepath.Join(c.Dir, name)
	}
	return kept
}

// versionOf returns the numbers in a name, in their order.
func versionOf(name string) []int {
	var numbers []int
	for _, d := range digits.FindAllString(name, -1) {
		n, _ := strconv.Atoi(d)
		numbers = append(numbers, n)
	}
	return numbers
}
