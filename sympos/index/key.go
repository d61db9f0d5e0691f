// SPDX-License-Identifier: GPL-2.0-or-later

package index

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"path/filepath"
	"syscall"
	"time"
)

// A Key says which file an index is of, and which state of it.
type Key struct {
	Device, Inode uint64
	Size          int64
	// Modified and Changed are the times of the last change of the contents and of anything
	// (st_mtime, st_ctime), in nanoseconds. A file that is written again and then given its
	// old time has another Changed.
	Modified, Changed int64
	// Name is the last part of the path: some modules are called what their files are called.
	Name string
}

// KeyOf returns the key of the file or directory at the path, and whether it has one. That of a
// directory does not change with what is in it. An empty file has none: /proc does not tell the
// sizes of its files. The nil Store knows no keys.
func (s *Store) KeyOf(path string) (Key, bool) {
	k, ok := s.StateOf(path)
	if k.Size == 0 {
		k.Modified, k.Changed = 0, 0
	}
	return k, ok
}

// StateOf is KeyOf, but that of a directory changes with the names of the files in it.
//
// Thousands of modules are asked for, one after the other, so this makes little garbage.
func (s *Store) StateOf(path string) (Key, bool) {
	if s == nil {
		return Key{}, false
	}
	if s.Identify != nil {
		return s.Identify(path)
	}
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return Key{}, false
	}
	k := Key{Device: uint64(st.Dev), Inode: st.Ino, Name: filepath.Base(path)}
	k.Modified, k.Changed = times(&st)
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		return k, true
	case syscall.S_IFREG:
		k.Size = st.Size
		return k, st.Size > 0
	}
	return Key{}, false
}

// Settled reports whether the file can be told from what it becomes by a further change: a
// change that follows within the resolution of the file system's clock leaves the times alone.
// A file in a build tree may be such a one. Nor can a file be told from another one where both
// times are the same whole second: file systems without a time of change of their own (vfat,
// squashfs) give that, and images of squashfs often have one time for all files.
func (s *Store) Settled(k Key) bool {
	if k.Modified == k.Changed && k.Changed%int64(time.Second) == 0 {
		return false
	}
	return max(k.Modified, k.Changed) < time.Now().Add(-s.Settle).UnixNano()
}

// file returns the name of the index: all states of a file share one, so that an index takes
// the place of the one that is outdated.
func (k Key) file(kind string) string {
	var b []byte
	for _, n := range []uint64{k.Device, k.Inode} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	sum := sha256.Sum256(append(b, k.Name...))
	return kind + "-" + hex.EncodeToString(sum[:12]) + suffix
}

// Append appends the key to b, for Cut to read.
func (k Key) Append(b []byte) []byte {
	for _, n := range []uint64{k.Device, k.Inode, uint64(k.Size), uint64(k.Modified),
		uint64(k.Changed), uint64(len(k.Name))} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return append(b, k.Name...)
}

// CutKey reads a key from the beginning of b. ok is false when there is none.
func CutKey(b []byte) (k Key, rest []byte, ok bool) {
	const numbers = 6 * 8
	if len(b) < numbers {
		return k, nil, false
	}
	n := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	k = Key{Device: n(0), Inode: n(1), Size: int64(n(2)), Modified: int64(n(3)),
		Changed: int64(n(4))}
	size := n(5)
	if b = b[numbers:]; size > uint64(len(b)) {
		return k, nil, false
	}
	k.Name = string(b[:size])
	return k, b[size:], true
}
