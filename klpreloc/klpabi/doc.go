// SPDX-License-Identifier: GPL-2.0-or-later

// Package klpabi is what a module file and the kernel agree on: the names, flags and limits
// of the klp format (names.go), .modinfo (modinfo.go), the tables of versions (vtables.go),
// and which symbols may be undefined (undefined.go). Each fact is here once, with the
// kernel file and function that it comes from. What depends on the kernel's version is
// in package kernel.
package klpabi
