// SPDX-License-Identifier: GPL-2.0-or-later

package inlining

import (
	"errors"
	"fmt"
	"maps"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos/debuginfo"
)

// Numbers of DWARF 5, section 7.5, and of the extension that DWARF 5 made call_site of.
const (
	tagLexicalBlock = 0x0b
	tagInlined      = 0x1d
	tagSubprogram   = 0x2e
	tagCallSite     = 0x48
	tagGNUCallSite  = 0x4109

	atLowPC          = 0x11
	atInline         = 0x20
	atAbstractOrigin = 0x31
	atDeclFile       = 0x3a
	atDeclLine       = 0x3b
	atDeclaration    = 0x3c
	atSpecification  = 0x47
	atRanges         = 0x55
	atCallFile       = 0x58
	atCallLine       = 0x59
	atCallOrigin     = 0x7f
)

const (
	// maxSites bounds the copies and calls of all functions. Of get_current, the most copied
	// function of a kernel, there are some ten thousand.
	maxSites = 1 << 17
	maxVia   = 6
	// maxChain bounds how many entries refer one to another until one has a name.
	maxChain = 8
)

// ErrSplit is that the debug information of the code is in other files.
var ErrSplit = errors.New("its debug information is in other files (-gsplit-dwarf)")

// A key tells functions apart.
type key struct {
	name, file string
	line       uint64
}

// An entry is an entry of a subprogram, as the first pass keeps it.
type entry struct {
	offset   uint64
	name     string
	file     uint64 // number in the unit's list
	line     uint64
	to       uint64 // what it refers to for its name
	declared bool
	inlined  bool
	address  uint64
	hasCode  bool
	unit     *debuginfo.Unit
}

// A reader reads the functions of the queries.
type reader struct {
	info      *debuginfo.Info
	addresses map[uint64]bool // of symbols that are asked for
	names     map[string]bool // that are asked for; nil for all

	functions []*Function
	byKey     map[key]*Function
	entries   map[uint64]*entry // named ones that are asked for, and all without a name
	pending   []*entry          // those without a name, of units read since resolve
	of        map[uint64]*Function
	bodies    map[uint64]*Body
	bodyUnits map[*debuginfo.Unit]bool // units with entries in of
	seen      map[*debuginfo.Unit]bool // units whose names are read
	files     map[*debuginfo.Unit]debuginfo.FileList
	called    map[uint64]string // names by offset, see nameOf
	sites     int
	unread    int // inlined functions of which no unit has the description
}

// Find reads where the code of functions is. The error wraps debuginfo.ErrNone if the file has no
// debug information.
func Find(f *debuginfo.File, queries []Query) (*Result, error) {
	info, err := debuginfo.OpenInfo(f)
	if err != nil {
		return nil, err
	}
	defer info.Close()
	r := &reader{
		info: info, addresses: map[uint64]bool{}, byKey: map[key]*Function{},
		entries: map[uint64]*entry{}, of: map[uint64]*Function{}, bodies: map[uint64]*Body{},
		bodyUnits: map[*debuginfo.Unit]bool{}, seen: map[*debuginfo.Unit]bool{},
		files: map[*debuginfo.Unit]debuginfo.FileList{}, called: map[uint64]string{},
	}
	names := map[string]bool{} // of what has no symbol
	for _, q := range queries {
		for _, a := range q.Addresses {
			r.addresses[a] = true
		}
		if len(q.Addresses) == 0 {
			names[q.Name] = true
		}
	}
	return r.find(names)
}

func (r *reader) find(names map[string]bool) (*Result, error) {
	// In the units with the addresses all functions are read: a symbol may have another name
	// than the function (an alias).
	addresses := make([]uint64, 0, len(r.addresses))
	for a := range r.addresses {
		addresses = append(addresses, a)
	}
	slices.Sort(addresses)
	units, err := r.info.Covering(addresses)
	if err != nil {
		return nil, err
	}
	for _, u := range units {
		if err := r.readNames(u); err != nil {
			return nil, err
		}
	}
	if err := r.resolve(); err != nil {
		return nil, err
	}
	gone := maps.Clone(names)
	everywhere := len(gone) > 0
	for _, f := range r.functions {
		for _, b := range f.Bodies {
			if r.addresses[b.Address] {
				names[f.Name] = true
				everywhere = everywhere || f.File != b.Unit.Path()
			}
		}
	}
	for _, x := range r.pending { // with link-time optimisation the name is in another unit
		if x.hasCode && r.addresses[x.address] {
			name, err := r.nameOf(x.offset)
			if err != nil {
				return nil, err
			}
			names[name] = true
		}
	}
	r.names = names
	outside := map[*debuginfo.Unit]bool{} // units that refer to entries of others
	split := 0
	for _, u := range r.info.Units() {
		if !u.HasTypes() {
			split++
			continue
		}
		refers, err := r.info.RefersOutside(u, []uint64{tagInlined, tagSubprogram},
			[]uint64{atAbstractOrigin})
		if err != nil {
			return nil, err
		}
		if refers {
			outside[u] = true
		}
	}
	if split > 0 && split == len(r.info.Units()) {
		return nil, ErrSplit
	}
	if everywhere || len(outside) > 0 && len(names) > 0 {
		for _, u := range r.info.Units() {
			if err := r.readNames(u); err != nil {
				return nil, err
			}
		}
		if err := r.resolve(); err != nil {
			return nil, err
		}
	}
	r.pending = nil
	r.choose(gone)
	for _, u := range r.info.Units() {
		if r.bodyUnits[u] || outside[u] {
			if err := r.walk(u); err != nil {
				return nil, err
			}
		}
	}
	return r.result(split), nil
}

// result returns what the queries asked for.
func (r *reader) result(split int) *Result {
	out := &Result{Units: r.info.Units()}
	for _, f := range r.functions {
		if f.queried && f.defined {
			out.Functions = append(out.Functions, f)
		}
	}
	switch {
	case split > 0:
		out.Doubt = ErrSplit.Error()
	case r.unread > 0:
		out.Doubt = fmt.Sprintf("no unit describes %d of the inlined functions", r.unread)
	}
	return out
}

// readNames reads the top entries of a unit, once.
func (r *reader) readNames(u *debuginfo.Unit) error {
	if r.seen[u] || !u.HasTypes() || u.Assembler {
		return nil
	}
	r.seen[u] = true
	var named []*entry
	err := r.info.VisitTop(u, func(e *debuginfo.Entry) error {
		if e.Tag != tagSubprogram {
			return nil
		}
		name := r.info.Name(e)
		if len(name) > 0 && r.names != nil && !r.names[string(name)] {
			return nil
		}
		x := &entry{offset: e.Offset, name: string(name), file: e.Number(atDeclFile),
			line: e.Number(atDeclLine), declared: e.Flag(atDeclaration), inlined: wasInlined(e), unit: u}
		if x.name == "" {
			to, ok, err := r.origin(e)
			if !ok || err != nil {
				return nil // nothing has this name then
			}
			x.to = to
		}
		var err error
		if x.address, x.hasCode, err = r.info.Address(e); err != nil {
			return err
		}
		if x.name != "" {
			named = append(named, x)
		} else {
			r.pending = append(r.pending, x)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, x := range named {
		r.entries[x.offset] = x
		if !x.declared {
			if err := r.add(x, x); err != nil {
				return err
			}
		}
	}
	return nil
}

// wasInlined reports whether the compiler says of a function that it inlined it: DW_INL_inlined or
// DW_INL_declared_inlined (DWARF 5, 3.3.8.1). gcc says so when it has inlined a call; clang only if
// it describes the place.
func wasInlined(e *debuginfo.Entry) bool {
	n := e.Number(atInline)
	return n == 1 || n == 3
}

// origin returns what an entry refers to for its name.
func (r *reader) origin(e *debuginfo.Entry) (offset uint64, ok bool, err error) {
	for _, a := range []uint64{atAbstractOrigin, atSpecification} {
		if offset, ok, err = r.info.Reference(e, a); ok || err != nil {
			return offset, ok, err
		}
	}
	return 0, false, nil
}

// resolve finds the functions of the entries without a name.
func (r *reader) resolve() error {
	for _, x := range r.pending {
		r.entries[x.offset] = x
	}
	var left []*entry
	for _, x := range r.pending {
		y := x
		for n := 0; n < maxChain && y != nil && y.name == ""; n++ {
			y = r.entries[y.to]
		}
		if y == nil || y.name == "" {
			left = append(left, x) // of other functions, or of a unit that is not read yet
			continue
		}
		if err := r.add(x, y); err != nil {
			return err
		}
	}
	r.pending = left
	return nil
}

// add adds an entry of the function that has the name of named.
func (r *reader) add(x, named *entry) error {
	f := r.of[named.offset]
	if f == nil {
		at := named
		if x.file != 0 || x.line != 0 {
			at = x // a definition, whose declaration may be in a header
		}
		file, err := r.file(at.unit, at.file)
		if err != nil {
			return err
		}
		if file == "" {
			file = at.unit.Path()
		}
		k := key{named.name, file, at.line}
		if f = r.byKey[k]; f == nil {
			f = &Function{Name: named.name, File: file, Line: at.line}
			r.byKey[k] = f
			r.functions = append(r.functions, f)
		}
		r.of[named.offset] = f
	}
	f.defined = true
	f.WasInlined = f.WasInlined || named.inlined
	r.of[x.offset] = f
	if x.hasCode && r.bodies[x.offset] == nil {
		b := &Body{Address: x.address, Unit: x.unit}
		r.bodies[x.offset] = b
		f.Bodies = append(f.Bodies, b)
	}
	return nil
}

// file returns the path of a file of a unit, "" if it has none of that number.
func (r *reader) file(u *debuginfo.Unit, number uint64) (string, error) {
	list, known := r.files[u]
	if !known {
		var err error
		if list, err = r.info.Files(u); err != nil {
			return "", err
		}
		r.files[u] = list
	}
	return list.Path(number), nil
}

// choose leaves the functions that are asked for, by an address or as one of the names without a
// symbol, and marks the units of their entries.
func (r *reader) choose(gone map[string]bool) {
	for _, f := range r.functions {
		f.queried = gone[f.Name] || slices.ContainsFunc(f.Bodies, func(b *Body) bool {
			return r.addresses[b.Address]
		})
	}
	for offset, f := range r.of {
		if f.queried {
			r.bodyUnits[r.entries[offset].unit] = true
		} else {
			delete(r.of, offset)
		}
	}
	r.entries = nil
}
