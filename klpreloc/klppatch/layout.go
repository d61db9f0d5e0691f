// SPDX-License-Identifier: GPL-2.0-or-later

package klppatch

import (
	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// layout is how long the structures of include/linux/livepatch.h are. The
// members that a module fills in have been at the same places since the ELF
// format of 4.7, counted in pointers:
//
//	klp_func    old_name 0, new_func 1, old_sympos 2
//	klp_object  name 0, funcs 1, callbacks 2 to 5 and a bool (since 4.15)
//	klp_patch   mod 0, objs 1, then
//	            4.7 - 4.11   nothing
//	            4.12 - 4.15  immediate 2 (bool; klp_func has one at 3)
//	            4.16 - 5.0   nothing
//	            5.1 - 5.4    replace 2 (bool)
//	            5.5 - 7.3    states 2, replace 3 (bool)
//
// What follows belongs to the kernel: a struct kobject (64 bytes with 64-bit
// pointers, 36 with 32-bit ones, more with CONFIG_DEBUG_KOBJECT_RELEASE), list
// heads, sizes and flags. That is what the sizes below are made of.
//
// Sources: include/linux/livepatch.h, struct klp_func, klp_object, klp_patch and
// klp_callbacks, of v4.7, v4.12 (consistency model: immediate, old_size,
// new_size), v4.15 (callbacks), v4.16 (immediate is gone), v5.1 (atomic replace:
// func_list, node, dynamic, nop), v5.5 (states), unchanged up to 7.3; the BTF of
// kernels 5.10, 6.1, 6.12 and 7.2 agrees. The 32-bit sizes are computed from the
// same declarations, not seen in a kernel.
//
// This table is the last evidence: distributions carry newer livepatching under older
// version numbers.
type layout struct {
	major, minor int // the first kernel that has it
	fn, object   uint64
	fn32, obj32  uint64
}

var layouts = []layout{
	{4, 7, 120, 96, 64, 52},
	{4, 12, 144, 96, 76, 52},
	{4, 15, 144, 136, 76, 72},
	{4, 16, 136, 136, 72, 72},
	{5, 1, 152, 168, 80, 88},
}

// structure is one of the two kinds of element that arrays are made of.
type structure struct {
	name string
	of   func(l layout, wide bool) uint64
	used uint64 // how many pointers from the start a module fills in
}

var (
	klpFunc = structure{"klp_func", func(l layout, wide bool) uint64 {
		if wide {
			return l.fn
		}
		return l.fn32
	}, 3}
	klpObject = structure{"klp_object", func(l layout, wide bool) uint64 {
		if wide {
			return l.object
		}
		return l.obj32
	}, 6}
)

// sizes returns the sizes that the structure had in any kernel, that of the
// module's own first.
func (s structure) sizes(f *elfrw.File) []uint64 {
	var all []uint64
	wide := f.PointerSize() == 8
	if l, ok := layoutOf(f); ok {
		all = append(all, s.of(l, wide))
	}
	for i := len(layouts) - 1; i >= 0; i-- {
		all = append(all, s.of(layouts[i], wide))
	}
	return all
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

// layoutOf returns the layout of the kernel that the module says it is built
// for, and false when it says nothing or names one before 4.7.
func layoutOf(f *elfrw.File) (layout, bool) {
	v := klpabi.ReadModinfo(f).Kernel()
	if v == (kernel.Version{}) {
		return layout{}, false
	}
	for i := len(layouts) - 1; i >= 0; i-- {
		if l := layouts[i]; v.AtLeast(l.major, l.minor) {
			return l, true
		}
	}
	return layout{}, false
}
