// SPDX-License-Identifier: GPL-2.0-or-later

// Package typestest has what several tests do with types: it reads those of testdata/types, and
// asks for all that a source has.
package typestest

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
	"github.com/klp-convert/klp-convert/sympos/ctypes/frombtf"
)

// Read returns the types of NAME.ko in a directory of fixtures, testdata/types: from BTF as that of
// a kernel, else from debug information. They are closed when the test ends.
func Read(t *testing.T, dir, name string) *ctypes.Types {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name+".ko"))
	require.NoError(t, err)
	f, err := elf.NewFile(bytes.NewReader(b))
	require.NoError(t, err)
	var types *ctypes.Types
	if s := f.Section(".BTF"); s != nil {
		raw, err := s.Data()
		require.NoError(t, err)
		types, err = frombtf.Read(name, raw)
		require.NoError(t, err)
	} else {
		types, err = sympos.ReadDeclarations(name, b, sympos.All)
		require.NoError(t, err)
	}
	t.Cleanup(types.Close)
	return types
}

const (
	mostFunctions = 50 // of those that a source defines
	mostInner     = 20 // members or parameters of a type
	depth         = 4  // of references
)

// Visit asks for the first functions of a source, and for what it has of the names: functions,
// variables and types. It follows their references some way. That all of it ends, without a
// panic, is what fuzz targets want to know.
func Visit(types *ctypes.Types, names ...string) {
	all, _ := types.FunctionNames()
	all = append(slices.Clone(all[:min(len(all), mostFunctions)]), names...)
	for _, name := range all {
		list, _ := types.Functions(name)
		for _, f := range list {
			visitType(f.Type.Type(), depth)
		}
	}
	for _, name := range names {
		list, _ := types.Variables(name)
		for _, v := range list {
			visitType(v.Type.Type(), depth)
		}
		for _, kind := range []ctypes.Kind{ctypes.Struct, ctypes.Union, ctypes.Enum, ctypes.Typedef} {
			list, _ := types.Named(kind, name)
			for _, y := range list {
				visitType(y, depth)
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
	for _, m := range y.Members[:min(len(y.Members), mostInner)] {
		visitType(m.Type.Type(), depth-1)
	}
	for _, p := range y.Params[:min(len(y.Params), mostInner)] {
		visitType(p.Type.Type(), depth-1)
	}
}
