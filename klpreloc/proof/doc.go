// SPDX-License-Identifier: GPL-2.0-or-later

// Package proof compares a module with what a conversion made of it, before the output gets
// its name.
//
//	in.ko bytes ──elfrw.Parse──▶ before ─┐
//	                                     ├─▶ Check(before, after, claims) ──▶ nil or KLP033
//	out.ko bytes ─elfrw.Parse──▶ after ──┘
//
// But for the rules named below, it shares no code with what makes the output. The numbers of
// ELF and of the klp format, the names of klp sections and symbols, the version tables,
// depends= of .modinfo and the formats of special entries are written down here a second time,
// from the kernel's sources. So a mistake in one of the two readings shows as a difference.
// TestBrokenFunctions breaks functions of the program one at a time and sees that no wrong
// file is written.
//
// Every section, symbol and relocation of before has its counterpart in after, or a reason
// to be gone; every one of after is the counterpart of one of before, or one that the
// annotations ask for. Relocations are compared in their order, which is more than that
// both have the same ones: nothing is lost, doubled, invented, exchanged or changed.
//
// Some rules are shared, because a second version of them would be a second opinion and not
// a check. They are in shared.go, and others check them:
//
//   - the reading of annotations. What they were read as is compared with the labels, records
//     and lists themselves (spelling.go), but for the paths of annotations by file, which
//     klpreloc's tests check; klpreloc/loadermodel reads all others by debug/elf;
//   - which object's load applies a relocation (gates), checked by klpreloc/loadermodel and
//     by the kernels that scripts/lab boots;
//   - which special entries a late relocation concerns, checked by the same two;
//   - the reading of ELF (elfrw), checked by debug/elf, readelf and the round trip of
//     thousands of modules.
//
// What only a kernel can tell is taken as claimed (Claims): which symbol of a kernel an
// undefined one is, and which builds of modules .modinfo gets entries of. Package loader checks
// that against a kernel, after conversion (klp-convert check).
package proof
