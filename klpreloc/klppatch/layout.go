// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch

import (
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// structure is one of the two kinds of element that arrays are made of. Its size depends on
// the kernel (kernel.Structures).
type structure struct {
	name string
	of   func(s kernel.Structures, wide bool) uint64
	used uint64 // how many pointers from the start a module fills in
}

var (
	klpFunc = structure{"klp_func", func(s kernel.Structures, wide bool) uint64 {
		if wide {
			return s.Func
		}
		return s.Func32
	}, 3}
	klpObject = structure{"klp_object", func(s kernel.Structures, wide bool) uint64 {
		if wide {
			return s.Object
		}
		return s.Object32
	}, 6}
)

// sizes returns the sizes that the structure had in any kernel, that of the module's own
// kernel first. Distributions carry newer livepatching under older version numbers, so the
// version decides nothing alone.
func (s structure) sizes(f *elfrw.File) []uint64 {
	var all []uint64
	wide := f.PointerSize() == 8
	if v, ok := builtFor(f); ok {
		all = append(all, s.of(v.Structures(), wide))
	}
	for _, x := range kernel.AllStructures() {
		all = append(all, s.of(x, wide))
	}
	return slices.Compact(all)
}

// least returns the smallest size that the structure has in any kernel.
func (s structure) least(f *elfrw.File) uint64 {
	all := s.sizes(f)
	least := all[0]
	for _, n := range all {
		least = min(least, n)
	}
	return least
}

// builtFor returns the version of the kernel that the module says it is built for, and false
// when it says nothing or names one without klp_patch's structures.
func builtFor(f *elfrw.File) (kernel.Version, bool) {
	v := klpabi.ReadModinfo(f).Kernel()
	return v, v != (kernel.Version{}) && v.Structures() != (kernel.Structures{})
}
