// SPDX-License-Identifier: GPL-2.0-or-later

// Package frombtf reads the types of a kernel or a module from BTF (Documentation/bpf/btf.rst):
//
//	header  magic 0xeb9f, version, where the two parts are
//	types   1: INT, 2: PTR → 1, 3: STRUCT {…}, …     numbered from 1; 0 is void
//	names   \0 int \0 task_struct \0 …
//
// A kernel's BTF is whole. A module's is split: its numbers and its offsets of names continue
// those of a base, and refer to it. There are two kinds of base:
//
//	the kernel's BTF    what the module was built with, and nothing says which that was. Another
//	                    kernel's gives other types for the same numbers, which shows: nearly
//	                    half of a kernel's types are functions, which no type may refer to
//	                    (ErrOtherBase).
//	.BTF.base           from 6.11 on, modules that are built outside of the kernel's tree have a
//	                    base of their own: of each type of the kernel that they refer to its kind,
//	                    name and size (scripts/Makefile.btf, distilled_base, later distill_base;
//	                    tools/lib/bpf/btf.c, btf__distill_base). It fits any kernel that has
//	                    types of these names and sizes (tools/lib/bpf/btf_relocate.c). The types of
//	                    the kernel are looked up by these when they are asked for; what it does
//	                    not have once and with that size is Incomplete.
//
// A type is decoded by github.com/cilium/ebpf/btf when it is asked for, and alone. That package
// trusts its input: some headers make it panic. It reads all of a blob before it decodes anything,
// and with each type all that it leads to, by calling itself. So the data is checked as a whole
// here (layout.go), at a cost of some milliseconds, and cilium/ebpf (v0.21.0) gets a blob with
// that one type (single.go). It need not know how BTF is split, nor of distilled bases.
package frombtf
