// SPDX-License-Identifier: GPL-2.0-or-later

package sympos_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/need"
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
	add := func(title string, f *sympos.Function) {
		if f == nil {
			fmt.Fprintf(&b, "%s: not described\n", title)
			return
		}
		fmt.Fprintf(&b, "%s: %s:%d\n", title, f.File, f.Line)
		sites("inlined into", f.Inlined)
		if len(f.Same) > 1 {
			fmt.Fprintf(&b, "    positions %v are the same function\n", f.Same)
		}
		for _, x := range f.Clones {
			fmt.Fprintf(&b, "    clone %s\n", x)
			sites("    called by", x.Calls)
		}
	}
	for _, name := range copiedNames {
		n := len(table.Lookup(object, name))
		for i := range n {
			add(fmt.Sprintf("%s,%d", name, i+1), c.Of(name, i+1))
		}
		if n == 0 {
			for _, f := range c.Gone(name) {
				add(name, f)
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
		"s390x-dwarf4.ko", "s390x-dwarf5.ko", "x86_64-vmlinux", "x86_64-vmlinux-dwz"} {
		path := "../testdata/inlining/" + name
		src, err := sympos.Open(path)
		require.NoError(t, err)
		table, err := sympos.Read(sympos.Names(copiedNames...), src)
		require.NoError(t, err)
		require.Len(t, table.Objects(), 1)
		got := describeCopies(t, table, table.Objects()[0])
		// Both versions of DWARF, and a kernel and a module, say the same.
		text := "../testdata/inlining/" + strings.NewReplacer("-dwarf4.ko", "", "-dwarf5.ko", "",
			"-vmlinux-dwz", "", "-vmlinux", "", ".ko", "").Replace(name) + ".txt"
		if *update {
			require.NoError(t, os.WriteFile(text, []byte(got), 0o644))
		}
		want, err := os.ReadFile(text)
		require.NoError(t, err)
		assert.Equal(t, string(want), got, name)
	}
}

// What dwz -m moved to a file of several kernels is missing: no wrong answer is made of the rest.
func TestCopiesInAFileOfSeveral(t *testing.T) {
	src, err := sympos.Open("../testdata/inlining/x86_64-vmlinux-multi")
	require.NoError(t, err)
	table, err := sympos.Read(sympos.Names(copiedNames...), src)
	require.NoError(t, err)
	_, err = table.Copies(sympos.Vmlinux, "spin")
	require.ErrorContains(t, err, "part of its debug information is in another file (dwz -m)")
	_, err = sympos.ReadTypes("../testdata/inlining/x86_64-vmlinux-multi", sympos.All)
	require.ErrorContains(t, err, "part of its debug information is in another file (dwz -m)")
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

// A debug package has a file of the module with little but debug information and symbols.
func TestCopiesFromADebugPackage(t *testing.T) {
	need.Tools(t, "objcopy")
	const release = "6.1.0-99-test"
	root := t.TempDir()
	at := func(path string) string {
		path = filepath.Join(root, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		return path
	}
	require.NoError(t, os.WriteFile(at("boot/System.map-"+release), []byte(
		"ffffffff81000000 T _text\nffffffff81000100 t show\nffffffff81000500 T _end\n"), 0o644))
	b, err := os.ReadFile("../testdata/inlining/x86_64-stripped.ko")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(at("lib/modules/"+release+"/kernel/drivers/drive.ko"), b, 0o644))
	describe := func() string {
		k, err := sympos.FindKernelIn(root, release, nil)
		require.NoError(t, err)
		table, err := k.Read(sympos.Names(copiedNames...), "drive")
		require.NoError(t, err)
		if _, err := table.Copies("drive", copiedNames...); err != nil {
			return err.Error()
		}
		return describeCopies(t, table, "drive")
	}
	assert.Equal(t, "drive: no debug information", describe())
	want, err := os.ReadFile("../testdata/inlining/x86_64.txt")
	require.NoError(t, err)
	for _, name := range []string{"drive.ko", "drive.ko.debug"} {
		debug := at("usr/lib/debug/lib/modules/" + release + "/kernel/drivers/" + name)
		out, err := exec.Command("objcopy", "--only-keep-debug",
			"../testdata/inlining/x86_64-dwarf5.ko", debug).CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Equal(t, string(want), describe(), name)
		require.NoError(t, os.Remove(debug))
	}
}
