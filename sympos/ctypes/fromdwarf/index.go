// SPDX-License-Identifier: GPL-2.0-or-later

package fromdwarf

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
	"github.com/klp-convert/klp-convert/sympos/debuginfo"
)

// Numbers of DWARF 5, section 7.5.
const (
	tagArray           = 0x01
	tagEnum            = 0x04
	tagParameter       = 0x05
	tagMember          = 0x0d
	tagLexicalBlock    = 0x0b
	tagPointer         = 0x0f
	tagStruct          = 0x13
	tagSubroutine      = 0x15
	tagTypedef         = 0x16
	tagUnion           = 0x17
	tagMoreParameters  = 0x18
	tagInlined         = 0x1d
	tagSubrange        = 0x21
	tagBase            = 0x24
	tagConst           = 0x26
	tagEnumerator      = 0x28
	tagSubprogram      = 0x2e
	tagVariable        = 0x34
	tagVolatile        = 0x35
	tagRestrict        = 0x37
	tagUnspecifiedType = 0x3b
	tagAtomic          = 0x47

	atByteSize        = 0x0b
	atBitOffset       = 0x0c
	atBitSize         = 0x0d
	atConstValue      = 0x1c
	atPrototyped      = 0x27
	atUpperBound      = 0x2f
	atAbstractOrigin  = 0x31
	atCount           = 0x37
	atMemberLocation  = 0x38
	atDeclLine        = 0x3b
	atDeclaration     = 0x3c
	atEncoding        = 0x3e
	atExternal        = 0x3f
	atSpecification   = 0x47
	atType            = 0x49
	atSignature       = 0x69
	atDataBitOffset   = 0x6b
	atLinkageName     = 0x6e
	atLinkageNameMIPS = 0x2007 // before DWARF 4
)

const (
	// maxIndex bounds the index. A livepatch of ten units has some hundred thousand names.
	maxIndex = 1 << 21
	// maxAlike bounds how many types of one name, size and line are kept: each unit of a kernel
	// has one, and they are the same. maxNamed bounds those of one name.
	maxAlike = 4
	maxNamed = 64
)

// Want reports whether a name will be asked for. It must not keep the slice.
type Want func(name []byte) bool

// All is the Want of every name, for livepatches and modules.
func All([]byte) bool { return true }

// A decoder decodes types of a file's debug information.
type decoder struct {
	types *ctypes.Types
	info  *debuginfo.Info
	want  Want
	big   bool

	functions map[string][]*found
	variables map[string][]*found
	named     map[nameKey][]*found
	count     int
	order     []string // names of defined functions
}

type nameKey struct {
	kind ctypes.Kind
	name string
}

// A found is a top entry with a name.
type found struct {
	name       string
	symbol     string // "" if it is the name
	offset     uint64
	path       string
	declared   bool
	external   bool
	compiled   bool
	size, line uint64
}

// Read returns the types in a file's debug information. They are of the wanted names only: asking
// for others finds nothing. The file must stay readable until Types.Close is called.
//
// The error wraps debuginfo.ErrNone if there is no debug information.
func Read(name string, f *debuginfo.File, want Want) (*ctypes.Types, error) {
	fail := func(err error) (*ctypes.Types, error) { return nil, fmt.Errorf("%s: %w", name, err) }
	info, err := debuginfo.OpenInfo(f)
	if err != nil {
		return fail(err)
	}
	d := &decoder{info: info, want: want, big: f.Order.Uint16([]byte{0, 1}) == 1,
		functions: map[string][]*found{}, variables: map[string][]*found{},
		named: map[nameKey][]*found{}}
	t := ctypes.New(d)
	t.Name, t.Format, t.PointerSize, t.BigEndian = name, "DWARF", 8, d.big
	if !f.Is64 {
		t.PointerSize = 4
	}
	d.types = t
	split := 0
	for _, u := range info.Units() {
		if !u.HasTypes() {
			split++
			continue
		}
		if err := d.readUnit(u); err != nil {
			info.Close()
			return fail(fmt.Errorf("debug information: %w", err))
		}
	}
	if split > 0 && split == len(info.Units()) {
		info.Close()
		return fail(errors.New("its debug information is in other files (-gsplit-dwarf)"))
	}
	t.OnClose = info.Close
	return t, nil
}

// readUnit adds the names of a unit to the index.
func (d *decoder) readUnit(u *debuginfo.Unit) error {
	path := u.Path()
	if path == "" {
		path = u.Name
	}
	var nameless []uint64           // definitions
	declared := map[uint64]*found{} // of the unit, by their offsets
	err := d.info.VisitTop(u, func(e *debuginfo.Entry) error {
		kind := kindOf(e.Tag)
		if kind == ctypes.Void && e.Tag != tagSubprogram && e.Tag != tagVariable {
			return nil
		}
		name := d.info.Name(e)
		if len(name) == 0 {
			if _, ok := e.Value(atSpecification); ok {
				nameless = append(nameless, e.Offset)
			}
			return nil
		}
		symbol := d.symbolOf(e)
		if !d.want(name) && (len(symbol) == 0 || !d.want(symbol)) {
			return nil
		}
		f, err := d.add(e, string(name), string(symbol), path)
		if f != nil && f.declared {
			declared[e.Offset] = f
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, off := range nameless {
		e, err := d.info.At(off)
		if err != nil {
			return err
		}
		to, _, err := d.info.Reference(e, atSpecification)
		if err != nil {
			continue // nothing has this name then
		}
		f := declared[to]
		if f == nil {
			continue
		}
		f.offset, f.declared = off, false
		if e.Tag == tagSubprogram {
			d.order = append(d.order, f.name)
		}
	}
	return nil
}

// symbolOf returns the name of a function's or a variable's symbol if the source gives it one
// of its own: extern int foo asm("bar"). Else it returns nil. Quotes that the source has around the
// name are gone: the assembler takes them away.
func (d *decoder) symbolOf(e *debuginfo.Entry) []byte {
	if e.Tag != tagSubprogram && e.Tag != tagVariable {
		return nil
	}
	symbol := d.info.Text(e, atLinkageName)
	if len(symbol) == 0 {
		symbol = d.info.Text(e, atLinkageNameMIPS)
	}
	return bytes.Trim(symbol, `"`)
}

// kindOf returns the kind of the types with a name that an entry describes, else Void.
func kindOf(tag uint64) ctypes.Kind {
	switch tag {
	case tagStruct:
		return ctypes.Struct
	case tagUnion:
		return ctypes.Union
	case tagEnum:
		return ctypes.Enum
	case tagTypedef:
		return ctypes.Typedef
	}
	return ctypes.Void
}

// add adds an entry to the index, and returns it if it is a function or a variable.
func (d *decoder) add(e *debuginfo.Entry, name, symbol, path string) (*found, error) {
	f := &found{name: name, symbol: symbol, offset: e.Offset, path: path, declared: e.Flag(atDeclaration),
		external: e.Flag(atExternal), compiled: !e.Unit.Assembler, size: e.Number(atByteSize),
		line: e.Number(atDeclLine)}
	if d.count++; d.count > maxIndex {
		return nil, fmt.Errorf("more than %d names", maxIndex)
	}
	if e.Tag != tagSubprogram && e.Tag != tagVariable {
		key := nameKey{kindOf(e.Tag), name}
		alike := 0
		for _, x := range d.named[key] {
			if x.size == f.size && x.line == f.line && x.declared == f.declared {
				alike++
			}
		}
		if alike < maxAlike && len(d.named[key]) < maxNamed {
			d.named[key] = append(d.named[key], f)
		} else {
			d.count--
		}
		return nil, nil
	}
	list := d.variables
	if e.Tag == tagSubprogram {
		list = d.functions
		if !f.declared {
			d.order = append(d.order, name)
		}
	}
	list[name] = append(list[name], f)
	if symbol != "" && symbol != name {
		list[symbol] = append(list[symbol], f)
	}
	return f, nil
}

// Functions implements ctypes.Decoder.
func (d *decoder) Functions(name string) (list []ctypes.Function, err error) {
	for _, f := range d.functions[name] {
		list = append(list, ctypes.Function{Name: f.name, Symbol: f.symbol, Type: d.types.Ref(ctypes.Key(f.offset)),
			Declared: f.declared, Static: !f.external, File: f.path, Compiled: f.compiled})
	}
	return list, nil
}

// Variables implements ctypes.Decoder.
func (d *decoder) Variables(name string) (list []ctypes.Variable, err error) {
	for _, f := range d.variables[name] {
		v := ctypes.Variable{Name: f.name, Symbol: f.symbol, Declared: f.declared, Static: !f.external, File: f.path}
		e, err := d.info.At(f.offset)
		if err != nil {
			return list, err
		}
		if v.Type, err = d.typeOf(e); err != nil {
			return list, err
		}
		if !f.declared {
			v.Size, _ = v.Type.Type().SizeOf()
		}
		list = append(list, v)
	}
	return list, nil
}

// Named implements ctypes.Decoder. Types that are the same in several units are returned once.
func (d *decoder) Named(kind ctypes.Kind, name string) ([]ctypes.Ref, error) {
	var complete, forward []ctypes.Ref
	for _, f := range d.named[nameKey{kind, name}] {
		ref := d.types.Ref(ctypes.Key(f.offset))
		y := ref.Type()
		list := &complete
		if y.Incomplete {
			list = &forward
		}
		known := false
		for _, other := range *list {
			known = known || alike(y, other.Type())
		}
		if !known {
			*list = append(*list, ref)
		}
	}
	if len(complete) > 0 {
		return complete, nil
	}
	return forward, nil
}

// alike reports whether two types of one name have the same members or values. Of the types of
// members kind, name and size are compared.
func alike(a, b *ctypes.Type) bool {
	if !sameHead(a, b) || len(a.Members) != len(b.Members) || len(a.Values) != len(b.Values) {
		return false
	}
	for i, m := range a.Members {
		n := b.Members[i]
		if m.Name != n.Name || m.Offset != n.Offset || m.Width != n.Width ||
			!sameHead(m.Type.Type(), n.Type.Type()) {
			return false
		}
	}
	for i, v := range a.Values {
		if v != b.Values[i] {
			return false
		}
	}
	return sameHead(a.Elem.Type(), b.Elem.Type())
}

func sameHead(a, b *ctypes.Type) bool {
	return a.Kind == b.Kind && a.Name == b.Name && a.Size == b.Size && a.Count == b.Count &&
		a.Kind != ctypes.Unreadable
}

// FunctionNames implements ctypes.Decoder.
func (d *decoder) FunctionNames() ([]string, error) { return d.order, nil }
