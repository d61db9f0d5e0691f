// SPDX-License-Identifier: GPL-2.0-or-later

// Package diag has what klp-convert says about a module: diagnostics, each with an id that
// keeps its meaning for ever.
//
//	patch.ko: error: klp-convert: .rela.text+0x48: message [KLP017]
//	                              place            what      id
//	    a line that can be pasted
//
// A diagnostic is data from the stage that finds it to cmd, which prints it. It is a value:
// whoever makes one adds its hints first and gives it to a Reporter then. A Reporter makes
// one diagnostic of one cause, however many places show it.
//
// Catalogue has an Entry for each id: title, meaning, causes and fix. It is the only place
// of these; docs/errors.md is made of it, and SARIF and "klp-convert explain" use it.
package diag
