// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klp-convert/klp-convert/elfrw"
)

// What Open and Scan say of files that are no source; errors.Is finds them.
var (
	ErrUnknown    = errors.New("not a kernel's or a module's, nor a list of symbols")
	ErrStub       = errors.New("a stub: the real System.map is in the kernel's debug package")
	ErrObjectFile = errors.New("vmlinux.o or another object file that no kernel loads: the linker lays the kernel out " +
		"in another order, so positions counted here are wrong; give the vmlinux linked from it")
	ErrNoSymbols = errors.New("no symbol table")
	ErrTooLarge  = errors.New("too large")
)

// headSize is how much of a file a format may look at to recognise it: s390x
// images say what they are behind their first 64 KiB.
const headSize = 0x10010

// A format is one kind of source. Each is a file of this package.
type format struct {
	match func(head []byte) bool
	scan  func(in *input, visit func(*Entry)) (Facts, error)
}

// formats, asked in this order. Compressed files come apart first.
func formats() []format {
	return []format{
		{isELF, scanELF},
		{isImage, scanImage},
		{isKlpList, scanKlpList},
		{isSymvers, scanSymvers},
		{isSymbolText, scanSymbolText},
	}
}

// An input is a file being read.
type input struct {
	name string
	r    io.ReaderAt
	size int64 // -1 when not known: a file of /proc
}

// Open recognises the file by its content and returns it as a Source. The file
// is read, and opened again, by Scan.
//
// Errors wrap ErrUnknown, ErrStub, or what the system says.
func Open(path string) (Source, error) {
	s := &fileSource{path, opener(path)}
	return s, s.check()
}

func opener(path string) func() (io.ReaderAt, int64, func() error, error) {
	return func() (io.ReaderAt, int64, func() error, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, 0, nil, err
		}
		fi, err := f.Stat()
		switch {
		case err != nil:
		case !fi.Mode().IsRegular():
			err = fmt.Errorf("%s: not a regular file", path)
		case fi.Size() == 0: // /proc does not say how long its files are
			return f, -1, f.Close, nil
		default:
			if m, ok := mapFile(f, fi.Size()); ok {
				f.Close()
				return m, fi.Size(), m.close, nil
			}
			return f, fi.Size(), f.Close, nil
		}
		f.Close()
		return nil, 0, nil, err
	}
}

// New is Open for contents that are at hand already; name stands in messages.
func New(name string, r io.ReaderAt, size int64) (Source, error) {
	s := &fileSource{name: name, open: func() (io.ReaderAt, int64, func() error, error) {
		return r, size, func() error { return nil }, nil
	}}
	return s, s.check()
}

type fileSource struct {
	name string
	open func() (r io.ReaderAt, size int64, done func() error, err error)
}

func (s *fileSource) String() string { return s.name }

// check tells early whether a scan has a chance.
func (s *fileSource) check() error {
	r, size, done, err := s.open()
	if err != nil {
		return err
	}
	defer done()
	head, err := (&input{s.name, r, size}).head()
	if err != nil {
		return err
	}
	if c := compressionOf(head); c != nil {
		// What is inside is known when it is out.
		return nil
	}
	_, err = recognise(s.name, head)
	return err
}

func (s *fileSource) Scan(visit func(*Entry)) (Facts, error) {
	in, done, err := s.input()
	if err != nil {
		return Facts{}, err
	}
	defer done()
	head, err := in.head()
	if err != nil {
		return Facts{}, err
	}
	f, err := recognise(s.name, head)
	if err != nil {
		return Facts{}, err
	}
	return f.scan(in, visit)
}

// input opens the file, and unpacks it if it is compressed.
func (s *fileSource) input() (in *input, done func() error, err error) {
	r, size, done, err := s.open()
	if err != nil {
		return nil, nil, err
	}
	in = &input{s.name, r, size}
	head, err := in.head()
	if err == nil {
		c := compressionOf(head)
		if c == nil {
			return in, done, nil
		}
		var out []byte
		if out, err = c.decompress(in.section(0), in.size); err == nil {
			return &input{s.name, bytes.NewReader(out), int64(len(out))}, done, nil
		}
		err = &elfrw.Error{File: s.name, Offset: -1, Err: fmt.Errorf("%s: %w", c.name, err)}
	}
	done()
	return nil, nil, err
}

// recognise returns the format of what begins with head.
func recognise(name string, head []byte) (*format, error) {
	if isStub(head) {
		return nil, &elfrw.Error{File: name, Offset: -1, Err: ErrStub}
	}
	for _, f := range formats() {
		if f.match(head) {
			return &f, nil
		}
	}
	return nil, &elfrw.Error{File: name, Offset: -1, Err: ErrUnknown}
}

// head returns the beginning of the file; all of it when it is short.
func (in *input) head() ([]byte, error) {
	// Most files say what they are in their first few bytes.
	const first = 4096
	b := make([]byte, first)
	n, err := io.ReadFull(in.section(0), b)
	if n < first || isELF(b) || isImage(b) || compressionOf(b) != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = nil
		}
		return b[:n], err
	}
	b = append(b, make([]byte, headSize-first)...)
	n, err = io.ReadFull(in.section(first), b[first:])
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return b[:first+n], err
}

// section returns a reader of the file from off to its end.
func (in *input) section(off int64) io.Reader {
	size := in.size
	if size < 0 {
		size = maxText
	}
	return io.NewSectionReader(in.r, off, max(size-off, 0))
}

// bytes returns size bytes at off, which it checks against the file and limit. They
// are good while the file is open, and not to be written to.
func (in *input) bytes(off, size, limit uint64) ([]byte, error) {
	if in.size < 0 || off > uint64(in.size) || size > uint64(in.size)-off {
		return nil, fmt.Errorf("%#x bytes at %#x are not in the file", size, off)
	}
	if size > limit {
		return nil, fmt.Errorf("%#x bytes: %w", size, ErrTooLarge)
	}
	if m, ok := in.r.(mapped); ok {
		return m[off : off+size : off+size], nil
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(in.r, int64(off), int64(size)), b); err != nil {
		return nil, err
	}
	return b, nil
}

// errorf is an error about a place in the file.
func (in *input) errorf(section string, off int64, format string, args ...any) error {
	return &elfrw.Error{File: in.name, Section: section, Offset: off, Err: fmt.Errorf(format, args...)}
}
