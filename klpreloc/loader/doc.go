// SPDX-License-Identifier: GPL-2.0-or-later

// Package loader says beforehand what a kernel will do with a livepatch module: it
// goes the way of that kernel's module loader and of its livepatch core, in their
// order, and predicts what they print, with which error number, and when.
//
//	loading      module_sig_check        signature
//	             elf_validity_check      ELF
//	             check_modinfo, …        vermagic, module_layout, livepatch support
//	             simplify_symbols        imports: exports, CRCs, namespaces, GPL
//	             apply_relocations       ordinary relocations; since 5.8 those of
//	                                     .klp.rela.vmlinux.* as well
//	             module_finalize         alternatives and other special sections
//	             mod_sysfs_setup         section names
//	enabling     klp_enable_patch        klp_patch, its objects and functions
//	             klp_init_object_loaded  klp relocations and functions of each object
//	                                     that is there
//	             klp_patch_object        ftrace
//	target       klp_module_coming       the same, for an object that comes later;
//	                                     it is the target that is refused
//	call         the code runs           with what was never applied, or too late
//	reload       the target comes again  x86 before 6.3
//	remove       the livepatch goes
//
// A rule is a function of the module and of what is known of the kernel, with its source
// cited; rules is the list of them, in the order above. A rule returns what it finds and
// changes nothing: neither what it reads nor what another rule has found. Findings of one
// cause are merged, and those that follow from another one are left out, when the report is
// made of them. What differs by version is in kernel.Loader. A rule says what it can't know:
// Report.Unchecked.
//
//	report, err := loader.Open(b).Check(loader.Options{Kernel: kernel, Loaded: []string{"ext4"}})
//	if !report.Loads() { fmt.Println(report.First()) }
//
// Everything read from the module is hostile until checked: nothing panics, and work
// is bounded by the length of the file.
package loader
