// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"cmp"
	"debug/elf"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos/debuginfo"
)

// Files returns the source files of the symbols that Lookup returns, in its order,
// as far as any source of the table has them: with a path if there is debug information,
// else by name. The files are those that the compiler was given, not those that they
// include.
//
// The first call for an object reads for all names of the table, so calls must not run at
// the same time. The error is that a file could not be opened or no longer has a symbol
// table; debug information that can't be read is treated as missing.
func (t *Table) Files(object, name string) ([]SourceFile, error) {
	list := t.Lookup(object, name)
	all := make([]SourceFile, len(list))
	for i := range list {
		all[i].Name = list[i].File
	}
	known, err := t.readPaths(object)
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

// readPaths returns, for each source of the object with debug information, the symbols by
// name, with their files.
func (t *Table) readPaths(object string) ([]map[string][]placed, error) {
	if known, ok := t.paths[object]; ok {
		return known, nil
	}
	var known []map[string][]placed
	for _, w := range t.Sources {
		src, ok := w.Source.(*fileSource)
		if !ok || areDifferent(w.BuildID, t.build) ||
			!(w.Kind == VmlinuxFile && object == Vmlinux ||
				w.Kind == ModuleFile && t.mayBeOf(w, object)) {
			continue
		}
		of, err := src.readPlaced(object, Names(t.Names(object)...))
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

// mayBeOf reports whether the module's file may be that of the object.
func (t *Table) mayBeOf(w Witness, object string) bool {
	o := t.objects[object]
	return o != nil && (o.source == w.Source.String() || ModuleName(w.Source.String()) == object)
}

// placed is a symbol and its source file.
type placed struct {
	debuginfo.Target
	weak   int // see weakness
	index  int // in the symbol table, from 0, of those asked for
	source SourceFile
}

// readPlaced returns, by name, the object's symbols in the loader's order, with their files.
func (s *fileSource) readPlaced(object string, want Want) (map[string][]placed, error) {
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
	debug := f.debugInfo()
	all, count := map[string][]placed{}, 0
	visit := func(e *Entry) {
		if e.Export || e.Object != object || !want(e.Name) {
			return
		}
		address, _ := debug.Place(e.section, e.Address)
		all[string(e.Name)] = append(all[string(e.Name)], placed{
			Target: debuginfo.Target{
				Address: address, File: string(e.File), Object: e.block,
			},
			weak:  weakness(e.Type),
			index: count,
		})
		count++
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
	// Of several symbols at one address the first in the symbol table is that of the
	// first unit, so the targets are in its order.
	targets := make([]*debuginfo.Target, count)
	for _, list := range all {
		if f.etype != elf.ET_REL {
			slices.SortStableFunc(list, func(a, b placed) int {
				if c := cmp.Compare(a.Address, b.Address); c != 0 {
					return c
				}
				return cmp.Compare(a.weak, b.weak)
			})
		}
		for i := range list {
			if list[i].Address != 0 {
				targets[list[i].index] = &list[i].Target
			}
		}
	}
	targets = slices.DeleteFunc(targets, func(t *debuginfo.Target) bool { return t == nil })
	units, err := debuginfo.Locate(debug, targets)
	if err != nil { // what was found before the damage is not reliable
		return nil, nil
	}
	tree := treeOf(units, f.etype == elf.ET_REL)
	for _, list := range all {
		for i := range list {
			if list[i].Unit != nil {
				list[i].source = tree.file(list[i].Unit)
			}
		}
	}
	return all, nil
}

// debugInfo returns the file as package debuginfo reads it.
func (f *elfFile) debugInfo() *debuginfo.File {
	d := &debuginfo.File{
		Contents: f.in.r, Size: f.in.size, Order: f.order, Is64: f.is64, Machine: f.machine,
		Relocatable: f.etype == elf.ET_REL, Symtab: f.symtab, SectionIndexes: f.shndx,
		Sections: make([]debuginfo.Section, len(f.sections)),
	}
	for i, s := range f.sections {
		d.Sections[i] = debuginfo.Section{
			Name: f.name(i), Type: elf.SectionType(s.etype), Flags: elf.SectionFlag(s.flags),
			Offset: s.off, Size: s.size, Info: s.info,
		}
	}
	return d
}
