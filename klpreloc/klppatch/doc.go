// SPDX-License-Identifier: GPL-2.0-or-later

// Package klppatch reads what a livepatch module declares: which objects it
// patches, and which of its functions replace which of theirs. It reads it out
// of the linked file, without running the module.
//
// The declaration is C data whose pointers are relocations:
//
//	struct klp_patch patch        struct klp_object objs[]     struct klp_func funcs[]
//	┌──────────────────┐          ┌─────────────────┐          ┌────────────────────┐
//	│ mod ─▶ __this_…  │     ┌───▶│ name ─▶ "ext4"  │     ┌───▶│ old_name ─▶ "show" │
//	│ objs ────────────┼─────┘    │ funcs ──────────┼─────┘    │ new_func ─▶ .text  │
//	│ (states)         │          │ callbacks ─▶ …  │          │ old_sympos         │
//	│ replace          │          │ the kernel's own│          │ the kernel's own   │
//	└──────────────────┘          ├─────────────────┤          ├────────────────────┤
//	                              │ all zero: end   │          │ all zero: end      │
//	                              └─────────────────┘          └────────────────────┘
//
// The root is found by its first two words, an address of __this_module and one
// of writable data that reads as objects; file_operations and others begin
// alike, and their second word doesn't. Where each member lies has never
// changed, but how long the structures are depends on the kernel (layout.go), so
// the strides are taken from the file: see array.go.
//
// Tools that make patches out of binaries fill the structures when the module
// is loaded, from tables of their own: kpatch from .kpatch.funcs, klp-build from
// .init.klp_objects. Those are read as well.
//
// What the module computes can't be read, and is never guessed: Read then says
// that there is a patch, and why it can't be read. Nothing in the file
// is used before it is checked, and work is linear in its length.
//
//	patches, err := klppatch.Read(f)
//	switch doubts := klppatch.Unreadable(nil); {
//	case errors.Is(err, klppatch.ErrNone): // a module that patches nothing
//	case errors.As(err, &doubts): // patches, if any, are not all of them
//	}
package klppatch
