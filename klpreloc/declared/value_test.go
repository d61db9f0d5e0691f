// SPDX-License-Identifier: GPL-2.0-or-later

package declared

import (
	"debug/elf"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// A char whose sign the kernel's types do not tell is the livepatch's char, and nothing is said
// of other integers of one byte.
func TestCharOfUnknownSign(t *testing.T) {
	unknown := &ctypes.Type{Kind: ctypes.Int, Name: "char", Size: 1, SignUnknown: true}
	for _, test := range []struct {
		declared *ctypes.Type
		want     string
	}{
		{tChar, ""},
		{&ctypes.Type{Kind: ctypes.Int, Name: "char", Size: 1}, ""},
		{tUchar, "unjudged"},
		{&ctypes.Type{Kind: ctypes.Int, Name: "signed char", Size: 1, Signed: true}, "unjudged"},
		{tInt, "wrong code width"},
	} {
		assert.Equal(t, test.want, summary(Variable(x86, theVariable(test.declared),
			theVariable(unknown))), "%s", test.declared)
	}
}

// Types for the tests, as a 64-bit machine has them.
var (
	tVoid   = &ctypes.Type{}
	tInt    = &ctypes.Type{Kind: ctypes.Int, Name: "int", Size: 4, Signed: true}
	tUint   = &ctypes.Type{Kind: ctypes.Int, Name: "unsigned int", Size: 4}
	tLong   = &ctypes.Type{Kind: ctypes.Int, Name: "long", Size: 8, Signed: true}
	tUlong  = &ctypes.Type{Kind: ctypes.Int, Name: "unsigned long", Size: 8}
	tShort  = &ctypes.Type{Kind: ctypes.Int, Name: "short", Size: 2, Signed: true}
	tUshort = &ctypes.Type{Kind: ctypes.Int, Name: "unsigned short", Size: 2}
	tChar   = &ctypes.Type{Kind: ctypes.Int, Name: "char", Size: 1, Signed: true, Char: true}
	tUchar  = &ctypes.Type{Kind: ctypes.Int, Name: "unsigned char", Size: 1, Char: true}
	tBool   = &ctypes.Type{Kind: ctypes.Int, Name: "_Bool", Size: 1, Bool: true}
	tEnum   = &ctypes.Type{Kind: ctypes.Enum, Name: "e", Size: 4,
		Values: []ctypes.Enumerator{{Name: "A"}}}
	tDev   = &ctypes.Type{Kind: ctypes.Struct, Name: "dev", Size: 64}
	tFile  = &ctypes.Type{Kind: ctypes.Struct, Name: "file", Size: 128}
	tLater = &ctypes.Type{Kind: ctypes.Struct, Name: "later", Incomplete: true}
	tBad   = ctypes.Unread("damaged")
)

func ptr(t *ctypes.Type) *ctypes.Type {
	return &ctypes.Type{Kind: ctypes.Pointer, Size: 8, Elem: ctypes.Inner(t)}
}

func named(name string, t *ctypes.Type) *ctypes.Type {
	return &ctypes.Type{Kind: ctypes.Typedef, Name: name, Elem: ctypes.Inner(t)}
}

func qualified(kind ctypes.Kind, t *ctypes.Type) *ctypes.Type {
	return &ctypes.Type{Kind: kind, Elem: ctypes.Inner(t)}
}

func array(n uint64, t *ctypes.Type) *ctypes.Type {
	return &ctypes.Type{Kind: ctypes.Array, Count: n, Elem: ctypes.Inner(t)}
}

func function(result *ctypes.Type, params ...*ctypes.Type) *ctypes.Type {
	f := &ctypes.Type{Kind: ctypes.Func, Elem: ctypes.Inner(result)}
	for _, p := range params {
		f.Params = append(f.Params, ctypes.Param{Type: ctypes.Inner(p)})
	}
	return f
}

func variadic(f *ctypes.Type) *ctypes.Type { f.Variadic = true; return f }

func theFunction(t *ctypes.Type) ctypes.Function {
	return ctypes.Function{Name: "f", Type: ctypes.Inner(t), Compiled: true}
}

func theVariable(t *ctypes.Type) ctypes.Variable {
	return ctypes.Variable{Name: "v", Type: ctypes.Inner(t)}
}

// summary is severity and subject of each difference.
func summary(c Comparison) string {
	subjects := map[Subject]string{ParameterCount: "count", Order: "order", Variadic: "variadic",
		Class: "class", Width: "width", Sign: "sign", Bool: "bool", PointedTo: "pointed to",
		PointerDepth: "depth", Length: "length", Constant: "const", Size: "size",
		Offset: "offset", Missing: "missing", Added: "added", Renamed: "renamed", Value: "value"}
	var list []string
	for _, d := range c.Differences {
		text := d.Severity.String() + " " + subjects[d.Subject]
		if d.Place != "" {
			text += " at " + d.Place
		}
		list = append(list, text)
	}
	if len(c.Unjudged) > 0 {
		list = append(list, "unjudged")
	}
	return strings.Join(list, ", ")
}

const x86 = elf.EM_X86_64

// A value as a parameter of a borrowed function, as its result, and in memory.
func TestValues(t *testing.T) {
	fn := func(params ...*ctypes.Type) *ctypes.Type { return ptr(function(tInt, params...)) }
	for _, test := range []struct {
		declared, actual          *ctypes.Type
		parameter, result, memory string
	}{
		{tInt, tInt, "", "", ""},
		// Spelling.
		{tUchar, named("u8", tUchar), "", "", ""},
		{qualified(ctypes.Const, tInt), tInt, "", "", ""},
		{ptr(tChar), ptr(qualified(ctypes.Const, tChar)), "", "", ""},
		{ptr(tChar), ptr(tUchar), "", "", ""},
		{named("dev_t", ptr(tDev)), ptr(tDev), "", "", ""},
		{ptr(tVoid), ptr(tDev), "", "", ""},
		{ptr(tLater), ptr(tVoid), "", "", ""},
		{tEnum, tInt, "", "", ""},
		{tEnum, tUint, "", "", ""},
		// Width and sign.
		{tInt, tLong, "wrong code width", "wrong code width", "wrong code width"},
		{tInt, tBool, "wrong code width", "wrong code width", "wrong code width"},
		{tUlong, tUint, "wrong code width", "wrong code width", "wrong code width"},
		{tInt, tUint, "note sign", "wrong code sign", "wrong code sign"},
		{tShort, tUshort, "wrong code sign", "wrong code sign", "wrong code sign"},
		{tChar, tUchar, "wrong code sign", "wrong code sign", "wrong code sign"},
		{tBool, tUchar, "wrong code bool", "wrong code bool", "wrong code bool"},
		{tUchar, tBool, "wrong code bool", "note bool", "wrong code bool"},
		// Pointers.
		{ptr(tDev), ptr(tFile), "note pointed to", "note pointed to", "note pointed to"},
		{ptr(tDev), tUlong, "note class", "note class", "note class"},
		{ptr(tDev), tInt, "wrong code width", "wrong code width", "wrong code width"},
		{ptr(tDev), ptr(ptr(tDev)), "wrong code depth", "wrong code depth", "wrong code depth"},
		{ptr(ptr(tInt)), ptr(tInt), "wrong code depth", "wrong code depth", "wrong code depth"},
		{ptr(ptr(tDev)), ptr(tUlong), "note pointed to", "note pointed to", "note pointed to"},
		{ptr(tInt), ptr(tLong), "wrong code pointed to", "wrong code pointed to",
			"wrong code pointed to"},
		{ptr(tInt), ptr(tUint), "note pointed to", "note pointed to", "note pointed to"},
		{ptr(tDev), ptr(tChar), "note pointed to", "note pointed to", "note pointed to"},
		{ptr(array(16, tChar)), ptr(tChar), "", "", ""},
		// Callbacks.
		{fn(tInt), fn(tInt), "", "", ""},
		{fn(tInt), fn(tInt, tInt), "wrong code pointed to", "wrong code pointed to",
			"wrong code pointed to"},
		{fn(ptr(tDev)), fn(ptr(tFile)), "note pointed to", "note pointed to", "note pointed to"},
		{fn(fn(tInt)), fn(fn(tLong)), "wrong code pointed to", "wrong code pointed to",
			"wrong code pointed to"},
		{fn(tInt), ptr(tVoid), "", "", ""},
		// Structs by value.
		{tDev, tDev, "", "", ""},
		{tDev, tFile, "wrong code size", "wrong code size", "wrong code size"},
		{tDev, &ctypes.Type{Kind: ctypes.Struct, Name: "other", Size: 64}, "note pointed to",
			"note pointed to", "note pointed to"},
		{tUint, &ctypes.Type{Kind: ctypes.Struct, Name: "kuid", Size: 4}, "note class", "note class",
			"note class"},
		{tLong, tDev, "wrong code class", "wrong code class", "wrong code class"},
		// What is not known.
		{tBad, tInt, "unjudged", "unjudged", "unjudged"},
		{tInt, tBad, "unjudged", "unjudged", "unjudged"},
		{ptr(tBad), ptr(tInt), "unjudged", "unjudged", "unjudged"},
	} {
		text := test.declared.String() + ", " + test.actual.String()
		at := func(place, text string) string {
			if text == "" || text == "unjudged" {
				return text
			}
			return text + " at " + place
		}
		got := Function(x86, Borrowed, theFunction(function(tVoid, test.declared)),
			theFunction(function(tVoid, test.actual)))
		assert.Equal(t, at("parameter 1", test.parameter), summary(got), "parameter: %s", text)
		got = Function(x86, Borrowed, theFunction(function(test.declared)),
			theFunction(function(test.actual)))
		assert.Equal(t, at("return value", test.result), summary(got), "result: %s", text)
		// A function that is replaced is called by the kernel.
		got = Function(x86, Replaced, theFunction(function(tVoid, test.declared)),
			theFunction(function(tVoid, test.actual)))
		assert.Equal(t, at("parameter 1", test.result), summary(got), "replaced: %s", text)
		got = Function(x86, Replaced, theFunction(function(test.declared)),
			theFunction(function(test.actual)))
		assert.Equal(t, at("return value", test.parameter), summary(got), "replaced: %s", text)
		assert.Equal(t, test.memory, summary(Variable(x86, theVariable(test.declared),
			theVariable(test.actual))), "variable: %s", text)
	}
}

// Who extends narrow values is a matter of the machine.
func TestExtension(t *testing.T) {
	for _, test := range []struct {
		machine          elf.Machine
		declared, actual *ctypes.Type
		want             Severity
	}{
		{elf.EM_X86_64, tInt, tUint, Note},
		{elf.EM_S390, tInt, tUint, WrongCode},
		{elf.EM_PPC64, tInt, tUint, WrongCode},
		{elf.EM_S390, tLong, tUlong, Note},
		{elf.EM_LOONGARCH, tInt, tUint, Note},
		{elf.EM_LOONGARCH, tShort, tUshort, WrongCode},
		{elf.EM_AARCH64, tShort, tUshort, Note},
		{elf.EM_S390, tUint, &ctypes.Type{Kind: ctypes.Struct, Name: "kuid", Size: 4}, WrongCode},
	} {
		c := Function(test.machine, Borrowed, theFunction(function(tVoid, test.declared)),
			theFunction(function(tVoid, test.actual)))
		assert.Equal(t, test.want, c.Worst(), "%s: %s, %s", test.machine, test.declared, test.actual)
	}
}

func TestPrototypes(t *testing.T) {
	unprototyped := function(tInt)
	unprototyped.Unprototyped = true
	for _, test := range []struct {
		declared, actual   *ctypes.Type
		borrowed, replaced string
	}{
		{function(tInt, tInt), function(tInt), "wrong code count", "wrong code count"},
		{function(tInt), function(tInt, tInt), "wrong code count", "wrong code count"},
		{function(tInt, ptr(tChar)), variadic(function(tInt, ptr(tChar))), "wrong code variadic",
			"wrong code variadic"},
		{variadic(function(tInt, ptr(tChar))), variadic(function(tInt, ptr(tChar))), "", ""},
		{function(tInt, tLong, ptr(tDev)), function(tInt, ptr(tDev), tLong),
			"note class at parameter 1, note class at parameter 2, wrong code order",
			"note class at parameter 1, note class at parameter 2, wrong code order"},
		{function(tInt, ptr(tVoid), tInt, ptr(tDev)), function(tInt, ptr(tDev), tInt, ptr(tVoid)),
			"wrong code order", "wrong code order"},
		{function(tInt, ptr(tDev), ptr(qualified(ctypes.Const, tDev))),
			function(tInt, ptr(qualified(ctypes.Const, tDev)), ptr(tDev)),
			"wrong code order", "wrong code order"},
		{function(tInt, tUlong, named("size_t", tUlong)),
			function(tInt, named("size_t", tUlong), tUlong), "", ""},
		{unprototyped, function(tInt, tInt), "unjudged", "unjudged"},
		{unprototyped, function(tInt), "", ""},
		{function(tInt), function(tVoid), "wrong code class at return value",
			"note class at return value"},
		{function(tVoid), function(tInt), "note class at return value",
			"wrong code class at return value"},
		{function(tVoid), function(tDev), "wrong code class at return value",
			"wrong code class at return value"},
		{tInt, function(tInt), "unjudged", "unjudged"},
		{tBad, function(tInt), "unjudged", "unjudged"},
	} {
		text := test.declared.Declare("f") + ", " + test.actual.Declare("f")
		assert.Equal(t, test.borrowed, summary(Function(x86, Borrowed, theFunction(test.declared),
			theFunction(test.actual))), text)
		assert.Equal(t, test.replaced, summary(Function(x86, Replaced, theFunction(test.declared),
			theFunction(test.actual))), text)
	}
}

// BTF says void f(void) of functions in assembler.
func TestAssembler(t *testing.T) {
	declared, empty := theFunction(function(tInt, tInt)), theFunction(function(tVoid))
	assert.Equal(t, WrongCode, Function(x86, Borrowed, declared, empty).Worst())
	empty.Compiled = false
	assert.Equal(t, "unjudged", summary(Function(x86, Borrowed, declared, empty)))
	assert.Equal(t, "", summary(Function(x86, Borrowed, empty, empty)))
}

func TestSeveralPrototypes(t *testing.T) {
	declared := theFunction(function(tInt, ptr(tDev)))
	all, fits := Functions(x86, Borrowed, declared, []ctypes.Function{
		theFunction(function(tInt, tInt)), theFunction(function(tInt, ptr(tFile))),
		theFunction(function(tInt, ptr(tDev))),
	})
	require.Len(t, all, 3)
	assert.Equal(t, []int{2, 1}, fits, "the better one first")
	_, fits = Functions(x86, Borrowed, declared, []ctypes.Function{theFunction(function(tBool))})
	assert.Empty(t, fits)
}

func TestVariables(t *testing.T) {
	for _, test := range []struct {
		declared, actual *ctypes.Type
		want             string
	}{
		{array(0, tInt), array(4, tInt), ""},
		{array(4, tInt), array(4, tInt), ""},
		{array(8, tInt), array(4, tInt), "wrong code length"},
		{array(2, array(3, tInt)), array(6, tInt), ""},
		{array(0, array(3, tInt)), array(6, tInt), ""},
		{array(4, tInt), array(4, tLong), "wrong code width"},
		{ptr(tChar), array(16, tChar), "wrong code class"},
		{array(0, tChar), ptr(tChar), "wrong code class"},
		{array(4, ptr(tDev)), array(4, ptr(tFile)), "note pointed to"},
		{tDev, ptr(tDev), "wrong code class"},
		{tLater, tDev, "note pointed to"},
		{tInt, qualified(ctypes.Const, tInt), "note const"},
		{array(4, tInt), array(4, qualified(ctypes.Const, tInt)), "note const"},
		{qualified(ctypes.Const, tInt), tInt, ""},
		{tInt, tVoid, "unjudged"},
		{tInt, function(tInt), "wrong code class"},
	} {
		assert.Equal(t, test.want, summary(Variable(x86, theVariable(test.declared),
			theVariable(test.actual))), "%s, %s", test.declared, test.actual)
	}
	perCPU := theVariable(tInt)
	perCPU.Section = PerCPU
	assert.Equal(t, "unjudged", summary(Variable(x86, theVariable(tInt), perCPU)))
}
