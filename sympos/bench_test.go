// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// twenty names out of many.
func twenty() Want {
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("some_function_of_the_kernel_%d", i*9973))
	}
	return Names(names...)
}

func manySymbols(n int) []tinySymbol {
	list := make([]tinySymbol, n)
	for i := range list {
		list[i] = tinySymbol{fmt.Sprintf("some_function_of_the_kernel_%d", i), local | fn, 1,
			uint64(0x1000 + i*16), 16}
	}
	return list
}

func BenchmarkSystemMap(b *testing.B) {
	var text bytes.Buffer
	for _, y := range manySymbols(200_000) {
		fmt.Fprintf(&text, "%016x t %s\n", y.value, y.name)
	}
	want := twenty()
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		s, err := New("System.map", bytes.NewReader(text.Bytes()), int64(text.Len()))
		require.NoError(b, err)
		_, err = Read(want, s)
		require.NoError(b, err)
	}
}

func BenchmarkModule(b *testing.B) {
	path := filepath.Join(b.TempDir(), "m.ko")
	require.NoError(b, os.WriteFile(path, tinyModule("name=m\x00", manySymbols(300)...).bytes(),
		0o644))
	want := twenty()
	b.ReportAllocs()
	for b.Loop() {
		s, err := Open(path)
		require.NoError(b, err)
		_, err = Read(want, s)
		require.NoError(b, err)
	}
}
