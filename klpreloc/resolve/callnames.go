// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// What source calls sys_openat has other names in a kernel's symbol table
// (include/linux/syscalls.h, __SYSCALL_DEFINEx; arch/*/include/asm/syscall_wrapper.h):
//
//	until 4.16        sys_openat = SyS_openat     SYSC_openat
//	                  compat_sys_openat = compat_SyS_openat     C_SYSC_openat
//	x86 since 4.17    __x64_sys_openat            __se_sys_openat   __do_sys_openat
//	                  __ia32_sys_openat           for 32-bit programs
//	                  __ia32_compat_sys_openat    the same, where they need another one
//	                  __x32_, __x64_compat_sys_…  for x32 programs (5.10, 6.1)
//	arm64 since 4.19  __arm64_sys_openat, __arm64_compat_sys_openat
//	s390 (in 5.4)     __s390x_sys_openat, __s390_sys_openat, __s390_compat_sys_openat;
//	                  in 7.3 the first one only
//	riscv since 6.6   __riscv_sys_openat, __riscv_compat_sys_openat
//	others            sys_openat, compat_sys_openat; powerpc too, with its wrapper of 6.1
//
// __se_sys_openat converts the arguments and __do_sys_openat is the body. Both are static
// nearly everywhere and mostly inlined into the entries, so that they have no symbol.
// No version is compared here: candidates are what the kernel's own symbols have.

// callPart is which of a system call's functions a name is.
type callPart int

const (
	callEntry   callPart = iota // what the table of system calls has
	callEntry32                 // the same for 32-bit programs
	callBody
	callArguments
	callEntryX32
	callHelper
)

// String says which function it is, for a hint.
func (p callPart) String() string {
	return [...]string{"entry of the system call", "its entry for 32-bit programs", "its body",
		"it converts the arguments",
		"its entry for x32 programs", "called by the entry"}[p]
}

// A callForm is how the names of one part begin.
type callForm struct {
	prefix string
	part   callPart
	compat bool // of the system call for 32-bit programs, where that is another one
}

// callForms are the known forms; a prefix that begins with another one precedes it.
var callForms = []callForm{
	{"__x64_compat_sys_", callEntryX32, true},
	{"__x32_compat_sys_", callEntryX32, true},
	{"__ia32_compat_sys_", callEntry, true},
	{"__arm64_compat_sys_", callEntry, true},
	{"__s390_compat_sys_", callEntry, true},
	{"__riscv_compat_sys_", callEntry, true},
	{"__se_compat_sys_", callArguments, true},
	{"__do_compat_sys_", callBody, true},
	{"compat_sys_", callEntry, true},
	{"compat_SyS_", callEntry, true},
	{"C_SYSC_", callBody, true},
	{"__x64_sys_", callEntry, false},
	{"__arm64_sys_", callEntry, false},
	{"__s390x_sys_", callEntry, false},
	{"__riscv_sys_", callEntry, false},
	{"__ia32_sys_", callEntry32, false},
	{"__s390_sys_", callEntry32, false},
	{"___se_sys_", callArguments, false},
	{"__se_sys_", callArguments, false},
	{"__do_sys_", callBody, false},
	{"ksys_", callHelper, false},
	{"do_sys_", callHelper, false},
	{"SyS_", callEntry, false},
	{"SYSC_", callBody, false},
	{"sys_", callEntry, false},
}

// callOf returns which part of which system call a name is, and false for a name without any of
// the prefixes.
func callOf(name string) (form callForm, call string, ok bool) {
	name = strings.TrimPrefix(stem(name), ".") // ppc64's ELFv1: the code of sys_openat
	for _, f := range callForms {
		if call, ok := strings.CutPrefix(name, f.prefix); ok && call != "" {
			return f, call, true
		}
	}
	return callForm{}, "", false
}

// mayBeCall reports, without a copy, that a name may be one of a system call. It is false for
// most names.
func mayBeCall(name []byte) bool {
	for i := 0; i+4 < len(name) && i <= len("__riscv_compat_"); i++ {
		if (name[i] == 's' || name[i] == 'S') && (name[i+1] == 'y' || name[i+1] == 'Y') &&
			(name[i+2] == 's' || name[i+2] == 'S') {
			return true
		}
	}
	return false
}

// distance orders the parts of the wanted system call: 0 is the one that is most likely meant. An
// entry is patched instead of what is inlined into it.
func (f callForm) distance(wanted callForm) int {
	orders := map[callPart][]callPart{
		callEntry:     {callEntry, callEntry32, callBody, callArguments, callHelper, callEntryX32},
		callEntry32:   {callEntry32, callEntry, callBody, callArguments, callHelper, callEntryX32},
		callBody:      {callBody, callArguments, callEntry, callEntry32, callHelper, callEntryX32},
		callArguments: {callArguments, callBody, callEntry, callEntry32, callHelper, callEntryX32},
		callEntryX32:  {callEntryX32, callEntry, callEntry32, callBody, callArguments, callHelper},
		callHelper:    {callHelper, callEntry, callEntry32, callBody, callArguments, callEntryX32},
	}
	part := wanted.part
	if wanted.compat && !f.compat && part == callEntry {
		part = callEntry32 // the system call has no other one for 32-bit programs
	}
	far := 0
	for i, p := range orders[part] {
		if p == f.part {
			far = i
		}
	}
	if f.compat != wanted.compat {
		far += len(orders)
	}
	return far
}

// why says how a symbol is related to the name that was asked for, which does not exist.
func (f callForm) why(wanted callForm, name string, kind byte) string {
	why := f.part.String()
	if f.compat && f.part == callEntry {
		why = callEntry32.String()
	}
	entry := f.part == callEntry || f.part == callEntry32
	switch {
	case entry && (kind == 'W' || kind == 'w'): // kernel/sys_ni.c, COND_SYSCALL
		why += ", which this kernel does not have: it returns ENOSYS"
	case entry && f.compat == wanted.compat &&
		(wanted.part == callBody || wanted.part == callArguments):
		why += ", into which " + diag.Clip(name) + " is inlined"
	}
	return why
}

// Wrappers returns names of functions that may call the function of that name: the entries of a
// system call, or the name without what begins the names of inner functions. Which of them
// exists, and whether it calls the function, is not known.
func Wrappers(name string) (names []string) {
	add := func(wrapper string) {
		if wrapper != "" && wrapper != name && !slices.Contains(names, wrapper) {
			names = append(names, wrapper)
		}
	}
	if inner, call, ok := callOf(name); ok {
		for _, f := range callForms {
			if f.compat == inner.compat && (f.part == callEntry || f.part == callEntry32) &&
				inner.part != callEntry {
				add(f.prefix + call)
			}
		}
		return names
	}
	trimmed := strings.TrimLeft(name, "_")
	for _, suffix := range []string{"_inner", "_noinstr", "_nocheck", "_locked"} {
		add(strings.TrimSuffix(trimmed, suffix))
	}
	add(strings.TrimPrefix(trimmed, "do_"))
	return names
}
