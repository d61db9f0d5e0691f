// SPDX-License-Identifier: GPL-2.0-or-later

// Package inlining reads from debug information (DWARF 2 to 5) where a function's code is beside
// the place that its symbol names. A livepatch redirects what enters the function at its symbol;
// what the compiler copied runs on as it was.
//
//	subprogram f   file 1, line 12, inline         the function as its source has it
//	subprogram ──▶ f   low_pc, high_pc             a body: code with a symbol of its own, f or,
//	                                               of a clone, f.isra.0, f.part.0
//	subprogram g   low_pc, high_pc
//	 └ inlined_subroutine ──▶ h   call_line 40     h is copied into g
//	    ├ inlined_subroutine ──▶ f   call_line 33  f is copied into g, by way of h
//	    └ call_site ──▶ body of f.part.0           the copy of h calls the clone
//
// The arrow is DW_AT_abstract_origin, that of a call DW_AT_call_origin (DWARF 5, 3.3.8 and 3.4).
//
// A function is compiled in the unit of its source file. Its copies are in that unit only, if it
// is defined in the file of the unit and no unit refers to entries of others, as units do with
// link-time optimisation. Then no other unit is decoded. A function of a header is compiled in
// each unit that uses it: those with the same name, file and line are the same function, and all
// units are searched for the name.
package inlining
