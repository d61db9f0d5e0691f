// SPDX-License-Identifier: GPL-2.0-or-later

// Package code tells what the code of a module refers to: by relocations, whose
// addends have a bias (target.go), and without any, within a section (branch.go).
// It takes apart no more of an instruction than that needs.
package code
