// SPDX-License-Identifier: GPL-2.0-or-later

package index

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"runtime/debug"
	"syscall"
	"time"
)

const (
	magic      = "klpindex"
	headerSize = 48
	entrySize  = 24
	// maxSize bounds the size of an index that is read.
	maxSize = 4 << 30
)

// le is the byte order of indexes.
var le = binary.LittleEndian

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

func sum64(text string) uint64 {
	sum := sha256.Sum256([]byte(text))
	return le.Uint64(sum[:])
}

// ErrDamaged is that an index is not as it was written.
var ErrDamaged = errors.New("damaged")

// ErrOther is that another version of the program wrote an index.
var ErrOther = errors.New("written by another version of the program")

// A File is an index that is mapped. It stays mapped until the process ends: what is read of
// it is part of its blocks.
type File struct {
	Key  Key
	path string
	data []byte
	used time.Time // as far as the file tells

	count  int    // of blocks
	blocks []byte // the table
}

// openFile opens an index and verifies what the package comment says.
func openFile(path string, program uint64) (*File, error) {
	// Of a link or a pipe that someone put there, nothing is opened.
	h, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	info, err := h.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	case info.Size() < headerSize || info.Size() > maxSize ||
		info.Size() != int64(int(info.Size())):
		return nil, fmt.Errorf("%s: %w: it has %d bytes", path, ErrDamaged, info.Size())
	}
	if err := checkPrivate(path, info); err != nil {
		return nil, err
	}
	data, err := syscall.Mmap(int(h.Fd()), 0, int(info.Size()), syscall.PROT_READ,
		syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	f, err := parse(path, data, program)
	if err != nil {
		_ = syscall.Munmap(data)
		return nil, err
	}
	f.used = info.ModTime()
	return f, nil
}

// use records a use, for trim.
func (f *File) use() {
	if now := time.Now(); now.Sub(f.used) > rest || f.used.After(now) {
		_ = os.Chtimes(f.path, now, now)
		f.used = now
	}
}

// parse verifies an index. It keeps data.
func parse(path string, data []byte, program uint64) (f *File, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer recoverFault(path, &err)
	f = &File{path: path, data: data}
	switch table, size := f.table(); {
	case len(data) < headerSize || string(data[:8]) != magic:
		return nil, fmt.Errorf("%s: %w: not an index", path, ErrDamaged)
	case le.Uint32(data[8:]) != Format:
		return nil, fmt.Errorf("%s: format %d, not %d: %w", path, le.Uint32(data[8:]), Format,
			ErrOther)
	case le.Uint32(data[44:]) != checksum(data[:44]) || le.Uint64(data[24:]) != uint64(len(data)):
		return nil, fmt.Errorf("%s: %w: header", path, ErrDamaged)
	case le.Uint64(data[32:]) != program:
		return nil, fmt.Errorf("%s: %w", path, ErrOther)
	case table > uint64(len(data)) || size > uint64(len(data))-table ||
		le.Uint32(data[40:]) != checksum(data[table:table+size]):
		return nil, fmt.Errorf("%s: %w: table", path, ErrDamaged)
	default:
		f.count = int(le.Uint32(data[12:]))
		f.blocks = append([]byte{}, data[table:table+size]...)
	}
	b, err := f.Block(0)
	if err != nil {
		return nil, err
	}
	key, rest, ok := CutKey(b)
	if !ok || len(rest) > 0 {
		return nil, f.Damaged("key")
	}
	f.Key = key
	return f, nil
}

// recoverFault makes an error of the fault that reading a mapped file is that was cut short.
func recoverFault(path string, err *error) {
	switch r := recover().(type) {
	case nil:
	case interface{ Addr() uintptr }:
		*err = fmt.Errorf("%s: %w: cut short while it was read", path, ErrDamaged)
	default:
		panic(r)
	}
}

// table returns where the table is, and its size.
func (f *File) table() (off, size uint64) {
	if len(f.data) < headerSize {
		return 0, 0
	}
	return le.Uint64(f.data[16:]), uint64(le.Uint32(f.data[12:])) * entrySize
}

// Path returns where the index is, or was.
func (f *File) Path() string { return f.path }

// Blocks returns the number of blocks.
func (f *File) Blocks() int { return f.count }

// Block returns block i, which it verifies. The slice is part of the mapped file; it must not
// be changed, and is valid until the process ends.
func (f *File) Block(i int) (b []byte, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer recoverFault(f.path, &err)
	b, sum, err := f.block(i)
	if err == nil && checksum(b) != sum {
		err = f.Damaged(fmt.Sprintf("block %d", i))
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

func (f *File) block(i int) ([]byte, uint32, error) {
	if i < 0 || i >= f.Blocks() {
		return nil, 0, f.Damaged(fmt.Sprintf("block %d of %d", i, f.Blocks()))
	}
	e := f.blocks[i*entrySize:]
	off, size, n := le.Uint64(e), le.Uint64(e[8:]), uint64(len(f.data))
	if off > n || size > n-off {
		return nil, 0, f.Damaged(fmt.Sprintf("block %d", i))
	}
	return f.data[off : off+size : off+size], le.Uint32(e[16:]), nil
}

// Damaged returns the error that a part of the index is not as it was written.
func (f *File) Damaged(part string) error {
	return fmt.Errorf("%s: %w: %s", f.path, ErrDamaged, part)
}

func (f *File) unmap() { _ = syscall.Munmap(f.data) }
