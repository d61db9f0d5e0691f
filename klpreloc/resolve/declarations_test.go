// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/klpreloc/cdecl"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// described is a source of types with these functions and variables.
type described struct {
	functions []ctypes.Function
	variables []ctypes.Variable
}

func (d described) Decode(ctypes.Key) (*ctypes.Type, error) { return nil, errors.New("no key") }

func (d described) Functions(name string) (list []ctypes.Function, err error) {
	for _, f := range d.functions {
		if f.Name == name {
			list = append(list, f)
		}
	}
	return list, nil
}

func (d described) Variables(name string) (list []ctypes.Variable, err error) {
	for _, v := range d.variables {
		if v.Name == name {
			list = append(list, v)
		}
	}
	return list, nil
}

func (d described) Named(ctypes.Kind, string) ([]ctypes.Ref, error) { return nil, nil }
func (d described) FunctionNames() ([]string, error)                { return nil, nil }

var (
	anInt   = &ctypes.Type{Kind: ctypes.Int, Name: "int", Size: 4, Signed: true}
	aLong   = &ctypes.Type{Kind: ctypes.Int, Name: "long int", Size: 8, Signed: true}
	noValue = &ctypes.Type{}
)

func functionOf(name, file string, result *ctypes.Type, params ...*ctypes.Type) ctypes.Function {
	y := &ctypes.Type{Kind: ctypes.Func, Elem: ctypes.Inner(result)}
	for _, p := range params {
		y.Params = append(y.Params, ctypes.Param{Name: "x", Type: ctypes.Inner(p)})
	}
	return ctypes.Function{Name: name, Type: ctypes.Inner(y), File: file}
}

// knownTypes are types by object, or why there are none.
type knownTypes map[string]any

func (k knownTypes) Of(object string) (*ctypes.Types, error) {
	if err, ok := k[object].(error); ok {
		return nil, err
	}
	return k[object].(*ctypes.Types), nil
}

func (knownTypes) Close() {}

// declareFrom declares names by the types of vmlinux that d has.
func declareFrom(t *testing.T, d described, format string, wanted ...Wanted) string {
	t.Helper()
	known := ctypes.New(d)
	known.Name, known.Format = "/boot/vmlinux", format
	types := &Types{knownTypes{vmlinux: known}, &sympos.Table{}}
	var page cdecl.Page
	text, _, found := Declare(&page, types, wanted)
	assert.Empty(t, found)
	return text
}

func symbolsOf(name string, letter byte, files ...string) Wanted {
	w := Wanted{Name: name}
	for i, f := range files {
		w.List = append(w.List, sympos.Symbol{Object: vmlinux, Name: name, Position: i + 1, Type: letter,
			File: f})
	}
	return w
}

// With several prototypes there is one line for each, with its positions.
func TestDeclareByPrototype(t *testing.T) {
	d := described{functions: []ctypes.Function{
		functionOf("show", "drivers/a.c", anInt, anInt),
		functionOf("show", "drivers/b.c", anInt, aLong),
		functionOf("show", "fs/c.c", anInt, anInt),
		functionOf("same", "fs/d.c", anInt, anInt),
		functionOf("same", "fs/e.c", anInt, anInt),
	}}
	assert.Equal(t, `/* vmlinux, by DWARF of vmlinux */
// show: choose the declaration of the symbol that is meant
// extern int show(int x);	/* positions 1, 3, drivers/a.c, fs/c.c */
// extern int show(long x);	/* position 2, drivers/b.c */
extern int same(int x);	/* fs/d.c, fs/e.c */
`, declareFrom(t, d, "DWARF", symbolsOf("show", 't', "a.c", "b.c", "c.c"),
		symbolsOf("same", 't', "d.c", "e.c")))
}

func TestDeclareByNameAlone(t *testing.T) {
	d := described{functions: []ctypes.Function{
		functionOf("show", "", anInt, anInt),
		functionOf("show", "", anInt, aLong),
		functionOf("one", "", anInt, anInt),
		functionOf("assembly", "", noValue),
	}}
	assert.Equal(t, `/* vmlinux, by BTF of vmlinux */
// show: choose the declaration of the symbol that is meant
// extern int show(int x);	/* position not known */
// extern int show(long x);	/* position not known */
/* one: 2 symbols have the name, and BTF does not tell whose this is */
extern int one(int x);
/* assembly: BTF says this of functions in assembler, too */
// extern void assembly(void);
/* counter: BTF has the types of functions and of per-CPU variables only: declare it as the source does */
`, declareFrom(t, d, "BTF", symbolsOf("show", 't', "", ""), symbolsOf("one", 't', "", ""),
		symbolsOf("assembly", 'T', ""), symbolsOf("counter", 'd', "")))
}

// A symbol of the same name in another object is another choice, with another type.
func TestDeclareOfTwoObjects(t *testing.T) {
	objects := knownTypes{"xfs": sympos.ErrNoTypes, "nfs": errors.New("damaged")}
	for object, result := range map[string]*ctypes.Type{vmlinux: anInt, "ext4": aLong} {
		known := ctypes.New(described{functions: []ctypes.Function{functionOf("f", "", result, anInt)}})
		known.Name, known.Format = object, "BTF"
		objects[object] = known
	}
	var page cdecl.Page
	text, declared, found := Declare(&page, &Types{objects, &sympos.Table{}}, []Wanted{{"f", []sympos.Symbol{
		{Object: vmlinux, Name: "f", Position: 1, Type: 't'},
		{Object: "ext4", Name: "f", Position: 1, Type: 't'},
		{Object: "xfs", Name: "f", Position: 1, Type: 't'},
		{Object: "nfs", Name: "f", Position: 1, Type: 't'},
	}}})
	assert.Contains(t, text, "\n// extern long f(int x);\n")
	assert.Contains(t, text, "\n// extern int f(int x);\n")
	assert.False(t, declared["f"])
	require.Len(t, found, 2)
	assert.Equal(t, diag.Warning, found[0].Severity, "of nfs")
	assert.Equal(t, diag.Note, found[1].Severity, "of xfs")
}

// The functions of the symbol's file are meant, where the types tell files.
func TestFunctionsOf(t *testing.T) {
	types := ctypes.New(described{functions: []ctypes.Function{
		functionOf("f", "fs/a.c", anInt), functionOf("f", "fs/b.c", aLong),
		{Name: "f", Declared: true, File: "fs/b.c"},
	}})
	list, err := FunctionsOf(types, "f", sympos.Symbol{Name: "f", File: "b.c"})
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, "fs/b.c", list[0].File)
	list, err = FunctionsOf(types, "f", sympos.Symbol{Name: "f", File: "z.c"})
	require.NoError(t, err)
	assert.Len(t, list, 2)
}
