// SPDX-License-Identifier: GPL-2.0-or-later

package declared

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

type m = ctypes.Member

func structure(size uint64, members ...m) *ctypes.Type {
	return &ctypes.Type{Kind: ctypes.Struct, Name: "s", Size: size, Members: members}
}

func member(name string, t *ctypes.Type, offset, width uint64) m {
	return m{Name: name, Type: ctypes.Inner(t), Offset: offset, Width: width}
}

func anonymous(kind ctypes.Kind, size uint64, members ...m) *ctypes.Type {
	return &ctypes.Type{Kind: kind, Size: size, Members: members}
}

func TestMembers(t *testing.T) {
	a, b := member("a", tInt, 0, 0), member("b", tInt, 32, 0)
	base := structure(8, a, b)
	pair := anonymous(ctypes.Struct, 8, a, b)
	for _, test := range []struct {
		what             string
		declared, actual *ctypes.Type
		want             string
	}{
		{"the same", base, structure(8, a, b), ""},
		{"added at the end", base, structure(16, a, b, member("c", tLong, 64, 0)),
			"wrong code size, note added at c"},
		{"added in a hole", structure(16, a, member("c", tLong, 64, 0)),
			structure(16, a, b, member("c", tLong, 64, 0)), "note added at b"},
		{"removed", base, structure(4, a), "wrong code size, wrong code missing at b"},
		{"swapped", base, structure(8, member("b", tInt, 0, 0), member("a", tInt, 32, 0)),
			"wrong code offset at a, wrong code offset at b"},
		{"wider", base, structure(16, a, member("b", tLong, 64, 0)),
			"wrong code size, wrong code offset at b"},
		{"wider in place", structure(16, a, member("b", tInt, 64, 0)),
			structure(16, a, member("b", tLong, 64, 0)), "wrong code width at b"},
		{"another sign", base, structure(8, a, member("b", tUint, 32, 0)), "wrong code sign at b"},
		{"another name", base, structure(8, a, member("c", tInt, 32, 0)), "note renamed at b"},
		{"another name and type", base, structure(8, a, member("c", tUint, 32, 0)),
			"wrong code missing at b, note added at c"},
		{"a pointer to another struct", structure(8, member("p", ptr(tDev), 0, 0)),
			structure(8, member("p", ptr(tFile), 0, 0)), "note pointed to at p"},
		{"a longer array", structure(8, member("p", array(2, tInt), 0, 0)),
			structure(8, member("p", array(1, tInt), 0, 0)), "wrong code length at p"},
		{"a flexible array", structure(8, member("p", array(0, tInt), 0, 0)),
			structure(8, member("p", array(0, tInt), 0, 0)), ""},
		{"a wider bit field", structure(4, member("x", tUint, 0, 3), member("y", tUint, 3, 5)),
			structure(4, member("x", tUint, 0, 4), member("y", tUint, 4, 4)),
			"wrong code width at x, wrong code offset at y"},
		{"a bit field and none", structure(4, member("x", tUint, 0, 3)),
			structure(4, member("x", tUint, 0, 0)), "wrong code width at x"},
		{"a bit field as wide as its type", structure(4, member("x", tUchar, 8, 8)),
			structure(4, member("x", tUchar, 8, 0)), ""},
		{"anonymous and const", structure(8, member("", qualified(ctypes.Const, pair), 0, 0)), base,
			""},
		{"a difference in a const one", structure(8, member("", qualified(ctypes.Const, pair), 0, 0)),
			structure(8, a, member("b", tUint, 32, 0)), "wrong code sign at b"},
		{"without a name, with a tag", structure(8, member("", structure(8, a, b), 0, 0)), base, ""},
		{"without a name, of a typedef", structure(8, member("", named("pair_t", pair), 0, 0)), base,
			""},
		{"no members where there is a size", base, structure(8), "unjudged"},
		{"a struct of no size", structure(4, member("x", structure(0), 0, 0), a),
			structure(4, member("x", structure(0), 0, 0), a), ""},
		{"a bit field as wide as its type, within two", structure(4, member("x", tUchar, 12, 8)),
			structure(4, member("x", tUchar, 8, 0)), "wrong code offset at x"},
		{"bit fields with another storage", structure(4, member("x", tUint, 0, 3)),
			structure(4, member("x", tUchar, 0, 3)), ""},
		{"a signed bit field", structure(4, member("x", tUint, 0, 3)),
			structure(4, member("x", tInt, 0, 3)), "wrong code sign at x"},
		{"anonymous and plain", structure(8, member("", pair, 0, 0)), base, ""},
		{"padding", base, structure(8, a, b, member("", tInt, 64, 5)), ""},
		{"in a named member without a tag", structure(16, member("in", pair, 64, 0)),
			structure(16, member("in", anonymous(ctypes.Struct, 8, a, member("b", tUint, 32, 0)), 64, 0)),
			"wrong code sign at in.b"},
		{"of a typedef without a tag", structure(8, member("t", named("pair_t", pair), 0, 0)),
			structure(8, member("t", named("pair_t", anonymous(ctypes.Struct, 8, a,
				member("b", tUint, 32, 0))), 0, 0)), "wrong code sign at t.b"},
		{"a union", structure(8, member("", anonymous(ctypes.Union, 8, member("x", tLong, 0, 0),
			member("y", tInt, 0, 0)), 0, 0)),
			structure(8, member("", anonymous(ctypes.Union, 8, member("x", tLong, 0, 0),
				member("y", tInt, 0, 0)), 0, 0)), ""},
		{"declared only", tLater, base, "unjudged"},
		{"declared only with another size", &ctypes.Type{Kind: ctypes.Struct, Name: "s", Size: 4,
			Incomplete: true}, base, "wrong code size, unjudged"},
		{"unreadable", tBad, base, "unjudged"},
		{"no struct", tInt, tInt, "unjudged"},
		{"a union of that name", &ctypes.Type{Kind: ctypes.Union, Name: "s", Size: 8}, base,
			"wrong code class"},
	} {
		assert.Equal(t, test.want, summary(Layout(x86, test.declared, test.actual)), test.what)
	}
}

// Both sides of the table.
func TestMembersAsATable(t *testing.T) {
	c := Layout(x86, structure(8, member("a", tInt, 0, 0), member("b", ptr(tDev), 32, 0)),
		structure(16, member("a", tInt, 3, 5), member("b", ptr(tDev), 64, 0)))
	assert.Equal(t, "struct s", c.Name)
	var rows []string
	for _, d := range c.Differences {
		rows = append(rows, d.Place+" | "+d.Declared+" | "+d.Actual)
	}
	assert.Equal(t, []string{
		" | 8 bytes | 16 bytes",
		"a | int, at 0, 4 bytes | int, bits 3 to 7",
		"b | struct dev *, at 4, 8 bytes | struct dev *, at 8, 8 bytes",
	}, rows)
	assert.Equal(t, "wrong code: b: struct dev *, at 4, 8 bytes, actual struct dev *, at 8, 8 bytes: "+
		"it is in another place", c.Differences[2].String())
}

func TestEnums(t *testing.T) {
	enum := func(size uint64, values ...ctypes.Enumerator) *ctypes.Type {
		return &ctypes.Type{Kind: ctypes.Enum, Name: "e", Size: size, Values: values}
	}
	type v = ctypes.Enumerator
	base := enum(4, v{Name: "A", Value: 1}, v{Name: "B", Value: 2})
	for _, test := range []struct {
		declared, actual *ctypes.Type
		want             string
	}{
		{base, base, ""},
		{base, enum(4, v{Name: "A", Value: 1}, v{Name: "B", Value: 3}), "wrong code value at B"},
		{base, enum(4, v{Name: "A", Value: 1}), "wrong code missing at B"},
		{enum(4, v{Name: "A", Value: 1}), base, "note added at B"},
		{base, enum(8, v{Name: "A", Value: 1}, v{Name: "B", Value: 2}), "wrong code size"},
		// Older BTF does not tell the sign.
		{enum(4, v{Name: "A", Value: 1<<64 - 1}), enum(4, v{Name: "A", Value: 1<<32 - 1}), ""},
	} {
		assert.Equal(t, test.want, summary(Layout(x86, test.declared, test.actual)))
	}
}

// A struct in hostile BTF may consist of itself.
func TestStructsWithoutAnEnd(t *testing.T) {
	for _, name := range []string{"", "inner"} {
		a, b := structure(8), structure(8)
		for _, s := range []*ctypes.Type{a, b} {
			inner := anonymous(ctypes.Struct, 8)
			for range 1000 {
				inner.Members = append(inner.Members, member(name, inner, 0, 0))
			}
			s.Members = []m{member(name, inner, 0, 0)}
		}
		assert.NotEmpty(t, Layout(x86, a, b).Unjudged)
		typedef := named("t", a)
		a.Name, b.Name = "", ""
		a.Members[0] = member("t", typedef, 0, 0)
		b.Members[0] = member("t", named("t", b), 0, 0)
		assert.NotEmpty(t, Layout(x86, a, b).Unjudged)
	}
}

// A callback may take itself as a parameter, many times.
func TestFunctionsWithoutAnEnd(t *testing.T) {
	a, b := function(tVoid), function(tVoid)
	for range 1000 {
		a.Params = append(a.Params, ctypes.Param{Type: ctypes.Inner(ptr(a))})
		b.Params = append(b.Params, ctypes.Param{Type: ctypes.Inner(ptr(b))})
	}
	assert.NotEmpty(t, Function(x86, Borrowed, theFunction(a), theFunction(b)).Unjudged)
}
