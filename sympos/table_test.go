// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A spoken source has the entries that a test gives it.
type spoken struct {
	name    string
	facts   Facts
	entries []Entry
	err     error
}

func (s spoken) String() string { return s.name }

func (s spoken) Scan(visit func(*Entry)) (Facts, error) {
	for i := range s.entries {
		visit(&s.entries[i])
	}
	return s.facts, s.err
}

func in(object, name string, address uint64) Entry {
	return Entry{Object: object, Name: []byte(name), Address: address, Type: 't'}
}

func read(t *testing.T, sources ...Source) *Table {
	t.Helper()
	table, err := Read(All, sources...)
	require.NoError(t, err)
	return table
}

// addresses of the symbols, in the order of their positions.
func addresses(list []Symbol) []uint64 {
	var a []uint64
	for _, s := range list {
		a = append(a, s.Address)
	}
	return a
}

func TestVmlinuxIsCountedByAddress(t *testing.T) {
	table := read(t, spoken{"x", Facts{Kind: VmlinuxFile, Order: ByAddress}, []Entry{
		in("vmlinux", "dup", 0x2000), in("vmlinux", "dup", 0x1000), in("vmlinux", "dup", 0x3000),
	}, nil})
	list := table.Lookup("vmlinux", "dup")
	assert.Equal(t, []uint64{0x1000, 0x2000, 0x3000}, addresses(list))
	for i, s := range list {
		assert.Equal(t, i+1, s.Position)
		assert.Equal(t, i+1, s.Loaded)
	}
}

func TestWeakOnesComeLastAtOneAddress(t *testing.T) {
	weak := in("vmlinux", "dup", 0x1000)
	weak.Type = 'W'
	table := read(t, spoken{"x", Facts{Kind: VmlinuxFile, Order: ByAddress},
		[]Entry{weak, in("vmlinux", "dup", 0x1000)}, nil})
	list := table.Lookup("vmlinux", "dup")
	require.Len(t, list, 2)
	assert.Equal(t, byte('t'), list[0].Type)
	assert.Equal(t, byte('W'), list[1].Type)
}

func TestModulesAreCountedAsListed(t *testing.T) {
	table := read(t, spoken{"x", Facts{Kind: ModuleFile, Order: Listed}, []Entry{
		in("ext4", "dup", 0x2000), in("ext4", "dup", 0x1000),
	}, nil})
	assert.Equal(t, []uint64{0x2000, 0x1000}, addresses(table.Lookup("ext4", "dup")))
}

func TestSizeIsDistanceWhereSourceHasNone(t *testing.T) {
	table := read(t, spoken{"x", Facts{Kind: Kallsyms, Order: Listed}, []Entry{
		in("vmlinux", "a", 0x1000), in("vmlinux", "b", 0x1000), in("vmlinux", "c",
			0x1030), in("ext4", "d", 0x2000),
	}, nil})
	assert.EqualValues(t, 0x30, table.Lookup("vmlinux", "a")[0].Size)
	assert.EqualValues(t, 0x30, table.Lookup("vmlinux", "b")[0].Size)
	assert.Zero(t, table.Lookup("vmlinux", "c")[0].Size)
	assert.Zero(t, table.Lookup("ext4", "d")[0].Size)
}

func TestResolve(t *testing.T) {
	fleeting := in("m", "late", 0)
	fleeting.Fleeting = true
	gone := in("m", "gone", 0)
	gone.Fleeting = true
	early := in("m", "early", 0)
	early.Fleeting = true
	table := read(t,
		spoken{"v", Facts{Kind: Image, Order: Listed}, []Entry{
			in("vmlinux", "zero", 0), in("vmlinux", "one", 0x10), in("vmlinux", "two",
				0x20), in("vmlinux", "two", 0x30),
		}, nil},
		spoken{"m", Facts{Kind: ModuleFile, Order: Listed}, []Entry{
			in("m", "late", 0), fleeting, gone, early, in("m", "early", 8),
		}, nil},
		spoken{"l", Facts{Kind: SymbolList}, []Entry{
			in("list", "one", 0), in("list", "two", 0), in("list", "two", 0),
		}, nil})
	for _, c := range []struct {
		object, name string
		position     uint64
		address      uint64
		err          error
	}{
		{"vmlinux", "one", 0, 0x10, nil},
		{"vmlinux", "one", 1, 0x10, nil},
		{"vmlinux", "one", 2, 0, ErrPosition},
		{"vmlinux", "one", 1 << 63, 0, ErrPosition},
		{"vmlinux", "two", 0, 0, ErrAmbiguous},
		{"vmlinux", "two", 1, 0x20, nil},
		{"vmlinux", "two", 2, 0x30, nil},
		{"vmlinux", "two", 3, 0, ErrPosition},
		{"vmlinux", "none", 0, 0, ErrNotFound},
		{"vmlinux", "zero", 0, 0, ErrAddress0},
		{"ext4", "one", 0, 0, ErrNoObject},
		// Positions that a loaded module would count otherwise.
		{"m", "late", 0, 0, ErrAmbiguous},
		{"m", "late", 1, 0, nil},
		{"m", "late", 2, 0, ErrUnsteady},
		{"m", "gone", 0, 0, ErrUnsteady},
		{"m", "early", 1, 0, ErrUnsteady},
		{"m", "early", 2, 0, ErrUnsteady},
		{"list", "one", 0, 0, nil},
		{"list", "two", 1, 0, ErrUnordered},
	} {
		s, err := table.Resolve(c.object, c.name, c.position)
		at := fmt.Sprintf("%s:%s,%d", c.object, c.name, c.position)
		if c.err != nil {
			assert.ErrorIs(t, err, c.err, at)
			assert.Zero(t, s, at)
			continue
		}
		if assert.NoError(t, err, at) {
			assert.Equal(t, c.address, s.Address, at)
		}
	}
}

// v7 of klp-convert was given a list that nm had sorted by name: a position
// counted there is a position in no kernel. Such a list names no positions here.
func TestMistakeOfV7_ListSortedByName(t *testing.T) {
	list := spoken{"symbols.klp", Facts{Kind: SymbolList}, []Entry{
		in("vmlinux", "dup", 0), in("vmlinux", "dup", 0), in("vmlinux", "once", 0),
	}, nil}
	table := read(t, list)
	for _, s := range table.Lookup("vmlinux", "dup") {
		assert.Zero(t, s.Position)
	}
	_, err := table.Resolve("vmlinux", "dup", 2)
	assert.ErrorIs(t, err, ErrUnordered)
	_, err = table.Resolve("vmlinux", "once", 0)
	assert.NoError(t, err)

	// With the kernel's own table beside it, that table decides.
	table = read(t, list, spoken{"kallsyms", Facts{Kind: Kallsyms, Order: Listed}, []Entry{
		in("vmlinux", "dup", 0x10), in("vmlinux", "once", 0x20), in("vmlinux", "dup", 0x30),
	}, nil})
	s, err := table.Resolve("vmlinux", "dup", 2)
	require.NoError(t, err)
	assert.EqualValues(t, 0x30, s.Address)
}

func TestWitnesses(t *testing.T) {
	elf := in("vmlinux", "dup", 0x20)
	elf.File, elf.Size = []byte("b.c"), 7
	other := in("vmlinux", "dup", 0x10)
	other.File, other.Size = []byte("a.c"), 5
	image := spoken{"image", Facts{Kind: Image, Order: Listed}, []Entry{
		in("vmlinux", "dup", 0x10), in("vmlinux", "dup", 0x20), in("vmlinux", "odd",
			0x30), in("vmlinux", "odd", 0x40), in("vmlinux", "mine", 0x50),
	}, nil}
	file := spoken{"file", Facts{Kind: VmlinuxFile, Order: ByAddress},
		[]Entry{elf, other, in("vmlinux", "odd", 0x30), in("vmlinux", "theirs", 0x30)}, nil}
	for _, order := range [][]Source{{image, file}, {file, image}} {
		table := read(t, order...)
		list := table.Lookup("vmlinux", "dup")
		require.Len(t, list, 2)
		assert.Equal(t, "image", list[0].Source)
		assert.Equal(t, Symbol{"vmlinux", "dup", 1, 1, 0x10, 5, 't', "a.c", "image"}, list[0])
		assert.Equal(t, Symbol{"vmlinux", "dup", 2, 2, 0x20, 7, 't', "b.c", "image"}, list[1])
		assert.Empty(t, table.Doubt("vmlinux", "dup"))
		assert.Equal(t, `image has 2 symbols called "odd", file has 1`,
			table.Doubt("vmlinux", "odd"))
		assert.NotEmpty(t, table.Doubt("vmlinux", "theirs"))
	}
}

func TestReadStopsAtError(t *testing.T) {
	broken := errors.New("broken")
	_, err := Read(All, spoken{"x", Facts{}, nil, broken})
	assert.ErrorIs(t, err, broken)
}

// Only wanted symbols and objects count against the quota.
func TestTableHoldsSoMuchAndNoMore(t *testing.T) {
	text := "ffffffff81000000 T _text\nffffffff81000100 t dup\nffffffff81000200 t " +
		"dup\nffffffffc0000000 t f\t[a]\n"
	for _, c := range []struct {
		want Want
		need int64
	}{{Names("none"), 4}, {Names("dup"), 6}, {All, 8}} {
		for _, short := range []int64{0, 1} {
			s := scanOne(c.want, source(t, "text", []byte(text)), matching{},
				nil, newQuota(c.need-short))
			if short == 0 {
				assert.NoError(t, s.err)
				continue
			}
			assert.ErrorIs(t, s.err, ErrTooMany)
			assert.ErrorContains(t, s.err, "text: too many symbols")
		}
	}
	// Long names count more.
	s := scanOne(All, source(t, "text", []byte("*vmlinux\n"+strings.Repeat("x", 1280)+"\n")),
		matching{}, nil, newQuota(12))
	assert.ErrorIs(t, s.err, ErrTooMany)
}

func TestObjectsAndFind(t *testing.T) {
	table := read(t, spoken{"x", Facts{Kind: Kallsyms, Order: Listed}, []Entry{
		in("vmlinux", "a", 1), in("nfs", "a", 2), in("ext4", "a", 3), in("ext4", "b", 4),
	}, nil})
	assert.Equal(t, []string{"ext4", "nfs", "vmlinux"}, table.Objects())
	assert.Equal(t, []uint64{3, 2, 1}, addresses(table.Find("a")))
	assert.Equal(t, []string{"a", "b"}, table.Names("ext4"))
	assert.True(t, table.Has("nfs"))
	assert.False(t, table.Has("xfs"))
	assert.Nil(t, table.Lookup("xfs", "a"))
	assert.Nil(t, table.Names("xfs"))
	assert.Equal(t, Kallsyms, table.Facts("nfs").Kind)
	assert.Equal(t, "ext4:a,1", table.Lookup("ext4", "a")[0].String())
}

func TestNotAskedForCostsNothing(t *testing.T) {
	source := func(n int) Source {
		s := spoken{"x", Facts{Kind: Kallsyms, Order: Listed}, nil, nil}
		for i := range n {
			s.entries = append(s.entries, in("vmlinux", fmt.Sprintf("f%d", i), uint64(i)))
		}
		return s
	}
	few, many := source(100), source(100_000)
	cost := func(s Source) int {
		return int(testing.AllocsPerRun(3, func() {
			_, err := Read(Names("f1", "f50"), s)
			require.NoError(t, err)
		}))
	}
	assert.Equal(t, cost(few), cost(many))
}
