// SPDX-License-Identifier: GPL-2.0-or-later

// Package loadermodel is a model of the kernel's module loader, for tests alone.
//
// It answers what no packaged kernel of today can: which bytes does a
// livepatch module have in memory when a kernel of 4.9 to 5.7 has loaded it and
// the patched modules are loaded? The order of the steps decides:
//
//	4.9 to 5.7                                  5.8 and later
//	----------                                  -------------
//	ordinary relocations                        ordinary relocations, and
//	                                              .klp.rela.vmlinux.*
//	.altinstructions, then .parainstructions    both tables; from 5.17 on paravirt
//	jump labels: keys are read                    goes first; jump labels
//	klp_enable_patch(), for each klp_object     klp_enable_patch(), for each module
//	that is loaded, and when one is loaded:     that is loaded, and when one is loaded:
//	    .klp.rela.<object>.*                        .klp.rela.<module>.*
//	    .klp.arch.<object>..altinstructions     .klp.arch.* means nothing
//	    .klp.arch.<object>..parainstructions
//
// A replacement that was copied before its klp relocation was written is
// copied without it, and that is the corruption that .klp.arch is there to avoid.
//
// [Load] does the above with a file that is to be checked, [Machine.Coming] and
// [Machine.Going] load and unload modules. [Intended] takes the file as it was
// before conversion and writes every relocation at once, by its annotations,
// before any table is looked at: the bytes that the author meant. [Check] compares
// the two:
//
//	err := loadermodel.Check(before, after, loadermodel.Scenario{
//		Scheme:  loadermodel.Linux419,
//		Kernel:  kernel,
//		Patched: []string{"vmlinux", "ext4"},
//		When:    loadermodel.Later,
//	})
//
// Nothing here is taken from the converter: the files are read by debug/elf, and
// the rules are the kernel's, cited where they are used. It must stay so, or the two could be
// wrong together. What the model leaves out: init sections stay, tables are not
// sorted, ftrace does not touch the calls to __fentry__, and from 5.13 on paddings stay
// one-byte NOPs (the kernel merges them).
package loadermodel
