// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/exp/slices"
)

// A directory of modules has two lists that the build wrote: modules.order has
// those that were built, modules.builtin those that the configuration made part of
// vmlinux (Documentation/kbuild/kbuild.rst). Paths in them begin with kernel/ when
// installed and, in build trees of 6.4 and later, end in .o.
//
// Packages come in parts. So a module that is missing is one that the kernel does not
// have only when both lists exist and every name of the first has a file.

// useModulesDir uses a kernel's modules as they are installed, and reports whether there
// are any.
func (f *finder) useModulesDir(dir string) bool {
	if f.modules {
		return f.countFound(dir)
	}
	found, err := f.k.findModules(dir)
	if err != nil {
		f.looked = append(f.looked, dir+": "+shortReason(err))
		return false
	}
	if len(f.k.modules) == 0 {
		f.k.modules = make(map[string]string, len(found))
	}
	for _, path := range found {
		f.addInstalled(dir, path)
	}
	f.modules = len(found) > 0
	if f.modules {
		f.k.moduleDirs = append(f.k.moduleDirs, dir)
		f.found++
		f.k.note("modules: %d in %s", len(found), dir)
	}
	f.readLists(dir)
	return f.modules
}

// addInstalled adds a module of a directory. What was installed later than the kernel, in
// updates/, comes before what came with it (depmod.d(5), search).
func (f *finder) addInstalled(dir, path string) {
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

// useTreeModules uses the modules of a build tree. modules.order lists them: searching the
// tree would take longer than all the rest.
func (f *finder) useTreeModules(dir string) {
	f.readLists(dir)
	found := 0
	order := filepath.Join(dir, "modules.order")
	err := f.eachModule(order, func(path string) {
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
		f.looked = append(f.looked, order+": "+shortReason(err))
		paths, _ := f.k.findModules(dir)
		for _, path := range paths {
			f.k.modules[ModuleName(path)] = path
		}
		found = len(paths)
	}
	if found > 0 {
		f.modules = true
		f.k.moduleDirs = append(f.k.moduleDirs, dir)
		f.found++
		f.k.note("modules: %d in %s", found, dir)
	}
}

// readLists reads which modules are part of vmlinux, and notes where the list of the
// others is.
func (f *finder) readLists(dir string) {
	if f.builtin {
		return
	}
	path := filepath.Join(dir, "modules.builtin")
	n := 0
	err := f.eachModule(path, func(path string) {
		f.k.builtin[ModuleName(path)] = true
		n++
	})
	if err != nil {
		f.looked = append(f.looked, path+": "+shortReason(err))
		return
	}
	f.builtin = true
	f.found++
	f.k.note("built in: %d modules, says %s", n, path)
	if !slices.Contains(f.incomplete, path) {
		f.checkBuiltin(path)
	}
	f.orders = append(f.orders, filepath.Join(dir, "modules.order"))
}

// checkComplete finds out whether there is a file for every module.
func (f *finder) checkComplete() {
	if !f.modules || !f.builtin {
		return
	}
	for _, order := range f.orders {
		missing := 0
		listed := make(map[string]bool, len(f.k.modules))
		err := f.eachModule(order, func(path string) {
			name := ModuleName(path)
			if f.k.modules[name] == "" {
				missing++
			}
			listed[name] = true
		})
		if err == nil && !slices.Contains(f.incomplete, order) {
			f.checkOrder(order, listed)
		}
		switch {
		case err != nil:
			f.k.note("modules: not known whether these are all: %s: %s", order, shortReason(err))
			return
		case missing > 0:
			f.k.note("modules: %d of %s are not here", missing, order)
			return
		}
	}
	f.k.complete = len(f.incomplete) == 0
}

// checkBuiltin compares modules.builtin with modules.builtin.modinfo, which has an entry
// "name.file=path" for each of its modules: since 5.9 by include/linux/module.h, MODULE_FILE.
// Other entries, license= for example, need not be of a module.
func (f *finder) checkBuiltin(list string) {
	b, err := readList(list + ".modinfo")
	if err != nil || len(b) == 0 {
		return // older kernels have none
	}
	if b[len(b)-1] != 0 {
		f.noteIncomplete(list+".modinfo", "it ends in the middle of an entry: it was cut")
	}
	entries := strings.Split(string(b), "\x00")
	for _, e := range entries[:len(entries)-1] {
		name, value, _ := strings.Cut(e, "=")
		if _, field, ok := strings.Cut(name, "."); !ok || field != "file" {
			continue
		}
		if module := ModuleName(value); !f.k.builtin[module] {
			f.noteIncomplete(list, fmt.Sprintf("%s.modinfo has module %s, which is not in "+
				"it", filepath.Base(list), module))
			return
		}
	}
}

// checkOrder compares modules.order with the files in kernel/, all of which it lists.
func (f *finder) checkOrder(order string, listed map[string]bool) {
	below := filepath.Join(filepath.Dir(order), "kernel") + "/"
	first := ""
	for name, path := range f.k.modules {
		if !listed[name] && strings.HasPrefix(path, below) && !listed[ModuleName(path)] &&
			(first == "" || path < first) {
			first = path
		}
	}
	if first != "" {
		f.noteIncomplete(order, first+" exists and is not in it")
	}
}

// noteIncomplete notes that a list of modules may not be whole.
func (f *finder) noteIncomplete(list, why string) {
	if !slices.Contains(f.incomplete, list) {
		f.incomplete = append(f.incomplete, list)
		f.k.Incomplete = append(f.k.Incomplete, list+" may not be whole: "+why)
	}
}

// eachModule visits the paths in a list and notes why the list may not be whole. When it does
// not end with a newline, the last line is not visited.
func (f *finder) eachModule(list string, visit func(path string)) error {
	why, err := eachWholeModule(list, visit)
	if why != "" {
		f.noteIncomplete(list, why)
	}
	return err
}

// maxList bounds a list of modules.
const maxList = 16 << 20

// readList returns the contents of a list.
func readList(path string) ([]byte, error) {
	r, info, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readAll(r, info.Size(), maxList)
}

// eachModule visits the paths in a list of modules, as paths of .ko files.
func eachModule(list string, visit func(path string)) error {
	_, err := eachWholeModule(list, visit)
	return err
}

// eachWholeModule is eachModule, and returns why the list may not be whole, or "".
func eachWholeModule(list string, visit func(path string)) (cut string, err error) {
	b, err := readList(list)
	if err != nil {
		return "", err
	}
	count, rest := 0, string(textHead(b))
	for {
		path, after, ok := strings.Cut(rest, "\n")
		count++
		if !ok {
			break
		}
		rest = after
		path = strings.TrimSpace(path)
		if path, ok := strings.CutSuffix(path, ".o"); ok {
			visit(path + ".ko")
		} else if path != "" && path[0] != '#' {
			visit(path)
		}
	}
	if rest != "" {
		cut = truncationNote(count, []byte(rest))
	}
	return cut, nil
}

// ConfigCut returns why a kernel's configuration may not be whole, or "". Kconfig ends it with
// a newline and, since 5.3, each menu with "# end of" its title (scripts/kconfig/confdata.c,
// conf_write). "Kernel hacking" is the last menu of all machines (lib/Kconfig.debug); some
// options may follow it.
func ConfigCut(config []byte) string {
	text := bytes.TrimRight(config, "\r\n")
	at := bytes.LastIndexByte(text, '\n') + 1
	last := bytes.TrimSpace(text[at:])
	switch {
	case len(config) == 0:
		return "it is empty"
	case config[len(config)-1] != '\n':
		return truncationNote(bytes.Count(text, []byte("\n"))+1, last)
	case !bytes.Contains(text, []byte("\n# end of Kernel hacking")) &&
		bytes.Contains(text, []byte("\n# end of ")):
		return fmt.Sprintf("the menu Kernel hacking, with which configurations end, does not end "+
			"in it; its last line is %.60q", last)
	}
	return ""
}

// readConfig notes what in the kernel's configuration matters here.
func (f *finder) readConfig() {
	b, err := readList(f.k.Config)
	if err != nil {
		return
	}
	if why := ConfigCut(b); why != "" {
		f.k.Incomplete = append(f.k.Incomplete, f.k.Config+" may not be whole: "+why)
	}
	if hasLine(b, "# CONFIG_LIVEPATCH is not set") {
		f.k.note("configuration: without livepatching (CONFIG_LIVEPATCH)")
	}
	if hasLine(b, "# CONFIG_KALLSYMS_ALL is not set") {
		f.k.note("configuration: the loader finds functions only, no data (CONFIG_KALLSYMS_ALL)")
	}
}

// hasLine reports whether a text has that line.
func hasLine(text []byte, line string) bool {
	for {
		at := bytes.Index(text, []byte(line))
		if at < 0 {
			return false
		}
		begins := at == 0 || text[at-1] == '\n'
		text = text[at+len(line):]
		if begins && (len(text) == 0 || text[0] == '\n' || text[0] == '\r') {
			return true
		}
	}
}

// releaseOfImage returns the release in the header of an x86 image, or ""
// (Documentation/arch/x86/boot.rst, kernel_version).
func releaseOfImage(path string) string {
	b, err := readSmall(path)
	if err != nil || len(b) < 0x210 || !hasMagicAt(b, 0x202, bzMagic) {
		return ""
	}
	at := int(binary.LittleEndian.Uint16(b[0x20e:])) + 0x200
	if at == 0x200 || at >= len(b) {
		return ""
	}
	release, _, _ := strings.Cut(string(cString(b, uint32(at))), " ")
	return release
}
