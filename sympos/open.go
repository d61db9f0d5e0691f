// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/sympos/content"
)

// Causes of errors of Open and Scan; errors.Is finds them.
var (
	ErrUnknown    = errors.New("not a kernel, a module or a list of symbols")
	ErrStub       = errors.New("a stub: the real System.map is in the kernel's debug package")
	ErrObjectFile = errors.New("vmlinux.o or another object file that no kernel loads: the " +
		"linker lays the kernel out " +
		"in another order, so positions counted here are wrong; give the vmlinux linked from it")
	ErrNoSymbols = errors.New("no symbol table")
	ErrTooLarge  = errors.New("too large")
	ErrTooMany   = errors.New("too many symbols of the names asked for")
)

// headSize is how many bytes of a file are enough to recognise its format: s390x images
// have their magic after the first 64 KiB.
const headSize = 0x10010

// A format is one kind of source. Each is a file of this package.
type format struct {
	match func(head []byte) bool
	kind  func(head []byte) Kind
	scan  func(in *input, visit func(*Entry)) (Facts, error)
}

// formats returns all formats, in the order in which they are tried. Compressed files are
// unpacked before.
func formats() []format {
	return []format{
		{isELF, kindOfELF, scanELF},
		{isImage, always(Image), scanImage},
		{isKlpList, always(SymbolList), scanKlpList},
		{isSymvers, always(Symvers), scanSymvers},
		{isSymbolText, kindOfText, scanSymbolText},
	}
}

// always returns a function that returns k.
func always(k Kind) func([]byte) Kind { return func([]byte) Kind { return k } }

// An input is a file being read.
type input struct {
	name  string
	r     io.ReaderAt
	size  int64    // -1 when not known, as in /proc
	notes []string // of how it was unpacked
}

// packed returns all bytes of a compressed file.
func (in *input) packed() ([]byte, error) {
	if in.size >= 0 {
		return in.bytes(0, uint64(in.size), maxUnpacked)
	}
	return readAll(in.section(0), 0, maxUnpacked)
}

// Open recognises the file by its content and returns it as a Source. Scan opens it again
// and reads it.
//
// Errors wrap ErrUnknown, ErrStub or the error of the system.
func Open(path string) (Source, error) {
	s := newFile(path)
	return s, s.check()
}

// newFile returns the file at the path as a Source, without a check.
func newFile(path string) *fileSource {
	return &fileSource{name: path, path: path, open: opener(path)}
}

func opener(path string) func() (io.ReaderAt, int64, func(), error) {
	return func() (io.ReaderAt, int64, func(), error) {
		f, info, err := openFile(path)
		if err != nil {
			return nil, 0, nil, err
		}
		if info.Size() == 0 { // /proc does not say how long its files are
			return f, -1, func() { _ = f.Close() }, nil
		}
		if m, ok := mapFile(f, info.Size()); ok {
			f.Close()
			return m, info.Size(), func() { _ = m.close() }, nil
		}
		return f, info.Size(), func() { _ = f.Close() }, nil
	}
}

// openFile opens a regular file and refuses all others: opening a pipe waits for a writer,
// and opening some devices has effects.
func openFile(path string) (*os.File, fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err == nil {
		err = checkRegular(path, info)
	}
	if err != nil {
		return nil, nil, err
	}
	// Another file may have the name by now, so it is checked again.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = checkRegular(path, info)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// checkRegular returns an error unless the file is a regular one.
func checkRegular(path string, info fs.FileInfo) error {
	switch {
	case info.Mode().IsRegular():
		return nil
	case info.IsDir():
		return &fs.PathError{Op: "open", Path: path, Err: errors.New("is a directory")}
	}
	return &fs.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")}
}

// KindOf returns what a file is. It reads only the beginning, so every relocatable ELF file
// is a ModuleFile, and every table of addresses, types and names a SystemMap or, when it
// begins with a page of zero addresses, Kallsyms.
func KindOf(path string) (Kind, error) {
	r, size, done, err := opener(path)()
	if err != nil {
		return 0, err
	}
	defer done()
	var kind Kind
	err = guard(path, func() error {
		in := &input{name: path, r: r, size: size}
		head, err := in.head()
		if err != nil {
			return err
		}
		if c := compressionOf(head); c != nil {
			if head, err = c.unpackStart(in.section(0), headSize); err != nil {
				return &elfrw.Error{File: path, Offset: -1, Err: fmt.Errorf("%s: %w", c.name, err)}
			}
		}
		f, err := recogniseFormat(path, head)
		if err != nil {
			return err
		}
		kind = f.kind(head)
		return nil
	})
	return kind, err
}

// New is Open for contents that are already read; name is used in messages.
func New(name string, r io.ReaderAt, size int64) (Source, error) {
	s := &fileSource{name: name, open: func() (io.ReaderAt, int64, func(), error) {
		return r, size, func() {}, nil
	}}
	return s, s.check()
}

// A fileSource is a Source that open opens.
type fileSource struct {
	name string
	path string // "" if the contents were given
	open func() (r io.ReaderAt, size int64, done func(), err error)
}

func (s *fileSource) String() string { return s.name }

// check returns an error when a scan can't succeed, without reading the whole file.
func (s *fileSource) check() error {
	r, size, done, err := s.open()
	if err != nil {
		return err
	}
	defer done()
	head, err := (&input{name: s.name, r: r, size: size}).head()
	if err != nil {
		return err
	}
	if c := compressionOf(head); c != nil {
		// Its contents are known after unpacking only.
		return nil
	}
	_, err = recogniseFormat(s.name, head)
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
	f, err := recogniseFormat(s.name, head)
	if err != nil {
		return Facts{}, err
	}
	facts, err := f.scan(in, visit)
	facts.Notes = append(facts.Notes, in.notes...)
	return facts, err
}

// input opens the file, and unpacks it if it is compressed. The caller calls done.
func (s *fileSource) input() (in *input, done func(), err error) {
	r, size, done, err := s.open()
	if err != nil {
		return nil, nil, err
	}
	in = &input{name: s.name, r: r, size: size}
	head, err := in.head()
	if err == nil {
		c := compressionOf(head)
		if c == nil {
			return in, done, nil
		}
		var (
			packed []byte
			out    Unpacked
		)
		if packed, err = in.packed(); err == nil {
			if out, err = c.unpackFile(packed, maxUnpacked); err == nil {
				unpacked := &input{name: s.name, r: bytes.NewReader(out.Bytes),
					size: int64(len(out.Bytes))}
				if note := out.Ignored(); note != "" {
					unpacked.notes = append(unpacked.notes, note)
				}
				return unpacked, done, nil
			}
		}
		err = &elfrw.Error{File: s.name, Offset: -1, Err: err}
	}
	done()
	return nil, nil, err
}

// recogniseFormat returns the format of what begins with head.
func recogniseFormat(name string, head []byte) (*format, error) {
	if isStub(head) {
		return nil, &elfrw.Error{File: name, Offset: -1, Err: ErrStub}
	}
	for _, f := range formats() {
		if f.match(head) {
			return &f, nil
		}
	}
	return nil, &elfrw.Error{File: name, Offset: -1,
		Err: fmt.Errorf("%w: it is %s", ErrUnknown, content.Of(head))}
}

// head returns the beginning of the file; all of it when it is short.
func (in *input) head() ([]byte, error) {
	// The format of most files shows in their first few bytes.
	const first = 1024
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
// are valid while the file is open, and must not be changed.
func (in *input) bytes(off, size, limit uint64) ([]byte, error) {
	if in.size < 0 || off > uint64(in.size) || size > uint64(in.size)-off {
		return nil, fmt.Errorf("%#x bytes at %#x are not in the file, which has %#x: it was cut "+
			"short or is damaged", size, off, max(in.size, 0))
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

// errorf returns an error about a place in the file.
func (in *input) errorf(section string, off int64, format string, args ...any) error {
	return &elfrw.Error{File: in.name, Section: section, Offset: off,
		Err: fmt.Errorf(format, args...)}
}
