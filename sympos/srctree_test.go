// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/sympos/debuginfo"
)

// unitsOf makes units of pairs of a name and of where the compiler ran.
func unitsOf(pairs ...[2]string) (units []*debuginfo.Unit) {
	for _, p := range pairs {
		units = append(units, &debuginfo.Unit{Name: p[0], Dir: p[1]})
	}
	return units
}

// What the first unit's file is called in the tree, by how the kernel or the module was
// built.
func TestPathInTheSourceTree(t *testing.T) {
	const inTree, mapped, debian = "/src/linux", ".", "debian/build/build_amd64_none_amd64"
	for name, x := range map[string]struct {
		module bool
		units  [][2]string
		path   string
		full   string // where the root is not certain
	}{
		"in the tree": {units: [][2]string{{"kernel/signal.c", inTree}},
			path: "kernel/signal.c"},
		"not normalised": {units: [][2]string{{"./kernel//x/../signal.c", inTree}},
			path: "kernel/signal.c"},
		"absolute, in the tree": {units: [][2]string{{"/src/linux/kernel/signal.c", inTree}},
			path: "kernel/signal.c"},
		"mapped": {units: [][2]string{{"./kernel/signal.c", mapped}},
			path: "kernel/signal.c"},
		"mapped, O= in the tree": {units: [][2]string{{"../kernel/signal.c", mapped}},
			path: "kernel/signal.c"},
		"Debian": {units: [][2]string{{"kernel/signal.c", debian},
			{"arch/x86/kernel/signal.c", debian}}, path: "kernel/signal.c"},
		"nothing tells where": {units: [][2]string{{"kernel/signal.c", ""}},
			path: "kernel/signal.c"},
		"O= in the tree": {units: [][2]string{{"../kernel/signal.c", "/src/linux/build"},
			{"init/version.c", "/src/linux/build"}}, path: "kernel/signal.c"},
		"O= in the tree, made": {units: [][2]string{{"init/version.c", "/src/linux/build"},
			{"../kernel/signal.c", "/src/linux/build"}}, path: "init/version.c"},
		"O= elsewhere": {units: [][2]string{{"/src/linux/kernel/signal.c", "/obj"},
			{"/src/linux/init/main.c", "/obj"}}, path: "kernel/signal.c"},
		"O= elsewhere, made": {units: [][2]string{{"kernel/config_data.c", "/obj"},
			{"/src/linux/init/main.c", "/obj"}}, path: "kernel/config_data.c"},
		"O= below, absolute": {units: [][2]string{{"/src/linux/arch/x86/kernel/signal.c",
			"/src/linux/a/b"}, {"/src/linux/init/main.c", "/src/linux/a/b"}},
			path: "arch/x86/kernel/signal.c"},
		"O= below, made": {units: [][2]string{{"kernel/config_data.c", "/src/linux/a/b"},
			{"/src/linux/init/main.c", "/src/linux/a/b"}}, path: "kernel/config_data.c"},
		"O= above": {units: [][2]string{{"/src/linux/kernel/signal.c", "/src"},
			{"/src/linux/init/main.c", "/src"}}, path: "kernel/signal.c"},
		"two trees": {units: [][2]string{{"/lib/blob/init/main.c", "/obj"},
			{"/src/init/main.c", "/obj"}}, full: "/lib/blob/init/main.c"},
		"O= elsewhere, no main": {units: [][2]string{{"/src/linux/kernel/signal.c", "/obj"},
			{"/src/linux/fs/open.c", "/obj"}}, full: "/src/linux/kernel/signal.c"},
		"compiled in a directory": {units: [][2]string{{"kernel/signal.c", "/src/arch/x86"},
			{"kernel/signal.c", "/src"}}, path: "arch/x86/kernel/signal.c"},
		"the same, the others": {units: [][2]string{{"fs/open.c", "/src"},
			{"signal.c", "/src/kernel"}, {"fs/exec.c", "/src"}}, path: "fs/open.c"},
		"the root of the machine": {units: [][2]string{{"kernel/signal.c", "/"}},
			full: "/kernel/signal.c"},
		"in-tree module": {module: true,
			units: [][2]string{{"fs/ext4/inode.c", inTree}, {"fs/ext4/ext4.mod.c", inTree}},
			path:  "fs/ext4/inode.c"},
		"in-tree module, O=": {module: true,
			units: [][2]string{{"/src/fs/ext4/inode.c", "/obj"}, {"fs/ext4/ext4.mod.c", "/obj"}},
			path:  "fs/ext4/inode.c"},
		"in-tree module, ambiguous": {module: true,
			units: [][2]string{{"/src/fs/ext4/x/fs/ext4/inode.c", "/obj"},
				{"fs/ext4/ext4.mod.c", "/obj"}},
			full: "/src/fs/ext4/x/fs/ext4/inode.c"},
		"in-tree module, two answers": {module: true,
			units: [][2]string{{"/src/fs/ext4/inode.c", "/obj"}, {"/else/fs/ext4/file.c", "/obj"},
				{"fs/ext4/ext4.mod.c", "/obj"}},
			full: "/src/fs/ext4/inode.c"},
		"module, M=": {module: true,
			units: [][2]string{{"/home/me/t/main.c", inTree}, {"/home/me/t/t.mod.c", inTree}},
			path:  "main.c", full: "/home/me/t/main.c"},
		"module, M=, below": {module: true,
			units: [][2]string{{"/home/me/t/src/main.c", inTree}, {"/home/me/t/t.mod.c", inTree}},
			path:  "src/main.c", full: "/home/me/t/src/main.c"},
		"module, M=, beside": {module: true,
			units: [][2]string{{"/home/me/common/x.c", inTree}, {"/home/me/t/t.mod.c", inTree}},
			full:  "/home/me/common/x.c"},
		"module, M= since 6.13": {module: true,
			units: [][2]string{{"main.c", "/home/me/t"}, {"t.mod.c", "/home/me/t"}},
			path:  "main.c"},
		"module, MO= since 6.13": {module: true,
			units: [][2]string{{"/home/me/t/main.c", "/obj"}, {"t.mod.c", "/obj"}},
			full:  "/home/me/t/main.c"},
		"no file": {units: [][2]string{{"kernel/", inTree}, {"", inTree}}},
	} {
		units := unitsOf(x.units...)
		f := treeOf(units, x.module).file(units[0])
		assert.Equal(t, [2]string{x.path, x.full}, [2]string{f.Path, f.Full}, name)
		if f.HasPath() {
			assert.NotEmpty(t, f.Name, name)
		}
	}
}

// A file is its whole path in the tree. What is shorter counts only where what is left out
// can be before the root of the tree.
func TestMatchFile(t *testing.T) {
	in := func(paths ...string) (files []SourceFile) {
		for _, p := range paths {
			files = append(files, SourceFile{Path: p, Name: "signal.c"})
		}
		return files
	}
	built := func(units ...[2]string) (files []SourceFile) {
		all := unitsOf(units...)
		tree := treeOf(all, false)
		for _, u := range all {
			files = append(files, tree.file(u))
		}
		return files
	}
	outside := built([2]string{"/b/linux/arch/x86/kernel/signal.c", "/obj"},
		[2]string{"/b/linux/kernel/signal.c", "/obj"})
	alone := built([2]string{"/b/linux/arch/x86/kernel/signal.c", "/obj"})
	rooted := built([2]string{"/b/linux/arch/x86/kernel/signal.c", "/obj"},
		[2]string{"/b/linux/init/main.c", "/obj"})[:1]
	named := func(names ...string) (files []SourceFile) {
		for _, n := range names {
			files = append(files, SourceFile{Name: n})
		}
		return files
	}
	module := unitsOf([2]string{"/home/me/t/src/main.c", "/src"},
		[2]string{"/home/me/t/t.mod.c", "/src"})
	ours := []SourceFile{treeOf(module, true).file(module[0])}
	mixed := append(in("kernel/signal.c"), named("signal.c", "")...)
	for name, x := range map[string]struct {
		files []SourceFile
		want  string
		match []int
		how   FileMatch
	}{
		"the one": {in("arch/x86/kernel/signal.c", "kernel/signal.c"),
			"kernel/signal.c", []int{1}, ExactFile},
		"the other": {in("arch/x86/kernel/signal.c", "kernel/signal.c"),
			"arch/x86/kernel/signal.c", []int{0}, ExactFile},
		"not normalised": {in("kernel/signal.c"), "./kernel//signal.c", []int{0},
			ExactFile},
		"another's end": {in("arch/x86/kernel/signal.c"), "kernel/signal.c", nil,
			NoFile},
		"its end": {in("kernel/signal.c"), "signal.c", nil, NoFile},
		"more than it": {in("kernel/signal.c"), "linux/kernel/signal.c", nil,
			NoFile},
		"half a component": {in("kernel/signal.c"), "nel/signal.c", nil, NoFile},
		"twice": {in("kernel/signal.c", "kernel/signal.c"),
			"kernel/signal.c", []int{0, 1}, ExactFile},
		"root unknown, the lower": {outside, "arch/x86/kernel/signal.c", []int{0},
			RootAssumed},
		"root unknown, the upper":        {outside, "kernel/signal.c", []int{1}, RootAssumed},
		"root unknown, with more":        {outside, "linux/kernel/signal.c", []int{1}, RootAssumed},
		"root unknown, a name":           {outside, "signal.c", nil, NoFile},
		"root unknown, all there is":     {alone, "kernel/signal.c", []int{0}, RootAssumed},
		"root unknown, half a component": {alone, "nel/signal.c", nil, NoFile},
		"root known":                     {rooted, "kernel/signal.c", nil, NoFile},
		"root known, the one":            {rooted, "arch/x86/kernel/signal.c", []int{0}, ExactFile},
		"root known, with more":          {rooted, "linux/arch/x86/kernel/signal.c", nil, NoFile},
		"module's tree":                  {ours, "src/main.c", []int{0}, ExactFile},
		"module's tree, with more":       {ours, "t/src/main.c", []int{0}, RootAssumed},
		"module's tree, with less":       {ours, "main.c", nil, NoFile},
		"names": {named("a.c", "signal.c"), "kernel/signal.c", []int{1},
			NameOnly},
		"a name": {named("a.c", "signal.c"), "signal.c", []int{1},
			NameOnly},
		"equal names": {named("signal.c", "signal.c"), "kernel/signal.c",
			[]int{0, 1}, NameOnly},
		"other names": {named("a.c", "b.c"), "signal.c", nil, NoFile},
		"no names":    {named("", ""), "signal.c", nil, NoFile},
		"what is not known may be it": {named("signal.c", ""), "kernel/signal.c", []int{0, 1},
			NameOnly},
		"the one that is known": {mixed, "kernel/signal.c", []int{0}, ExactFile},
		"the one that is not": {mixed, "arch/x86/kernel/signal.c", []int{1, 2},
			NameOnly},
		"nothing": {nil, "signal.c", nil, NoFile},
	} {
		require.NotEmpty(t, x.want)
		match, how := MatchFile(x.files, x.want)
		assert.Equal(t, x.match, match, name)
		assert.Equal(t, x.how, how, name)
	}
}
