// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"syscall"
	"unsafe"
)

// hugePage is the size of huge pages of most machines; the system ignores the rest of the advice.
const hugePage = 2 << 20

// useHugePages asks for huge pages (madvise(2), MADV_HUGEPAGE; it is what the default of
// /sys/kernel/mm/transparent_hugepage/enabled waits for). Nothing depends on whether it is heard.
func useHugePages(b []byte) {
	start := int(-uintptr(unsafe.Pointer(&b[0])) & (hugePage - 1))
	end := len(b) - int(uintptr(unsafe.Pointer(&b[0]))+uintptr(len(b)))&(hugePage-1)
	if start < end {
		_ = syscall.Madvise(b[start:end], syscall.MADV_HUGEPAGE)
	}
}
