// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

package sympos_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/lab"
	"github.com/klp-convert/klp-convert/sympos"
)

// cachedKernel is the kernel of the lab, or the end of the benchmark.
func cachedKernel(b *testing.B) *lab.Kernel {
	b.Helper()
	cache, err := lab.OpenCache()
	require.NoError(b, err)
	kernel, err := lab.Fetch(cache, say)
	if err != nil {
		b.Skip(err)
	}
	return kernel
}

// bzPayload is what is packed in an x86 image.
func bzPayload(b *testing.B, path string) []byte {
	b.Helper()
	image, err := os.ReadFile(path)
	require.NoError(b, err)
	le := binary.LittleEndian
	off := (int(image[0x1f1])+1)*512 + int(le.Uint32(image[0x248:]))
	return image[off : off+int(le.Uint32(image[0x24c:]))-4] // without the size behind it
}

// piped runs a program on data and returns what it prints.
func piped(b *testing.B, data []byte, program ...string) []byte {
	b.Helper()
	if _, err := exec.LookPath(program[0]); err != nil {
		b.Skip(err)
	}
	cmd := exec.Command(program[0], program[1:]...)
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	require.NoError(b, err)
	return out
}

// Debian's ppc64el kernel is a vmlinux with its symbol table.
func BenchmarkRealVmlinux(b *testing.B) {
	cache, err := lab.OpenCache()
	require.NoError(b, err)
	dirs, err := lab.Corpus(cache, say)
	if err != nil {
		b.Skip(err)
	}
	for _, dir := range dirs {
		found, err := filepath.Glob(filepath.Join(dir, "../../../boot/vmlinux-*"))
		require.NoError(b, err)
		for _, path := range found {
			if exec.Command("nm", path).Run() != nil {
				b.Skip("nm can't read " + path)
			}
			var names []string
			for i := range 19 {
				names = append(names, fmt.Sprintf("no_such_symbol_%d", i))
			}
			want := sympos.Names(append(names, "name_show")...)
			b.ReportAllocs()
			sympos.InTurns(b, "x-nm", func() {
				s, err := sympos.Open(path)
				require.NoError(b, err)
				table, err := sympos.Read(want, s)
				require.NoError(b, err)
				require.NotEmpty(b, table.Lookup(sympos.Vmlinux, "name_show"))
			}, func() { require.NoError(b, exec.Command("nm", path).Run()) })
			return
		}
	}
	b.Skip("none of the lab's kernels is a vmlinux with a symbol table")
}

// The image of a Debian kernel, packed as it is and in the other way that
// distributions use.
func BenchmarkImagePacked(b *testing.B) {
	payload := bzPayload(b, cachedKernel(b).Image)
	unpack := map[bool][]string{true: {"zstd", "-dc", "--long=31"}, false: {"xz", "-dc"}}
	isZstd := binary.LittleEndian.Uint32(payload) == 0xfd2fb528
	kernel := piped(b, payload, unpack[isZstd]...)
	want := sympos.Names("name_show", "schedule", "init_task")
	for _, c := range []struct {
		unit   string
		pack   []string
		unpack []string
	}{
		{"x-xz", []string{"xz", "--check=crc32", "--x86", "--lzma2=dict=32MiB"}, unpack[false]},
		{"x-zstd", []string{"zstd", "-22", "--ultra", "-c"}, unpack[true]},
	} {
		b.Run(c.unit[2:], func(b *testing.B) {
			packed := payload
			if isZstd != (c.unit == "x-zstd") {
				packed = piped(b, kernel, c.pack...)
			}
			size := binary.LittleEndian.AppendUint32(nil, uint32(len(kernel)))
			path := filepath.Join(b.TempDir(), "vmlinuz")
			require.NoError(b, os.WriteFile(path,
				sympos.BzImage(append(bytes.Clone(packed), size...)), 0o644))
			b.ReportAllocs()
			sympos.InTurns(b, c.unit, func() {
				s, err := sympos.Open(path)
				require.NoError(b, err)
				table, err := sympos.Read(want, s)
				require.NoError(b, err)
				require.NotEmpty(b, table.Lookup(sympos.Vmlinux, "schedule"))
			}, func() {
				cmd := exec.Command(c.unpack[0], c.unpack[1:]...)
				cmd.Stdin = bytes.NewReader(packed)
				require.NoError(b, cmd.Run())
			})
		})
	}
}

// All modules of a kernel, as they are searched for a name that may be anywhere.
func BenchmarkAllModules(b *testing.B) {
	dir := cachedKernel(b).Modules
	k := sympos.NewKernel("modules")
	require.NoError(b, k.AddModules(dir))
	packed, err := filepath.Glob(filepath.Join(dir, "kernel/fs/ext4/*.ko.*"))
	require.NoError(b, err)
	if len(packed) > 0 {
		b.Log("the modules of this kernel are packed: most of the time is for unpacking them")
	}
	want := sympos.Names("name_show", "helper", "no_such_symbol")
	var cpu time.Duration
	b.ReportAllocs()
	for b.Loop() {
		before := processorTime(b)
		table, err := k.ReadAll(want)
		require.NoError(b, err)
		require.NotEmpty(b, table.Find("name_show"))
		cpu += processorTime(b) - before
	}
	b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s")
	b.ReportMetric(float64(len(k.Modules())), "modules")
}

// processorTime is what this process has used, in the kernel too.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
