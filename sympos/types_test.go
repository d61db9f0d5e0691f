// SPDX-License-Identifier: GPL-2.0-or-later

package sympos_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
	"github.com/klp-convert/klp-convert/sympos/typestest"
)

var updateTypes = flag.Bool("update-types", false, "rewrite testdata/types/*.txt")

// dump prints all that testdata/src/types/kernel.c has, as a reader describes it.
func dump(t *testing.T, types *ctypes.Types) string {
	var b strings.Builder
	for _, name := range []string{"is_ready", "read_device", "narrow", "nothing", "log_it",
		"by_value", "walk", "absent"} {
		list, err := types.Functions(name)
		require.NoError(t, err)
		for _, f := range list {
			fmt.Fprintf(&b, "%s;\n", f.Type.Type().Declare(name))
		}
	}
	for _, name := range []string{"table", "first_device", "banner", "counters", "mode"} {
		list, err := types.Variables(name)
		require.NoError(t, err)
		for _, v := range list {
			size, _ := v.Type.Type().SizeOf()
			n, elem := v.Type.Type().Elements()
			fmt.Fprintf(&b, "%s;  %d bytes, %d of %s\n", v.Type.Type().Declare(name), size, n, elem)
		}
	}
	for _, y := range []struct {
		kind ctypes.Kind
		name string
	}{
		{ctypes.Struct, "list"}, {ctypes.Struct, "device"}, {ctypes.Union, "word"},
		{ctypes.Struct, "later"}, {ctypes.Enum, "color"}, {ctypes.Enum, "signed_color"},
		{ctypes.Typedef, "atomic_t"}, {ctypes.Typedef, "bool"}, {ctypes.Union, "list"},
	} {
		list, err := types.Named(y.kind, y.name)
		require.NoError(t, err)
		for _, y := range list {
			dumpType(&b, y, "")
		}
	}
	return b.String()
}

func dumpType(b *strings.Builder, y *ctypes.Type, indent string) {
	bare := y.Bare()
	fmt.Fprintf(b, "%s%s: %d bytes", indent, y, bare.Size)
	for _, flag := range []struct {
		set  bool
		name string
	}{{bare.Incomplete, "declared only"}, {bare.Signed, "signed"}, {bare.Bool, "bool"}} {
		if flag.set {
			fmt.Fprintf(b, ", %s", flag.name)
		}
	}
	b.WriteByte('\n')
	for _, m := range bare.Members {
		typ := m.Type.Type()
		fmt.Fprintf(b, "%s  %d", indent, m.Offset)
		if m.Width > 0 {
			fmt.Fprintf(b, ":%d", m.Width)
		}
		fmt.Fprintf(b, "  %s\n", typ.Declare(m.Name))
		if (typ.Kind == ctypes.Struct || typ.Kind == ctypes.Union) && typ.Name == "" {
			dumpType(b, typ, indent+"    ")
		}
	}
	for _, v := range bare.Values {
		fmt.Fprintf(b, "%s  %s = %d\n", indent, v.Name, int64(v.Value))
	}
}

func readDescribed(t *testing.T, name string) *ctypes.Types {
	return typestest.Read(t, "../testdata/types", name)
}

// The same source in every version of DWARF and by two compilers reads as the same types, and in
// BTF as nearly the same.
func TestTypesOfEveryFormat(t *testing.T) {
	for golden, names := range map[string][]string{
		"x86_64-dwarf": {"x86_64-dwarf2", "x86_64-dwarf3", "x86_64-dwarf4", "x86_64-dwarf5",
			"x86_64-units4", "x86_64-units5"},
		"x86_64-clang": {"x86_64-clang"},
		"s390x-dwarf":  {"s390x-dwarf2", "s390x-dwarf3", "s390x-dwarf4", "s390x-dwarf5"},
		// with relocations that add and subtract
		"loongarch64-dwarf": {"loongarch64-relax"},
		"x86_64-btf":        {"x86_64-btf"},
		"s390x-btf":         {"s390x-btf"},
	} {
		path := filepath.Join("..", "testdata", "types", golden+".txt")
		for i, name := range names {
			t.Run(name, func(t *testing.T) {
				got := dump(t, readDescribed(t, name))
				if *updateTypes && i == 0 {
					require.NoError(t, os.WriteFile(path, []byte(got), 0o666))
				}
				want, err := os.ReadFile(path)
				require.NoError(t, err)
				assert.Equal(t, string(want), got)
			})
		}
	}
}

func TestDeclarationsOfALivepatch(t *testing.T) {
	for _, arch := range []string{"x86_64", "s390x"} {
		types := readDescribed(t, arch+"-patch")
		assert.Equal(t, arch == "s390x", types.BigEndian)
		names, err := types.FunctionNames()
		require.NoError(t, err)
		assert.Equal(t, []string{"use"}, names, "defined functions")
		list, err := types.Functions("is_ready")
		require.NoError(t, err)
		require.Len(t, list, 1)
		assert.True(t, list[0].Declared)
		assert.False(t, list[0].Static)
		assert.Contains(t, list[0].File, "patch.c")
		vars, err := types.Variables("counters")
		require.NoError(t, err)
		require.Len(t, vars, 1)
		assert.True(t, vars[0].Declared)
		assert.Zero(t, vars[0].Size)
	}
	kernel := readDescribed(t, "x86_64-dwarf5")
	list, err := kernel.Functions("narrow")
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.True(t, list[0].Static)
	assert.False(t, list[0].Declared)
	// A definition that follows a declaration has no name of its own.
	table, err := kernel.Variables("table")
	require.NoError(t, err)
	require.Len(t, table, 1)
	assert.False(t, table[0].Declared)
	assert.Equal(t, uint64(16), table[0].Size)
	names, err := kernel.FunctionNames()
	require.NoError(t, err)
	slices.Sort(names)
	assert.Equal(t, []string{"by_value", "is_ready", "log_it", "narrow", "nothing", "read_device",
		"walk"}, names)
}
