// SPDX-License-Identifier: GPL-2.0-or-later

// Package reach tells which livepatched objects a piece of a livepatch module
// works for.
//
// The patch declares which new function belongs to which object. What else the
// module holds belongs to the objects whose functions lead to it:
//
//	klp_object ext4 ── new ext4_show ──▶ helper ──▶ table ──▶ "…"      ext4
//	              └─── pre_patch ──────▶ log ◀──┐                      ext4, vmlinux
//	klp_object     ── new cmdline_show ────────┘                       vmlinux
//	__this_module ─── init_module ──▶ setup                            none
//
// The module is cut into pieces, one for each function and each variable, and a
// relocation leads from the piece that holds it to the one that it refers to.
// Symbols say where pieces are. What has no symbol (jump tables in .rodata, TOC
// entries, the replacements of alternatives) is cut where something refers to
// it.
//
// Three things end a way:
//
//   - A new function belongs to the objects that declare it, whoever calls it.
//   - So do the klp_patch and its arrays, to the object they describe: a function
//     that looks at its own patch doesn't work for all of it.
//   - Struct module, which leads to init_module, belongs to none.
//
// An entry of .altinstructions, __jump_table, .static_call_sites or __ex_table
// refers to code, and nothing refers to it. The code leads to the rest of the
// entry: the replacement, the key, the fix-up.
//
// What it can't see: code that makes an address by other means than relocations,
// and GCC's section anchors, which reach neighbours of what they name. A piece
// that no way leads to has no objects, which means "not known".
package reach
