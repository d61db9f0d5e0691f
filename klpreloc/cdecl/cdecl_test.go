// SPDX-License-Identifier: GPL-2.0-or-later

package cdecl

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

var (
	integer  = &ctypes.Type{Kind: ctypes.Int, Name: "int", Size: 4, Signed: true}
	long     = &ctypes.Type{Kind: ctypes.Int, Name: "long unsigned int", Size: 8}
	boolean  = &ctypes.Type{Kind: ctypes.Int, Name: "_Bool", Size: 1, Bool: true}
	file     = &ctypes.Type{Kind: ctypes.Struct, Name: "file", Size: 16}
	private  = &ctypes.Type{Kind: ctypes.Struct, Name: "private_things", Size: 16}
	nameless = &ctypes.Type{Kind: ctypes.Struct, Size: 16}
	void     = &ctypes.Type{}
)

func of(kind ctypes.Kind, t *ctypes.Type) *ctypes.Type {
	return &ctypes.Type{Kind: kind, Size: 8, Elem: ctypes.Inner(t)}
}

func typedef(name string, t *ctypes.Type) *ctypes.Type {
	return &ctypes.Type{Kind: ctypes.Typedef, Name: name, Elem: ctypes.Inner(t)}
}

func array(n uint64, t *ctypes.Type) *ctypes.Type {
	return &ctypes.Type{Kind: ctypes.Array, Count: n, Elem: ctypes.Inner(t)}
}

func prototype(result *ctypes.Type, params ...*ctypes.Type) *ctypes.Type {
	f := &ctypes.Type{Kind: ctypes.Func, Elem: ctypes.Inner(result)}
	for i, p := range params {
		f.Params = append(f.Params, ctypes.Param{Name: string(rune('a' + i)), Type: ctypes.Inner(p)})
	}
	return f
}

func function(name string, t *ctypes.Type) ctypes.Function {
	return ctypes.Function{Name: name, Type: ctypes.Inner(t)}
}

// Each row is a function's type, its declaration, what is before it, and what is remarked.
func TestFunctions(t *testing.T) {
	variadic := prototype(integer, of(ctypes.Pointer, of(ctypes.Const, integer)))
	variadic.Variadic = true
	enum := &ctypes.Type{Kind: ctypes.Enum, Name: "unheard_of", Size: 4}
	negative := &ctypes.Type{Kind: ctypes.Enum, Name: "unheard_of", Size: 4, Signed: true,
		Values: []ctypes.Enumerator{{Name: "NONE", Value: ^uint64(0)}}}
	arguments := &ctypes.Type{Kind: ctypes.Struct, Name: "__va_list_tag", Size: 24}
	for _, test := range []struct {
		y                       *ctypes.Type
		text, preamble, remarks string
	}{
		{prototype(void), "void f(void)", "", ""},
		{variadic, "int f(const int *a, ...)", "", ""},
		{prototype(long, boolean), "unsigned long f(bool a)", "#include <linux/types.h>\n", ""},
		{prototype(integer, of(ctypes.Pointer, file)), "int f(struct file *a)", "struct file;\n", ""},
		{prototype(private), "struct private_things f(void)", "struct private_things;\n", ""},
		{prototype(of(ctypes.Pointer, prototype(void, integer))), "void (*f(void))(int a)", "", ""},
		{prototype(integer, of(ctypes.Pointer, prototype(void, of(ctypes.Pointer, file)))),
			"int f(void (*a)(struct file *a))", "struct file;\n", ""},
		{prototype(integer, of(ctypes.Pointer, array(4, integer))), "int f(int (*a)[4])", "", ""},
		{prototype(integer, typedef("u32", integer)), "int f(u32 a)", "#include <linux/types.h>\n", ""},
		{prototype(integer, typedef("mine_t", of(ctypes.Pointer, private))), "int f(mine_t a)",
			"struct private_things;\n\n/* Typedefs again, as the header that has them is not known. */\n" +
				"typedef struct private_things *mine_t;\n", ""},
		{prototype(integer, typedef("outer_t", typedef("inner_t", long))), "int f(outer_t a)",
			"/* Typedefs again, as the header that has them is not known. */\n" +
				"typedef unsigned long inner_t;\ntypedef inner_t outer_t;\n", ""},
		{prototype(integer, of(ctypes.Pointer, typedef("odd_t", nameless))), "int f(void *a)", "",
			"void * is a pointer to odd_t, which is in no header that is known"},
		{prototype(integer, of(ctypes.Pointer, of(ctypes.Const, nameless))), "int f(const void *a)", "",
			"void * is a pointer to a struct without a name"},
		{prototype(enum), "unsigned int f(void)", "", "unsigned int is enum unheard_of"},
		{prototype(negative), "int f(void)", "", "int is enum unheard_of"},
		{prototype(integer, of(ctypes.Pointer, arguments)), "int f(va_list a)",
			"#include <linux/kernel.h>\n", ""},
	} {
		var p Page
		d, err := p.Function(function("f", test.y))
		require.NoError(t, err, test.text)
		assert.Equal(t, "extern "+test.text+";", d.Text)
		assert.Equal(t, test.preamble, p.Preamble(), test.text)
		assert.Equal(t, test.remarks, strings.Join(d.Remarks, "\n"), test.text)
	}
}

func TestWhatCannotBeDeclared(t *testing.T) {
	hostile := &ctypes.Type{Kind: ctypes.Struct, Name: "a; int b", Size: 4}
	endless := &ctypes.Type{Kind: ctypes.Pointer}
	endless.Elem = ctypes.Inner(endless)
	for _, test := range []struct {
		f    ctypes.Function
		want error
	}{
		{function("f()", prototype(void)), ErrName},
		{function("int", prototype(void)), ErrName},
		{function("f", prototype(hostile)), ErrName},
		{function("f", prototype(typedef("x y", integer))), ErrName},
		{function("f", prototype(&ctypes.Type{Kind: ctypes.Int, Name: "int x; int"})), ErrType},
		{function("f", prototype(nameless)), ErrUnnamed},
		{function("f", prototype(typedef("odd_t", nameless))), ErrUnnamed},
		{function("f", prototype(void, of(ctypes.Pointer, array(2, private)))), ErrIncomplete},
		{function("f", prototype(ctypes.Unread("damaged"))), ErrType},
		{function("f", prototype(endless)), ErrType},
		{function("f", integer), ErrType},
	} {
		var p Page
		_, err := p.Function(test.f)
		assert.ErrorIs(t, err, test.want, test.f.Name)
		assert.Empty(t, p.Preamble(), "nothing is left on the page")
	}
}

// A header makes a macro of the name.
func TestNamesThatAreMacros(t *testing.T) {
	var p Page
	d, err := p.Function(function("__memset", prototype(void)))
	require.NoError(t, err)
	assert.Equal(t, "extern void (__memset)(void);", d.Text)
}

func TestVariables(t *testing.T) {
	for _, test := range []struct {
		v    ctypes.Variable
		want string
	}{
		{ctypes.Variable{Name: "x", Type: ctypes.Inner(array(2, array(3, integer)))}, "extern int x[2][3];"},
		{ctypes.Variable{Name: "x", Type: ctypes.Inner(of(ctypes.Const, of(ctypes.Pointer, file)))},
			"extern struct file *const x;"},
		{ctypes.Variable{Name: "x", Type: ctypes.Inner(array(4, of(ctypes.Pointer, file))),
			Section: PerCPU}, "DECLARE_PER_CPU(struct file *[4], x);"},
		{ctypes.Variable{Name: "cpu_info", Type: ctypes.Inner(file), Section: PerCPU},
			"/* cpu_info is declared in <asm/processor.h> */"},
	} {
		var p Page
		d, err := p.Variable(test.v)
		require.NoError(t, err)
		assert.Equal(t, test.want, d.Text)
	}
	var p Page
	_, err := p.Variable(ctypes.Variable{Name: "x", Type: ctypes.Inner(array(2, private))})
	assert.ErrorIs(t, err, ErrIncomplete)
	_, err = p.Variable(ctypes.Variable{Name: "x", Type: ctypes.Inner(void)})
	assert.ErrorIs(t, err, ErrType)
}

func TestDefinitions(t *testing.T) {
	path := &ctypes.Type{Kind: ctypes.Struct, Name: "path", Size: 16}
	unnamed := prototype(integer, integer, integer)
	unnamed.Params[0].Name = ""
	for _, test := range []struct {
		y            *ctypes.Type
		head, result string
	}{
		{prototype(void), "void g(void)", ""},
		{prototype(boolean, integer), "bool g(int a)", "false"},
		{prototype(of(ctypes.Pointer, file)), "struct file *g(void)", "NULL"},
		{prototype(path, path), "struct path g(struct path a)", "(struct path){ }"},
		{unnamed, "int g(int arg1, int b)", "0"},
	} {
		var p Page
		head, result, _, err := p.Definition("g", function("f", test.y))
		require.NoError(t, err)
		assert.Equal(t, test.head, head)
		assert.Equal(t, test.result, result)
	}
	var p Page
	_, _, _, err := p.Definition("g", function("f", prototype(void, private)))
	assert.ErrorIs(t, err, ErrIncomplete, "what a definition takes must be complete")
}

// No header that is named is one that another one has to include.
func TestHeaders(t *testing.T) {
	for _, table := range []map[string]string{typedefHeaders(), tagHeaders(), perCPUHeaders()} {
		require.NotEmpty(t, table)
		for name, header := range table {
			assert.NotContains(t, header, "asm-generic/", name)
			assert.True(t, strings.HasSuffix(header, ".h"), name)
		}
	}
	assert.Equal(t, "linux/seq_file.h", tagHeaders()["struct seq_file"])
	assert.Equal(t, "linux/types.h", typedefHeaders()["u8"])
}
