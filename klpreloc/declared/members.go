// SPDX-License-Identifier: GPL-2.0-or-later

package declared

import (
	"debug/elf"
	"fmt"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// Layout compares a struct or union that a livepatch defines with the kernel's of the same name,
// or two enums. What differs in the members is one difference for each member.
func Layout(machine elf.Machine, declared, actual *ctypes.Type) Comparison {
	a, b := declared.Bare(), actual.Bare()
	c := Comparison{Name: tag(actual), Declared: declared.String(), Actual: actual.String()}
	x := newComparer(&c, machine)
	switch {
	case a.Kind == ctypes.Unreadable:
		c.unjudged("%s", a.Why)
	case b.Kind == ctypes.Unreadable:
		c.unjudged("%s", b.Why)
	case a.Kind != b.Kind:
		x.differ(WrongCode, Class, a.String(), b.String(), "it is another kind of type")
	case a.Incomplete || b.Incomplete:
		if a.Size != 0 && b.Size != 0 && a.Size != b.Size {
			x.compareSizes(a, b)
		}
		c.unjudged("%s is declared only, its members are not known", c.Name)
	case a.Kind == ctypes.Enum:
		x.compareEnums(a, b)
	case isStruct(a):
		x.compareSizes(a, b)
		x.compareMembers(a, b)
	default:
		c.unjudged("%s has no members", a)
	}
	return c
}

func (x *comparer) compareSizes(a, b *ctypes.Type) {
	if a.Size != b.Size {
		x.differ(WrongCode, Size, diag.Count(a.Size, "byte"), diag.Count(b.Size, "byte"),
			"it has another size")
	}
}

// A field is a member, or a member of a member without a name or tag.
type field struct {
	name   string // with those of the members around it: u.low
	offset uint64 // in bits
	width  uint64 // in bits, of a bit field
	typ    *ctypes.Type
}

// String returns the field as a cell of a table.
func (f *field) String() string {
	place := fmt.Sprintf("at %d", f.offset/8)
	if f.width != 0 {
		return fmt.Sprintf("%s, bits %d to %d", f.typ.Declare(""), f.offset, f.offset+f.width-1)
	}
	size, ok := f.typ.SizeOf()
	if !ok {
		return f.typ.Declare("") + ", " + place
	}
	return fmt.Sprintf("%s, %s, %s", f.typ.Declare(""), place, diag.Count(size, "byte"))
}

const (
	maxFields  = 1 << 16 // members of a struct, those of anonymous structs included
	maxNesting = 16      // of anonymous structs
)

// fields returns the members of a struct or union, with those of structs that have no tag, or are
// members without a name, in the place of these.
func fields(t *ctypes.Type) (list []*field, complete bool) {
	complete = true
	steps := 0
	var add func(t *ctypes.Type, prefix string, offset uint64, depth int)
	add = func(t *ctypes.Type, prefix string, offset uint64, depth int) {
		for _, m := range t.Members {
			typ := m.Type.Type()
			if steps++; steps > maxFields || depth == 0 {
				complete = false
				return
			}
			within := unqualified(typ)
			if m.Name == "" {
				within = typ.Bare() // struct foo; with -fms-extensions, as 7.3 has it (CC_MS_EXTENSIONS)
			}
			if isStruct(within) && (within.Name == "" || m.Name == "") {
				inner := prefix
				if m.Name != "" {
					inner += m.Name + "."
				}
				add(within, inner, offset+m.Offset, depth-1)
				continue
			}
			if m.Name == "" {
				continue // padding
			}
			f := &field{prefix + m.Name, offset + m.Offset, m.Width, typ}
			size, ok := typ.SizeOf()
			if ok && f.width > 0 && f.width == 8*size && f.offset%f.width == 0 {
				f.width = 0 // u8 x : 8 is as u8 x, which is what clang says of it
			}
			list = append(list, f)
		}
	}
	add(t, "", 0, maxNesting)
	return list, complete
}

// unqualified returns the type without the qualifiers before it, but a typedef as it is: struct
// vm_fault has a const struct { … } in it.
func unqualified(t *ctypes.Type) *ctypes.Type {
	for range maxDepth {
		switch t.Kind {
		case ctypes.Const, ctypes.Volatile, ctypes.Restrict, ctypes.Atomic:
			t = t.Elem.Type()
		default:
			return t
		}
	}
	return t
}

// compareMembers compares the members of two structs or unions by their names.
func (x *comparer) compareMembers(a, b *ctypes.Type) {
	for _, t := range []*ctypes.Type{a, b} {
		// Debian's 7.3 has aes_encrypt_arg, a transparent union of 8 bytes, so.
		if len(t.Members) == 0 && t.Size > 0 && len(a.Members) != len(b.Members) {
			x.unjudged("its members are not described")
			return
		}
	}
	declared, okA := fields(a)
	actual, okB := fields(b)
	if !okA || !okB {
		x.unjudged("it has too many members")
	}
	outer := x.place
	defer func() { x.place = outer }()
	byName := make(map[string]*field, len(actual))
	for _, f := range actual {
		byName[f.name] = f
	}
	known := make(map[string]bool, len(declared))
	for _, f := range declared {
		known[f.name] = true
	}
	// A member that the other side does not know may be the one in its place, renamed.
	places := map[[2]uint64][]*field{}
	for _, g := range actual {
		if !known[g.name] {
			places[g.place()] = append(places[g.place()], g)
		}
	}
	renamed := map[*field]bool{}
	for _, f := range declared {
		x.place = outer + f.name
		if g := byName[f.name]; g != nil {
			x.compareFields(f, g)
			continue
		}
		g := x.findRenamed(f, places[f.place()])
		if g == nil {
			x.differ(WrongCode, Missing, f.String(), "-", "the kernel does not have it")
			continue
		}
		renamed[g] = true
		x.differ(Note, Renamed, f.String(), g.name, "it has another name")
	}
	for _, g := range actual {
		if known[g.name] || renamed[g] {
			continue
		}
		x.place = outer + g.name
		x.differ(Note, Added, "-", g.String(), "the livepatch does not have it")
	}
}

// place returns what fields in the same place have in common.
func (f *field) place() [2]uint64 { return [2]uint64{f.offset, f.width} }

// findRenamed returns the one of the fields in the place of f that has its type, nil if none has.
func (x *comparer) findRenamed(f *field, others []*field) *field {
	for _, g := range others {
		if !x.spend() {
			return nil
		}
		if g.typ.String() == f.typ.String() {
			return g
		}
	}
	return nil
}

func (x *comparer) compareFields(f, g *field) {
	switch {
	case f.offset != g.offset:
		x.differ(WrongCode, Offset, f.String(), g.String(), "it is in another place")
	case f.width != g.width:
		x.differ(WrongCode, Width, f.String(), g.String(), "it has another number of bits")
	case f.width != 0: // the storage of bit fields may be declared with another type
		a, b := f.typ.Bare(), g.typ.Bare()
		if isScalar(a) && isScalar(b) && a.Signed != b.Signed && a.Kind == b.Kind &&
			a.Kind != ctypes.Enum && !a.SignUnknown && !b.SignUnknown {
			x.differ(WrongCode, Sign, f.String()+signOf(a), g.String()+signOf(b),
				"the value is extended in another way")
		}
	default:
		from := len(x.c.Differences)
		x.compareValue(f.typ, g.typ, inMemory)
		for i := range x.c.Differences[from:] { // but those of members of a member
			if d := &x.c.Differences[from+i]; d.Place == x.place && d.Subject != Sign {
				d.Declared, d.Actual = f.String(), g.String()
			}
		}
	}
}

// compareEnums compares the values of enumerators by their names.
func (x *comparer) compareEnums(a, b *ctypes.Type) {
	x.compareSizes(a, b)
	mask := ^uint64(0)
	if size := min(a.Size, b.Size); size < 8 { // the sign may not be known
		mask = 1<<(8*size) - 1
	}
	show := func(v ctypes.Enumerator) string {
		if int64(v.Value) < 0 {
			return fmt.Sprint(int64(v.Value))
		}
		return fmt.Sprint(v.Value)
	}
	values := make(map[string]ctypes.Enumerator, len(b.Values))
	for _, v := range b.Values {
		values[v.Name] = v
	}
	known := make(map[string]bool, len(a.Values))
	for _, v := range a.Values {
		known[v.Name] = true
		x.place = v.Name
		w, ok := values[v.Name]
		switch {
		case !ok:
			x.differ(WrongCode, Missing, show(v), "-", "the kernel does not have it")
		case v.Value&mask != w.Value&mask:
			x.differ(WrongCode, Value, show(v), show(w), "it has another value")
		}
	}
	for _, w := range b.Values {
		if !known[w.Name] {
			x.place = w.Name
			x.differ(Note, Added, "-", show(w), "the livepatch does not have it")
		}
	}
	x.place = ""
}
