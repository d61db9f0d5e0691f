// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"cmp"
	"debug/elf"
	"path"

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

// Files returns the source files of the symbols that Lookup returns, in its order,
// as far as any source of the table knows them: with a path where there is debug
// information, else by name. The files are those that the compiler was given: what they
// include counts as theirs.
//
// The first call for an object reads for all names of the table, so calls are not for
// several goroutines at once. An error says that a file could not be opened or has no
// symbol table any more; debug information that can't be read is like none.
func (t *Table) Files(object, name string) ([]SourceFile, error) {
	list := t.Lookup(object, name)
	all := make([]SourceFile, len(list))
	for i := range list {
		all[i].Name = list[i].File
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
			if x.source.HasPath() && !all[i].HasPath() {
				all[i] = x.source
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

// placed is a symbol and the path of its source file, if found.
type placed struct {
	address uint64 // in a module: as elfFile.place lays its sections out
	weak    int
	file    string // STT_FILE
	unit    *unit  // of its source file, if found
	source  SourceFile
}

// paths returns, by name, the object's symbols in the loader's order, with their files.
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
		all[string(e.Name)] = append(all[string(e.Name)], placed{address: address, weak: weakness(e.Type), file: string(e.File)})
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

// locate finds out the source files of the targets.
func (d *dwarf) locate(targets []*placed) error {
	slices.SortStableFunc(targets, func(a, b *placed) int { return cmp.Compare(a.address, b.address) })
	bases := map[string]bool{} // of targets that have to be data; "": any file
	var units []*unit
	err := d.units(func(u *unit) error {
		if u.fullPath() == "" {
			return nil
		}
		units = append(units, u)
		return d.ranges(u, func(low, high uint64) {
			found := within(targets, low, high)
			d.spend(16 * len(found))
			for _, x := range found {
				x.unit = u
			}
		})
	})
	if err != nil {
		return err
	}
	rest := targets[:0:0]
	for _, x := range targets {
		if x.unit == nil {
			rest = append(rest, x)
			bases[x.file] = true
		}
	}
	left := len(rest)
	for _, u := range units {
		base := path.Base(u.name)
		if left == 0 || !bases[base] && !bases[""] {
			continue
		}
		err := d.variables(u, func(address uint64) {
			found := within(rest, address, address+1)
			d.spend(16 * len(found))
			// Linkers put equal constants of several units in one place. Their
			// symbols come in the order of the units.
			if slices.ContainsFunc(found, func(x *placed) bool { return x.unit != nil && x.unit.fullPath() == u.fullPath() }) {
				return
			}
			for _, file := range []string{base, ""} {
				for _, x := range found {
					if x.unit == nil && x.file == file {
						x.unit = u
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
	tree := treeOf(units, d.f.etype == elf.ET_REL)
	for _, x := range targets {
		if x.unit != nil {
			x.source = tree.file(x.unit)
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

// cutString returns the string that b begins with, or nil if it has no end.
func cutString(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return nil
}
