// SPDX-License-Identifier: GPL-2.0-or-later

// Package klpdiff says what differs between two livepatch modules for the kernel
// that loads them.
//
// Both are read as facts that no linker's choice touches, and the facts compared:
//
//	module information   vermagic, depends, livepatch, name, namespaces, …
//	patches              object, function and position, what replaces it
//	relocations          where, against what, by whom applied
//	klp symbols, annotations, undefined symbols, versions
//	special sections     how many entries
//
// Numbers of sections and symbols, offsets in the file and the order of lists don't
// count. The place of a relocation is told by the function or variable that holds it,
// so that one that grew does not make all others differ; what a compiler numbers
// (__UNIQUE_ID_x281, x.1234) is taken without the number.
//
// Relocations are those that leave the module: klp relocations, and ordinary ones
// where either side has an annotation or a klp relocation. A converted module can
// so be compared with its source: each annotated reference is there
// as the klp relocation that it became.
//
// Code and data themselves are not compared, nor debug information.
package klpdiff
