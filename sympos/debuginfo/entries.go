// SPDX-License-Identifier: GPL-2.0-or-later

package debuginfo

import (
	"debug/elf"
	"errors"
	"fmt"
	"sort"
)

// ErrNone is that a file has no debug information.
var ErrNone = errors.New("no debug information")

// ErrElsewhere is that names and types of a file's debug information are in another file, which
// several have in common: dwz -m writes them so (DWARF 5, 7.3.6; before, as an extension of GNU).
var ErrElsewhere = errors.New("part of its debug information is in another file (dwz -m)")

// An Info reads the entries of a file's debug information: of all sections .debug_info and
// .debug_types, of which modules may have several. An entry's offset has the number of its
// section among these in the upper bits.
//
//	.debug_info   unit ─ entry compile_unit ┬ entry subprogram ┬ entry formal_parameter
//	                                        │                  └ …
//	                                        ├ entry structure_type ─ …
//	                                        └ …
//
// The work is bounded by a multiple of the file's size; when it is spent, all calls fail.
type Info struct {
	d          *reader
	sections   []*section
	units      []*Unit
	signatures map[uint64]uint64
	loaded     map[*Unit]*loaded
	held       int      // bytes in loaded
	line       *section // .debug_line; nil before Files
}

// sectionShift is where the number of the section is in an offset.
const sectionShift = 40

// maxHeld bounds the units that are kept in memory.
const maxHeld = 48 << 20

// A loaded is a unit in memory.
type loaded struct {
	unit  *Unit
	bytes []byte // from unit.start
	table abbrevs
}

// OpenInfo opens the debug information of a file, which must stay readable until Close. The error
// wraps ErrNone if there is none, and ErrElsewhere if not all of it is in the file.
func OpenInfo(f *File) (*Info, error) {
	if f.find(".gnu_debugaltlink") >= 0 || f.find(".debug_sup") >= 0 {
		return nil, ErrElsewhere
	}
	d, err := newReader(f)
	if err != nil {
		return nil, err
	}
	i := &Info{d: d, signatures: map[uint64]uint64{}, loaded: map[*Unit]*loaded{}}
	if err := i.open(); err != nil {
		d.close()
		return nil, err
	}
	return i, nil
}

func (i *Info) open() error {
	for _, name := range []string{"info", "types"} {
		for n, h := range i.d.f.Sections {
			if h.Name != ".debug_"+name && h.Name != ".zdebug_"+name || h.Type == elf.SHT_NOBITS {
				continue
			}
			s, err := i.d.openSection(n, name)
			if err != nil {
				return err
			}
			if name == "info" && len(i.sections) == 0 {
				s = i.d.info
			}
			i.sections = append(i.sections, s)
		}
	}
	if len(i.sections) == 0 {
		return ErrNone
	}
	// Names are read all the time, so these are read as a whole.
	for _, s := range []*section{i.d.str, i.d.lineStr, i.d.strOffsets} {
		if s.size > maxSection {
			return fmt.Errorf("names of debug information: %w", errTooLarge)
		}
		if _, err := s.at(0, int(s.size)); err != nil {
			return err
		}
	}
	for n, s := range i.sections {
		for off := uint64(0); off < s.size; {
			u, next, ok, err := i.d.readHeader(s, off)
			if err != nil {
				return err
			}
			if off = next; !ok {
				continue
			}
			if n == 0 && u.kind != unitType && u.kind != unitSplitType {
				if ok, err = i.d.readRoot(u); err != nil {
					return err
				}
			}
			if !ok {
				continue
			}
			u.section = n
			if u.kind == unitType {
				i.signatures[u.signature] = uint64(n)<<sectionShift | u.typeAt
			}
			i.units = append(i.units, u)
		}
	}
	return nil
}

// Close releases what the Info holds. Entries must not be used after it.
func (i *Info) Close() { i.d.close() }

// Units returns all units, in the order of the file. The slice must not be modified.
func (i *Info) Units() []*Unit { return i.units }

// HasTypes reports whether the unit has entries for types and code. One of split DWARF has them
// in another file (.dwo).
func (u *Unit) HasTypes() bool { return u.kind != unitSkeleton }

// An Entry is an entry of a unit.
type Entry struct {
	Offset      uint64
	Tag         uint64
	HasChildren bool
	Unit        *Unit

	of     *loaded
	attrs  []attr
	values []Value
	end    int // in of.bytes
}

// A Value is the value of an attribute.
type Value struct {
	// Number is the value of a constant, a flag, an offset or an address.
	Number uint64
	// Width is how many bytes an unsigned constant was written in; 0 for numbers of variable
	// length.
	Width int
	// Block is an expression or a block; it must not be modified.
	Block []byte
	form  uint64
	// Signed is set if Number was written as a signed number.
	Signed bool
	// IsConstant is set for numbers that are neither offsets nor references.
	IsConstant bool
	class      class
}

func (v *Value) value() value { return value{v.class, v.Number, v.Block} }

// load returns the unit in memory. If it is not kept, it is valid until another unit is loaded.
func (i *Info) load(u *Unit, keep bool) (*loaded, error) {
	if l := i.loaded[u]; l != nil {
		return l, nil
	}
	size := u.end - u.start
	if size > maxUnit {
		return nil, fmt.Errorf("unit at %#x: %w", u.header, errTooLarge)
	}
	b, err := i.sections[u.section].at(u.start, int(size))
	if err != nil {
		return nil, err
	}
	if uint64(len(b)) != size {
		return nil, errUnreadable
	}
	l := &loaded{unit: u, bytes: b}
	if keep {
		i.d.table = abbrevs{} // the reader reuses its memory
	}
	table, err := i.d.abbrevsAt(u.abbrevs)
	if err != nil {
		return nil, err
	}
	l.table = *table
	if !keep {
		return l, nil
	}
	i.d.table = abbrevs{}
	if i.held > maxHeld {
		clear(i.loaded)
		i.held = 0
	}
	l.bytes = append([]byte(nil), b...)
	i.loaded[u] = l
	i.held += len(b) + 64*len(l.table.direct)
	return l, nil
}

// unitAt returns the unit that has an entry at the offset.
func (i *Info) unitAt(offset uint64) *Unit {
	section, off := int(offset>>sectionShift), offset&(1<<sectionShift-1)
	n := sort.Search(len(i.units), func(n int) bool {
		u := i.units[n]
		return u.section > section || u.section == section && u.end > off
	})
	if n == len(i.units) || i.units[n].section != section || off < i.units[n].start {
		return nil
	}
	return i.units[n]
}

// At returns the entry at the offset. It stays valid.
func (i *Info) At(offset uint64) (*Entry, error) {
	u := i.unitAt(offset)
	if u == nil {
		return nil, fmt.Errorf("no entry at %#x: %w", offset, errUnreadable)
	}
	l, err := i.load(u, true)
	if err != nil {
		return nil, err
	}
	e := &Entry{}
	ok, err := i.read(l, int(offset&(1<<sectionShift-1)-u.start), e)
	if err == nil && !ok {
		err = fmt.Errorf("no entry at %#x: %w", offset, errUnreadable)
	}
	return e, err
}

// read reads the entry at pos of a unit. ok is false if there is the end of a list of children.
func (i *Info) read(l *loaded, pos int, e *Entry) (ok bool, err error) {
	u := l.unit
	c := cursor{b: l.bytes, pos: pos, order: i.d.f.Order}
	*e = Entry{Offset: uint64(u.section)<<sectionShift | (u.start + uint64(pos)), Unit: u, of: l,
		values: e.values[:0]}
	code := c.uleb()
	if c.bad {
		return false, fmt.Errorf("entry at %#x: %w", e.Offset, errUnreadable)
	}
	e.end = c.pos
	if code == 0 {
		return false, nil
	}
	a := l.table.find(code)
	if a == nil {
		return false, fmt.Errorf("entry at %#x: no abbreviation %d: %w", e.Offset, code,
			errUnreadable)
	}
	e.Tag, e.HasChildren, e.attrs = a.tag, a.children, l.table.attrs[a.from:a.to]
	for _, x := range e.attrs {
		read := c.value(x.form, x.implicit, u)
		v := Value{Number: read.n, Block: read.bytes, form: x.form,
			IsConstant: read.class == classConstant, class: read.class}
		switch x.form {
		case 0x0d, 0x21: // sdata, implicit_const
			v.Signed = true
		case 0x05, 0x06, 0x07, 0x0b:
			v.Width = fixedSize(x.form, u)
		}
		e.values = append(e.values, v)
	}
	e.end = c.pos
	if c.bad {
		return false, fmt.Errorf("entry at %#x: %w", e.Offset, errUnreadable)
	}
	return true, i.d.spend(e.end - pos + 8)
}

// Value returns the value of an attribute, and false if the entry does not have it.
func (e *Entry) Value(attribute uint64) (Value, bool) {
	for n, x := range e.attrs {
		if x.name == attribute {
			return e.values[n], true
		}
	}
	return Value{}, false
}

// Number returns the value of an attribute as a number, 0 if the entry does not have it.
func (e *Entry) Number(attribute uint64) uint64 {
	v, _ := e.Value(attribute)
	return v.Number
}

// Flag reports whether the entry has a flag.
func (e *Entry) Flag(attribute uint64) bool {
	v, ok := e.Value(attribute)
	return ok && (v.Number != 0 || v.form == 0x19) // flag_present
}

// Name returns DW_AT_name, valid until the next unit is loaded; nil if there is none.
func (i *Info) Name(e *Entry) []byte { return i.Text(e, atName) }

// Text returns an attribute that is a string, valid until the next unit is loaded; nil if there
// is none.
func (i *Info) Text(e *Entry, attribute uint64) []byte {
	v, ok := e.Value(attribute)
	if !ok {
		return nil
	}
	table, off := i.d.str, v.Number
	switch v.class {
	case classBytes:
		return v.Block
	case classStr:
	case classLineStr:
		table = i.d.lineStr
	case classStrIndex:
		size := uint64(4)
		if e.Unit.wide {
			size = 8
		}
		if off > maxUnit {
			return nil
		}
		b, err := i.d.strOffsets.at(e.Unit.strBase+off*size, int(size))
		if err != nil {
			return nil
		}
		c := cursor{b: b, order: i.d.f.Order}
		if off = c.offset(e.Unit.wide); c.bad {
			return nil
		}
	default:
		return nil
	}
	const longest = 4096
	b, err := table.at(off, longest)
	if err != nil {
		return nil
	}
	return leadingString(b)
}

// Reference returns the offset of the entry that an attribute refers to. ok is false if the entry
// does not have the attribute; the error is that it refers to another file or to nothing.
func (i *Info) Reference(e *Entry, attribute uint64) (offset uint64, ok bool, err error) {
	v, ok := e.Value(attribute)
	if !ok {
		return 0, false, nil
	}
	section := uint64(e.Unit.section) << sectionShift
	switch v.form {
	case 0x11, 0x12, 0x13, 0x14, 0x15: // ref1 to ref8, ref_udata
		if v.Number > maxUnit {
			return 0, true, errUnreadable
		}
		return section | (e.Unit.header + v.Number), true, nil
	case 0x10: // ref_addr: in .debug_info
		if v.Number >= 1<<sectionShift {
			return 0, true, errUnreadable
		}
		return v.Number, true, nil
	case 0x20: // ref_sig8
		offset, ok := i.signatures[v.Number]
		if !ok {
			return 0, true, fmt.Errorf("no type unit with the signature %#x", v.Number)
		}
		return offset, true, nil
	case 0x1c, 0x24, 0x1f20: // ref_sup4, ref_sup8, GNU_ref_alt
		return 0, true, errors.New("its type is in a supplementary file (dwz)")
	}
	return 0, true, errUnreadable
}

// VisitTop calls visit with the entries below the unit's first one, each valid during the call.
func (i *Info) VisitTop(u *Unit, visit func(*Entry) error) error {
	l, err := i.load(u, false)
	if err != nil {
		return err
	}
	root := &Entry{}
	if ok, err := i.read(l, 0, root); err != nil || !ok {
		return err
	}
	return i.VisitChildren(root, visit)
}

// VisitChildren calls visit with the entries directly below e, which At returned or another visit
// has. An entry is valid during its visit.
func (i *Info) VisitChildren(e *Entry, visit func(*Entry) error) error {
	if !e.HasChildren {
		return nil
	}
	c := &Entry{}
	depth, pos := 0, e.end
	for pos < len(e.of.bytes) {
		ok, err := i.read(e.of, pos, c)
		if err != nil {
			return err
		}
		at := pos
		pos = c.end
		if !ok { // the end of a list
			if depth == 0 {
				return nil
			}
			depth--
			continue
		}
		if depth == 0 {
			if err := visit(c); err != nil {
				return err
			}
		}
		if !c.HasChildren {
			continue
		}
		if to, ok := i.sibling(c, at); ok {
			pos = to
			continue
		}
		depth++
	}
	return nil
}
