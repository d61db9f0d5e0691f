// SPDX-License-Identifier: GPL-2.0-or-later

package sympos_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/sympos"
)

var update = flag.Bool("update", false, "write the texts of testdata/inlining")

// copiedNames are functions of testdata/src/inlining.
var copiedNames = []string{"spin", "start", "seek", "eject", "calibrate", "in_range",
	"disk_alone", "disk_ops", "nothing"}

// describeCopies prints where the code of functions is.
func describeCopies(t *testing.T, table *sympos.Table, object string) string {
	t.Helper()
	c, err := table.Copies(object, copiedNames...)
	require.NoError(t, err)
	var b strings.Builder
	sites := func(what string, list []sympos.CodeSite) {
		for _, s := range list {
			fmt.Fprintf(&b, "    %s %s\n", what, s.Place())
		}
	}
	print := func(title string, f *sympos.Function) {
		if f == nil {
			fmt.Fprintf(&b, "%s: not described\n", title)
			return
		}
		fmt.Fprintf(&b, "%s: %s:%d\n", title, f.File, f.Line)
		sites("inlined into", f.Inlined)
		for _, x := range f.Clones {
			fmt.Fprintf(&b, "    clone %s\n", x)
			sites("    called by", x.Calls)
		}
	}
	for _, name := range copiedNames {
		n := len(table.Lookup(object, name))
		for i := range n {
			print(fmt.Sprintf("%s,%d", name, i+1), c.Of(name, i+1))
		}
		if n == 0 {
			for _, f := range c.Gone(name) {
				print(name, f)
			}
		}
	}
	assert.Empty(t, c.Doubt)
	return b.String()
}

// Where the compiler put copies: the texts beside the modules were read through and compared with
// their code by hand.
func TestCopies(t *testing.T) {
	for _, name := range []string{"x86_64-dwarf4.ko", "x86_64-dwarf5.ko", "x86_64-clang.ko",
		"s390x-dwarf4.ko", "s390x-dwarf5.ko", "x86_64-vmlinux"} {
		path := "../testdata/inlining/" + name
		src, err := sympos.Open(path)
		require.NoError(t, err)
		table, err := sympos.Read(sympos.Names(copiedNames...), src)
		require.NoError(t, err)
		require.Len(t, table.Objects(), 1)
		got := describeCopies(t, table, table.Objects()[0])
		// Both versions of DWARF, and a kernel and a module, say the same.
		text := "../testdata/inlining/" + strings.NewReplacer("-dwarf4.ko", "", "-dwarf5.ko", "",
			"-vmlinux", "", ".ko", "").Replace(name) + ".txt"
		if *update {
			require.NoError(t, os.WriteFile(text, []byte(got), 0o644))
		}
		want, err := os.ReadFile(text)
		require.NoError(t, err)
		assert.Equal(t, string(want), got, name)
	}
}

// Without debug information nothing is said.
func TestCopiesWithoutDebugInformation(t *testing.T) {
	b, err := os.ReadFile("../testdata/inlining/x86_64-stripped.ko")
	require.NoError(t, err)
	src, err := sympos.New("drive.ko", bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	table, err := sympos.Read(sympos.Names(copiedNames...), src)
	require.NoError(t, err)
	_, err = table.Copies("drive", "spin")
	require.EqualError(t, err, "drive: no debug information")
}
