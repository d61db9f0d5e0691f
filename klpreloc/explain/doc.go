// SPDX-License-Identifier: GPL-2.0-or-later

// Package explain has the messages that are printed when a livepatch is built or loaded,
// and what to do about each.
//
// A message is a line of the kernel's log, of insmod, of modpost, of klp-convert
// or of a tool that came before it. Each Entry holds the forms that one message
// has had, as its source writes them, with names where the source has %s and %d:
//
//	symbol '{symbol}' not found in symbol table
//
// and a text that uses the names: what it means, and the likely causes in order,
// each with its fix. Text finds the entries for the lines of a text and fills in the names
// that the lines have.
//
// A wording that only some kernels print says which (Form.When), and so does a cause
// (Cause.When). What a text tells about its kernel, by its wordings or by a line with a
// version, excludes the causes that this kernel can't have (dates.go).
//
// The table is in one file for each program that prints: livepatch.go, loader.go,
// machines.go, traces.go, hardening.go, userspace.go, build.go, objtool.go, linker.go,
// btf.go, tools.go. The diagnostics of klp-convert itself come from klpreloc/diag (own.go).
// docs/messages.md is made from the table.
//
// Messages of the kernel and of other tools are here to be recognised. The tests check that
// they are spelt as they are printed. A test of scripts/lab reads the kernels and their tools
// for messages that are missing here.
package explain
