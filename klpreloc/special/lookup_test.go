// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"cmp"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// places writes which entries were found.
func places(entries []*Entry) []string {
	var all []string
	for _, e := range entries {
		all = append(all, e.String())
	}
	return all
}

func TestSites(t *testing.T) {
	f := open(t, "x86_64-6.1")
	tables, text := read(t, f), section(t, f, ".text")
	for _, c := range []struct {
		offset, width uint64
		want          []string
	}{
		{0, 1, []string{".altinstructions+0x0", ".altinstructions+0xc"}},
		{5, 1, []string{".altinstructions+0x0", ".altinstructions+0xc"}},
		{6, 1, nil}, // the ret after it
		{3, 4, []string{".altinstructions+0x0", ".altinstructions+0xc"}},
		{6, 2, []string{".parainstructions+0x0"}},
		{0xd, 2, []string{".parainstructions+0x0", "__jump_table+0x0"}},
		{0x1d, 4, []string{".static_call_sites+0x0"}},
		{0x2d, 4, []string{".retpoline_sites+0x0"}},
		{0x33, 4, []string{".retpoline_sites+0x4"}},
		{0x38, 4, []string{".return_sites+0x0"}},
		{0x3c, 4, nil},
		{0x37, 0, []string{".return_sites+0x0"}},
		{0x3c, 0, nil},
		{0x38, ^uint64(0), []string{".return_sites+0x0"}},
		{^uint64(0), 4, nil},
	} {
		assert.Equal(t, c.want, places(tables.Sites(text, c.offset, c.width)), "%#x, %d",
			c.offset, c.width)
	}
	assert.Nil(t, tables.Sites(section(t, f, ".data"), 0, 16))
	assert.Nil(t, tables.Sites(nil, 0, 16))
}

func TestReplacements(t *testing.T) {
	f := open(t, "x86_64-4.19")
	tables, code := read(t, f), section(t, f, ".altinstr_replacement")
	assert.Equal(t, []string{".altinstructions+0x0"}, places(tables.Replacements(code, 1, 4)))
	assert.Equal(t, []string{".altinstructions+0xd"}, places(tables.Replacements(code, 9, 4)))
	assert.Equal(t, []string{".altinstructions+0x0", ".altinstructions+0xd"},
		places(tables.Replacements(code, 4, 2)))
	assert.Nil(t, tables.Replacements(code, 10, 4))
	assert.Nil(t, tables.Replacements(section(t, f, ".text"), 3, 4), "a site")
}

func TestIn(t *testing.T) {
	f := open(t, "x86_64-4.19")
	tables := read(t, f)
	alt, para := section(t, f, ".altinstructions"), section(t, f, ".parainstructions")
	for _, c := range []struct {
		section *elfrw.Section
		offset  uint64
		want    string
	}{
		{alt, 0, ".altinstructions+0x0"},
		{alt, 12, ".altinstructions+0x0"},
		{alt, 13, ".altinstructions+0xd"},
		{alt, 17, ".altinstructions+0xd"},
		{para, 15, ".parainstructions+0x0"}, // alignment after it belongs to it
		{para, 27, ".parainstructions+0x10"},
	} {
		e := tables.In(c.section, c.offset)
		if assert.NotNil(t, e, c.want) {
			assert.Equal(t, c.want, e.String())
		}
	}
	assert.Nil(t, tables.In(alt, 26))
	assert.Nil(t, tables.In(para, 28), "the last one is cut")
	assert.Nil(t, tables.In(alt, ^uint64(0)))
	assert.Nil(t, tables.In(section(t, f, ".text"), 0))
	assert.Nil(t, tables.In(nil, 0))
}

// TestManySpans: they are sorted in another way.
func TestManySpans(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	for _, most := range []uint64{0, 300, 1 << 11, 1 << 20, 1<<32 - 1, 1 << 32, 1 << 63} {
		var list spans[int]
		for i := range 1000 {
			from := random.Uint64() % (most + 1)
			list = append(list, span[int]{from: from, to: from + 1, what: i})
		}
		want := slices.Clone(list)
		slices.SortStableFunc(want, func(a, b span[int]) int { return cmp.Compare(a.from, b.from) })
		list.index()
		for i := range want {
			require.Equal(t, want[i].what, list[i].what, "up to %#x: number %d", most, i)
		}
		n := 0
		assert.True(t, list.overlap(0, ^uint64(0), func(*span[int]) bool { n++; return true }))
		assert.Len(t, list, n)
	}
}

// TestSpans compares the tree with a look at each span.
func TestSpans(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	for n := range 60 {
		var list spans[int]
		for i := range n {
			from := uint64(random.Intn(100))
			list = append(list,
				span[int]{from: from, to: from + uint64(random.Intn(20)*random.Intn(2)), what: i})
		}
		plain := slices.Clone(list)
		list.index()
		for at := range uint64(130) {
			for width := range uint64(4) {
				var want, got []int
				for _, x := range plain {
					if x.from < at+width && x.to > at && x.from < x.to {
						want = append(want, x.what)
					}
				}
				list.overlap(at, at+width, func(x *span[int]) bool {
					got = append(got, x.what)
					return true
				})
				slices.SortStableFunc(want, func(a, b int) int {
					return int(plain[a].from) - int(plain[b].from)
				})
				require.Equal(t, want, got, "%v: %d+%d", plain, at, width)
				got = nil
				list.overlap(at, at+width, func(x *span[int]) bool {
					got = append(got, x.what)
					return len(got) < 2
				})
				require.Equal(t, want[:min(2, len(want))], got[:min(2, len(want))])
				require.LessOrEqual(t, len(got), 2)
			}
			var want *span[int]
			for i := range list { // by start
				if x := &list[i]; x.from <= at && at < x.to {
					want = x
				}
			}
			require.Equal(t, want, list.innermost(at), "%v: %d", plain, at)
		}
	}
}
