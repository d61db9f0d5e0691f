// SPDX-License-Identifier: GPL-2.0-or-later

package sympos_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// A name without a type is not void f().
func TestDeclarationWithoutAType(t *testing.T) {
	b, err := os.ReadFile("../testdata/types/undescribed.ko")
	require.NoError(t, err)
	types, err := sympos.ReadDeclarations("undescribed.ko", b, sympos.All)
	require.NoError(t, err)
	defer types.Close()
	for name, want := range map[string]struct {
		kind ctypes.Kind
		why  string
	}{
		"described": {ctypes.Func, ""},
		"undescribed": {ctypes.Unreadable, "debug information: entry at 0x1b: it has the " +
			"function's name and not its type, which gcc 11 and later write"},
	} {
		list, err := types.Functions(name)
		require.NoError(t, err)
		require.Len(t, list, 1, name)
		got := list[0].Type.Type()
		assert.Equal(t, want.kind, got.Kind, name)
		assert.Equal(t, want.why, got.Why, name)
	}
}
