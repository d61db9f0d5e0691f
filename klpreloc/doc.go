// SPDX-License-Identifier: GPL-2.0-or-later

// Package klpreloc turns a livepatch author's annotations into klp relocations,
// the form in which the kernel resolves what no module may normally reach.
//
// An annotated module still has ordinary relocations against undefined symbols:
//
//	.rela.text                .symtab                 .klp.module_relocs.vmlinux
//	  +0x14 R_X86_64_PC32 ──▶ UND saved_command_line ◀── { &saved_command_line, 0 }
//
// or undefined symbols whose names say everything (.klp.sym.rela.<livepatched
// object>.<symbol object>.<name>,<position>). In a converted one they are
//
//	.klp.rela.vmlinux..text   .symtab
//	  +0x14 R_X86_64_PC32 ──▶ 0xff20 .klp.sym.vmlinux.saved_command_line,0
//
// and the kernel applies .klp.rela.<object>.* once <object> is loaded
// (kernel/livepatch/core.c, klp_apply_section_relocs).
//
// NewPlan (convert.go) calls the stages of a conversion one after the other. A stage takes
// values and returns values, which are not changed afterwards, and a list of diagnostics:
//
//	annotation.Read    what the author wrote, in every dialect, and .modinfo
//	resolve.Read       what a kernel (package sympos) knows of the names in the module
//	chooseScheme       how the kernels that the module is for apply klp relocations
//	resolve.Bind       which symbol each undefined symbol is: annotated, inferred, imported
//	gate.Decide        which object's load applies each relocation: what the code that uses
//	                   it works for, by the module's klp_patch (klppatch, reach)
//	rewrite.Movable    which of the relocations the kernel can apply as klp relocations
//	latereloc.Decide   what a relocation that is applied late does to tables that the kernel
//	                   has read before (special)
//	rewrite.New        the plan as data: moves, renames, removals and edits of tables
//
// The file changes only after that, when Plan.Apply carries the plan out by elfrw's editing
// calls.
//
// Package proof then compares the finished bytes with the input's: an independent reading
// of both files.
//
// What a stage finds wrong with the input is a diag.Diagnostic: data with a stable id, from
// the stage that finds it to the command that prints it.
package klpreloc
