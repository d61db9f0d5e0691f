// SPDX-License-Identifier: GPL-2.0-or-later

package sympos_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/typestest"
)

func readAndVisit(t *testing.T, name string, b []byte) {
	types, err := sympos.ReadDeclarations(name, b, sympos.All)
	if err != nil {
		assert.NotContains(t, err.Error(), "\n")
		return
	}
	defer types.Close()
	typestest.Visit(types, "is_ready", "log_it", "table", "banner", "counters", "device", "word",
		"color", "atomic_t")
}

// Any byte of a module may be wrong.
func TestDamagedDebugInformation(t *testing.T) {
	for _, name := range []string{"x86_64-dwarf2", "s390x-dwarf4", "x86_64-units5"} {
		good, err := os.ReadFile(filepath.Join("..", "testdata", "types", name+".ko"))
		require.NoError(t, err)
		for off := 0; off < len(good); off += 13 {
			b := append([]byte(nil), good...)
			b[off] ^= 0xff
			readAndVisit(t, name, b)
		}
		for end := 0; end < len(good); end += 211 {
			readAndVisit(t, name, good[:end])
		}
	}
}

// FuzzDeclarations: the debug information of any module is read or refused.
func FuzzDeclarations(f *testing.F) {
	modules, err := filepath.Glob("../testdata/types/*.ko")
	require.NoError(f, err)
	require.NotEmpty(f, modules)
	for _, path := range modules {
		b, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { readAndVisit(t, "a.ko", b) })
}

func TestFilesWithoutTypes(t *testing.T) {
	b, err := os.ReadFile("../testdata/x86_64/records-rfc.ko")
	require.NoError(t, err)
	_, err = sympos.ReadDeclarations("a.ko", b, sympos.All)
	require.ErrorIs(t, err, sympos.ErrNoTypes)
	_, err = sympos.ReadModuleTypes("a.ko", b, nil, sympos.All)
	require.ErrorIs(t, err, sympos.ErrNoTypes)
	_, err = sympos.ReadTypes("../testdata/x86_64/records-rfc.ko", sympos.All)
	require.ErrorContains(t, err, "a module, not a kernel")
	_, err = sympos.ReadTypes("types_hostile_test.go", sympos.All)
	require.ErrorIs(t, err, sympos.ErrUnknown)

	btf, err := os.ReadFile("../testdata/types/x86_64-btf.ko")
	require.NoError(t, err)
	_, err = sympos.ReadModuleTypes("a.ko", btf, nil, sympos.All)
	require.ErrorContains(t, err, "needs that of the kernel")
	assert.False(t, strings.Contains(err.Error(), "\n"))
}
