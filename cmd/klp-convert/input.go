// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"runtime/debug"
	"syscall"

	"github.com/klp-convert/klp-convert/cmd/klp-convert/pages"
	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/content"
)

// maxDecompressed is the limit for the size of a compressed or piped module.
const maxDecompressed = 1 << 30

// manyRelocs is how many relocations make memory worth some care: the rest of a module is not
// copied.
const manyRelocs = 400_000

// stdinName is what messages call the module that was piped.
const stdinName = "<stdin>"

// input is a module that was read.
type input struct {
	name   string      // for messages
	raw    []byte      // the file
	mapped bool        // raw is mapped
	module []byte      // raw, decompressed
	packed compression // of raw
	info   fs.FileInfo // nil for stdin and pipes
	unmap  func()
	found  diag.List // about decompression
}

// release lets the pages of a mapped file leave the memory; they come back where they are read.
func (in *input) release() {
	if in.mapped {
		pages.Release(in.raw)
	}
}

// parse reads the module. For another kind of file, the diagnostic says what it is.
func (in *input) parse() (*elfrw.File, diag.List) {
	f, err := elfrw.Parse("", in.module)
	if err == nil {
		prepare(f)
		var sections []content.Section
		for _, s := range f.Sections {
			sections = append(sections, content.Section{
				Name: s.Name, Size: s.Size(), Code: s.Flags&uint64(elf.SHF_EXECINSTR) != 0,
			})
		}
		if !content.LTO(sections) {
			return f, nil
		}
		return nil, diag.List{withKind(diag.Diagnostic{
			ID: diag.BrokenFile, Severity: diag.Error, Message: "not a linked module",
		}, content.SlimLTO)}
	}
	d := diag.OfFile(err)
	if errors.Is(err, elfrw.ErrNotELF) || errors.Is(err, elfrw.ErrNotRelocatable) {
		d = withKind(d, content.Of(in.module))
	}
	return nil, diag.List{d}
}

// prepare makes room for what is to be found out of a large module.
func prepare(f *elfrw.File) {
	const each = 160 // bytes; seen with modules whose relocations are all klp relocations
	n := int64(0)
	for _, s := range f.Sections {
		if s.HasRelocs() {
			n += int64(s.NumRelocs())
		}
	}
	if n >= manyRelocs {
		pages.Expect(each * n)
		debug.SetGCPercent(100) // main is generous, with small modules in mind
	}
}

// withKind adds to a diagnostic what the file is instead of a module.
func withKind(d diag.Diagnostic, k content.Kind) diag.Diagnostic {
	d.Message += ": it is " + k.What
	if k.Do != "" {
		d.Hints = append(d.Hints, k.Do)
	}
	return d
}

// readInput reads a module from a file or, for "-", from stdin. A file is mapped, so that
// large parts of it that are not read cost nothing; the caller must call unmap.
func readInput(path string, stdin io.Reader) (*input, error) {
	in := &input{name: path, unmap: func() {}}
	var err error
	if path == "-" {
		in.name = stdinName
		in.raw, err = readBounded(stdin)
	} else {
		err = in.open(path)
	}
	if err != nil {
		return nil, fileError(in.name, err)
	}
	out, err := sympos.Unpack(in.raw, maxDecompressed)
	if err != nil {
		in.unmap()
		return nil, fileError(in.name, err)
	}
	in.module, in.packed = out.Bytes, compressionNamed(out.Format)
	if ignored := out.Ignored(); ignored != "" {
		in.found = append(in.found, diag.Diagnostic{
			ID: diag.TrailingData, Severity: diag.Warning, Message: ignored,
		})
	}
	return in, nil
}

func (in *input) open(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("is a directory")
	case !info.Mode().IsRegular():
		in.raw, err = readBounded(f)
		return err
	}
	in.info = info
	in.raw, in.unmap, err = mapFile(f, info.Size())
	in.mapped = true
	return err
}

// mapFile returns the contents of f, which must not shrink while they are used, and a
// function that unmaps them.
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

// fileError returns an error about a file, with the name once.
func fileError(name string, err error) error { return &namedError{name, stripPath(err)} }

// stripPath removes the operation and the path that package os adds to an error.
func stripPath(err error) error {
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

// isSymbolList reports whether the file is symbols.klp or Symbols.list, compressed or not,
// which the build of a kernel made for klp-convert v1 to v7.
func isSymbolList(path string) bool {
	kind, err := sympos.KindOf(path)
	return err == nil && kind == sympos.SymbolList
}
