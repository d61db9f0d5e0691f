// SPDX-License-Identifier: GPL-2.0-or-later

package index

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"syscall"
)

// A Writer writes one index. Its methods must not be called at the same time. After an error
// they do nothing, and Commit returns it.
type Writer struct {
	s     *Store
	name  string
	f     *os.File
	w     *bufio.Writer
	off   uint64 // of what is written next
	table []byte
	from  uint64 // where the current block begins
	sum   uint32 // of the current block so far
	err   error
}

var (
	errTooLarge  = errors.New("larger than all indexes may be")
	errAbandoned = errors.New("the process ends")
)

// Create begins an index of that kind of the file with this key. The caller calls Commit or
// Discard.
func (s *Store) Create(kind string, key Key) *Writer {
	w := &Writer{s: s, name: key.file(kind), off: headerSize, from: headerSize}
	if w.err = s.prepare(); w.err != nil {
		return w
	}
	// Only this user may read it: it may be of files that others may not.
	if w.f, w.err = s.createTemp(); w.err != nil {
		return w
	}
	w.w = bufio.NewWriterSize(w.f, 256<<10)
	_, w.err = w.w.Write(make([]byte, headerSize))
	w.Block(key.Append(nil))
	return w
}

// createTemp creates a file while it holds the lock, so that Abandon knows each that exists.
func (s *Store) createTemp() (*os.File, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.abandoned {
		return nil, errAbandoned
	}
	f, err := os.CreateTemp(s.dir, pending)
	if err == nil {
		s.unfinished[f.Name()] = true
	}
	return f, err
}

// forget lets Abandon leave the file alone.
func (s *Store) forget(path string) {
	s.writing.Lock()
	defer s.writing.Unlock()
	delete(s.unfinished, path)
}

// Abandon removes what Writers of this process have not finished, and lets none begin: a signal
// ends the process. Their Commit returns an error.
func (s *Store) Abandon() {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.abandoned = true
	for path := range s.unfinished {
		_ = os.Remove(path)
	}
}

// Write adds to the current block.
func (w *Writer) Write(b []byte) (int, error) {
	if w.err == nil && w.off+uint64(len(b)) > uint64(w.s.Limit) {
		w.err = errTooLarge
	}
	if w.err != nil {
		return 0, w.err
	}
	if _, w.err = w.w.Write(b); w.err != nil {
		return 0, w.err
	}
	w.off += uint64(len(b))
	w.sum = crc32.Update(w.sum, castagnoli, b)
	return len(b), nil
}

// End ends the current block, and returns its number.
func (w *Writer) End() int {
	n := len(w.table) / entrySize
	w.table = le.AppendUint64(w.table, w.from)
	w.table = le.AppendUint64(w.table, w.off-w.from)
	w.table = le.AppendUint32(w.table, w.sum)
	w.table = le.AppendUint32(w.table, 0)
	w.align()
	w.from, w.sum = w.off, 0
	return n
}

func (w *Writer) align() {
	if pad := -w.off & 7; pad > 0 && w.err == nil {
		_, w.err = w.w.Write(make([]byte, pad))
		w.off += pad
	}
}

// Block writes a block, and returns its number.
func (w *Writer) Block(b []byte) int {
	_, _ = w.Write(b)
	return w.End()
}

// Offset returns where the next byte is written in the file.
func (w *Writer) Offset() uint64 { return w.off }

// Read calls use with all bytes that were written so far. They are valid during the call.
func (w *Writer) Read(use func(written []byte)) {
	if w.err == nil {
		w.err = w.w.Flush()
	}
	if w.err != nil {
		return
	}
	b, err := syscall.Mmap(int(w.f.Fd()), 0, int(w.off), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		w.err = err
		return
	}
	use(b)
	_ = syscall.Munmap(b)
}

// Err returns the first error.
func (w *Writer) Err() error { return w.err }

// Commit gives the index its name and takes care of the limit. If anything went wrong,
// nothing is left, and the error says what.
func (w *Writer) Commit() error {
	table := w.off
	if w.err == nil {
		_, w.err = w.w.Write(w.table)
		w.off += uint64(len(w.table))
	}
	if w.err == nil && w.off > uint64(w.s.Limit) {
		w.err = errTooLarge
	}
	if w.err == nil {
		w.err = w.w.Flush()
	}
	if w.err == nil {
		h := append(make([]byte, 0, headerSize), magic...)
		h = le.AppendUint32(h, Format)
		h = le.AppendUint32(h, uint32(len(w.table)/entrySize))
		h = le.AppendUint64(h, table)
		h = le.AppendUint64(h, w.off)
		h = le.AppendUint64(h, w.s.Program)
		h = le.AppendUint32(h, checksum(w.table))
		_, w.err = w.f.WriteAt(le.AppendUint32(h, checksum(h)), 0)
	}
	if w.err != nil {
		w.Discard()
		return w.err
	}
	defer w.s.forget(w.f.Name())
	err := w.f.Close()
	if err == nil {
		err = os.Rename(w.f.Name(), filepath.Join(w.s.dir, w.name))
	}
	if err != nil {
		_ = os.Remove(w.f.Name())
		w.err = err
		return fmt.Errorf("index: %w", err)
	}
	w.s.trim(w.name)
	return nil
}

// Discard removes what was written.
func (w *Writer) Discard() {
	if w.f != nil {
		_ = w.f.Close()
		_ = os.Remove(w.f.Name())
		w.s.forget(w.f.Name())
		w.f = nil
	}
}
