// SPDX-License-Identifier: GPL-2.0-or-later

package ctypes

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	integer = &Type{Kind: Int, Name: "int", Size: 4, Signed: true}
	file    = &Type{Kind: Struct, Name: "file", Size: 16}
)

func of(kind Kind, t *Type) *Type { return &Type{Kind: kind, Size: 8, Elem: Inner(t)} }

func arrayOf(n uint64, t *Type) *Type { return &Type{Kind: Array, Count: n, Elem: Inner(t)} }

func function(result *Type, params ...*Type) *Type {
	f := &Type{Kind: Func, Elem: Inner(result)}
	for _, p := range params {
		f.Params = append(f.Params, Param{Type: Inner(p)})
	}
	return f
}

func TestDeclare(t *testing.T) {
	logger := function(integer, of(Pointer, of(Const, integer)))
	logger.Variadic = true
	old := &Type{Kind: Func, Elem: Inner(integer), Unprototyped: true}
	for want, y := range map[string]*Type{
		"int x":                   integer,
		"struct file *x":          of(Pointer, file),
		"const struct file *x":    of(Pointer, of(Const, file)),
		"struct file *const x":    of(Const, of(Pointer, file)),
		"const volatile int x":    of(Const, of(Volatile, integer)),
		"int x[4]":                arrayOf(4, integer),
		"int x[2][3]":             arrayOf(2, arrayOf(3, integer)),
		"int x[]":                 arrayOf(0, integer),
		"int (*x)[4]":             of(Pointer, arrayOf(4, integer)),
		"int *x[4]":               arrayOf(4, of(Pointer, integer)),
		"void x(void)":            function(void),
		"int x()":                 old,
		"int x(const int *, ...)": logger,
		"int (*x)(int)":           of(Pointer, function(integer, integer)),
		"int (*x[4])(int)":        arrayOf(4, of(Pointer, function(integer, integer))),
		"void (*x(int))(void)":    function(of(Pointer, function(void)), integer),
		"void x(int (*)(struct file *))": function(void,
			of(Pointer, function(integer, of(Pointer, file)))),
		"struct {...} x": {Kind: Struct},
		"const char_t x[2]": of(Const,
			arrayOf(2, of(Const, &Type{Kind: Typedef, Name: "char_t"}))),
		"union {...} *x": of(Pointer, &Type{Kind: Union}),
		"enum color x":   {Kind: Enum, Name: "color"},
		"void *x":        of(Pointer, void),
		"? x":            Unread("damaged"),
	} {
		assert.Equal(t, want, y.Declare("x"))
	}
	assert.Equal(t, "int (*)(int)", of(Pointer, function(integer, integer)).String())
	assert.Equal(t, "char[16]", arrayOf(16, &Type{Kind: Int, Name: "char", Size: 1}).String())
	assert.Equal(t, "struct file *", of(Pointer, file).String())
}

// A function whose parameters are functions of its own type has no end.
func TestDeclareEnds(t *testing.T) {
	f := function(void)
	for range 1000 {
		f.Params = append(f.Params, Param{Type: Inner(of(Pointer, f))})
	}
	assert.Less(t, strings.Count(f.String(), "("), 2*maxPrinted)
	p := &Type{Kind: Pointer}
	p.Elem = Inner(p)
	assert.NotEmpty(t, p.String())
}

func TestSizes(t *testing.T) {
	cycle := &Type{Kind: Typedef}
	cycle.Elem = Inner(cycle)
	deep := &Type{Kind: Array, Count: 2}
	deep.Elem = Inner(deep)
	for _, test := range []struct {
		y     *Type
		size  uint64
		ok    bool
		count uint64
	}{
		{integer, 4, true, 1},
		{of(Const, integer), 4, true, 1},
		{arrayOf(2, arrayOf(3, integer)), 24, true, 6},
		{arrayOf(0, integer), 0, false, 0},
		{arrayOf(1<<63, arrayOf(4, integer)), 0, false, 0},
		{void, 0, false, 1},
		{function(void), 0, false, 1},
		{&Type{Kind: Struct, Incomplete: true}, 0, false, 1},
		{cycle, 0, false, 1},
		{deep, 0, false, 0},
	} {
		size, ok := test.y.SizeOf()
		assert.Equal(t, test.ok, ok, test.y.String())
		if ok {
			assert.Equal(t, test.size, size, test.y.String())
		}
		count, elem := test.y.Elements()
		assert.Equal(t, test.count, count, test.y.String())
		require.NotNil(t, elem)
	}
	assert.True(t, of(Const, integer).Is(Const))
	assert.True(t, arrayOf(2, of(Const, integer)).Is(Const))
	assert.False(t, of(Pointer, of(Const, integer)).Is(Const))
}

// A failing is a decoder that knows one type, which consists of itself, and refuses all others.
type failing struct {
	types *Types
	calls int
}

func (f *failing) Decode(key Key) (*Type, error) {
	f.calls++
	if key == 1 {
		inner := f.types.Ref(1).Type() // while it is being decoded
		return &Type{Kind: Typedef, Name: "self", Elem: Inner(inner)}, nil
	}
	return nil, errors.New("damaged")
}

func (f *failing) Functions(string) ([]Function, error) { return nil, nil }
func (f *failing) Variables(string) ([]Variable, error) { return nil, nil }
func (f *failing) Named(Kind, string) ([]Ref, error)    { return []Ref{f.types.Ref(2)}, nil }
func (f *failing) FunctionNames() ([]string, error)     { return nil, nil }

func TestTypesAreDecodedOnce(t *testing.T) {
	f := &failing{}
	f.types = New(f)
	for range 2 {
		y := f.types.Ref(2).Type()
		assert.Equal(t, Unreadable, y.Kind)
		assert.Equal(t, "damaged", y.Why)
	}
	assert.Equal(t, 1, f.calls)
	assert.Same(t, f.types.Ref(1).Type(), f.types.Ref(1).Type())
	assert.Equal(t, Unreadable, f.types.Ref(1).Type().Bare().Kind)
	list, err := f.types.Named(Struct, "s")
	require.NoError(t, err)
	assert.Equal(t, Unreadable, list[0].Kind)
	assert.Equal(t, 2, f.types.Decoded())
	assert.True(t, Ref{}.IsVoid())
	assert.Equal(t, Void, Ref{}.Type().Kind)
	closed := 0
	f.types.OnClose = func() { closed++ }
	f.types.Close()
	f.types.Close()
	assert.Equal(t, 1, closed)
}
