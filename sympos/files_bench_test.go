// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

package sympos

import (
	stddwarf "debug/dwarf"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkFiles finds the source file of one static function in a vmlinux with debug
// information (KLP_VMLINUX), by this package and by debug/dwarf, which gets the mapped
// sections and so copies nothing. MB-rss is the most memory that the process had: run one
// of the two at a time.
func BenchmarkFiles(b *testing.B) {
	name := os.Getenv("KLP_VMLINUX")
	if name == "" {
		b.Skip("not run: KLP_VMLINUX names no vmlinux with debug information")
	}
	src, err := Open(name)
	require.NoError(b, err)
	const function, file = "cmdline_proc_show", "fs/proc/cmdline.c"
	report := func(b *testing.B, found []string) {
		require.Len(b, found, 1)
		require.True(b, strings.HasSuffix(found[0], file), found[0])
		var u syscall.Rusage
		require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
		b.ReportMetric(float64(u.Maxrss>>10), "MB-rss")
	}
	b.Run("sympos", func(b *testing.B) {
		var found []string
		for b.Loop() {
			table, err := Read(Names(function), src)
			require.NoError(b, err)
			files, err := table.Files(Vmlinux, function)
			require.NoError(b, err)
			found = fileNames(files)
		}
		report(b, found)
	})
	b.Run("debug-dwarf", func(b *testing.B) {
		var found []string
		for b.Loop() {
			table, err := Read(Names(function), src)
			require.NoError(b, err)
			found = found[:0]
			for _, s := range table.Lookup(Vmlinux, function) {
				found = append(found, unitNameAt(b, src, s.Address))
			}
		}
		report(b, found)
	})
}

// unitNameAt returns the name of the unit that has the address.
func unitNameAt(b *testing.B, src Source, address uint64) string {
	in, done, err := src.(*fileSource).input()
	require.NoError(b, err)
	defer done()
	f, err := readELF(in)
	require.NoError(b, err)
	section := func(name string) []byte {
		i := f.find(".debug_" + name)
		if i < 0 {
			return nil
		}
		s := f.sections[i]
		return in.r.(mapped)[s.off:][:s.size]
	}
	d, err := stddwarf.New(section("abbrev"), nil, nil, section("info"), nil, nil,
		section("ranges"), section("str"))
	require.NoError(b, err)
	for _, name := range []string{"addr", "line_str", "str_offsets", "rnglists"} {
		if contents := section(name); contents != nil {
			require.NoError(b, d.AddSection(".debug_"+name, contents))
		}
	}
	for r := d.Reader(); ; r.SkipChildren() {
		unit, err := r.Next()
		require.NoError(b, err)
		if unit == nil {
			return ""
		}
		ranges, err := d.Ranges(unit)
		require.NoError(b, err)
		for _, x := range ranges {
			if x[0] <= address && address < x[1] {
				name, _ := unit.Val(stddwarf.AttrName).(string)
				return name
			}
		}
	}
}
