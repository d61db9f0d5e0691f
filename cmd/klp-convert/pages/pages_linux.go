// SPDX-License-Identifier: GPL-2.0-or-later

package pages

import (
	"math"
	"runtime"
	"syscall"
	"unsafe"
)

const (
	huge     = 2 << 20 // of most machines; others ignore the advice
	growth   = 4 << 20 // by which the runtime's heap grows, at multiples of it
	run      = 1 << 20 // what a conversion of a small module allocates
	most     = 1 << 29 // what Expect asks for at once
	collapse = 25      // MADV_COLLAPSE (include/uapi/asm-generic/mman-common.h, 6.1)
)

var (
	last     []byte
	expected int64 // the most that Expect was asked for
)

// init runs before the initialisers of most packages: Go runs them in the order of the paths
// of those that have all they import, and this one imports next to nothing.
func init() {
	top := allocate(8 << 10)
	block := top &^ (huge - 1)
	advise(block, huge, syscall.MADV_HUGEPAGE)
	advise(block, huge, collapse)
	next := block + huge
	if next%growth == 0 && next-top < run {
		allocate(next - top) // more than is left: the heap grows
	}
	advise(next, huge, syscall.MADV_HUGEPAGE)
	last = nil
}

// Expect has the next n bytes of the heap made of huge pages, when they are used: half of the
// time of a check or a comparison of large modules was that of page faults. The heap grows by
// memory that is advised of and given back, which takes no pages, and one collection: that
// takes as long as a thousand page faults. Where address space is limited (ulimit -v, machines
// of 32 bits) it does nothing, nor when as much was expected before. It is for one goroutine.
func Expect(n int64) {
	if n <= expected {
		return // the heap has it, and would clear it all to hand it out again
	}
	expected = n
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err != nil ||
		limit.Cur != math.MaxUint64 || math.MaxInt == math.MaxInt32 {
		return
	}
	size := uintptr(min(n, most))
	advise(allocate(size)&^(huge-1), size, syscall.MADV_HUGEPAGE)
	last = nil
	runtime.GC()
}

// Release tells the system that bytes of a mapped file will not be read again soon, so that they
// don't count as memory in use. It must not be called for other bytes: it would clear them.
func Release(b []byte) {
	const page = 4096
	from := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) % page)
	if to := len(b) - (len(b)-from)%page; from < to && len(b) > from {
		_ = syscall.Madvise(b[from:to], syscall.MADV_DONTNEED)
	}
}

// allocate returns the address of n new bytes, of which none is touched.
func allocate(n uintptr) uintptr {
	last = make([]byte, n)
	return uintptr(unsafe.Pointer(unsafe.SliceData(last)))
}

// advise is madvise(2). Nothing depends on whether it is heard.
func advise(at, size uintptr, advice int) {
	_, _, _ = syscall.RawSyscall(syscall.SYS_MADVISE, at, size, uintptr(advice))
}
