// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

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

// The benchmarks do one thing in turns with a public tool on the same file, and
// report the ratio of their times: the machine's noise is in both.
//
//	x-nm     reading 20 names from a vmlinux, in times of nm's reading it (0.1 wanted)
//	x-xz     reading an image, in times of xz -dc of what is packed in it (3)
//	x-zstd   the same for zstd -dc (1.5)
//	cpu-s    seconds of processor for all modules of a kernel (2)

// inTurns runs ours and theirs and reports the ratio.
func inTurns(b *testing.B, unit string, ours, theirs func()) {
	b.Helper()
	var mine, other time.Duration
	for b.Loop() {
		start := time.Now()
		ours()
		mine += time.Since(start)
		b.StopTimer()
		start = time.Now()
		theirs()
		other += time.Since(start)
		b.StartTimer()
	}
	b.ReportMetric(float64(mine)/float64(other), unit)
}

func BenchmarkVmlinux(b *testing.B) {
	if _, err := exec.LookPath("nm"); err != nil {
		b.Skip(err)
	}
	path := filepath.Join(b.TempDir(), "vmlinux")
	require.NoError(b, os.WriteFile(path, tinyVmlinux(manySymbols(200_000)...).bytes(), 0o644))
	want := twenty()
	b.ReportAllocs()
	inTurns(b, "x-nm", func() {
		s, err := Open(path)
		require.NoError(b, err)
		table, err := Read(want, s)
		require.NoError(b, err)
		require.Len(b, table.Names(Vmlinux), 20)
	}, func() { require.NoError(b, exec.Command("nm", path).Run()) })
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
