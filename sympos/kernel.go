// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos/index"
)

// A Kernel is one kernel, as its available files describe it.
type Kernel struct {
	Name    string // as it was asked for, for messages
	Release string // as uname -r prints it; "" when not known
	Config  string // path of its configuration; "" when not found
	// BuiltFor is the release for which the module was built that this kernel is to load. It
	// is used when Release is "".
	BuiltFor string
	// Sysfs is where sysfs of the running system is, "/sys", when that runs this kernel: it
	// tells of the modules that are loaded. Else "".
	Sysfs string
	// Notes are what was found, used and passed over, a line each.
	Notes []string
	// Warnings are where the parts seem to come from different kernels, a line each.
	Warnings []string
	// Incomplete are the lists (of modules, of options) that may not be whole, a line each. For
	// symbols and exports see Table.Incomplete.
	Incomplete []string
	// Progress, when not nil, is called with the number of files that were read: with 0
	// first, and after each file. Calls do not overlap.
	Progress func(done, total int)
	// Index, when not nil, keeps what is read of the kernel's files, and has what was read of
	// them before. It changes nothing but how long reading takes.
	Index *index.Store

	sources []Source // of vmlinux, of loaded modules, of exports
	// Sources of vmlinux that were found rather than named: one that can't be read is
	// passed over for another of them, or for the first of the reserve.
	witnesses, reserve []Source
	tableGiven         bool // sources have the symbols of vmlinux, so no witness is needed

	modules  map[string]string // path of each module's file, by the module's name
	given    map[string]bool   // modules that were named: true by file, false by directory
	builtin  map[string]bool   // modules that are part of vmlinux
	complete bool              // modules and builtin have all modules of the kernel
	debugs   []string          // directories that debug packages have like that of the modules
	// moduleDirs are the directories in which modules were found.
	moduleDirs []string
}

// NewKernel returns the kernel that these sources describe.
func NewKernel(name string, sources ...Source) *Kernel {
	return &Kernel{Name: name, sources: sources, modules: map[string]string{},
		builtin: map[string]bool{}, given: map[string]bool{}}
}

// FindKernel finds the files of a kernel. x is one of
//
//	a release         6.1.0-56-amd64: /boot, /lib/modules, /usr/lib/debug and so on
//	a directory       /lib/modules/6.1.0-56-amd64; a build tree, or the headers
//	                  made from one; an unpacked package
//	a file            of any kind that Open knows
//	a list of these   separated by commas, all of the same kernel
//
// keep becomes Kernel.Index, which may be nil.
//
// When no file has the symbols of vmlinux, the error is a *MissingError.
func FindKernel(x string, keep *index.Store) (*Kernel, error) { return FindKernelIn("/", x, keep) }

// Presence is whether a kernel has an object.
type Presence int

const (
	Unknown Presence = iota // not known
	Present                 // as vmlinux, or as a module of its own
	BuiltIn                 // a module by name, but part of vmlinux
	Absent                  // all its modules are known, and this is not one of them
)

// Presence returns whether the kernel has the object. A Table may have it although this
// is Unknown or Absent: a module may be known from /proc/kallsyms only.
func (k *Kernel) Presence(object string) Presence {
	switch {
	case object == Vmlinux || k.modules[object] != "":
		return Present
	case k.builtin[object]:
		return BuiltIn
	case k.complete:
		return Absent
	}
	return Unknown
}

// ModuleFile returns the contents of the module's file, unpacked, and its path. The
// error wraps fs.ErrNotExist when no file is known.
func (k *Kernel) ModuleFile(name string) (contents []byte, path string, err error) {
	path = k.modules[name]
	if path == "" {
		return nil, "", fmt.Errorf("module %s: %w", name, fs.ErrNotExist)
	}
	in, done, err := newFile(path).input()
	if err != nil {
		return nil, path, err
	}
	defer done()
	contents = make([]byte, max(in.size, 0))
	_, err = io.ReadFull(in.section(0), contents)
	return contents, path, err
}

// Modules returns the names of the modules whose files are available, sorted.
func (k *Kernel) Modules() []string {
	names := make([]string, 0, len(k.modules))
	for name := range k.modules {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// AddModules adds the module in a file, or all modules in a directory and below it. They
// replace those of the same names that the kernel has already.
//
// The name of a module is read from its file. For the modules of a directory, which are
// many, the names of the files are used.
func (k *Kernel) AddModules(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		name, err := readModuleName(path)
		if err != nil {
			return err
		}
		k.addModule(name, path)
		k.given[name] = true
		return nil
	}
	found, err := k.findModules(filepath.Clean(path))
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("%s: no modules in it (*.ko, *.ko.gz, *.ko.xz, *.ko.zst)", path)
	}
	for _, path := range found {
		name := ModuleName(path)
		k.addModule(name, path)
		k.given[name] = false
	}
	k.note("modules: %d in %s", len(found), path)
	k.moduleDirs = append(k.moduleDirs, filepath.Clean(path))
	return nil
}

// AddSymvers adds the exports in a Module.symvers. An empty one belongs to modules that
// export nothing.
func (k *Kernel) AddSymvers(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() && info.Size() == 0 {
		return nil
	}
	kind, err := KindOf(path)
	if err != nil {
		return err
	}
	if kind != Symvers {
		return fmt.Errorf("%s: not a Module.symvers, but a %s", path, kind)
	}
	src, err := Open(path)
	if err != nil {
		return err
	}
	k.sources = append(k.sources, src)
	k.note("exports: %s", path)
	k.useConfigOf(path)
	return nil
}

// addModule adds a module, and notes when it replaces another one.
func (k *Kernel) addModule(name, path string) {
	if old := k.modules[name]; old != "" && old != path {
		k.note("module %s: %s instead of %s", name, path, old)
	}
	k.modules[name] = path
}

// readModuleName reads the module's name from its file.
func readModuleName(path string) (string, error) {
	src, err := Open(path)
	if err != nil {
		return "", err
	}
	name := ModuleName(path)
	facts, err := src.Scan(func(e *Entry) { name = e.Object })
	if err == nil && facts.Kind != ModuleFile {
		err = fmt.Errorf("%s: not a module, but a %s", path, facts.Kind)
	}
	return name, err
}

// isModuleFile reports whether a file of that name is a module.
func isModuleFile(name string) bool {
	_, packing, found := splitModuleFile(name)
	return found && slices.Contains([]string{"", ".gz", ".xz", ".zst"}, packing)
}

// debugFiles returns the files that debug packages have of modules.
func (k *Kernel) debugFiles(modules []string) map[string][]string {
	all := map[string][]string{}
	for _, name := range modules {
		_, rest, ok := strings.Cut(k.modules[name], "/lib/modules/")
		_, rest, ok2 := strings.Cut(rest, "/") // after the release
		if !ok || !ok2 {
			continue
		}
		dir, file := filepath.Split(rest)
		stem, _, _ := splitModuleFile(file)
		for _, debug := range k.debugs {
			for _, end := range []string{".ko", ".ko.debug"} {
				path := filepath.Join(debug, dir, stem+end)
				if _, err := os.Stat(path); err == nil {
					all[name] = append(all[name], path)
				}
			}
		}
	}
	return all
}

func (k *Kernel) warn(format string, args ...any) {
	k.Warnings = append(k.Warnings, fmt.Sprintf(format, args...))
}

func (k *Kernel) note(format string, args ...any) {
	k.Notes = append(k.Notes, fmt.Sprintf(format, args...))
}

// PassedOver is how the warning begins that a module can't be read.
const PassedOver = "module passed over: "

// Read returns a table of the wanted symbols of vmlinux, of these objects as far as their
// files are available, and of all objects in the kernel's other sources, and of exports
// of the wanted names. objects need not have vmlinux. Modules that were added by name are
// read too, for their exports. want is called from several goroutines at once.
func (k *Kernel) Read(want Want, objects ...string) (*Table, error) {
	return k.read(want, objects, nil)
}

// ReadAll is Read for all modules whose files are available. One that can't be read is
// passed over with a warning, unless it is one of the given objects.
func (k *Kernel) ReadAll(want Want, objects ...string) (*Table, error) {
	named := make(map[string]bool, len(objects))
	for _, o := range objects {
		named[o] = true
	}
	others := slices.DeleteFunc(k.Modules(), func(o string) bool { return named[o] })
	return k.read(want, objects, others)
}

// ReadExports is Read for exports only. If a list of exports was found or given, it is
// enough, and no image is unpacked.
func (k *Kernel) ReadExports(want Want, _ ...string) (*Table, error) {
	exports := *k
	exports.witnesses, exports.reserve = nil, nil
	return exports.read(want, nil, nil)
}

// addGiven adds the modules that were named to those that are read: they may export what
// nothing else lists. Those of a directory may be unreadable.
func (k *Kernel) addGiven(objects, others []string) ([]string, []string) {
	if len(k.given) == 0 {
		return objects, others
	}
	read := map[string]bool{}
	for _, name := range objects {
		read[name] = true
	}
	objects, others = slices.Clone(objects), slices.Clone(others)
	for _, name := range k.Modules() {
		byFile, given := k.given[name]
		if given && byFile && !read[name] {
			objects, read[name] = append(objects, name), true
		}
	}
	others = slices.DeleteFunc(others, func(name string) bool { return read[name] })
	for _, name := range others {
		read[name] = true
	}
	for _, name := range k.Modules() {
		if _, given := k.given[name]; given && !read[name] {
			others = append(others, name)
		}
	}
	return objects, others
}

// read reads objects, which must be readable, and others, which need not be.
func (k *Kernel) read(want Want, objects, others []string) (*Table, error) {
	objects, others = k.addGiven(objects, others)
	sources := append(slices.Clone(k.witnesses), k.sources...)
	for _, o := range objects {
		if path := k.modules[o]; path != "" {
			sources = append(sources, newFile(path))
		}
	}
	needed := len(sources)
	for _, o := range others {
		sources = append(sources, newFile(k.modules[o]))
	}
	match, x := k.matching(), k.indexing(append(slices.Clone(objects), others...))
	defer x.discard()
	scans := scanAll(want, sources, match, x, k.Progress)
	var (
		used     []*scan
		notes    []string
		warnings []string
		failed   error
	)
	for i, s := range scans {
		if i >= len(k.witnesses)+len(k.sources) && s.err == nil && s.facts.Kind != ModuleFile {
			s.err = fmt.Errorf("%s: not a module, but a %s", s.source, s.facts.Kind)
		}
		switch {
		case s.err == nil:
			used = append(used, s)
		case i >= needed && !errors.Is(s.err, ErrTooMany):
			warnings = append(warnings, PassedOver+s.err.Error())
		case i >= len(k.witnesses):
			return nil, s.err
		default:
			failed = errors.Join(failed, s.err)
			notes = append(notes, "passed over: "+s.err.Error())
		}
	}
	if len(notes) > 0 && len(notes) == len(k.witnesses) && !k.tableGiven {
		rest := k.reserve
		for ; len(rest) > 0; rest = rest[1:] {
			s := scanAll(want, rest[:1], match, x, nil)[0]
			if s.err == nil {
				used = append(used, s)
				notes = append(notes, fmt.Sprintf("instead: %s", s.source))
				break
			}
			failed = errors.Join(failed, s.err)
			notes = append(notes, "passed over: "+s.err.Error())
		}
		if len(rest) == 0 {
			return nil, failed
		}
	}
	t := merge(used)
	t.debugFiles = k.debugFiles(t.Objects())
	t.Notes = append(append(notes, x.finish()...), t.Notes...)
	t.Warnings = append(t.Warnings, warnings...)
	return t, nil
}
