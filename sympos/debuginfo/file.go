// SPDX-License-Identifier: GPL-2.0-or-later

package debuginfo

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A File is the ELF file whose debug information is read.
type File struct {
	Contents io.ReaderAt
	Size     int64 // in bytes
	Order    binary.ByteOrder
	Is64     bool
	Machine  elf.Machine
	// Relocatable is set for modules (ET_REL), whose numbers relocations fill in.
	Relocatable bool
	// Sections are all sections, section 0 included.
	Sections []Section
	// Symtab and SectionIndexes are the contents of the sections SHT_SYMTAB and
	// SHT_SYMTAB_SHNDX, nil if there are none.
	Symtab, SectionIndexes []byte

	bases []uint64 // by section, see Place
}

// A Section is a section header.
type Section struct {
	Name         string
	Type         elf.SectionType
	Flags        elf.SectionFlag
	Offset, Size uint64 // of the contents in the file
	Info         uint32
}

// Place returns the address of a value in a section, and false when there is none. In a
// linked file that is the value. The sections of a module all begin at 0, so Place lays
// them out one after another.
func (f *File) Place(section int, value uint64) (address uint64, ok bool) {
	if !f.Relocatable {
		return value, true
	}
	if f.bases == nil {
		f.bases = make([]uint64, len(f.Sections))
		next := uint64(1 << 16)
		for i, s := range f.Sections {
			if s.Flags&elf.SHF_ALLOC == 0 {
				continue
			}
			f.bases[i] = next
			if s.Size > 1<<31 {
				return 0, false
			}
			next = (next + s.Size + 1<<12) &^ 0xfff
		}
	}
	if section <= 0 || section >= len(f.bases) || f.bases[section] == 0 ||
		value > f.Sections[section].Size {
		return 0, false
	}
	return f.bases[section] + value, true
}

// find returns the index of the section of that name, or -1.
func (f *File) find(name string) int {
	for i := range f.Sections {
		if f.Sections[i].Name == name {
			return i
		}
	}
	return -1
}

// contains reports whether the section's contents are inside the file.
func (f *File) contains(s Section) bool {
	size := uint64(max(f.Size, 0))
	return s.Offset <= size && s.Size <= size-s.Offset
}

var (
	errUnreadable = errors.New("debug information can't be read")
	errTooLarge   = errors.New("too large")
)

// A reader reads the debug information of a file.
type reader struct {
	f       *File
	budget  int64 // see spend
	closers []func()

	info, abbrev, str, lineStr, strOffsets, addr, oldRanges, rnglists *section

	table   abbrevs // the one read last
	tableAt uint64
}

// newReader opens the file's debug information. The caller closes the reader.
func newReader(f *File) (*reader, error) {
	d := &reader{f: f, budget: budgetOf(f.Size)}
	for _, s := range []struct {
		to   **section
		name string
	}{
		{&d.info, "info"},
		{&d.abbrev, "abbrev"},
		{&d.str, "str"},
		{&d.lineStr, "line_str"},
		{&d.strOffsets, "str_offsets"},
		{&d.addr, "addr"},
		{&d.oldRanges, "ranges"},
		{&d.rnglists, "rnglists"},
	} {
		var err error
		if *s.to, err = d.section(s.name); err != nil {
			d.close()
			return nil, err
		}
	}
	return d, nil
}

func (d *reader) close() {
	for _, c := range d.closers {
		c()
	}
}

// spend counts n bytes of work and returns an error when all is spent. Many units that
// share one table, say, could otherwise make a small file cost any amount of time.
func (d *reader) spend(n int) error {
	if d.budget -= int64(max(n, 0)); d.budget < 0 {
		return fmt.Errorf("debug information: %w", errTooLarge)
	}
	return nil
}

// budgetOf returns how many bytes may be read of a file of that size.
func budgetOf(size int64) int64 { return 16*max(size, 0) + 256<<20 }
