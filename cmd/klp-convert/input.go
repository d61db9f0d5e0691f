// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"syscall"
)

// maxDecompressed bounds what a compressed or piped module may grow to.
const maxDecompressed = 1 << 30

// input is a module as it was read.
type input struct {
	name   string      // for messages
	raw    []byte      // the file; mapped, where it is one
	module []byte      // raw, decompressed
	packed compression // of raw
	info   fs.FileInfo // nil for stdin
	unmap  func()
}

// readInput reads a module from a file or, for "-", from stdin. The file is
// mapped, so that large parts of it that nobody looks at cost nothing.
func readInput(path string, stdin io.Reader) (*input, error) {
	in := &input{name: path, unmap: func() {}}
	var err error
	if path == "-" {
		in.name = "<stdin>"
		in.raw, err = readBounded(stdin)
	} else {
		err = in.open(path)
	}
	if err != nil {
		return nil, fileError(in.name, err)
	}
	in.packed = compressionOf(in.raw)
	if in.module, err = in.packed.decompress(in.raw); err != nil {
		in.unmap()
		return nil, fileError(in.name, err)
	}
	return in, nil
}

func (in *input) open(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if in.info, err = f.Stat(); err != nil {
		return err
	}
	switch mode := in.info.Mode(); {
	case mode.IsDir():
		return errors.New("is a directory")
	case !mode.IsRegular():
		in.raw, err = readBounded(f)
		return err
	}
	in.raw, in.unmap, err = mapFile(f, in.info.Size())
	return err
}

// mapFile returns the contents of f, which must not shrink while they are
// used, and what releases them.
func mapFile(f *os.File, size int64) ([]byte, func(), error) {
	switch {
	case size == 0:
		return nil, func() {}, nil
	case size > math.MaxInt:
		return nil, nil, errors.New("too large for this machine")
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return nil, nil, fmt.Errorf("mmap: %w", err)
	}
	return b, func() { syscall.Munmap(b) }, nil
}

func readBounded(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxDecompressed+1))
	if err == nil && len(b) > maxDecompressed {
		err = fmt.Errorf("more than %d bytes", maxDecompressed)
	}
	return b, err
}

// fileError says what is wrong with a file; the name is said once.
func fileError(name string, err error) error { return &namedError{name, reason(err)} }

// reason takes the names that package os puts around an error off it.
func reason(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}

// namedError is an error about a file of the command line.
type namedError struct {
	name string
	err  error
}

func (e *namedError) Error() string { return e.name + ": " + e.err.Error() }
func (e *namedError) Unwrap() error { return e.err }
