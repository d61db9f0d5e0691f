// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each tool that counted positions before this one took some order for the
// loader's that was not. The position it gave was valid, and meant another symbol.
// Beside the test here:
//
//	kpatch    the order of a vmlinux's symbol table     here
//	          addresses in modules, local ones only     TestMistakeOfKpatch_AddressOrderInModules
//	v7        a list that nm had sorted by name         TestMistakeOfV7_ListSortedByName
//	objtool   vmlinux.o, which is not linked yet        TestMistakeOfObjtool_OrderOfVmlinuxO

// kpatch counted a vmlinux's symbols in the order in which readelf printed them,
// which is that of the files until the linker moves a section (kpatch #1443), and
// counted local symbols only.
func TestMistakeOfKpatch_ReadelfOrderInVmlinux(t *testing.T) {
	b := tinyVmlinux(
		tinySymbol{"b.c", local | file, abs, 0, 0},
		tinySymbol{"dup", local | fn, 1, 0x1020, 4},
		tinySymbol{"c.c", local | file, abs, 0, 0},
		tinySymbol{"dup", local | fn, 1, 0x1000, 4},
		tinySymbol{"dup", global | data_, 1, 0x1010, 4},
	).bytes()
	table := read(t, source(t, "vmlinux", b))
	list := table.Lookup(Vmlinux, "dup")
	assert.Equal(t, []uint64{0x1000, 0x1010, 0x1020}, addresses(list))
	// readelf's first is the kernel's third.
	s, err := table.Resolve(Vmlinux, "dup", 1)
	require.NoError(t, err)
	assert.Equal(t, "c.c", s.File)
	s, err = table.Resolve(Vmlinux, "dup", 3)
	require.NoError(t, err)
	assert.Equal(t, "b.c", s.File)
}
