// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// modules returns the modules of testdata/special.
func modules(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../../testdata/special/*.ko")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	all := map[string][]byte{}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		all[filepath.Base(path)] = b
	}
	return all
}

// FuzzRead: whatever is not a Problem is an entry as it is described, of any bytes.
func FuzzRead(f *testing.F) {
	for _, b := range modules(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { contract(t, b) })
}

func contract(t testing.TB, b []byte) {
	f, err := elfrw.Parse("", b)
	if err != nil {
		return
	}
	tables, problems := Read(f)
	bad := map[*elfrw.Section]int{}
	for _, p := range problems {
		bad[p.Section]++
		require.Equal(t, 1, bad[p.Section], "%v", problems)
		require.NotNil(t, tables.Table(p.Section))
		require.NotEmpty(t, p.String())
	}
	for _, x := range tables.All {
		require.NoError(t, whole(x, bad[x.Section] > 0))
		for i := range x.Len() {
			require.NoError(t, described(tables, x.Entry(i)))
		}
	}
	for _, s := range f.Sections {
		require.NotEmpty(t, tables.Function(s, 0))
	}
}

// whole checks that the entries of a table are the section, or its beginning.
func whole(x *Table, bad bool) error {
	end, relocs := uint64(0), 0
	for i := range x.Len() {
		e := x.Entry(i)
		if e.Table != x || e.Offset != end || e.Size == 0 || e.Size > x.Stride || e.Size < x.Stride &&
			i < x.Len()-1 {
			return fmt.Errorf("%s: entry %d, %d bytes", e, i, e.Size)
		}
		end += e.Size
		relocs += len(e.relocations())
	}
	size, count := x.Section.Size(), 0
	for _, s := range x.Relocs {
		count += s.NumRelocs()
	}
	switch {
	case end > size || relocs > count:
		return fmt.Errorf("%s: entries of %d bytes and %d relocations in %d and %d", x.Section, end,
			relocs, size, count)
	case !bad && (end != size || relocs != count):
		return fmt.Errorf("%s: entries of only %d bytes and %d relocations in %d and %d", x.Section, end,
			relocs, size, count)
	}
	return nil
}

// described checks one entry, and that the look-ups find it.
func described(tables *Tables, e *Entry) error {
	if tables.In(e.Section, e.Offset) != e || tables.In(e.Section, e.Offset+e.Size-1) != e {
		return fmt.Errorf("%s: In finds another", e)
	}
	for _, r := range e.relocations() {
		if x := r.Section.Reloc(r.Index); x.Offset < e.Offset || x.Offset >= e.Offset+e.Size ||
			r.Section.Target != e.Section {
			return fmt.Errorf("%s: relocation at %s+%#x", e, r.Section.Target, x.Offset)
		}
	}
	for _, r := range []struct {
		elfrw.Range
		find func(*elfrw.Section, uint64, uint64) []*Entry
	}{{e.Site, tables.Sites}, {e.Replacement, tables.Replacements}} {
		if r.Section == nil {
			continue
		}
		if n := uint64(len(r.Section.Data)); r.Offset > n || r.Size > n-r.Offset {
			return fmt.Errorf("%s: %d bytes at %s, of %d", e, r.Size, r.Range, n)
		}
		if r.Size == 0 {
			continue
		}
		for _, at := range []uint64{r.Offset, r.Offset + r.Size - 1} {
			found := r.find(r.Section, at, 1)
			if !slices.Contains(found, e) || len(found) > maxCover {
				return fmt.Errorf("%s: %d entries found at %s+%#x", e, len(found), r.Section, at)
			}
		}
	}
	if keyed := e.Kind == JumpLabel || e.Kind == StaticCall; keyed != (e.Key.Symbol != nil) ||
		keyed != (tables.KeyName(e) != "") {
		return fmt.Errorf("%s: key %v", e, e.Key)
	}
	if tables.Inert(e) && e.Key.Symbol == nil || e.Site.Section == nil {
		return fmt.Errorf("%s: %v", e, e)
	}
	if k := &e.Key; k.Section != nil && (k.Offset >= k.Section.Size() || k.Offset&3 != 0) {
		return fmt.Errorf("%s: key at %s+%#x", e, k.Section, k.Offset)
	}
	return nil
}

// TestEveryBytePoked: what a fuzzer seldom hits, one byte off in a header, a symbol
// or a relocation.
func TestEveryBytePoked(t *testing.T) {
	var place string
	defer func() {
		if t.Failed() {
			t.Log(place)
		}
	}()
	all := modules(t)
	for _, name := range []string{"x86_64-6.1.ko", "x86_64-4.19.ko", "s390x-6.1.ko", "ppc64le.ko",
		"ppc32.ko"} {
		b := all[name]
		require.NotNil(t, b)
		for i := range b {
			was := b[i]
			for _, flip := range []byte{1 << (i % 8), 0xff} {
				b[i] = was ^ flip
				place = fmt.Sprintf("%s: byte %#x is %#x instead of %#x", name, i, b[i], was)
				contract(t, b)
			}
			b[i] = was
		}
	}
}
