// SPDX-License-Identifier: GPL-2.0-or-later

package lab

import (
	"bytes"
	"fmt"
	"path"

	"golang.org/x/exp/slices"
)

// An archive is an initramfs in the making: cpio, format "newc"
// (Documentation/driver-api/early-userspace/buffer-format.rst).
//
//	070701  ino mode uid gid nlink mtime size major minor rmajor rminor namesize check
//	        each 8 hexadecimal digits, no separators
//	name NUL, padded so that the data starts at a multiple of 4
//	data, padded to a multiple of 4
//	...
//	an entry named TRAILER!!!
//
// It is not compressed: unpacking costs an emulated CPU more than reading.
type archive struct {
	buf  bytes.Buffer
	ino  int
	dirs []string // already there
}

const (
	modeDir  = 0o040755
	modeFile = 0o100755
	modeNode = 0o020600
)

// file adds a file, and the directories above it that are not there yet.
func (a *archive) file(name string, data []byte) {
	a.mkdir(path.Dir(name))
	a.entry(name, modeFile, data, 0, 0)
}

// mkdir adds a directory and those above it.
func (a *archive) mkdir(name string) {
	if name == "." || name == "/" || slices.Contains(a.dirs, name) {
		return
	}
	a.mkdir(path.Dir(name))
	a.dirs = append(a.dirs, name)
	a.entry(name, modeDir, nil, 0, 0)
}

// node adds a character device.
func (a *archive) node(name string, major, minor int) {
	a.mkdir(path.Dir(name))
	a.entry(name, modeNode, nil, major, minor)
}

func (a *archive) entry(name string, mode int, data []byte, major, minor int) {
	a.ino++
	a.header(name, a.ino, mode, len(data), major, minor)
	a.buf.Write(data)
	a.pad()
}

func (a *archive) header(name string, ino, mode, size, major, minor int) {
	a.buf.WriteString("070701")
	for _, field := range []int{ino, mode, 0, 0, 1, 0, size, 0, 0, major, minor, len(name) + 1, 0} {
		fmt.Fprintf(&a.buf, "%08x", field)
	}
	a.buf.WriteString(name)
	a.buf.WriteByte(0)
	a.pad()
}

func (a *archive) pad() {
	for a.buf.Len()%4 != 0 {
		a.buf.WriteByte(0)
	}
}

// bytes closes the archive and returns it.
func (a *archive) bytes() []byte {
	a.header("TRAILER!!!", 0, 0, 0, 0, 0)
	return a.buf.Bytes()
}
