// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"debug/elf"
	"fmt"
	"math/rand"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// large is a module with n jump labels and n alternatives, or one of the two, whose
// sites are in the order of the code or in none.
func large(t testing.TB, jumps, alternatives int, shuffled bool) []byte {
	t.Helper()
	f := open(t, "x86_64-5.4")
	n := max(jumps, alternatives)
	at := make([]int64, n)
	for i := range at {
		at[i] = int64(16 * i)
	}
	if shuffled {
		rand.New(rand.NewSource(1)).Shuffle(n, func(i, j int) { at[i], at[j] = at[j], at[i] })
	}
	add := func(name string, flags uint64, size int) (*elfrw.Section, *elfrw.Symbol) {
		s := &elfrw.Section{Name: name, Type: elf.SHT_PROGBITS, Flags: flags, Align: 8,
			Data: make([]byte, size)}
		y := &elfrw.Symbol{Section: s, Info: byte(elf.STT_SECTION)}
		f.AddSection(s)
		f.AddSymbol(y)
		return s, y
	}
	relocs := func(s *elfrw.Section, r []elfrw.Rela) {
		x := &elfrw.Section{Name: ".rela" + s.Name, Type: elf.SHT_RELA, Flags: 0x40, Align: 8,
			Link: f.Symtab, Target: s}
		f.AddSection(x)
		x.SetRelocs(r)
	}
	_, code := add(".text.large", text, 16*n)
	const pc32, pc64 = uint32(elf.R_X86_64_PC32), uint32(elf.R_X86_64_PC64)
	if jumps > 0 {
		table, _ := add("__jump_table", alloc, 16*jumps)
		key := &elfrw.Symbol{Name: "key", Info: byte(elf.STB_GLOBAL) << 4}
		f.AddSymbol(key)
		var r []elfrw.Rela
		for i := range jumps {
			o := uint64(16 * i)
			r = append(r, rela(o, code, pc32, at[i]), rela(o+4, code, pc32, 3), rela(o+8, key, pc64, 2))
		}
		relocs(table, r)
	}
	if alternatives > 0 {
		_, other := add(".altinstr_replacement", text, 5*alternatives)
		table, _ := add(".altinstructions", alloc, 12*alternatives)
		var r []elfrw.Rela
		for i := range alternatives {
			o := uint64(12 * i)
			table.Data[o+10], table.Data[o+11] = 5, 5
			r = append(r, rela(o, code, pc32, at[i]+8), rela(o+4, other, pc32, int64(5*i)))
		}
		relocs(table, r)
	}
	b, err := f.Bytes()
	require.NoError(t, err)
	return b
}

// BenchmarkRead is to be compared with BenchmarkParse, which reads the same file:
// at most twice its time.
func BenchmarkRead(b *testing.B) {
	bench(b, func(b *testing.B, in []byte) {
		f, err := elfrw.Parse("", in)
		require.NoError(b, err)
		for b.Loop() {
			if _, problems := Read(f); problems != nil {
				b.Fatal(problems)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) { bench(b, func(b *testing.B, in []byte) { parseAll(b, in) }) }

func parseAll(b *testing.B, in []byte) {
	for b.Loop() {
		f, err := elfrw.Parse("", in)
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range f.Sections {
			s.Relocs()
		}
	}
}

func bench(b *testing.B, run func(b *testing.B, in []byte)) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		for _, c := range []struct {
			name                string
			jumps, alternatives int
			shuffled            bool
		}{{"jumps", n, 0, false}, {"alternatives", 0, n, false}, {"shuffled", n, 0, true}} {
			b.Run(fmt.Sprintf("%s=%d", c.name, n), func(b *testing.B) {
				in := large(b, c.jumps, c.alternatives, c.shuffled)
				b.SetBytes(int64(len(in)))
				b.ReportAllocs()
				b.ResetTimer()
				run(b, in)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/entry")
			})
		}
	}
}

func BenchmarkSites(b *testing.B) {
	const n = 100_000
	f, err := elfrw.Parse("", large(b, n, 0, true))
	require.NoError(b, err)
	tables, problems := Read(f)
	require.Empty(b, problems)
	s := section(b, f, ".text.large")
	i := uint64(0)
	for b.Loop() {
		if i = (i + 7919) % n; len(tables.Sites(s, 16*i+1, 4)) != 1 {
			b.Fatal(i)
		}
	}
}

// TestMemory is the budget: entries and two indexes of them, and nothing that grows
// faster than the file.
func TestMemory(t *testing.T) {
	for _, shuffled := range []bool{false, true} {
		in := large(t, 100_000, 100_000, shuffled)
		f, err := elfrw.Parse("", in)
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		tables, problems := Read(f)
		runtime.ReadMemStats(&after)
		require.Empty(t, problems)
		require.Equal(t, []int{1, 1, 100_000, 100_000}, sizes(tables))
		assert.Less(t, float64(after.TotalAlloc-before.TotalAlloc), 1.6*float64(len(in)),
			"%d bytes", len(in))
	}
}

func sizes(tables *Tables) []int {
	var n []int
	for _, x := range tables.All {
		if x.Kind == JumpLabel || x.Kind == Alternative {
			n = append(n, x.Len())
		}
	}
	slices.Sort(n)
	return n
}

func rela(offset uint64, y *elfrw.Symbol, typ uint32, addend int64) elfrw.Rela {
	return elfrw.Rela{Offset: offset, Sym: y, Type: typ, Addend: addend}
}
