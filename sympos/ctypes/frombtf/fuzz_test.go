// SPDX-License-Identifier: GPL-2.0-or-later

package frombtf

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/sympos/ctypes"
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
	empty, err := Read("vmlinux", newBlob(binary.LittleEndian).bytes(24))
	require.NoError(f, err)
	f.Fuzz(func(_ *testing.T, b, split []byte) {
		kernel, err := Read("vmlinux", b)
		if err == nil {
			visit(kernel)
			if module, err := ReadSplit("a.ko", split, nil, kernel); err == nil {
				visit(module)
			}
		}
		if module, err := ReadSplit("a.ko", split, b, empty); err == nil {
			visit(module)
		}
	})
}

// visit asks for all that types have, over some references.
func visit(types *ctypes.Types) {
	names, _ := types.FunctionNames()
	for _, name := range names[:min(len(names), 50)] {
		list, _ := types.Functions(name)
		for _, f := range list {
			visitType(f.Type.Type(), 4)
		}
	}
	for _, name := range []string{"table", "runqueue"} {
		list, _ := types.Variables(name)
		for _, v := range list {
			visitType(v.Type.Type(), 4)
		}
	}
	for _, kind := range []ctypes.Kind{ctypes.Struct, ctypes.Union, ctypes.Enum, ctypes.Typedef} {
		for _, name := range []string{"node", "device", "a"} {
			list, _ := types.Named(kind, name)
			for _, y := range list {
				visitType(y, 4)
			}
		}
	}
}

func visitType(y *ctypes.Type, depth int) {
	if depth == 0 {
		return
	}
	_ = y.String()
	y.SizeOf()
	y.Elements()
	visitType(y.Elem.Type(), depth-1)
	for _, m := range y.Members[:min(len(y.Members), 20)] {
		visitType(m.Type.Type(), depth-1)
	}
	for _, p := range y.Params[:min(len(y.Params), 20)] {
		visitType(p.Type.Type(), depth-1)
	}
}
