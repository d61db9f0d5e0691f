// SPDX-License-Identifier: GPL-2.0-or-later

// Package typecheck compares what a livepatch declares of a kernel with the types that the kernel
// and its modules have:
//
//	livepatch, built with -g                          kernel
//
//	undefined symbol ─▶ its declaration ──────────▶ function or variable of the symbol object
//	klp_func ─▶ type of new_func ─────────────────▶ function old_name of the livepatched object
//	struct that both lead to ─────────────────────▶ the struct at the same place of the other side
//	struct of a local variable ───────────────────▶ struct of that name, in the kernel or in
//	                                                a livepatched module
//
// Package declared says whether two types fit. This package says which types to compare, where they
// come from, and what can't be judged.
//
// Which struct of a kernel is which of a livepatch is not guessed by name where there is a better
// way. Both sides are walked at the same time: parameter 1 of the declaration and parameter 1 of
// the kernel's function point to the same memory, so their structs have to be the same, and then
// the members of one name, and what these point to. Only a struct that the code has a variable of,
// and that no function leads to, is looked up by its name: what container_of or a void pointer
// gives.
//
// One cause is one finding. A struct that differs is one, whatever leads to it, and a struct that
// differs only because it has that one in it is a place of the same finding.
//
// Nothing is evidence of what was not looked at: what can't be judged is in Answer.Unjudged, by
// reason.
package typecheck
