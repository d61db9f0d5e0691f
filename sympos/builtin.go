// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bufio"
	"encoding/binary"
	"io"
	"path/filepath"
	"strings"
)

// A folder of modules comes with two lists that the build wrote: modules.order has
// those that were built, modules.builtin those that the configuration made part of
// vmlinux (Documentation/kbuild/kbuild.rst). Paths in them begin with kernel/ when
// installed and, in build trees of 6.4 and later, end in .o.
//
// Only with both, and with a file for each name of the first, is a module that is
// not there one that the kernel does not have: packages come in parts.

// modulesFolder takes a kernel's modules as they are installed.
func (f *finder) modulesFolder(dir string) bool {
	if f.modules {
		return f.have(dir)
	}
	found, err := modulesBelow(dir)
	if err != nil {
		f.looked = append(f.looked, dir+": "+reason(err))
		return false
	}
	for _, path := range found {
		f.offer(dir, path)
	}
	f.modules = len(found) > 0
	if f.modules {
		f.got++
		f.k.note("modules: %d in %s", len(found), dir)
	}
	f.lists(dir)
	return f.modules
}

// offer adds a module of a folder. What was installed later than the kernel, in
// updates/, comes before what came with it (depmod.d(5), search).
func (f *finder) offer(dir, path string) {
	name := ModuleName(path)
	old := f.k.modules[name]
	if old != "" {
		if !strings.HasPrefix(path, filepath.Join(dir, "updates")+"/") {
			path, old = old, path
		}
		f.k.note("module %s: %s, not %s", name, path, old)
	}
	f.k.modules[name] = path
}

// treeModules takes the modules of a build tree. It says which it has built; to
// look for them would take longer than all the rest.
func (f *finder) treeModules(dir string) {
	f.lists(dir)
	found := 0
	order := filepath.Join(dir, "modules.order")
	err := eachModule(order, func(path string) {
		// Until 5.4 the paths are those of the installed modules.
		for _, p := range []string{path, strings.TrimPrefix(path, "kernel/")} {
			if at := filepath.Join(dir, p); filepath.IsLocal(p) && f.exists(at) {
				f.k.modules[ModuleName(at)] = at
				found++
				return
			}
		}
	})
	if err != nil {
		f.looked = append(f.looked, order+": "+reason(err))
		paths, _ := modulesBelow(dir)
		for _, path := range paths {
			f.k.modules[ModuleName(path)] = path
		}
		found = len(paths)
	}
	if found > 0 {
		f.modules = true
		f.got++
		f.k.note("modules: %d in %s", found, dir)
	}
}

// lists reads which modules are part of vmlinux, and remembers where it stands which
// are not.
func (f *finder) lists(dir string) {
	if f.builtin {
		return
	}
	path := filepath.Join(dir, "modules.builtin")
	n := 0
	err := eachModule(path, func(path string) {
		f.k.builtin[ModuleName(path)] = true
		n++
	})
	if err != nil {
		f.looked = append(f.looked, path+": "+reason(err))
		return
	}
	f.builtin = true
	f.got++
	f.k.note("built in: %d modules, says %s", n, path)
	f.orders = append(f.orders, filepath.Join(dir, "modules.order"))
}

// checkComplete finds out whether there is a file for every module.
func (f *finder) checkComplete() {
	if !f.modules || !f.builtin {
		return
	}
	for _, order := range f.orders {
		missing := 0
		err := eachModule(order, func(path string) {
			if f.k.modules[ModuleName(path)] == "" {
				missing++
			}
		})
		switch {
		case err != nil:
			f.k.note("modules: not known whether these are all: %s: %s", order, reason(err))
			return
		case missing > 0:
			f.k.note("modules: %d of %s are not here", missing, order)
			return
		}
	}
	f.k.complete = true
}

// eachModule visits the paths in a list of modules, as paths of .ko files.
func eachModule(list string, visit func(path string)) error {
	r, _, err := openFile(list)
	if err != nil {
		return err
	}
	defer r.Close()
	lines := bufio.NewScanner(io.LimitReader(r, 16<<20))
	for lines.Scan() {
		path := strings.TrimSpace(lines.Text())
		if path, ok := strings.CutSuffix(path, ".o"); ok {
			visit(path + ".ko")
		} else if path != "" {
			visit(path)
		}
	}
	return lines.Err()
}

// readConfig says what in the kernel's configuration matters here.
func (f *finder) readConfig() {
	r, _, err := openFile(f.k.Config)
	if err != nil {
		return
	}
	defer r.Close()
	lines := bufio.NewScanner(io.LimitReader(r, 16<<20))
	for lines.Scan() {
		switch lines.Text() {
		case "# CONFIG_LIVEPATCH is not set":
			f.k.note("configuration: without livepatching (CONFIG_LIVEPATCH)")
		case "# CONFIG_KALLSYMS_ALL is not set":
			f.k.note("configuration: the loader finds functions only, no data (CONFIG_KALLSYMS_ALL)")
		}
	}
}

// releaseOfImage returns the release that an x86 image says it is of, or "".
// (Documentation/arch/x86/boot.rst, kernel_version)
func releaseOfImage(path string) string {
	b, err := readSmall(path)
	if err != nil || len(b) < 0x210 || !magicAt(b, 0x202, bzMagic) {
		return ""
	}
	at := int(binary.LittleEndian.Uint16(b[0x20e:])) + 0x200
	if at == 0x200 || at >= len(b) {
		return ""
	}
	release, _, _ := strings.Cut(string(cString(b, uint32(at))), " ")
	return release
}
