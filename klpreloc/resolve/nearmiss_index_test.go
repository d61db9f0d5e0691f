// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/sympos"
)

// A module can miss as many names as a kernel has. So each is compared with those alone that
// have something in common with it, and those of one name once.
func TestAbsentNamesAreComparedWithTheirLikes(t *testing.T) {
	const many = 2000
	var text strings.Builder
	address := uint64(0xffffffff81000000)
	add := func(names ...string) {
		for _, name := range names {
			fmt.Fprintf(&text, "%016x t %s\n", address, name)
			address += 16
		}
	}
	add("_text", "_stext", "__x64_sys_openat", "__do_sys_getpid", "copied.isra.0",
		"__variant", "padded")
	wanted := []string{"sys_openat", "SyS_getpid", "getpid", "copied.constprop.0", "variant_inner",
		"__pfx_padded"}
	var absent []string
	for i := range many {
		add(fmt.Sprintf("unlike%d.isra.0", i), "same")
		absent = append(absent, fmt.Sprintf("aa_absent_%d", i), fmt.Sprintf("unlike%d", i),
			fmt.Sprintf("same.part.%d", i))
	}
	add("_etext", "_end")
	path := filepath.Join(t.TempDir(), "System.map")
	require.NoError(t, os.WriteFile(path, []byte(text.String()), 0o644))
	k, err := sympos.FindKernel(path, nil)
	require.NoError(t, err)

	near, table := readNear(k, nil, append(absent, wanted...))
	require.Greater(t, len(table.Names(vmlinux)), many)
	compared := 0
	for _, name := range absent[len(near.fuzzy):] {
		if !strings.HasPrefix(name, "aa_") {
			compared += len(near.candidates(table, name))
		}
	}
	assert.Less(t, compared, 4*many)

	for _, name := range append(wanted, "unlike7", "same.part.7") {
		all := *near
		all.fuzzy = append([]string{name}, near.fuzzy...) // compared with every name
		list, more := near.nearMisses(table, vmlinux, name)
		full, moreOfAll := all.nearMisses(table, vmlinux, name)
		assert.NotEmpty(t, list, name)
		assert.Equal(t, full, list, name)
		assert.Equal(t, moreOfAll, more, name)
	}
	list, more := near.nearMisses(table, vmlinux, "same.part.7")
	assert.Len(t, list, mostMisses)
	assert.Equal(t, many-mostMisses, more)
}
