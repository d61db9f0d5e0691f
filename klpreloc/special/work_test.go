// SPDX-License-Identifier: GPL-2.0-or-later

package special

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/internal/testmodule"
)

var section = testmodule.Section

// open parses a module of testdata/special.
func open(t testing.TB, name string) *elfrw.File {
	t.Helper()
	return testmodule.Open(t, filepath.Join("../../testdata/special", name+".ko"))
}

// read reads tables in which nothing may be wrong.
func read(t testing.TB, f *elfrw.File) *Tables {
	t.Helper()
	tables, problems := Read(f)
	require.Empty(t, problems)
	return tables
}

func table(t testing.TB, tables *Tables, name string) *Table {
	t.Helper()
	i := slices.IndexFunc(tables.All, func(x *Table) bool { return x.Section.Name == name })
	require.GreaterOrEqual(t, i, 0, "table %s", name)
	return tables.All[i]
}

// dump writes tables as text, one line an entry: its meaning, and the numbers of
// its relocations.
func dump(tables *Tables) string {
	var b strings.Builder
	for _, x := range tables.All {
		for i := range x.Len() {
			e := x.Entry(i)
			b.WriteString(meaning(tables, e))
			for _, r := range e.relocations() {
				fmt.Fprintf(&b, " %d", r.Index)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// meaning writes an entry's place, bytes, kind, site, bytes of it, replacement and
// its bytes or whose code that is, key, and whether it is inert.
func meaning(tables *Tables, e *Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d %s %s=%s %d", e, e.Size, e.Kind, e.Site,
		tables.Function(e.Site.Section, e.Site.Offset), e.Site.Size)
	if e.Replacement.Section != nil {
		fmt.Fprintf(&b, " by %s %d", e.Replacement, e.Replacement.Size)
	}
	if e.Outside != nil {
		fmt.Fprintf(&b, " by the kernel's %s", e.Outside)
	}
	if e.Key.Symbol != nil {
		fmt.Fprintf(&b, " key %s", tables.KeyName(e))
	}
	if tables.Inert(e) {
		b.WriteString(" inert")
	}
	return b.String()
}

// edit replaces the relocations of the section's relocation section.
func edit(t testing.TB, f *elfrw.File, name string, how func([]elfrw.Rela) []elfrw.Rela) {
	t.Helper()
	s := section(t, f, ".rela"+name)
	s.SetRelocs(how(slices.Clone(s.Relocs())))
}

// poke writes into a section's contents.
func poke(t testing.TB, f *elfrw.File, name string, at int, b ...byte) {
	t.Helper()
	s := section(t, f, name)
	s.Data = slices.Clone(s.Data)
	copy(s.Data[at:], b)
}
