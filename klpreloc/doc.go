// SPDX-License-Identifier: GPL-2.0-or-later

// Package klpreloc turns a livepatch author's annotations into klp relocations,
// the form in which the kernel resolves what no module may normally reach.
//
// An annotated module still has ordinary relocations against undefined symbols:
//
//	.rela.text                .symtab                 .klp.module_relocs.vmlinux
//	  +0x14 R_X86_64_PC32 ──▶ UND saved_command_line ◀── { &saved_command_line, 0 }
//
// or undefined symbols whose names say it all (.klp.sym.rela.<livepatched
// object>.<symbol object>.<name>,<position>). In a converted one they are
//
//	.klp.rela.vmlinux..text   .symtab
//	  +0x14 R_X86_64_PC32 ──▶ 0xff20 .klp.sym.vmlinux.saved_command_line,0
//
// and the kernel applies .klp.rela.<object>.* when <object> is there
// (kernel/livepatch/core.c, klp_apply_section_relocs).
//
// The conversion is a row of steps, and nothing is changed before all of it
// stands:
//
//	Read     what the file says: module information, annotations of every
//	         dialect, klp relocations that are there already
//	NewPlan  what becomes of each relocation, symbol and special entry, and every
//	         reason not to; reads only. With a kernel (package sympos) annotations
//	         are held against its symbols, and undefined symbols without any are
//	         looked up (resolve.go, triage.go). Which object's coming applies a
//	         relocation, the use decides (gate.go), by the module's own klp_patch
//	         (klppatch) and what its functions reach (reach). What the kernel has
//	         patched by then can't wait (late.go, special)
//	Apply    the plan, through elfrw's editing calls
//
// Package proof then compares the finished bytes with the input's: an independent reading
// of both files.
//
// What a function finds wrong with the input is a Diagnostic: data, with a
// stable id, from the place that finds it to the place that prints it.
package klpreloc
