// SPDX-License-Identifier: GPL-2.0-or-later

// Package debuginfo reads the debug information of a vmlinux or a module: it finds the
// source file that defines what is at an address (Locate), and reads the entries of units
// one at a time (Info), for types.
//
// Two records tell it:
//
//	.symtab     STT_FILE "interface.c", before the local symbols of each object file.
//	            Compilers omit the directory, and global symbols come after all files.
//	.debug_info a unit for each object file, which begins with the path:
//	              unit  DW_AT_name "drivers/pnp/interface.c"
//	                    DW_AT_comp_dir "/build/linux", DW_AT_ranges {…}
//	                ├ subprogram …
//	                └ variable  DW_AT_location (DW_OP_addr ffffffff82a01234)
//
// The first entry of a unit has its code ranges, so for functions the beginnings of
// the units are enough: a few hundred bytes of each, of 3000 in a kernel. The addresses
// of data are in the entries of variables only. These are read in the units whose file
// has the name that STT_FILE gives, and for a global variable in one unit after another
// until it is found.
//
// Locate does not use the names of entries: an address belongs to one symbol, a name does
// not.
//
// It reads as much of DWARF (versions 2 to 5) as that needs:
//
//	.debug_info     unit header │ entry │ entry …        entry: code, values
//	.debug_types    the same, of types (version 4)
//	.debug_abbrev   table: code → tag, attributes and the forms of their values
//	.debug_ranges, .debug_rnglists                       code ranges of a unit
//	.debug_addr                                          addresses, by index
//	.debug_str, .debug_line_str, .debug_str_offsets      names
//
// The standard library's debug/dwarf takes 4 to 9 times the time and 1.5 to 2 times the
// memory on Debian's vmlinux of 633 MB (BenchmarkFiles in sympos): it reads the
// abbreviations of all units first and decodes all attributes of every entry. It also
// treats the addresses of all sections of a module as those of one section.
//
// Files are hostile until checked: every length and offset is, what is read is bounded
// by a multiple of the file's size, and nothing panics.
package debuginfo
