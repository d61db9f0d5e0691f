// SPDX-License-Identifier: GPL-2.0-or-later

package reach_test

import (
	"debug/elf"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/reach"
)

// large returns a module with n functions, the relocations of each of which lead
// to ten others, and its patches. The functions are in one section.
func large(t testing.TB, n int) (*elfrw.File, []*klppatch.Patch) {
	f := open(t, fixtures+"/x86_64-505.ko")
	s := &elfrw.Section{Name: ".text.large", Type: elf.SHT_PROGBITS,
		Flags: uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR), Align: 16, Data: make([]byte, 64*n)}
	rs := &elfrw.Section{Name: ".rela.text.large", Type: elf.SHT_RELA, Flags: 0x40, Align: 8,
		Link: f.Symtab, Target: s}
	f.AddSection(s)
	f.AddSection(rs)
	section := &elfrw.Symbol{Info: byte(elf.STT_SECTION), Section: s}
	symbols := []*elfrw.Symbol{section}
	for i := 0; i < n; i++ {
		// local ones are inserted, which takes long
		symbols = append(symbols, &elfrw.Symbol{Name: fmt.Sprintf("f%d", i), Section: s,
			Value: uint64(64 * i), Size: 64, Info: byte(elf.STB_GLOBAL)<<4 | byte(elf.STT_FUNC)})
	}
	for _, y := range symbols {
		f.AddSymbol(y)
	}
	relocs := make([]elfrw.Rela, 0, 10*n)
	for i := 0; i < n; i++ {
		for j := 0; j < 10; j++ {
			s.Data[64*i+6*j] = 0xe8
			to := (i*7 + j*j*131 + 1) % n
			relocs = append(relocs, elfrw.Rela{Offset: uint64(64*i + 6*j + 1), Sym: section, Type: plt32,
				Addend: int64(64*to) - 4})
		}
	}
	// From vm_show into it.
	relocs[0].Sym = symbol(t, f, "both")
	rs.SetRelocs(relocs)
	text := f.Section(".rela.text")
	all := append([]elfrw.Rela{}, text.Relocs()...)
	vm := symbol(t, f, "vm_show")
	text.SetRelocs(append(all, elfrw.Rela{Offset: vm.Value + vm.Size - 4, Sym: symbols[1], Type: plt32,
		Addend: -4}))
	patches, err := klppatch.Read(f)
	require.NoError(t, err)
	return f, patches
}

// BenchmarkAttribute: a million relocations.
func BenchmarkAttribute(b *testing.B) {
	f, patches := large(b, 100_000)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		reach.Attribute(f, nil, patches...)
	}
}

// TestLinear: ten times as many relocations take about ten times the memory. The steps
// are counted in TestWorkGrowsWithTheModule of cmd/klp-convert.
func TestLinear(t *testing.T) {
	allocated := func(n int) uint64 {
		f, patches := large(t, n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a := reach.Attribute(f, nil, patches...)
		runtime.ReadMemStats(&after)
		require.Equal(t, "vmlinux", objects(t, f, a, "f0"))
		return after.TotalAlloc - before.TotalAlloc
	}
	few, many := allocated(1_000), allocated(10_000)
	assert.Less(t, many, 15*few)
}

// TestDeep: a chain of calls as long as the module, and a circle of them.
func TestDeep(t *testing.T) {
	const n = 200_000
	f, _ := large(t, n)
	s := f.Section(".text.large")
	rs := f.Section(".rela.text.large")
	section := rs.Relocs()[1].Sym
	relocs := make([]elfrw.Rela, n)
	for i := range relocs {
		relocs[i] = elfrw.Rela{Offset: uint64(64*i + 1), Sym: section, Type: plt32,
			Addend: int64(64*((i+1)%n)) - 4}
	}
	rs.SetRelocs(relocs)
	a := attribute(t, f)
	assert.Equal(t, []string{"vmlinux"}, a.Objects(s, 64*(n-1)))
	relocs[n-1].Addend = 1 << 40 // out of the section: the circle is open
	rs.SetRelocs(relocs)
	a = attribute(t, f)
	assert.Equal(t, []string{"vmlinux"}, a.Objects(s, 64*(n-1)))
}
