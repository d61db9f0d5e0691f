// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

package sympos_test

import (
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/scripts/lab"
	"github.com/klp-convert/klp-convert/scripts/need"
	"github.com/klp-convert/klp-convert/sympos"
)

// A dumped is an entry as eu-readelf prints it.
type dumped struct {
	tag, name, origin string
	depth             int
	line, callLine    int
	static, code      bool
	parent            *dumped
}

var (
	entryLine     = regexp.MustCompile(`^ \[ *([0-9a-f]+)\]( +)(\w+) +abbrev:`)
	attributeLine = regexp.MustCompile(`^ {11,}(\w+) +\(\w+\) (.*)$`)
	quoted        = regexp.MustCompile(`"([^"]*)"`)
	bracketed     = regexp.MustCompile(`\[ *([0-9a-f]+)\]`)
)

// readDump returns the entries of .debug_info by their offsets, in order.
func readDump(t *testing.T, path string) (byOffset map[string]*dumped, all []*dumped) {
	t.Helper()
	need.Tools(t, "eu-readelf")
	out, err := exec.Command("eu-readelf", "--debug-dump=info", path).Output()
	require.NoError(t, err)
	byOffset = map[string]*dumped{}
	var stack []*dumped
	var e *dumped
	for _, line := range strings.Split(string(out), "\n") {
		if m := entryLine.FindStringSubmatch(line); m != nil {
			e = &dumped{tag: m[3], depth: len(m[2]), static: true}
			for len(stack) > 0 && stack[len(stack)-1].depth >= e.depth {
				stack = stack[:len(stack)-1]
			}
			if len(stack) > 0 {
				e.parent = stack[len(stack)-1]
			}
			stack = append(stack, e)
			byOffset[m[1]], all = e, append(all, e)
			continue
		}
		m := attributeLine.FindStringSubmatch(line)
		if m == nil || e == nil {
			continue
		}
		switch value := m[2]; m[1] {
		case "name":
			if q := quoted.FindStringSubmatch(value); q != nil {
				e.name = q[1]
			}
		case "abstract_origin", "specification":
			if q := bracketed.FindStringSubmatch(value); q != nil {
				e.origin = q[1]
			}
		case "decl_line":
			e.line, _ = strconv.Atoi(value)
		case "call_line":
			e.callLine, _ = strconv.Atoi(value)
		case "external", "declaration":
			e.static = false
		case "low_pc", "ranges":
			e.code = true
		}
	}
	return byOffset, all
}

// compareCopies compares the places of so many functions, chosen by chance, with those that
// eu-readelf shows, and returns how many functions and places that were.
func compareCopies(t *testing.T, path string, most int, seed int64) (functions, places int) {
	t.Helper()
	byOffset, all := readDump(t, path)
	named := func(e *dumped) *dumped {
		for n := 0; e != nil && e.name == "" && n < 8; n++ {
			e = byOffset[e.origin]
		}
		return e
	}
	lines := map[string]map[int]bool{} // where static functions of a name are defined
	for _, e := range all {
		if e.tag == "subprogram" && e.name != "" && e.static {
			if lines[e.name] == nil {
				lines[e.name] = map[int]bool{}
			}
			lines[e.name][e.line] = true
		}
	}
	want := map[string][]string{}
	for _, e := range all {
		if e.tag != "inlined_subroutine" || !e.code {
			continue
		}
		caller, via := "", []string{}
		for p := e.parent; p != nil && caller == ""; p = p.parent {
			switch p.tag {
			case "inlined_subroutine":
				via = slices.Insert(via, 0, named(p).name)
			case "subprogram":
				caller = named(p).name
			}
		}
		name := named(e).name
		want[name] = append(want[name], fmt.Sprintf("%s line %d via %v", caller, e.callLine,
			via[:min(len(via), 6)]))
	}
	var names []string
	for name, at := range lines {
		if len(at) == 1 { // others are several functions
			names = append(names, name)
		}
	}
	slices.Sort(names)
	rand.New(rand.NewSource(seed)).Shuffle(len(names), func(i, j int) {
		names[i], names[j] = names[j], names[i]
	})
	names = names[:min(len(names), most)]
	src, err := sympos.Open(path)
	require.NoError(t, err)
	table, err := sympos.Read(sympos.Names(names...), src)
	require.NoError(t, err)
	require.Len(t, table.Objects(), 1)
	object := table.Objects()[0]
	copies, err := table.Copies(object, names...)
	require.NoError(t, err)
	for _, name := range names {
		var of []*sympos.Function
		if n := len(table.Lookup(object, name)); n > 0 {
			of = append(of, copies.Of(name, 1)) // others are the same function of the source
		} else {
			of = copies.Gone(name)
		}
		got := []string{}
		for _, f := range of {
			if !assert.NotNil(t, f, "%s is not described", name) {
				continue
			}
			for _, s := range f.Inlined {
				got = append(got, fmt.Sprintf("%s line %d via %v", s.Caller.Source, s.Line,
					append([]string{}, s.Via...)))
			}
		}
		slices.Sort(want[name])
		slices.Sort(got)
		assert.Equal(t, append([]string{}, want[name]...), got, "%s (seed %d)", name, seed)
		places += len(got)
	}
	return len(names), places
}

// The copies that are found are those that another reader shows.
func TestCopiesAgainstElfutils(t *testing.T) {
	files, err := filepath.Glob("../testdata/inlining/*-dwarf?.ko")
	require.NoError(t, err)
	require.Len(t, files, 4)
	for _, path := range append(files, "../testdata/inlining/x86_64-clang.ko",
		"../testdata/inlining/x86_64-vmlinux") {
		functions, places := compareCopies(t, path, 100, 1)
		assert.GreaterOrEqual(t, functions, 5, path)
		assert.GreaterOrEqual(t, places, 7, path)
	}
}

// TestCopiesOfFile does so with a file, such as the vmlinux of a debug package.
func TestCopiesOfFile(t *testing.T) {
	path := need.Variable(t, "KLP_COPIES_FILE", "it names a vmlinux or module with debug information")
	for seed := range int64(3) {
		functions, places := compareCopies(t, path, 100, seed)
		t.Logf("%s: %d functions, %d places", path, functions, places)
	}
}

// And so do those of a module of the kernel's own, compiled with each kernel's headers.
func TestCopiesOfRealModules(t *testing.T) {
	if !lab.Demanded() {
		need.Absent(t, "make lab runs it: sources of the kernel are unpacked and compiled")
	}
	t.Parallel()
	cache := openCache(t)
	releases, err := lab.Selected()
	require.NoError(t, err)
	for _, r := range releases {
		t.Run(r.Series, func(t *testing.T) {
			kernel, err := lab.FetchRelease(cache, r, say)
			if err != nil {
				need.Lab(t, fmt.Sprintf("the kernel %v is not to be had here: %v", r, err))
			}
			if kernel.Built() {
				return // it has no debug information
			}
			dir := t.TempDir()
			if err := lab.ExtractSource(cache, r, "fs/fat", dir, say); err != nil {
				need.Lab(t, fmt.Sprintf("the source of %v is not to be had here: %v", r, err))
			}
			require.NoError(t, os.WriteFile(filepath.Join(dir, "Makefile"), []byte("obj-m := copied.o\n"+
				"copied-y := cache.o dir.o fatent.o file.o inode.o misc.o nfs.o\n"), 0o644))
			args := append([]string{"-C", kernel.Headers, "M=" + dir, "modules"}, kernel.Cross()...)
			out, err := kernel.Command("make", args...).CombinedOutput()
			require.NoError(t, err, "%s", out)
			functions, places := compareCopies(t, filepath.Join(dir, "copied.ko"), 100, 1)
			t.Logf("%s: %d functions, %d places", kernel.Release, functions, places)
			assert.Equal(t, 100, functions)
			assert.Greater(t, places, 50)
		})
	}
}
