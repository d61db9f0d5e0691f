// SPDX-License-Identifier: GPL-2.0-or-later

package debuginfo

import (
	"fmt"
	"path"
)

// Entries name source files by their number in a list, which is in the header of the unit's line
// number program (DWARF 5, 6.2.4; the lines themselves are not read):
//
//	DW_AT_call_file 2 ──▶ .debug_line  header ┬ directories  0 /src/linux   1 include/linux
//	                                          └ files        1 fs/x.c in 0  2 fs.h in 1
//
// Until version 4 both are numbered from 1, and directory 0 is where the compiler ran.

// Bounds on the number of files of a list, and on the bytes of all their paths. Units of a kernel
// have some hundred files.
const (
	maxFiles     = 1 << 16
	maxFileBytes = 16 << 20
)

// A FileList is the source files of a unit, by number.
type FileList []string

// A fileListReader makes the two lists.
type fileListReader struct {
	cursor
	i           *Info
	unit        *Unit // whose list it is
	of          *Unit // what the forms of values depend on
	dirs, files FileList
	bytes       int // of all paths
}

// add adds a path to a list.
func (r *fileListReader) add(to *FileList, path string) error {
	r.bytes += len(path)
	if *to = append(*to, path); len(*to) > maxFiles || r.bytes > maxFileBytes {
		return errTooLarge
	}
	return nil
}

// Path returns the path of a file, absolute if the directory in which the compiler ran is known;
// "" if there is no such file.
func (l FileList) Path(number uint64) string {
	if number < uint64(len(l)) {
		return l[number]
	}
	return ""
}

// Files returns the unit's list of source files, nil if it has none. The error wraps
// debuginfo's own for a list that can't be read.
func (i *Info) Files(u *Unit) (FileList, error) {
	const atStmtList = 0x10
	l, err := i.load(u, true)
	if err != nil {
		return nil, err
	}
	root := &Entry{}
	if ok, err := i.read(l, 0, root); err != nil || !ok {
		return nil, err
	}
	v, ok := root.Value(atStmtList)
	if !ok {
		return nil, nil
	}
	if i.line == nil {
		if i.line, err = i.d.section("line"); err != nil {
			return nil, err
		}
	}
	list, err := i.readFiles(u, v.Number)
	if err != nil {
		return nil, fmt.Errorf("list of source files at %#x: %w", v.Number, err)
	}
	return list, nil
}

// readFiles reads the header of the line number program at off.
func (i *Info) readFiles(u *Unit, off uint64) (FileList, error) {
	const most = 16 << 20 // bytes of a header
	b, err := i.line.at(off, 32)
	if err != nil {
		return nil, err
	}
	c := cursor{b: b, order: i.d.f.Order}
	of := &Unit{address: u.address, strBase: u.strBase} // what the forms of values depend on
	if length := c.u32(); length == 0xffffffff {
		of.wide = true
		c.skip(8)
	}
	of.version = int(c.u16())
	if of.version >= 5 {
		c.skip(2) // sizes of an address and of a segment selector
	}
	length := c.offset(of.wide)
	switch {
	case c.bad || length > i.line.size-min(off, i.line.size):
		return nil, errUnreadable
	case of.version < 2 || of.version > 5:
		return nil, fmt.Errorf("version %d: %w", of.version, errUnreadable)
	case length > most:
		return nil, errTooLarge
	}
	if b, err = i.line.at(off+uint64(c.pos), int(length)); err != nil {
		return nil, err
	}
	r := &fileListReader{cursor: cursor{b: b, order: i.d.f.Order}, i: i, unit: u, of: of}
	r.skip(1) // minimum_instruction_length
	if of.version >= 4 {
		r.skip(1) // maximum_operations_per_instruction
	}
	r.skip(3)                       // default_is_stmt, line_base, line_range
	r.skip(max(int(r.u8()), 1) - 1) // standard_opcode_lengths
	if of.version >= 5 {
		err = r.read5()
	} else {
		err = r.read4()
	}
	if err == nil && r.bad {
		err = errUnreadable
	}
	return r.files, err
}

// read4 reads the lists of versions 2 to 4.
func (r *fileListReader) read4() error {
	next := func() string {
		s := leadingString(r.b[min(r.pos, len(r.b)):])
		r.bad = r.bad || s == nil
		r.skip(len(s) + 1)
		return string(s)
	}
	r.dirs, r.files = FileList{r.unit.Dir}, FileList{""}
	for name := next(); name != ""; name = next() {
		if err := r.add(&r.dirs, inDir(r.unit.Dir, name)); err != nil {
			return err
		}
	}
	for name := next(); name != ""; name = next() {
		dir := r.dirs.Path(r.uleb())
		r.uleb() // time
		r.uleb() // size
		if err := r.add(&r.files, inDir(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// read5 reads the lists of version 5: for each one what an entry has, and the entries.
func (r *fileListReader) read5() error {
	for _, to := range []*FileList{&r.dirs, &r.files} {
		var formats [256][2]uint64
		columns := formats[:r.u8()]
		for n := range columns {
			columns[n] = [2]uint64{r.uleb(), r.uleb()}
		}
		for count := r.uleb(); count > 0 && !r.bad; count-- {
			from := r.pos
			name, dir, err := r.entry5(columns)
			if err != nil {
				return err
			}
			if r.pos == from { // entries of no bytes: their number means nothing
				return errUnreadable
			}
			if to == &r.files {
				name = inDir(r.dirs.Path(dir), name)
			} else {
				name = inDir(r.unit.Dir, name)
			}
			if err := r.add(to, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// entry5 reads an entry of version 5.
func (r *fileListReader) entry5(columns [][2]uint64) (name string, dir uint64, err error) {
	const contentPath, contentDir = 1, 2
	for _, column := range columns {
		v := r.value(column[1], 0, r.of)
		switch {
		case column[0] == contentDir:
			dir = v.n
		case column[0] == contentPath && v.class == classBytes:
			name = string(v.bytes)
		case column[0] == contentPath:
			if name, err = r.i.d.stringOf(r.of, v); err != nil {
				return "", 0, err
			}
		}
	}
	return name, dir, nil
}

// inDir returns name in dir, if it is not absolute.
func inDir(dir, name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(dir, name)
}
