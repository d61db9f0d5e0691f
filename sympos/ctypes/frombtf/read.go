// SPDX-License-Identifier: GPL-2.0-or-later

package frombtf

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cilium/ebpf/btf"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// A decoder decodes types of a BTF blob.
type decoder struct {
	types  *ctypes.Types
	layout *layout

	// kernel are the types of the kernel, nil if there are none. Those of a base that is not
	// distilled are the kernel's.
	kernel    *ctypes.Types
	distilled bool
	sections  map[uint32]place

	tellsChar bool // see tellsSignOfChar
}

// A place is where a variable is.
type place struct {
	section string
	size    uint64
}

// Read returns the types in a BTF blob that is not split: that of a kernel. b must not change
// after.
func Read(name string, b []byte) (*ctypes.Types, error) {
	d, err := open(b, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return d.finish(name), nil
}

// ReadSplit returns the types in a module's BTF, .BTF, that was split from its own base or from
// the kernel's BTF. distilled is the contents of the module's .BTF.base, nil if there is none.
// Neither must change after.
//
// kernel are the types of the kernel, from BTF. They may be nil if there is a distilled base;
// what is in the kernel only is Incomplete then.
func ReadSplit(name string, b, distilled []byte, kernel *ctypes.Types) (*ctypes.Types, error) {
	fail := func(err error) (*ctypes.Types, error) { return nil, fmt.Errorf("%s: %w", name, err) }
	var base *decoder
	if distilled != nil {
		var err error
		if base, err = open(distilled, nil); err != nil {
			return fail(fmt.Errorf(".BTF.base: %w", err))
		}
	} else {
		if kernel == nil {
			return fail(fmt.Errorf("its BTF needs that of the kernel, which is not available"))
		}
		var ok bool
		if base, ok = kernel.Decoder().(*decoder); !ok {
			return fail(fmt.Errorf("its BTF needs that of the kernel, of which %s has %s",
				kernel.Name, kernel.Format))
		}
	}
	d, err := open(b, base)
	if err != nil {
		return fail(err)
	}
	d.kernel, d.distilled = kernel, distilled != nil
	return d.finish(name), nil
}

// open checks a blob.
func open(b []byte, base *decoder) (*decoder, error) {
	var of *layout
	if base != nil {
		of = base.layout
	}
	l, err := parseLayout(b, of)
	if err != nil {
		return nil, err
	}
	return &decoder{layout: l}, nil
}

// guard turns a panic of cilium/ebpf into an error.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged: %v", p)
		}
	}()
	return f()
}

// finish returns the Types of the decoder.
func (d *decoder) finish(name string) *ctypes.Types {
	t := ctypes.New(d)
	t.Name, t.Format, t.PointerSize = name, "BTF", 8
	t.BigEndian = d.layout.big
	d.types = t
	d.tellsChar = d.tellsSignOfChar()
	for at := d.layout; at != nil; at = at.base {
		for _, name := range []string{"long unsigned int", "unsigned long"} { // gcc, clang
			at.byName(name, func(_ uint32, h *header) {
				if h.sizeType == 4 {
					t.PointerSize = 4
				}
			}, kindInt)
		}
	}
	return t
}

// tellsSignOfChar reports whether the sign of a char is that of the kernel. An old pahole marks no
// character as signed, not even signed char (seen in Debian's 5.10; its 6.1, with pahole 1.24,
// does). Without a signed char nothing tells which pahole it was.
func (d *decoder) tellsSignOfChar() (tells bool) {
	for at := d.layout; at != nil; at = at.base {
		at.byName("signed char", func(_ uint32, h *header) {
			tells = tells || btf.IntEncoding(d.layout.u32(h.data)>>24)&btf.Signed != 0
		}, kindInt)
	}
	return tells
}

// Decode implements ctypes.Decoder. Keys are the numbers of types.
//
// cilium/ebpf gets a blob of that type alone. It would read a kernel's as a whole first, which
// takes longer than all that is asked afterwards, and with each type all that it leads to.
func (d *decoder) Decode(key ctypes.Key) (*ctypes.Type, error) {
	id, err := d.layout.untag(uint32(key))
	if err != nil || id == 0 {
		return &ctypes.Type{}, err
	}
	var y *ctypes.Type
	err = guard(func() error {
		s, err := d.layout.single(id)
		if err != nil {
			return err
		}
		spec, err := btf.LoadSplitSpecFromReader(bytes.NewReader(s.blob), nil)
		if err != nil {
			return err
		}
		t, err := spec.TypeByID(1)
		if err != nil {
			return err
		}
		var failed error
		y, err = d.convert(t, func(to btf.Type) ctypes.Ref {
			id, err := spec.TypeID(to)
			if err != nil {
				failed = err
				return ctypes.Ref{}
			}
			return d.ref(s.numbers[id])
		})
		return errors.Join(err, failed)
	})
	if err != nil {
		return nil, fmt.Errorf("BTF: type %d: %w", id, err)
	}
	if d.distilled && id < d.layout.first {
		return d.complete(y), nil
	}
	return y, nil
}

// complete returns the type of the kernel that a type of a distilled base means: the only one of
// that kind and name whose size is that of the base, if it has one
// (tools/lib/bpf/btf_relocate.c, btf_relocate_map_distilled_base).
func (d *decoder) complete(y *ctypes.Type) *ctypes.Type {
	switch y.Kind {
	case ctypes.Struct, ctypes.Union, ctypes.Enum:
	default:
		return y // the base has all of it
	}
	if y.Incomplete = len(y.Members) == 0 && len(y.Values) == 0; !y.Incomplete || d.kernel == nil {
		return y
	}
	list, err := d.kernel.Named(y.Kind, y.Name)
	if err != nil {
		return ctypes.Unread(err.Error())
	}
	var found *ctypes.Type
	for _, k := range list {
		if k.Incomplete || y.Size != 0 && k.Size != y.Size {
			continue
		}
		if found != nil {
			return y
		}
		found = k
	}
	if found == nil {
		return y
	}
	return found
}

// convert returns the model of one type. ref gives that of a type that it refers to.
func (d *decoder) convert(t btf.Type, ref func(btf.Type) ctypes.Ref) (*ctypes.Type, error) {
	y := &ctypes.Type{}
	switch t := t.(type) {
	case *btf.Int:
		y.Kind, y.Name, y.Size = ctypes.Int, t.Name, uint64(t.Size)
		// Bits of the encoding, of which cilium/ebpf knows values only.
		y.Signed = t.Encoding&btf.Signed != 0
		y.Char, y.Bool = t.Encoding&btf.Char != 0, t.Encoding&btf.Bool != 0
		switch {
		case t.Name == "signed char":
			y.Signed = true
		case t.Name == "char" && !y.Signed && !d.tellsChar:
			y.SignUnknown = true
		}
	case *btf.Float:
		y.Kind, y.Name, y.Size = ctypes.Float, t.Name, uint64(t.Size)
	case *btf.Pointer:
		y.Kind, y.Size, y.Elem = ctypes.Pointer, d.types.PointerSize, ref(t.Target)
	case *btf.Array:
		y.Kind, y.Count, y.Elem = ctypes.Array, uint64(t.Nelems), ref(t.Type)
	case *btf.Struct:
		y.Kind, y.Name, y.Size = ctypes.Struct, t.Name, uint64(t.Size)
		y.Members = members(t.Members, ref)
	case *btf.Union:
		y.Kind, y.Name, y.Size = ctypes.Union, t.Name, uint64(t.Size)
		y.Members = members(t.Members, ref)
	case *btf.Enum:
		y.Kind, y.Name, y.Size, y.Signed = ctypes.Enum, t.Name, uint64(t.Size), t.Signed
		for _, v := range t.Values {
			y.Values = append(y.Values, ctypes.Enumerator{Name: v.Name, Value: v.Value})
		}
	case *btf.Fwd:
		y.Kind, y.Name, y.Incomplete = ctypes.Struct, t.Name, true
		if t.Kind == btf.FwdUnion {
			y.Kind = ctypes.Union
		}
	case *btf.Typedef:
		y.Kind, y.Name, y.Elem = ctypes.Typedef, t.Name, ref(t.Type)
	case *btf.Const:
		y.Kind, y.Elem = ctypes.Const, ref(t.Type)
	case *btf.Volatile:
		y.Kind, y.Elem = ctypes.Volatile, ref(t.Type)
	case *btf.Restrict:
		y.Kind, y.Elem = ctypes.Restrict, ref(t.Type)
	case *btf.FuncProto:
		y.Kind, y.Elem = ctypes.Func, ref(t.Return)
		for i, p := range t.Params {
			if _, ok := p.Type.(*btf.Void); ok && i == len(t.Params)-1 && p.Name == "" {
				y.Variadic = true
				break
			}
			y.Params = append(y.Params, ctypes.Param{Name: p.Name, Type: ref(p.Type)})
		}
	default:
		return nil, fmt.Errorf("%T is not a type", t)
	}
	return y, nil
}

// ref returns a reference to the type with that number. 0 is void.
func (d *decoder) ref(id uint32) ctypes.Ref {
	switch {
	case id == 0:
		return ctypes.Ref{}
	case d.kernel != nil && !d.distilled && id < d.layout.first:
		return d.kernel.Ref(ctypes.Key(id))
	}
	return d.types.Ref(ctypes.Key(id))
}

func members(list []btf.Member, ref func(btf.Type) ctypes.Ref) []ctypes.Member {
	all := make([]ctypes.Member, len(list))
	for i, m := range list {
		all[i] = ctypes.Member{Name: m.Name, Type: ref(m.Type), Offset: uint64(m.Offset),
			Width: uint64(m.BitfieldSize)}
	}
	return all
}

// Functions implements ctypes.Decoder.
func (d *decoder) Functions(name string) (list []ctypes.Function, err error) {
	d.layout.byName(name, func(_ uint32, h *header) {
		const extern = 2 // enum btf_func_linkage; static and global are not told apart
		list = append(list, ctypes.Function{Name: name, Type: d.ref(h.sizeType),
			Declared: h.vlen() == extern})
	}, kindFunc)
	return list, nil
}

// Variables implements ctypes.Decoder.
func (d *decoder) Variables(name string) (list []ctypes.Variable, err error) {
	d.layout.byName(name, func(id uint32, h *header) {
		linkage := d.layout.u32(h.data)
		p := d.placeOf(id)
		list = append(list, ctypes.Variable{Name: name, Type: d.ref(h.sizeType),
			Declared: linkage == 2, Section: p.section, Size: p.size})
	}, kindVar)
	return list, nil
}

// placeOf returns the section and size of a variable.
func (d *decoder) placeOf(id uint32) place {
	if d.sections == nil {
		d.sections = map[uint32]place{}
		for _, off := range d.layout.offsets {
			h := d.layout.headerAt(off)
			if h.kind() != kindDatasec {
				continue
			}
			section := string(d.layout.nameAt(h.name))
			for i := range h.vlen() {
				b := h.data[12*i:]
				d.sections[d.layout.u32(b)] = place{section,
					uint64(d.layout.u32(b[8:]))}
			}
		}
	}
	return d.sections[id]
}

// Named implements ctypes.Decoder. A module's types come before those of its base.
func (d *decoder) Named(kind ctypes.Kind, name string) ([]ctypes.Ref, error) {
	var complete, forward []ctypes.Ref
	for l := d.layout; l != nil; l = l.base {
		visit := func(id uint32, h *header) {
			isUnion := h.kind() == kindFwd && h.info>>31 == 1
			switch {
			case h.kind() != kindFwd:
				complete = append(complete, d.ref(id))
			case isUnion == (kind == ctypes.Union):
				forward = append(forward, d.ref(id))
			}
		}
		switch kind {
		case ctypes.Struct:
			l.byName(name, visit, kindStruct, kindFwd)
		case ctypes.Union:
			l.byName(name, visit, kindUnion, kindFwd)
		case ctypes.Enum:
			l.byName(name, visit, kindEnum, kindEnum64)
		case ctypes.Typedef:
			l.byName(name, visit, kindTypedef)
		default:
			return nil, fmt.Errorf("a %s has no name to be found by", kind)
		}
	}
	if len(complete) > 0 {
		return complete, nil
	}
	return forward, nil
}

// FunctionNames implements ctypes.Decoder.
func (d *decoder) FunctionNames() ([]string, error) {
	var names []string
	for _, off := range d.layout.offsets {
		if h := d.layout.headerAt(off); h.kind() == kindFunc {
			names = append(names, string(d.layout.nameAt(h.name)))
		}
	}
	return names, nil
}
