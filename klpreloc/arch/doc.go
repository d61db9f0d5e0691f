// SPDX-License-Identifier: GPL-2.0-or-later

// Package arch has what depends on the machine: a row for each architecture whose kernels
// have livepatching (machine.go), and what its code refers to: by relocations, whose
// addends have a bias (target.go), and without any, within a section (branch.go). It decodes
// no more of an instruction than that needs.
package arch
