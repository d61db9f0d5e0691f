// SPDX-License-Identifier: GPL-2.0-or-later

// Package explain knows what is said when a livepatch is built or loaded, and
// what to do about it.
//
// A message is a line of the kernel's log, of insmod, of modpost, of klp-convert
// or of a tool that came before it. Each Entry holds the forms that one message
// has had, as its source writes them, with names where the source has %s and %d:
//
//	symbol '{symbol}' not found in symbol table
//
// and a text that uses the names: what it means, and the likely causes in order,
// each with what mends it. Explain finds the entries for the lines of a text and
// fills in the names that stand there.
//
// A wording that only some kernels print says which (Form.When), and so does a cause
// (Cause.When). What a text tells of its kernel, by its wordings or by a line with a
// version, excludes the causes that this kernel can't have (dates.go).
//
// The table is in files by who speaks: livepatch.go, loader.go, machines.go,
// traces.go, userspace.go, build.go, objtool.go, linker.go, btf.go, tools.go. What
// klp-convert itself says is explained by docs/errors.md (own.go). docs/messages.md is
// made from the table.
//
// Sentences of the kernel and of other tools stand here to be recognised; that
// they are spelt as they are printed is what the tests are about. A test of
// scripts/lab reads the kernels and their tools for those that are missing here.
package explain
