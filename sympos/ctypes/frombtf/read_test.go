// SPDX-License-Identifier: GPL-2.0-or-later

package frombtf_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
	"github.com/klp-convert/klp-convert/sympos/ctypes/frombtf"
)

var orders = []byteOrder{binary.LittleEndian, binary.BigEndian}

// declarations returns the declarations of all functions of that name.
func declarations(t *testing.T, types *ctypes.Types, name string) (list []string) {
	functions, err := types.Functions(name)
	require.NoError(t, err)
	for _, f := range functions {
		list = append(list, f.Type.Type().Declare(f.Name))
	}
	return list
}

func TestRead(t *testing.T) {
	for _, order := range orders {
		types, err := frombtf.Read("vmlinux", sample(order).bytes(24))
		require.NoError(t, err)
		assert.Equal(t, order == byteOrder(binary.BigEndian), types.BigEndian)
		assert.Zero(t, types.Decoded(), "nothing is decoded before it is asked for")

		assert.Equal(t, []string{"_Bool visit(struct node *p, int p)"},
			declarations(t, types, "visit"))
		assert.Equal(t, []string{"int twin(int p)", "int twin(struct node *p)"},
			declarations(t, types, "twin"))
		assert.Empty(t, declarations(t, types, "node"), "a struct is no function")
		assert.Empty(t, declarations(t, types, "absent"))
		names, err := types.FunctionNames()
		require.NoError(t, err)
		assert.Equal(t, []string{"visit", "twin", "twin", "printk"}, names)

		vars, err := types.Variables("runqueue")
		require.NoError(t, err)
		require.Len(t, vars, 1)
		assert.Equal(t, ".data..percpu", vars[0].Section)
		assert.Equal(t, uint64(16), vars[0].Size)

		list, err := types.Named(ctypes.Struct, "node")
		require.NoError(t, err)
		require.Len(t, list, 1)
		node := list[0]
		assert.Same(t, node, node.Members[0].Type.Type().Elem.Type(), "a type is one pointer")
		assert.Same(t, node, vars[0].Type.Type())
		assert.True(t, node.Members[2].Type.Type().Bool)

		later, err := types.Named(ctypes.Struct, "later")
		require.NoError(t, err)
		require.Len(t, later, 1)
		assert.True(t, later[0].Incomplete)
		unions, err := types.Named(ctypes.Union, "later")
		require.NoError(t, err)
		assert.Empty(t, unions, "it is a struct")
	}
}

// A parameter that is void and has no name is "...".
// Up to some version before 1.24, pahole marked no character as signed.
func TestSignOfChar(t *testing.T) {
	for _, test := range []struct {
		name         string
		encoding     uint32 // of signed char
		charEncoding uint32
		isSigned     bool
		unknown      bool
	}{
		{name: "signed char", encoding: 0, charEncoding: 0, unknown: true},
		{name: "signed char", encoding: 1, charEncoding: 0},
		{name: "signed char", encoding: 1, charEncoding: 1, isSigned: true},
		{name: "unsigned char", encoding: 0, charEncoding: 0, unknown: true},
		{name: "unsigned char", encoding: 0, charEncoding: 1, isSigned: true},
	} {
		b := sample(binary.LittleEndian)
		b.function("plain", b.int("char", 1, test.charEncoding))
		b.function("other", b.int(test.name, 1, test.encoding))
		types, err := frombtf.Read("vmlinux", b.bytes(24))
		require.NoError(t, err)
		result := func(name string) *ctypes.Type {
			list, err := types.Functions(name)
			require.NoError(t, err)
			require.Len(t, list, 1)
			return list[0].Type.Type().Elem.Type()
		}
		assert.Equal(t, test.isSigned, result("plain").Signed, test)
		assert.Equal(t, test.unknown, result("plain").SignUnknown, test)
		assert.Equal(t, test.name == "signed char", result("other").Signed, test)
		assert.False(t, result("other").SignUnknown)
	}
}

func TestVariadic(t *testing.T) {
	b := newBlob(binary.LittleEndian)
	integer := b.int("int", 4, 1)
	proto := b.add(kindFuncProto, "", 2, integer, b.name("n"), integer, 0, 0)
	b.add(kindFunc, "log", 0, proto)
	types, err := frombtf.Read("vmlinux", b.bytes(24))
	require.NoError(t, err)
	assert.Equal(t, []string{"int log(int n, ...)"}, declarations(t, types, "log"))
}

// Only what leads from a function to its parameters is decoded.
func TestLazy(t *testing.T) {
	types, err := frombtf.Read("vmlinux", sample(binary.LittleEndian).bytes(24))
	require.NoError(t, err)
	list, err := types.Functions("visit")
	require.NoError(t, err)
	list[0].Type.Type()
	assert.Equal(t, 1, types.Decoded())
	list[0].Type.Type().Params[0].Type.Type()
	assert.Equal(t, 2, types.Decoded())
}

// Headers are longer from 7.1 on.
func TestLongHeader(t *testing.T) {
	types, err := frombtf.Read("vmlinux", sample(binary.BigEndian).bytes(32))
	require.NoError(t, err)
	assert.Len(t, declarations(t, types, "twin"), 2)
}

// A tag is around a type, and is none.
func TestTypeTags(t *testing.T) {
	b := newBlob(binary.LittleEndian)
	integer := b.int("int", 4, 1)
	tagged := b.add(kindTypeTag, "user", 0, integer)
	pointer := b.add(kindPtr, "", 0, tagged)
	b.function("copy", tagged, pointer)
	types, err := frombtf.Read("vmlinux", b.bytes(24))
	require.NoError(t, err)
	assert.Equal(t, []string{"int copy(int *p)"}, declarations(t, types, "copy"))
}

func TestSplit(t *testing.T) {
	for _, order := range orders {
		base := sample(order)
		kernel, err := frombtf.Read("vmlinux", base.bytes(24))
		require.NoError(t, err)
		b := base.split()
		own := b.add(kindStruct, "own", 1, 8, b.name("node"), base.ids["pointer"], 0)
		b.function("mine", base.ids["int"], b.add(kindPtr, "", 0, own))
		b.function("visit", base.ids["int"])
		module, err := frombtf.ReadSplit("ext.ko", b.bytes(24), nil, kernel)
		require.NoError(t, err)
		assert.Equal(t, []string{"int mine(struct own *p)"}, declarations(t, module, "mine"))
		assert.Equal(t, []string{"int visit(void)"}, declarations(t, module, "visit"),
			"functions of the kernel are not those of the module")
		list, err := module.Named(ctypes.Struct, "own")
		require.NoError(t, err)
		require.Len(t, list, 1)
		nodes, err := kernel.Named(ctypes.Struct, "node")
		require.NoError(t, err)
		assert.Same(t, nodes[0], list[0].Members[0].Type.Type().Elem.Type(), "the kernel's type")
		again, err := module.Named(ctypes.Struct, "node")
		require.NoError(t, err)
		require.Len(t, again, 1)
		assert.Same(t, nodes[0], again[0])
	}
}

// Numbers of another kernel mean other types.
func TestSplitFromAnotherKernel(t *testing.T) {
	base := sample(binary.LittleEndian)
	b := base.split()
	b.add(kindPtr, "", 0, base.ids["node"])
	other := newBlob(binary.LittleEndian)
	integer := other.int("int", 4, 1)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		other.function(name, integer)
	}
	for uint32(len(other.strings)) < uint32(len(base.strings)) {
		other.name("x")
	}
	kernel, err := frombtf.Read("vmlinux", other.bytes(24))
	require.NoError(t, err)
	other.types = nil
	b.add(kindPtr, "", 0, 3) // a function there
	_, err = frombtf.ReadSplit("ext.ko", b.bytes(24), nil, kernel)
	require.ErrorIs(t, err, frombtf.ErrOtherBase)

	_, err = frombtf.ReadSplit("ext.ko", b.bytes(24), nil, nil)
	require.ErrorContains(t, err, "needs that of the kernel, which is not available")
}

// A module that was built outside of the kernel's tree names the kernel's types.
func TestDistilledBase(t *testing.T) {
	kernel, err := frombtf.Read("vmlinux", sample(binary.LittleEndian).bytes(24))
	require.NoError(t, err)
	for _, test := range []struct {
		name string
		size uint32
		same bool
	}{{"node", 16, true}, {"node", 24, false}, {"gone", 16, false}} {
		base := newBlob(binary.LittleEndian)
		integer := base.int("int", 4, 1)
		stub := base.add(kindStruct, test.name, 0, test.size)
		b := base.split()
		b.function("mine", integer, b.add(kindPtr, "", 0, stub))
		for _, k := range []*ctypes.Types{kernel, nil} {
			module, err := frombtf.ReadSplit("ext.ko", b.bytes(24), base.bytes(24), k)
			require.NoError(t, err)
			assert.Equal(t, []string{"int mine(struct " + test.name + " *p)"},
				declarations(t, module, "mine"))
			list, err := module.Functions("mine")
			require.NoError(t, err)
			y := list[0].Type.Type().Params[0].Type.Type().Elem.Type()
			if test.same && k != nil {
				assert.Len(t, y.Members, 3)
				continue
			}
			assert.True(t, y.Incomplete)
			assert.Equal(t, uint64(test.size), y.Size)
		}
	}
}

// One field of a good file is changed.
func TestDamaged(t *testing.T) {
	good := sample(binary.LittleEndian).bytes(24)
	le := binary.LittleEndian
	put := func(off int, n uint32) func([]byte) []byte {
		return func(b []byte) []byte { le.PutUint32(b[off:], n); return b }
	}
	for name, test := range map[string]struct {
		change func(b []byte) []byte
		want   string
	}{
		"empty":       {func([]byte) []byte { return nil }, "header is cut short"},
		"magic":       {func(b []byte) []byte { b[0] = 0; return b }, "does not begin with the magic"},
		"version":     {func(b []byte) []byte { b[2] = 2; return b }, "version 2"},
		"flags":       {func(b []byte) []byte { b[3] = 1; return b }, "flags 0x1"},
		"header":      {put(4, 1<<31), "header of 2147483648 bytes"},
		"short":       {put(4, 20), "header of 20 bytes"},
		"types":       {put(12, 0xfffffff0), "bytes of types"},
		"unaligned":   {put(8, 2), "bytes of types"},
		"names":       {put(20, 0xffffffff), "bytes of names"},
		"cut":         {put(12, 20), "type 2 is cut short"},
		"no end":      {func(b []byte) []byte { b[len(b)-1] = 'x'; return b }, "begin and end with NUL"},
		"kind":        {put(24+4, 63<<24), "unknown kind 63"},
		"name":        {put(24, 2), "not the beginning of a string"},
		"far name":    {put(24, 1<<30), "not the beginning of a string"},
		"reference":   {put(24+3*16+12+4, 1<<20), "but there are"},
		"to function": {put(24+3*16+12+4, 7), "which is of kind 12"},
		"vlen":        {put(24+3*16+4, kindStruct<<24|0x1ffff), "more than 65535"},
		"long struct": {put(24+3*16+4, kindStruct<<24|0xffff), "cut short"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := frombtf.Read("vmlinux", test.change(append([]byte(nil), good...)))
			require.ErrorContains(t, err, test.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// cilium/ebpf would call itself for each type of a chain: a million of them would end the program.
func TestLongChain(t *testing.T) {
	b := newBlob(binary.LittleEndian)
	integer := b.int("int", 4, 1)
	first := b.next
	for range 1 << 19 { // half of what a file may have
		b.add(kindPtr, "", 0, b.next+1)
	}
	b.add(kindPtr, "", 0, integer)
	b.function("far", integer, first)
	types, err := frombtf.Read("vmlinux", b.bytes(24))
	require.NoError(t, err)
	list, err := types.Functions("far")
	require.NoError(t, err)
	y := list[0].Type.Type().Params[0].Type.Type()
	assert.Equal(t, ctypes.Pointer, y.Elem.Type().Kind)
	assert.Equal(t, 3, types.Decoded())
	assert.Less(t, len(y.String()), 100)
}

// A member's name that is not where a string begins is not another name.
func TestNamesOfMembers(t *testing.T) {
	for _, off := range []uint32{2, 1 << 30} {
		b := newBlob(binary.LittleEndian)
		integer := b.int("int", 4, 1)
		b.function("f", b.add(kindStruct, "s", 1, 4, off, integer, 0))
		types, err := frombtf.Read("vmlinux", b.bytes(24))
		require.NoError(t, err)
		list, err := types.Functions("f")
		require.NoError(t, err)
		y := list[0].Type.Type().Elem.Type()
		assert.Equal(t, ctypes.Unreadable, y.Kind)
		assert.Contains(t, y.Why, "is not the beginning of a string")
	}
}

// Typedefs that stand for each other have no type.
func TestCycleOfTypedefs(t *testing.T) {
	b := newBlob(binary.LittleEndian)
	b.add(kindTypedef, "a", 0, 2)
	b.add(kindTypedef, "b", 0, 1)
	b.add(kindArray, "", 0, 0, 3, 3, 2)
	types, err := frombtf.Read("vmlinux", b.bytes(24))
	require.NoError(t, err)
	list, err := types.Named(ctypes.Typedef, "a")
	require.NoError(t, err)
	assert.Equal(t, ctypes.Unreadable, list[0].Bare().Kind)
	array := types.Ref(3).Type()
	_, ok := array.SizeOf()
	assert.False(t, ok)
	_, elem := array.Elements()
	assert.Equal(t, ctypes.Unreadable, elem.Kind)
	assert.NotEmpty(t, array.String())
}
