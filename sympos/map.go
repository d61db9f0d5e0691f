// SPDX-License-Identifier: GPL-2.0-or-later

//go:build unix

package sympos

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"syscall"
)

// mapFrom is the size in bytes from which on a file is mapped rather than read: a vmlinux,
// of which 10 MB are read once, but not a module.
const mapFrom = 4 << 20

var errShrank = errors.New("the file was cut short while it was read")

// A mapped file's contents need no copy. When the file is truncated meanwhile, reading it
// faults, see guard.
type mapped []byte

func (m mapped) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(m)) {
		return 0, io.EOF
	}
	n := copy(b, m[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// mapFile maps a file, and returns false if it is small or can't be mapped.
func mapFile(f *os.File, size int64) (mapped, bool) {
	if size < mapFrom || size != int64(int(size)) {
		return nil, false
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_PRIVATE)
	return b, err == nil
}

func (m mapped) close() error { return syscall.Munmap(m) }

// guard calls read, which reads a mapped file, and turns a fault into an error.
func guard(name string, read func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			if _, fault := r.(interface{ Addr() uintptr }); !fault {
				panic(r)
			}
			err = fmt.Errorf("%s: %w", name, errShrank)
		}
	}()
	return read()
}
