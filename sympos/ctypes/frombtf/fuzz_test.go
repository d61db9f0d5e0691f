// SPDX-License-Identifier: GPL-2.0-or-later

package frombtf_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/sympos/ctypes/frombtf"
	"github.com/klp-convert/klp-convert/sympos/typestest"
)

// FuzzRead: any bytes are read or refused, as the BTF of a kernel, as that of a module and as a
// distilled base.
func FuzzRead(f *testing.F) {
	for _, order := range orders {
		base := sample(order)
		f.Add(base.bytes(24), []byte(nil))
		b := base.split()
		b.function("mine", base.ids["int"], base.ids["pointer"])
		f.Add(base.bytes(32), b.bytes(24))
	}
	modules, err := filepath.Glob("../../../testdata/types/*-btf.ko")
	require.NoError(f, err)
	require.NotEmpty(f, modules)
	for _, path := range modules {
		b, err := os.ReadFile(path)
		require.NoError(f, err)
		file, err := elf.NewFile(bytes.NewReader(b))
		require.NoError(f, err)
		raw, err := file.Section(".BTF").Data()
		require.NoError(f, err)
		f.Add(raw, raw)
	}
	empty, err := frombtf.Read("vmlinux", newBlob(binary.LittleEndian).bytes(24))
	require.NoError(f, err)
	names := []string{"table", "runqueue", "node", "device", "a"}
	f.Fuzz(func(_ *testing.T, b, split []byte) {
		kernel, err := frombtf.Read("vmlinux", b)
		if err == nil {
			typestest.Visit(kernel, names...)
			if module, err := frombtf.ReadSplit("a.ko", split, nil, kernel); err == nil {
				typestest.Visit(module, names...)
			}
		}
		if module, err := frombtf.ReadSplit("a.ko", split, b, empty); err == nil {
			typestest.Visit(module, names...)
		}
	})
}
