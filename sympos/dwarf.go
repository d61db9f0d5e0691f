// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"cmp"
	"debug/elf"
	"path"
	"strings"

	"golang.org/x/exp/slices"
)

// From which source file a symbol comes, two records in a vmlinux or a module tell:
//
//	.symtab     STT_FILE "interface.c", in front of the local symbols of each
//	            object file. Compilers leave the folder out, and global symbols
//	            come behind all files.
//	.debug_info a unit for each object file, which begins with the path:
//	              unit  DW_AT_name "drivers/pnp/interface.c"
//	                    DW_AT_comp_dir "/build/linux", DW_AT_ranges {…}
//	                ├ subprogram …
//	                └ variable  DW_AT_location (DW_OP_addr ffffffff82a01234)
//
// A unit's own entry says which code it has, so functions need no more than the
// beginnings of the units: a few hundred bytes of each, of 3000 in a kernel. What
// data a unit has only its variables tell. They are looked through in the units whose
// file has the name that STT_FILE gives, for a global variable in one after the other.
//
// The names of entries are not looked at: an address is one symbol's, a name is
// not.

// Paths returns the source files of the symbols that Lookup returns, in its order,
// as full as any source of the table knows them: a path where there is debug
// information, else the file's name, else "". The files that a path belongs to are
// those that the compiler was given: what they include counts as theirs.
//
// The first call for an object reads for all names of the table, so calls are not for
// several goroutines at once. An error says that a file could not be opened or has no
// symbol table any more; debug information that can't be read is like none.
func (t *Table) Paths(object, name string) ([]string, error) {
	list := t.Lookup(object, name)
	all := make([]string, len(list))
	for i := range list {
		all[i] = list[i].File
	}
	known, err := t.knownPaths(object)
	if err != nil {
		return nil, err
	}
	for _, of := range known {
		found := of[name]
		if len(found) != len(list) {
			continue
		}
		for i, x := range found {
			if x.path != "" && !strings.Contains(all[i], "/") {
				all[i] = x.path
			}
		}
	}
	return all, nil
}

// knownPaths returns what each source of the object with debug information tells.
func (t *Table) knownPaths(object string) ([]map[string][]placed, error) {
	if known, ok := t.paths[object]; ok {
		return known, nil
	}
	var known []map[string][]placed
	for _, w := range t.Sources {
		src, ok := w.Source.(*fileSource)
		if !ok || differ(w.BuildID, t.build) || !(w.Kind == VmlinuxFile && object == Vmlinux || w.Kind == ModuleFile && t.concerns(w, object)) {
			continue
		}
		of, err := src.paths(object, Names(t.Names(object)...))
		if err != nil {
			return nil, err
		}
		known = append(known, of)
	}
	if t.paths == nil {
		t.paths = map[string][]map[string][]placed{}
	}
	t.paths[object] = known
	return known, nil
}

// concerns reports whether the module's file may be that of the object.
func (t *Table) concerns(w Witness, object string) bool {
	o := t.objects[object]
	return o != nil && (o.source == w.Source.String() || ModuleName(w.Source.String()) == object)
}

// MatchFile says which of the files that Paths returned an author can mean by want:
// the end of a path, in whole components. full says that debug information has
// told; then want is the end of each match. Otherwise the matches are
// those of which nothing contradicts want: more than one means that nothing tells.
func MatchFile(paths []string, want string) (indexes []int, full bool) {
	want = path.Clean(want)
	folders := strings.Contains(want, "/")
	var certain, possible []int
	for i, p := range paths {
		switch {
		case p != "" && endsWith(p, want):
			possible = append(possible, i)
			if strings.Contains(p, "/") {
				certain = append(certain, i)
			}
		case endsWith(want, p):
			possible = append(possible, i)
		}
	}
	// A file's name alone holds for the unknown ones too.
	if len(certain) > 0 && (folders || len(certain) == len(possible)) {
		return certain, true
	}
	if slices.ContainsFunc(possible, func(i int) bool { return paths[i] != "" }) {
		return possible, false
	}
	return nil, false
}

// endsWith reports whether the last components of path are those of end.
func endsWith(path, end string) bool {
	rest, ok := strings.CutSuffix(path, end)
	return ok && (rest == "" || end == "" || strings.HasSuffix(rest, "/"))
}

// placed is a symbol and the path of its source file, if found.
type placed struct {
	address uint64 // in a module: as elfFile.place lays its sections out
	weak    int
	file    string // STT_FILE
	path    string
}

// paths returns, by name, the object's symbols in the loader's order, with paths.
func (s *fileSource) paths(object string, want Want) (map[string][]placed, error) {
	in, done, err := s.input()
	if err != nil {
		return nil, err
	}
	defer done()
	head, err := in.head()
	if err != nil || !isELF(head) {
		return nil, err
	}
	f, err := readELF(in)
	if err != nil {
		return nil, err
	}
	all := map[string][]placed{}
	visit := func(e *Entry) {
		if e.Export || e.Object != object || !want(e.Name) {
			return
		}
		address, _ := f.place(e.section, e.Address)
		all[string(e.Name)] = append(all[string(e.Name)], placed{address, weakness(e.Type), string(e.File), ""})
	}
	switch {
	case f.find(".debug_info") < 0 && f.find(".zdebug_info") < 0 || f.find(".symtab") < 0:
		return nil, nil
	case f.etype == elf.ET_REL:
		_, err = f.scanModule(visit)
	default:
		_, err = f.scanVmlinux(visit)
	}
	if err != nil || len(all) == 0 {
		return nil, err
	}
	var targets []*placed
	for _, list := range all {
		if f.etype != elf.ET_REL {
			slices.SortStableFunc(list, func(a, b placed) int {
				if c := cmp.Compare(a.address, b.address); c != 0 {
					return c
				}
				return cmp.Compare(a.weak, b.weak)
			})
		}
		for i := range list {
			if list[i].address != 0 {
				targets = append(targets, &list[i])
			}
		}
	}
	d, err := f.dwarf()
	if err == nil {
		defer d.close()
		err = d.locate(targets)
	}
	if err != nil { // broken: what was found before that is not worth more
		return nil, nil
	}
	return all, nil
}

// locate fills the paths of the targets in.
func (d *dwarf) locate(targets []*placed) error {
	slices.SortStableFunc(targets, func(a, b *placed) int { return cmp.Compare(a.address, b.address) })
	bases := map[string]bool{} // of targets that have to be data; "": any file
	var units []*unit
	err := d.units(func(u *unit) error {
		name := u.path()
		if name == "" {
			return nil
		}
		units = append(units, u)
		return d.ranges(u, func(low, high uint64) {
			found := within(targets, low, high)
			d.spend(16 * len(found))
			for _, x := range found {
				x.path = name
			}
		})
	})
	if err != nil {
		return err
	}
	rest := targets[:0:0]
	for _, x := range targets {
		if x.path == "" {
			rest = append(rest, x)
			bases[x.file] = true
		}
	}
	left := len(rest)
	for _, u := range units {
		name := u.path()
		base := path.Base(name)
		if left == 0 || !bases[base] && !bases[""] {
			continue
		}
		err := d.variables(u, func(address uint64) {
			found := within(rest, address, address+1)
			d.spend(16 * len(found))
			// Linkers put equal constants of several units in one place. Their
			// symbols come in the order of the units.
			if slices.ContainsFunc(found, func(x *placed) bool { return x.path == name }) {
				return
			}
			for _, file := range []string{base, ""} {
				for _, x := range found {
					if x.path == "" && x.file == file {
						x.path = name
						left--
						return
					}
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// within returns those of the targets, sorted by address, from low up to high.
func within(targets []*placed, low, high uint64) []*placed {
	find := func(address uint64) int {
		i, _ := slices.BinarySearchFunc(targets, address, func(x *placed, a uint64) int { return cmp.Compare(x.address, a) })
		return i
	}
	if high <= low {
		return nil
	}
	from := find(low)
	n := 0
	for from+n < len(targets) && targets[from+n].address < high {
		n++
	}
	return targets[from : from+n]
}

// place returns an address for a value in a section that no other section's has. A
// linked file has them; the sections of a module all begin at 0, so they are laid
// out here, one behind the other.
func (f *elfFile) place(section int, value uint64) (uint64, bool) {
	if f.etype != elf.ET_REL {
		return value, true
	}
	if f.bases == nil {
		f.bases = make([]uint64, len(f.sections))
		next := uint64(1 << 16)
		for i, s := range f.sections {
			if s.flags&uint64(elf.SHF_ALLOC) == 0 {
				continue
			}
			f.bases[i] = next
			if s.size_ > 1<<31 {
				return 0, false
			}
			next = (next + s.size_ + 1<<12) &^ 0xfff
		}
	}
	if section <= 0 || section >= len(f.bases) || f.bases[section] == 0 || value > f.sections[section].size_ {
		return 0, false
	}
	return f.bases[section] + value, true
}

// path is the source file of the unit: as the compiler was given it, below the
// folder where the compiler ran unless that path says enough.
func (u *unit) path() string {
	name := strings.TrimPrefix(u.name, "./")
	if name == "" || path.IsAbs(name) || u.dir == "" || strings.Contains(name, "/") && !strings.HasPrefix(name, "../") {
		return clean(name)
	}
	return clean(path.Join(u.dir, name))
}

// clean is path.Clean that keeps the empty path.
func clean(p string) string {
	if p == "" || p[len(p)-1] == '/' {
		return ""
	}
	return path.Clean(p)
}

// cutString returns the string that b begins with, or nil if it has no end.
func cutString(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return nil
}
