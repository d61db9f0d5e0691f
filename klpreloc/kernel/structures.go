// SPDX-License-Identifier: GPL-2.0-or-later

package kernel

// Structures are the sizes of the structures of include/linux/livepatch.h, in bytes. The
// members that a module fills in have the same places since the ELF format of 4.7, counted
// in pointers:
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
// The rest is the kernel's own: a struct kobject (64 bytes with 64-bit pointers, 36 with
// 32-bit ones, more with CONFIG_DEBUG_KOBJECT_RELEASE), list heads, sizes and flags. That is
// what the sizes are made of.
//
// Sources: include/linux/livepatch.h, struct klp_func, klp_object, klp_patch and
// klp_callbacks, of v4.7, v4.12 (consistency model: immediate, old_size, new_size), v4.15
// (callbacks), v4.16 (immediate was removed), v5.1 (atomic replace: func_list, node, dynamic,
// nop), v5.5 (states), unchanged up to 7.3; the BTF of kernels 5.10, 6.1, 6.12 and 7.2
// agrees. Sizes of klp_patch: 136 seen in 4.19.78, 192 in 5.4.286; 104 and 144, before 4.16, and
// the 32-bit sizes are computed from the same declarations, not seen in a kernel.
type Structures struct {
	Patch            uint64
	Object, Func     uint64
	Object32, Func32 uint64 // with 32-bit pointers
}

var structures = []struct {
	major, minor int // the first kernel that has them
	Structures
}{
	{4, 7, Structures{104, 96, 120, 52, 64}},
	{4, 12, Structures{144, 96, 144, 52, 76}},
	{4, 15, Structures{144, 136, 144, 72, 76}},
	{4, 16, Structures{136, 136, 136, 72, 72}},
	{5, 1, Structures{192, 168, 152, 88, 80}},
	{5, 5, Structures{200, 168, 152, 88, 80}},
}

// Structures returns the sizes in kernels of that version, zero for one before 4.7. The zero
// Version has the newest. Distributions carry newer livepatching under older numbers, so a
// module may have other sizes (AllStructures).
func (v Version) Structures() Structures {
	for i := len(structures) - 1; i >= 0; i-- {
		if s := &structures[i]; v.atLeast(s.major, s.minor) {
			return s.Structures
		}
	}
	return Structures{}
}

// AllStructures returns the sizes of all kernels, the newest first.
func AllStructures() []Structures {
	var all []Structures
	for i := len(structures) - 1; i >= 0; i-- {
		all = append(all, structures[i].Structures)
	}
	return all
}

// replaceSince is the first kernel with klp_patch.replace, which came together with three
// list heads in klp_object (include/linux/livepatch.h, v5.1).
var replaceSince = Version{5, 1}

// Replaces reports whether klp_patch has a member replace in kernels of that version.
func (v Version) Replaces() bool { return v.atLeast(replaceSince.Major, replaceSince.Minor) }

// ObjectReplaces reports whether a klp_object of that size, in bytes, belongs to kernels in
// which klp_patch has a member replace; wide is for 64-bit pointers.
func ObjectReplaces(size uint64, wide bool) bool {
	before := Version{replaceSince.Major, replaceSince.Minor - 1}.Structures()
	if wide {
		return size > before.Object
	}
	return size > before.Object32
}
