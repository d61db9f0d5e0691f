// SPDX-License-Identifier: GPL-2.0-or-later

//go:build linux

package sympos_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/klp-convert/klp-convert/scripts/lab"
	"github.com/klp-convert/klp-convert/scripts/need"
	"github.com/klp-convert/klp-convert/sympos"
)

func openCache(t *testing.T) *lab.Cache {
	t.Helper()
	need.Long(t, "a kernel is fetched")
	if missing := lab.Missing(); len(missing) > 0 {
		need.Lab(t, "the kernel lab needs: "+lab.InstallLine(missing)+" (and then: go test "+
			"-count=1)")
	}
	cache, err := lab.OpenCache()
	require.NoError(t, err)
	return cache
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "sympos: "+format+"\n", args...) }

// modulesToLoad need no other module and have names that occur more than once.
var modulesToLoad = []string{"fs/minix/minix", "fs/fat/fat", "fs/overlayfs/overlay"}

// The proof: a running kernel's table, and what the sources say of that kernel
// before it runs. Every name, every position, on each of the lab's kernels.
func TestRunningKernelAgrees(t *testing.T) {
	t.Parallel()
	cache := openCache(t)
	releases, err := lab.Selected()
	require.NoError(t, err)
	for _, r := range releases {
		t.Run(r.Series, func(t *testing.T) {
			t.Parallel()
			kernel, err := lab.FetchRelease(cache, r, say)
			if err != nil {
				need.Lab(t, fmt.Sprintf("the kernel %v is not to be had here: %v", r, err))
			}
			runningKernelAgrees(t, kernel)
		})
	}
}

func runningKernelAgrees(t *testing.T, kernel *lab.Kernel) {
	dir := t.TempDir()
	agent, err := lab.BuildAgent(dir, kernel.Arch())
	require.NoError(t, err)
	vm := kernel.VM(filepath.Join(dir, "vm"), agent)
	var (
		steps   []string
		modules []sympos.Source
	)
	names := modulesToLoad
	if kernel.Built() {
		names = nil // it has hardly any
	}
	for _, m := range names {
		found, err := filepath.Glob(filepath.Join(kernel.Modules, "kernel", m+".ko*"))
		require.NoError(t, err)
		require.Len(t, found, 1, m)
		s, err := sympos.Open(found[0])
		require.NoError(t, err)
		modules = append(modules, s)
		name, b := unpacked(t, found[0])
		vm.File(name, b)
		steps = append(steps, "load "+name)
	}
	steps = append(steps, "pack /proc/kallsyms")

	// The machine boots while the files are read.
	var (
		run     *lab.Run
		bootErr error
		booted  = make(chan bool)
	)
	go func() {
		defer close(booted)
		run, bootErr = vm.Boot(context.Background(), steps...)
	}()
	var tables []*sympos.Table
	for _, s := range vmlinuxSources(t, kernel) {
		table, err := sympos.Read(sympos.All, s)
		require.NoError(t, err)
		tables = append(tables, table)
	}
	loadable, err := sympos.Read(sympos.All, modules...)
	<-booted
	require.NoError(t, err)
	require.NoError(t, bootErr)
	require.True(t, run.Done, "%s", run)
	for _, r := range run.Steps {
		require.Zero(t, r.Status, "%s", r)
	}
	last := run.Steps[len(steps)-1]
	running := kallsymsOf(t, last)
	text, err := last.Unpack()
	require.NoError(t, err)
	saved, err := sympos.New("kallsyms", bytes.NewReader(text), int64(len(text)))
	require.NoError(t, err)
	live, err := sympos.Read(sympos.All, saved)
	require.NoError(t, err)
	if !kernel.Built() {
		// Without a module in it nothing but what is special to x86 tells it from a System.map.
		require.Equal(t, sympos.Kallsyms, live.Facts(sympos.Vmlinux).Kind)
	}
	require.False(t, live.Facts(sympos.Vmlinux).NoAddresses)
	for _, said := range append(tables, live, loadable) {
		assert.Empty(t, said.Incomplete(), "a real list is whole")
	}
	for cut := len(text) / 5; cut < len(text)-200; cut += len(text) / 5 {
		part, err := sympos.New("kallsyms", bytes.NewReader(text[:cut]), int64(cut))
		require.NoError(t, err)
		half, err := sympos.Read(sympos.Names("_text"), part)
		require.NoError(t, err)
		assert.NotEmpty(t, half.Incomplete(), "cut at %d of %d", cut, len(text))
	}

	for _, said := range append(tables, live) {
		facts := said.Facts(sympos.Vmlinux)
		c := compareTables(t, sympos.Vmlinux, running[sympos.Vmlinux], said)
		t.Logf("%s, %v: %v %v", kernel.Release, facts.Kind, c, facts.Notes)
		if !kernel.Built() {
			assert.Greater(t, c.symbols, 50_000)
			assert.Greater(t, c.repeated, 500)
		}
		assert.Greater(t, c.symbols, 10_000)
		assert.Greater(t, c.repeated, 50)
	}
	for i, m := range names {
		name := sympos.ModuleName(m)
		require.NotEmpty(t, running[name], name)
		for _, said := range []*sympos.Table{loadable, live} {
			c := compareTables(t, name, running[name], said)
			t.Logf("%s, %v of %v: %v", kernel.Release, said.Facts(name).Kind,
				filepath.Base(modules[i].String()), c)
			assert.Positive(t, c.repeated, name)
		}
	}
}

// vmlinuxSources are the available files that have the kernel's own symbols: its
// images, and System.map and vmlinux of the tree that it was built in, or of the debug
// package if KLP_LAB_DEBUG is set.
func vmlinuxSources(t *testing.T, kernel *lab.Kernel) []sympos.Source {
	t.Helper()
	paths := kernel.Images()
	if linked := filepath.Join(kernel.Headers, "vmlinux"); kernel.Built() {
		if _, err := os.Stat(linked); err == nil && linked != kernel.Image {
			paths = append(paths, linked)
		}
	} else if os.Getenv("KLP_LAB_DEBUG") != "" {
		files, err := lab.FetchDebug(openCache(t), kernel, say)
		require.NoError(t, err)
		paths = append(paths, files...)
	}
	var sources []sympos.Source
	for _, path := range paths {
		s, err := sympos.Open(path)
		require.NoError(t, err)
		sources = append(sources, s)
	}
	// The System.map of the package itself is a stub, and recognised as one.
	maps, err := filepath.Glob(filepath.Join(kernel.Root, "boot/System.map*"))
	require.NoError(t, err)
	for _, path := range maps {
		s, err := sympos.Open(path)
		if errors.Is(err, sympos.ErrStub) {
			t.Logf("%s: %v", filepath.Base(path), err)
			continue
		}
		require.NoError(t, err)
		sources = append(sources, s)
	}
	return sources
}

// unpacked reads a module as the agent in the guest loads it. From Debian 13 on
// they are installed as .ko.xz.
func unpacked(t *testing.T, path string) (name string, b []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	name, packed := strings.CutSuffix(filepath.Base(path), ".xz")
	if packed {
		b, err = exec.Command("xz", "-dc", path).Output()
		require.NoError(t, err)
	}
	return name, b
}

// A line is one symbol of /proc/kallsyms.
type line struct {
	address uint64
	letter  byte
}

// kallsymsOf reads the /proc/kallsyms that the step printed: by object and name,
// in its order. It is read here, without sympos, since it is what sympos is judged by.
func kallsymsOf(t *testing.T, r lab.Result) map[string]map[string][]line {
	t.Helper()
	text, err := r.Unpack()
	require.NoError(t, err)
	objects := map[string]map[string][]line{}
	for _, l := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		fields := strings.Fields(l) // address, letter, name, [module]
		require.GreaterOrEqual(t, len(fields), 3, l)
		object := sympos.Vmlinux
		if len(fields) > 3 {
			object = strings.Trim(fields[3], "[]")
		}
		address, err := strconv.ParseUint(fields[0], 16, 64)
		require.NoError(t, err)
		if objects[object] == nil {
			objects[object] = map[string][]line{}
		}
		objects[object][fields[2]] = append(objects[object][fields[2]], line{address, fields[1][0]})
	}
	return objects
}

// leftOutRE matches names that some kernels have in their tables and others have
// not: .LC0 and __kstrtab_ (5.10), __pfx_ (6.12), the parts of the table itself (6.12)
// (scripts/kallsyms.c, is_ignored_symbol; later scripts/mksysmap). Where a
// source has to guess what the kernel's build left out, sympos leaves these out.
// Such a name is refused then, which is not as bad as a wrong position.
var leftOutRE = regexp.MustCompile(`^(\.L|__pfx_|__kstrtab_|__kstrtabns_|kallsyms_[a-z_]+$)`)

// A count is what compareTables has compared.
type count struct{ symbols, names, repeated, positions, different, leftOut int }

func (c count) String() string {
	return fmt.Sprintf("%d symbols, %d names, %d of them of several symbols, which have %d "+
		"positions; %d names differ, %d are left out",
		c.symbols, c.names, c.repeated, c.positions, c.different, c.leftOut)
}

// compareTables compares one object in the running kernel with what a source says,
// position by position. Of a module the running kernel has what is left of it, and
// a symbol is at the address of its section plus the offset that the file has.
// Symbols whose name is unique show where the sections are.
func compareTables(t *testing.T, object string, running map[string][]line,
	said *sympos.Table) count {
	t.Helper()
	var (
		module = object != sympos.Vmlinux
		kind   = said.Facts(object).Kind
		starts = map[uint64]bool{}
		c      count
	)
	for name, truth := range running {
		if list := said.Lookup(object, name); module && len(truth) == 1 && len(list) == 1 {
			starts[truth[0].address-list[0].Address] = true
		}
	}
	// s390x moves its kernel since 6.10, with nokaslr too: all of it by the same distance.
	var moved uint64
	if here, there := running["_stext"], said.Lookup(object, "_stext"); len(here) == 1 &&
		len(there) == 1 {
		moved = here[0].address - there[0].Address
	}
	for name, truth := range running {
		if kind != sympos.Image && kind != sympos.ModuleFile && leftOutRE.MatchString(name) &&
			len(said.Lookup(object, name)) == 0 {
			c.leftOut++
			continue
		}
		var list []sympos.Symbol
		for _, s := range said.Lookup(object, name) {
			if s.Loaded != 0 {
				list = append(list, s)
			}
		}
		same := len(truth) == len(list)
		for i := 0; same && i < len(truth); i++ {
			same = list[i].Loaded == i+1 && sameLetter(truth[i].letter, list[i].Type, kind)
			if module {
				same = same && starts[truth[i].address-list[i].Address]
			} else {
				same = same && truth[i].address == list[i].Address+moved
			}
		}
		if !same {
			if c.different++; c.different <= 10 {
				t.Errorf("%s:%s: the running kernel has %x, %v says %+v", object, name, truth, kind,
					list)
			}
		}
		c.names++
		c.symbols += len(truth)
		if len(truth) > 1 {
			c.repeated++
			c.positions += len(truth)
		}
	}
	for _, name := range said.Names(object) {
		for _, s := range said.Lookup(object, name) {
			if s.Loaded != 0 && len(running[name]) == 0 {
				t.Errorf("%s is not in the running kernel, but in the %v", s, kind)
			}
		}
	}
	return c
}

// sameLetter compares types. In a module's file the case of the letter is not
// known for all. Per-CPU symbols of x86 are absolute in the kernel's own table only.
func sameLetter(running, said byte, kind sympos.Kind) bool {
	switch {
	case kind == sympos.ModuleFile:
		return lower(running) == lower(said)
	case kind == sympos.VmlinuxFile || kind == sympos.SystemMap:
		return running == said || running == 'A' && lower(said) == 'd'
	}
	return running == said
}

func lower(c byte) byte { return c | 0x20 }

// Debian's ppc64el kernel is a vmlinux with its symbol table, and has the table for
// itself too: one source against the other. Its kallsyms is without data
// (CONFIG_KALLSYMS_ALL), so code is what is compared.
func TestSymbolTableAndKallsymsOfOneKernelAgree(t *testing.T) {
	t.Parallel()
	dirs, err := lab.Corpus(openCache(t), say)
	if err != nil {
		need.Lab(t, "the kernel lab has no kernels of other machines: "+err.Error())
	}
	compared := 0
	for _, dir := range dirs {
		found, err := filepath.Glob(filepath.Join(dir, "../../../boot/vmlinux-*"))
		require.NoError(t, err)
		for _, path := range found {
			compared++
			file, err := sympos.Open(path)
			require.NoError(t, err)
			said, err := sympos.Read(sympos.All, file)
			require.NoError(t, err)
			inside, err := sympos.Read(sympos.All, sympos.Inside(path))
			require.NoError(t, err)
			names, symbols, repeated, bad := 0, 0, 0, 0
			for _, name := range inside.Names(sympos.Vmlinux) {
				truth := inside.Lookup(sympos.Vmlinux, name)
				var list []sympos.Symbol
				for _, s := range said.Lookup(sympos.Vmlinux, name) {
					if strings.IndexByte("tTwW", s.Type) >= 0 || s.Type == truth[0].Type {
						list = append(list, s)
					}
				}
				same := len(list) == len(truth)
				for i := 0; same && i < len(list); i++ {
					same = list[i].Address-truth[i].Address == list[0].Address-truth[0].Address &&
						list[i].Type == truth[i].Type
				}
				if !same {
					if bad++; bad <= 10 {
						t.Errorf("%s: kallsyms has %v, the symbol table %v", name, truth, list)
					}
				}
				names++
				symbols += len(truth)
				if len(truth) > 1 {
					repeated++
				}
			}
			t.Logf("%s: %d symbols, %d names, %d of them of several symbols: all in the same positions",
				filepath.Base(path), symbols, names, repeated)
			assert.Greater(t, repeated, 100)
		}
	}
	if compared == 0 {
		need.Absent(t, "none of this release's kernels comes as a vmlinux with a symbol table")
	}
}
