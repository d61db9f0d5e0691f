// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// The benchmarks run whole processes, ours and a public tool on the same file
// in turn, and report the ratio of their times: the machine's noise is in both.
//
//	x-objcopy   time of klp-convert, in times of GNU objcopy copying the file
//	x-cp        the same, in times of cp
//	x-file      most memory that klp-convert had resident, in file sizes

// builtTool returns a klp-convert as make build makes it.
func builtTool(b *testing.B) string {
	b.Helper()
	tool := filepath.Join(b.TempDir(), "klp-convert")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", tool, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(b, err, "%s", out)
	return tool
}

// timed runs a command and returns how long it took and the most memory it had.
func timed(b *testing.B, args ...string) (time.Duration, int64) {
	b.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(start)
	require.NoError(b, err, "%s", out)
	return took, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}

// compare runs both on in and reports their ratio.
func compare(b *testing.B, tool, in, unit string, other ...string) {
	out := filepath.Join(b.TempDir(), "out.ko")
	info, err := os.Stat(in)
	require.NoError(b, err)
	b.SetBytes(info.Size())
	var ours, theirs time.Duration
	var rss int64
	for b.Loop() {
		d, m := timed(b, tool, "-q", in, out)
		ours, rss = ours+d, max(rss, m)
		b.StopTimer()
		require.NoError(b, os.Remove(out)) // replacing a file costs ext4 a flush
		d, _ = timed(b, append(other, in, out)...)
		theirs += d
		require.NoError(b, os.Remove(out))
		b.StartTimer()
	}
	b.ReportMetric(float64(ours)/float64(theirs), unit)
	b.ReportMetric(float64(rss)/float64(info.Size()), "x-file")
}

func BenchmarkSample(b *testing.B) {
	compare(b, builtTool(b), "../../testdata/x86_64/livepatch-cmdline.ko", "x-objcopy", "objcopy")
}

// A module as large as the largest that distributions ship, every hundredth of
// its relocations against an annotated symbol.
func BenchmarkLargeModule(b *testing.B) {
	compare(b, builtTool(b), grown(b, 300_000, 12<<20, 0), "x-objcopy", "objcopy")
}

func BenchmarkRelocations(b *testing.B) {
	tool := builtTool(b)
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			compare(b, tool, grown(b, n, 64*n, 0),
				"x-objcopy", "objcopy")
		})
	}
}

// A check against n kernels, all of them KLP_BENCH_KERNEL, takes n times as long as against
// one, or less, and the memory of two.
//
//	s/kernel    time for each kernel
//	MB          most memory resident
func BenchmarkCheckKernels(b *testing.B) {
	name := os.Getenv("KLP_BENCH_KERNEL")
	if name == "" {
		b.Skip("KLP_BENCH_KERNEL is not set")
	}
	tool := builtTool(b)
	module := filepath.Join(b.TempDir(), "livepatch.ko")
	timed(b, tool, "../../testdata/x86_64/livepatch-cmdline.ko", module)
	for _, n := range []int{1, 2, 5, 10} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			args := []string{tool, "check", module}
			for range n {
				args = append(args, "-k", name)
			}
			var took time.Duration
			var rss int64
			for b.Loop() {
				d, m := timed(b, args...)
				took, rss = took+d, max(rss, m)
			}
			b.ReportMetric(took.Seconds()/float64(b.N*n), "s/kernel")
			b.ReportMetric(float64(rss)/1e6, "MB")
		})
	}
}

func BenchmarkDebugSections(b *testing.B) {
	compare(b, builtTool(b), grown(b, 1_000, 1<<20, 500<<20), "x-cp", "cp")
}

// grown returns a file with the sample livepatch, to which a section of text
// bytes with n relocations and debug bytes of debug information are added.
func grown(b *testing.B, n, text, debug int) string {
	b.Helper()
	sample, err := os.ReadFile("../../testdata/x86_64/livepatch-cmdline.ko")
	require.NoError(b, err)
	f, err := elfrw.Parse("sample", sample)
	require.NoError(b, err)
	var annotated, other *elfrw.Symbol
	for _, y := range f.Symbols {
		switch y.Name {
		case "saved_command_line":
			annotated = y
		case "seq_printf":
			other = y
		}
	}
	require.NotNil(b, annotated)
	require.NotNil(b, other)
	big := &elfrw.Section{Name: ".text.grown", Type: elf.SHT_PROGBITS,
		Flags: uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR), Align: 16, Data: make([]byte, text)}
	rela := &elfrw.Section{Name: ".rela.text.grown", Type: elf.SHT_RELA,
		Flags: uint64(elf.SHF_INFO_LINK), Align: 8, Link: f.Symtab, Target: big}
	f.AddSection(big)
	f.AddSection(rela)
	// objcopy handles relocations as such only in front of the symbol table.
	n0 := len(f.Sections) - 2
	f.Sections = slices.Insert(f.Sections[:n0:n0], slices.Index(f.Sections, f.Symtab), big, rela)
	relocs := make([]elfrw.Rela, n)
	for i := range relocs {
		relocs[i] = elfrw.Rela{Offset: uint64(i) * uint64(text/n), Sym: other,
			Type: uint32(elf.R_X86_64_PC32), Addend: -4}
		if i%100 == 0 {
			relocs[i].Sym = annotated
		}
	}
	rela.SetRelocs(relocs)
	if debug > 0 {
		data := make([]byte, debug)
		for i := range data {
			data[i] = byte(i * 7)
		}
		f.AddSection(&elfrw.Section{Name: ".debug_grown", Type: elf.SHT_PROGBITS, Align: 1,
			Data: data})
	}
	path := filepath.Join(b.TempDir(), "grown.ko")
	w, err := os.Create(path)
	require.NoError(b, err)
	require.NoError(b, f.Write(w))
	require.NoError(b, w.Close())
	return path
}
