// SPDX-License-Identifier: GPL-2.0-or-later

package elfrw

import (
	"debug/elf"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// large is a file with n relocations and n/10 symbols.
func large(n int) []byte {
	m := module(kind64LE)
	for i := range n / 10 {
		m.syms = append(m.syms, tsym{name: "outside", bind: elf.STB_GLOBAL, value: uint64(i)})
	}
	relocs := make([]trel, n)
	names := []string{"outside", "data", "local", "helper", "common", "global"}
	for i := range relocs {
		relocs[i] = trel{uint64(i) * 8, names[i%len(names)], uint32(i % 40), int64(i)}
	}
	m.sec(".debug").data = make([]byte, 8*n)
	s := m.rela(".debug", relocs...)
	s.name = ".rela.large"
	return m.add(s).bytes()
}

var sizes = []int{1_000, 10_000, 100_000, 1_000_000}

func bench(b *testing.B, run func(b *testing.B, in []byte)) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("relocs=%d", n), func(b *testing.B) {
			in := large(n)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			b.ResetTimer()
			run(b, in)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/reloc")
		})
	}
}

func BenchmarkParse(b *testing.B) {
	bench(b, func(b *testing.B, in []byte) {
		for b.Loop() {
			parse(b, in)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	bench(b, func(b *testing.B, in []byte) {
		f := parse(b, in)
		for b.Loop() {
			require.NoError(b, f.Verify())
		}
	})
}

func BenchmarkRelocs(b *testing.B) {
	bench(b, func(b *testing.B, in []byte) {
		s := parse(b, in).Section(".rela.large")
		for b.Loop() {
			s.relocs, s.encoding = nil, rawRelocs
			s.Relocs()
		}
	})
}

func BenchmarkRefers(b *testing.B) {
	bench(b, func(b *testing.B, in []byte) {
		f := parse(b, in)
		y := f.Symbols[0]
		for b.Loop() {
			f.Refers(func(x *Symbol) bool { return x == y }, func(Reference) bool { return true })
		}
	})
}

func BenchmarkWriteUntouched(b *testing.B) {
	bench(b, func(b *testing.B, in []byte) {
		f := parse(b, in)
		for b.Loop() {
			require.NoError(b, f.Write(io.Discard))
		}
	})
}

func BenchmarkWriteRenumbered(b *testing.B) {
	bench(b, func(b *testing.B, in []byte) {
		f := parse(b, in)
		require.NoError(b, f.Remove([]*Section{f.Section(".klp.annotation")}, nil))
		for b.Loop() {
			require.NoError(b, f.Write(io.Discard))
		}
	})
}

func BenchmarkWriteDecoded(b *testing.B) {
	bench(b, func(b *testing.B, in []byte) {
		f := parse(b, in)
		s := f.Section(".rela.large")
		s.SetRelocs(s.Relocs())
		for b.Loop() {
			require.NoError(b, f.Write(io.Discard))
		}
	})
}

// TestMemoryStaysNearTheFile bounds the memory that the model of an undecoded
// file, its check and its output need besides the input.
func TestMemoryStaysNearTheFile(t *testing.T) {
	in := large(100_000)
	var f *File
	parsed := allocated(func() { f = parse(t, in) })
	assert.Less(t, float64(parsed), 0.5*float64(len(in)), "Parse")
	assert.Less(t, float64(allocated(func() { require.NoError(t, f.Verify()) })),
		0.01*float64(len(in)), "Verify")
	assert.Less(t, float64(allocated(func() { require.NoError(t, f.Write(io.Discard)) })),
		0.2*float64(len(in)), "Write")
	require.NoError(t, f.Remove([]*Section{f.Section(".klp.annotation")}, nil))
	assert.Less(t, float64(allocated(func() { require.NoError(t, f.Write(io.Discard)) })),
		0.2*float64(len(in)), "Write renumbered")
	decoded := allocated(func() { f.Section(".rela.large").Relocs() })
	assert.Less(t, decoded, uint64(100_000*32+100_000), "32 bytes for each decoded relocation")
}
