// SPDX-License-Identifier: GPL-2.0-or-later

package fromdwarf

import (
	"errors"
	"fmt"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
	"github.com/klp-convert/klp-convert/sympos/debuginfo"
)

// Decode implements ctypes.Decoder. Keys are offsets of entries.
func (d *decoder) Decode(key ctypes.Key) (*ctypes.Type, error) {
	e, err := d.info.At(uint64(key))
	if err != nil {
		return nil, err
	}
	y, err := d.decode(e)
	if err != nil {
		return nil, fmt.Errorf("debug information: entry at %#x: %w", uint64(key), err)
	}
	return y, nil
}

func (d *decoder) decode(e *debuginfo.Entry) (*ctypes.Type, error) {
	y := &ctypes.Type{Name: string(d.info.Name(e)), Size: e.Number(atByteSize)}
	var err error
	switch e.Tag {
	case tagBase:
		return d.decodeBase(e, y)
	case tagUnspecifiedType:
		return nil, fmt.Errorf("unspecified type %q", y.Name)
	case tagPointer:
		y.Kind, y.Name = ctypes.Pointer, ""
		if y.Size == 0 {
			y.Size = d.types.PointerSize
		}
	case tagTypedef:
		y.Kind, y.Size = ctypes.Typedef, 0
	case tagConst:
		y.Kind, y.Size = ctypes.Const, 0
	case tagVolatile:
		y.Kind, y.Size = ctypes.Volatile, 0
	case tagRestrict:
		y.Kind, y.Size = ctypes.Restrict, 0
	case tagAtomic:
		y.Kind, y.Size = ctypes.Atomic, 0
	case tagArray:
		return d.decodeArray(e)
	case tagStruct, tagUnion:
		return d.decodeStruct(e, y)
	case tagEnum:
		return d.decodeEnum(e, y)
	case tagSubprogram, tagSubroutine:
		return d.decodeFunc(e)
	default:
		return nil, fmt.Errorf("tag %#x is not a type of C", e.Tag)
	}
	y.Elem, err = d.typeOf(e)
	return y, err
}

// typeOf returns DW_AT_type, void without one. An entry that refers to another one as its
// specification or its origin has the type of that one, unless it has its own.
func (d *decoder) typeOf(e *debuginfo.Entry) (ctypes.Ref, error) {
	for range 8 {
		off, ok, err := d.info.Reference(e, atType)
		if err != nil {
			return ctypes.Ref{}, err
		}
		if ok {
			return d.types.Ref(ctypes.Key(off)), nil
		}
		other, err := d.other(e)
		if other == nil || err != nil {
			return ctypes.Ref{}, err
		}
		e = other
	}
	return ctypes.Ref{}, errors.New("a chain of references without an end")
}

// other returns the entry that e refers to as its specification or its origin, nil if none.
func (d *decoder) other(e *debuginfo.Entry) (*debuginfo.Entry, error) {
	for _, attribute := range []uint64{atSpecification, atAbstractOrigin} {
		off, ok, err := d.info.Reference(e, attribute)
		if err != nil {
			return nil, err
		}
		if ok {
			return d.info.At(off)
		}
	}
	return nil, nil
}

func (d *decoder) decodeBase(e *debuginfo.Entry, y *ctypes.Type) (*ctypes.Type, error) {
	y.Kind = ctypes.Int
	switch encoding := e.Number(atEncoding); encoding {
	case 0x02: // boolean
		y.Bool = true
	case 0x03, 0x04: // complex_float, float
		y.Kind = ctypes.Float
	case 0x05: // signed
		y.Signed = true
	case 0x06: // signed_char
		y.Signed, y.Char = true, true
	case 0x07: // unsigned
	case 0x08: // unsigned_char
		y.Char = true
	case 0x10: // UTF
	default:
		return nil, fmt.Errorf("base type %q has the encoding %#x", y.Name, encoding)
	}
	return y, nil
}

// decodeArray makes an array of each dimension, the last one innermost. The inner ones have no
// entries, so they are types of their own.
func (d *decoder) decodeArray(e *debuginfo.Entry) (*ctypes.Type, error) {
	elem, err := d.typeOf(e)
	if err != nil {
		return nil, err
	}
	var counts []uint64
	err = d.info.VisitChildren(e, func(c *debuginfo.Entry) error {
		if c.Tag != tagSubrange {
			return nil
		}
		count := uint64(0)
		if v, ok := c.Value(atCount); ok && v.IsConstant {
			count = v.Number
		} else if v, ok := c.Value(atUpperBound); ok && v.IsConstant {
			count = v.Number + 1
			if v.Width > 0 && v.Width < 8 && v.Number == 1<<(8*v.Width)-1 {
				count = 0 // int a[0] by old versions of gcc: -1
			}
		}
		counts = append(counts, count)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(counts) == 0 {
		counts = []uint64{0}
	}
	var y *ctypes.Type
	for i := len(counts) - 1; i >= 0; i-- {
		if y != nil {
			elem = ctypes.Inner(y)
		}
		y = &ctypes.Type{Kind: ctypes.Array, Count: counts[i], Elem: elem}
	}
	return y, nil
}

func (d *decoder) decodeStruct(e *debuginfo.Entry, y *ctypes.Type) (*ctypes.Type, error) {
	y.Kind = ctypes.Struct
	if e.Tag == tagUnion {
		y.Kind = ctypes.Union
	}
	if complete, err := d.bySignature(e); complete != nil || err != nil {
		return complete, err
	}
	if y.Incomplete = e.Flag(atDeclaration); y.Incomplete {
		y.Size = 0
		return y, nil
	}
	err := d.info.VisitChildren(e, func(c *debuginfo.Entry) error {
		if c.Tag != tagMember {
			return nil
		}
		m, err := d.decodeMember(c)
		y.Members = append(y.Members, m)
		return err
	})
	if err != nil {
		return nil, err
	}
	return y, nil
}

// bySignature returns the type in a unit of its own that e declares, nil if it does not.
func (d *decoder) bySignature(e *debuginfo.Entry) (*ctypes.Type, error) {
	off, ok, err := d.info.Reference(e, atSignature)
	if !ok || err != nil {
		return nil, err
	}
	return d.types.Ref(ctypes.Key(off)).Type(), nil
}

func (d *decoder) decodeMember(e *debuginfo.Entry) (ctypes.Member, error) {
	m := ctypes.Member{Name: string(d.info.Name(e)), Width: e.Number(atBitSize)}
	var err error
	if m.Type, err = d.typeOf(e); err != nil {
		return m, err
	}
	at, err := memberOffset(e)
	if err != nil {
		return m, err
	}
	const most = 1 << 40
	if at > most {
		return m, fmt.Errorf("member %q is at offset %#x", m.Name, at)
	}
	m.Offset = 8 * at
	if v, ok := e.Value(atDataBitOffset); ok { // DWARF 4 and 5
		if v.Number > most {
			return m, fmt.Errorf("member %q is at bit %#x", m.Name, v.Number)
		}
		m.Offset += v.Number
	} else if v, ok := e.Value(atBitOffset); ok { // up to DWARF 3: from the most significant bit
		size := e.Number(atByteSize)
		if size == 0 {
			size, _ = m.Type.Type().SizeOf()
		}
		before := v.Number
		if !d.big {
			before = 8*size - v.Number - m.Width
		}
		if before > 8*size {
			return m, fmt.Errorf("bit field %q is outside of its storage", m.Name)
		}
		m.Offset += before
	}
	return m, nil
}

// memberOffset returns the offset of a member in bytes. Up to DWARF 3 it was an expression.
func memberOffset(e *debuginfo.Entry) (uint64, error) {
	v, ok := e.Value(atMemberLocation)
	if !ok { // in a union
		return 0, nil
	}
	if v.Block == nil {
		return v.Number, nil
	}
	const plus = 0x23 // DW_OP_plus_uconst
	if len(v.Block) < 2 || v.Block[0] != plus {
		return 0, fmt.Errorf("a member's place is the expression % x", v.Block)
	}
	n, shift := uint64(0), 0
	for _, c := range v.Block[1:] {
		n |= uint64(c&0x7f) << shift
		if shift += 7; c&0x80 == 0 || shift > 56 {
			break
		}
	}
	return n, nil
}

func (d *decoder) decodeEnum(e *debuginfo.Entry, y *ctypes.Type) (*ctypes.Type, error) {
	y.Kind = ctypes.Enum
	if complete, err := d.bySignature(e); complete != nil || err != nil {
		return complete, err
	}
	if y.Incomplete = e.Flag(atDeclaration); y.Incomplete {
		return y, nil
	}
	base, err := d.typeOf(e)
	if err != nil {
		return nil, err
	}
	y.Signed = base.Type().Bare().Signed
	if y.Size == 0 {
		y.Size, _ = base.Type().SizeOf()
	}
	err = d.info.VisitChildren(e, func(c *debuginfo.Entry) error {
		v, ok := c.Value(atConstValue)
		if c.Tag != tagEnumerator || !ok {
			return nil
		}
		y.Signed = y.Signed || base.IsVoid() && v.Signed && int64(v.Number) < 0
		y.Values = append(y.Values, ctypes.Enumerator{Name: string(d.info.Name(c)),
			Value: v.Number})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return y, nil
}

// errUndescribed is of a declaration without result, prototype and parameters, not even "...":
// void f() has that. gcc 10.2 writes it of functions that are called and not defined.
var errUndescribed = errors.New("it has the function's name and not its type, which " +
	"gcc 11 and later write")

// decodeFunc returns the Func of a function or a function's type.
func (d *decoder) decodeFunc(e *debuginfo.Entry) (*ctypes.Type, error) {
	y := &ctypes.Type{Kind: ctypes.Func}
	var err error
	if y.Elem, err = d.typeOf(e); err != nil {
		return nil, err
	}
	prototyped := false
	_, described := e.Value(atType)
	described = described || !e.Flag(atDeclaration)
	for range 8 {
		prototyped = prototyped || e.Flag(atPrototyped)
		_, isInstance, _ := d.info.Reference(e, atAbstractOrigin)
		described = described || prototyped
		if !isInstance { // an instance's parameters may be fewer
			err := d.info.VisitChildren(e, func(c *debuginfo.Entry) (err error) {
				described = true
				switch c.Tag {
				case tagParameter:
					p := ctypes.Param{Name: string(d.info.Name(c))}
					p.Type, err = d.typeOf(c)
					y.Params = append(y.Params, p)
				case tagMoreParameters:
					y.Variadic = true
				}
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		other, err := d.other(e)
		if err != nil {
			return nil, err
		}
		if other == nil || len(y.Params) > 0 {
			break
		}
		e, described = other, true
	}
	if !described {
		return nil, errUndescribed
	}
	if !prototyped && len(y.Params) == 0 { // gcc writes f() as f(...)
		y.Unprototyped, y.Variadic = true, false
	}
	return y, nil
}
