// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/exp/slices"
)

// A Kernel is one kernel as the files at hand tell of it.
type Kernel struct {
	Name    string // as it was asked for, for messages
	Release string // as uname -r says it; "" when nothing tells
	Config  string // path of its configuration; "" when not found
	// BuiltFor is the release that a module is built for which this kernel is to load; it
	// counts where Release is "".
	BuiltFor string
	// Notes say what was found, used and passed over, a line each.
	Notes []string
	// Warnings say where the parts do not look like parts of one kernel.
	Warnings []string
	// Incomplete says which of its lists (of modules, of options) may not be whole, a line each.
	// Of symbols and exports, Table.Incomplete does.
	Incomplete []string
	// Progress, when not nil, is called when reading begins, with 0, and after each
	// file: so many of so many are done. Never twice at once.
	Progress func(done, total int)

	sources []Source // of vmlinux, of loaded modules, of exports
	// Sources of vmlinux that were found rather than named: one that turns out to
	// be unreadable is passed over, for another of them, or the first of the reserve.
	witnesses, reserve []Source
	told               bool // sources have the symbols of vmlinux, so no witness is needed

	modules  map[string]string // path of each module's file, by the module's name
	given    map[string]bool   // modules that were named: true by file, false by directory
	builtin  map[string]bool   // modules that are part of vmlinux
	complete bool              // modules and builtin are all that the kernel has
}

// NewKernel returns a kernel that these sources describe.
func NewKernel(name string, sources ...Source) *Kernel {
	return &Kernel{Name: name, sources: sources, modules: map[string]string{}, builtin: map[string]bool{}, given: map[string]bool{}}
}

// FindKernel finds the files of a kernel. x is one of
//
//	a release         6.1.0-56-amd64: /boot, /lib/modules, /usr/lib/debug and so on
//	a folder          /lib/modules/6.1.0-56-amd64; a build tree, or the headers
//	                  that are left of one; an unpacked package
//	a file            whatever Open knows
//	a list of these   separated by commas, all of the same kernel
//
// When there is nothing that the symbols of vmlinux can be read from, the error is
// a *MissingError.
func FindKernel(x string) (*Kernel, error) { return FindKernelIn("/", x) }

// Presence says whether a kernel has an object.
type Presence int

const (
	Unknown Presence = iota // nothing at hand tells
	Present                 // as vmlinux, or as a module of its own
	BuiltIn                 // a module by name, but part of vmlinux
	Absent                  // it has all its modules here, and this is none of them
)

// Presence says whether the kernel has the object. A Table that Has it knows
// better: a module may be known from /proc/kallsyms only.
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
// error is fs.ErrNotExist when the file is not at hand.
func (k *Kernel) ModuleFile(name string) (contents []byte, path string, err error) {
	path = k.modules[name]
	if path == "" {
		return nil, "", fmt.Errorf("module %s: %w", name, fs.ErrNotExist)
	}
	in, done, err := (&fileSource{path, opener(path)}).input()
	if err != nil {
		return nil, path, err
	}
	defer done()
	contents = make([]byte, max(in.size, 0))
	_, err = io.ReadFull(in.section(0), contents)
	return contents, path, err
}

// Modules returns the names of the modules whose files are at hand, sorted.
func (k *Kernel) Modules() []string {
	names := make([]string, 0, len(k.modules))
	for name := range k.modules {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// AddModules adds the module in a file, or all in a folder and below it. They take
// the place of those of the same names that the kernel has already.
//
// The name of a module is what its file says. Of a folder's, which are many, the
// names of the files are taken.
func (k *Kernel) AddModules(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		name, err := nameOfModule(path)
		if err != nil {
			return err
		}
		k.addModule(name, path)
		k.given[name] = true
		return nil
	}
	found, err := modulesBelow(path)
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
	return nil
}

// AddSymvers adds the exports in a Module.symvers. One that is empty is that of
// modules that export nothing.
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
		return fmt.Errorf("%s: no Module.symvers, but a %s", path, kind)
	}
	src, err := Open(path)
	if err != nil {
		return err
	}
	k.sources = append(k.sources, src)
	k.note("exports: %s", path)
	k.configBeside(path)
	return nil
}

// addModule adds one.
func (k *Kernel) addModule(name, path string) {
	if old := k.modules[name]; old != "" && old != path {
		k.note("module %s: %s instead of %s", name, path, old)
	}
	k.modules[name] = path
}

// nameOfModule reads the module's name from its file.
func nameOfModule(path string) (string, error) {
	src, err := Open(path)
	if err != nil {
		return "", err
	}
	name := ModuleName(path)
	facts, err := src.Scan(func(e *Entry) { name = e.Object })
	if err == nil && facts.Kind != ModuleFile {
		err = fmt.Errorf("%s: no module, but a %s", path, facts.Kind)
	}
	return name, err
}

// isModuleFile reports whether a file of that name is a module.
func isModuleFile(name string) bool {
	_, packing, found := cutModule(name)
	return found && slices.Contains([]string{"", ".gz", ".xz", ".zst"}, packing)
}

// modulesBelow returns the paths of the modules in the folder and below it. Links
// to folders, as build and source are, are not followed.
func modulesBelow(dir string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path == dir:
			return err
		case err != nil: // a folder that may not be read
			return nil
		case !d.IsDir() && isModuleFile(d.Name()):
			found = append(found, path)
		}
		return nil
	})
	return found, err
}

func (k *Kernel) warn(format string, args ...any) {
	k.Warnings = append(k.Warnings, fmt.Sprintf(format, args...))
}

func (k *Kernel) note(format string, args ...any) {
	k.Notes = append(k.Notes, fmt.Sprintf(format, args...))
}

// PassedOver begins the warning of a table that a module can't be read.
const PassedOver = "module passed over: "

// Read reads what is wanted of vmlinux, of these objects as far as their files
// are at hand, and of whatever the kernel's other sources know; and who exports
// it. Naming vmlinux is not needed. Modules that were added by name are read too: they
// tell their exports. want is called from several goroutines at once.
func (k *Kernel) Read(want Want, objects ...string) (*Table, error) {
	return k.read(want, objects, nil)
}

// ReadAll is Read for all modules whose files are at hand. One that can't be read is
// passed over with a warning, unless it is among the objects named.
func (k *Kernel) ReadAll(want Want, objects ...string) (*Table, error) {
	named := make(map[string]bool, len(objects))
	for _, o := range objects {
		named[o] = true
	}
	others := slices.DeleteFunc(k.Modules(), func(o string) bool { return named[o] })
	return k.read(want, objects, others)
}

// ReadExports is Read for those who ask for exports only: where a list of them was
// found or given, it is enough, and no symbols of vmlinux are unpacked.
func (k *Kernel) ReadExports(want Want, _ ...string) (*Table, error) {
	exports := *k
	exports.witnesses, exports.reserve = nil, nil
	return exports.read(want, nil, nil)
}

// withGiven adds the modules that were named to those that are read: what somebody names
// may export what nothing else lists. One of a directory's may be unreadable.
func (k *Kernel) withGiven(objects, others []string) ([]string, []string) {
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

// read reads modules that must be readable and others.
func (k *Kernel) read(want Want, objects, others []string) (*Table, error) {
	objects, others = k.withGiven(objects, others)
	sources := append(slices.Clone(k.witnesses), k.sources...)
	for _, o := range objects {
		if path := k.modules[o]; path != "" {
			sources = append(sources, &fileSource{path, opener(path)})
		}
	}
	needed := len(sources)
	for _, o := range others {
		sources = append(sources, &fileSource{k.modules[o], opener(k.modules[o])})
	}
	match := k.matching()
	scans := collectAll(want, sources, match, k.Progress)
	var (
		used     []*scan
		notes    []string
		warnings []string
		failed   error
	)
	for i, s := range scans {
		if i >= len(k.witnesses)+len(k.sources) && s.err == nil && s.facts.Kind != ModuleFile {
			s.err = fmt.Errorf("%s: no module, but a %s", s.source, s.facts.Kind)
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
	if len(notes) > 0 && len(notes) == len(k.witnesses) && !k.told {
		rest := k.reserve
		for ; len(rest) > 0; rest = rest[1:] {
			s := collectAll(want, rest[:1], match, nil)[0]
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
	t.Notes = append(notes, t.Notes...)
	t.Warnings = append(t.Warnings, warnings...)
	return t, nil
}
