// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

package main

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix" // has the numbers that package syscall lacks on some machines
)

// finitModule hands an open module file and its parameters to the kernel.
// It calls once and uncompressed: what the kernel says, it says once.
func finitModule(fd uintptr, params *byte) syscall.Errno {
	_, _, errno := syscall.Syscall(unix.SYS_FINIT_MODULE, fd, uintptr(unsafe.Pointer(params)), 0)
	return errno
}

// deleteModule removes a module, unless it is in use.
func deleteModule(name *byte) syscall.Errno {
	_, _, errno := syscall.Syscall(syscall.SYS_DELETE_MODULE, uintptr(unsafe.Pointer(name)),
		syscall.O_NONBLOCK, 0)
	return errno
}
