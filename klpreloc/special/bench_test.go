// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
	"github.com/klp-convert/klp-convert/scripts/bench/bigmodule"
)

// large is a module with n jump labels and n alternatives, or one of the two, whose
// sites are in the order of the code or in none.
func large(t testing.TB, jumps, alternatives int, shuffled bool) []byte {
	t.Helper()
	b, err := bigmodule.AddTables(testmodule.Read(t, "../../testdata/special/x86_64-5.4.ko"), jumps,
		alternatives, shuffled)
	require.NoError(t, err)
	return b
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
