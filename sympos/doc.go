// SPDX-License-Identifier: GPL-2.0-or-later

// Package sympos answers one question: in this kernel, for this object, which
// symbols have this name, in the order in which the livepatch loader counts them?
//
// A klp symbol names what it means by a number, .klp.sym.<object>.<name>,<n>, and
// the loader uses the n-th symbol of that name that it finds. A number
// that is wrong but small enough loads silently and calls the wrong
// function. There are two orders (kernel/livepatch/core.c, klp_find_object_symbol):
//
//	vmlinux   the kernel's own table, kallsyms: ascending address
//	          (scripts/kallsyms.c, compare_symbols: weak ones last among equals).
//	          What the table omits does not count: undefined, absolute and
//	          debugging symbols. Per-CPU symbols do count, although some kernels
//	          show them as absolute.
//	a module  the index order of its .symtab, whatever the addresses. Everything
//	          that is not SHN_UNDEF counts while the module is being loaded;
//	          afterwards only what the module loader keeps counts
//	          (kernel/module/kallsyms.c, is_core_symbol).
//
// Names are compared as a whole, except by some kernels with CONFIG_LTO_CLANG (match.go).
//
// Number 0 means "the only one". A worked duplicate, with three symbols called
// dup in a vmlinux whose symbol table a linker wrote in the order of the files:
//
//	.symtab                      kallsyms                   position
//	  b.c  dup  0xffff…2000        0xffff…1000 dup (c.c)      1
//	  c.c  dup  0xffff…1000        0xffff…2000 dup (b.c)      2
//	  d.c  dup  0xffff…3000        0xffff…3000 dup (d.c)      3
//
// In a module with the same symbol table, b.c has position 1 and c.c position 2.
//
// A Source is a file that knows symbols, recognised by its content (Open):
//
//	/proc/kallsyms, live or saved     the table itself, and loaded modules
//	a kernel image, /boot/vmlinuz     the table itself, decompressed (image.go)
//	vmlinux with a symbol table       sorted and filtered as the kernel's build does
//	System.map                        the same, as text
//	a module, .ko, compressed or not  its symbol table
//	symbols.klp, Symbols.list         names by object, no order (klp-convert v1 to v7)
//	Module.symvers                    exports only
//
// A vmlinux and a module may also have the source file of a symbol: its name in the
// symbol table, its path in the debug information (Files, MatchFile).
//
// Read reads any number of sources at once, each in one pass, for a set of names that
// is known beforehand; other names cost no allocation:
//
//	image, err := sympos.Open("/boot/vmlinuz-6.1.0-56-amd64")
//	table, err := sympos.Read(sympos.Names("name_show"), image)
//	for _, s := range table.Lookup("vmlinux", "name_show") {
//		fmt.Println(s.Position, s.Address, s.Size, s.File)
//	}
//
// Images, vmlinux and modules may describe their types too (Table.Types, ReadTypes,
// ReadModuleTypes, ReadDeclarations; package ctypes).
//
// A Kernel is all of that for one kernel, found from its release, a directory or
// files (FindKernel), modules and exports included:
//
//	kernel, err := sympos.FindKernel("6.1.0-56-amd64", nil)
//	table, err := kernel.Read(sympos.Names("name_show", "kvm_mmu_zap"), "kvm")
//
// Files are hostile until checked: every length and offset is, memory is bounded
// by limits that are named constants, and nothing panics.
package sympos
