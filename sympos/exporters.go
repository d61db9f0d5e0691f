// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"debug/elf"

	"golang.org/x/exp/slices"
)

// A name is known not to be exported by an object only if the exports of the object are
// known. They are known
//
//	of a module      from its file, in which each export has an entry
//	of any object    from a Module.symvers with an export of it: modpost writes all
//	                 exports of a module or none (scripts/mod/modpost.c, write_dump)
//	                 from a table of symbols that has an export of it, or of vmlinux:
//	                 such a table has all data symbols (CONFIG_KALLSYMS_ALL)
//
// and not known from a source that may not be whole (Facts.Partial).
//
// The Module.symvers of a kernel has all modules of its build and no others. Modules
// that were built elsewhere are in the Module.symvers of their build, if it has one.

// seenExports is which objects and namespaces have exports in one source, wanted or not.
type seenExports struct {
	objects map[string]bool // with exports
	spaces  map[string]bool // namespaces
}

// add notes an export, and reports whether the quota allows it.
func (d *seenExports) add(e *Entry, space *quota) bool {
	if !d.objects[e.Object] {
		if !space.take(len(e.Object)) {
			return false
		}
		if d.objects == nil {
			d.objects = map[string]bool{}
		}
		d.objects[e.Object] = true
	}
	if len(e.Namespace) > 0 && !d.spaces[string(e.Namespace)] {
		if !space.take(len(e.Namespace)) {
			return false
		}
		if d.spaces == nil {
			d.spaces = map[string]bool{}
		}
		d.spaces[string(e.Namespace)] = true
	}
	return true
}

// exportCoverage is whose exports the sources of a table have.
type exportCoverage struct {
	objects map[string]bool // whose exports are all known
	spaces  map[string]bool // namespaces with an export
	listed  bool            // see Table.ListsModules
}

func newExportCoverage() exportCoverage {
	return exportCoverage{objects: map[string]bool{}, spaces: map[string]bool{}}
}

// add adds what a scan found.
func (k *exportCoverage) add(s *scan) {
	for name := range s.seen.spaces {
		k.spaces[name] = true
	}
	if s.facts.Partial != "" && s.facts.PartialOf == "" {
		return // an export may be missing
	}
	for name := range s.seen.objects {
		k.objects[name] = k.objects[name] || name != s.facts.PartialOf
	}
	vmlinux := s.seen.objects[Vmlinux]
	if s.facts.Kind == ModuleFile || vmlinux {
		for name := range s.objects {
			k.objects[name] = k.objects[name] || name != s.facts.PartialOf
		}
	}
	k.listed = k.listed || s.facts.Kind == Symvers && vmlinux && len(s.seen.objects) > 1
}

// KnowsExports reports whether the sources have all exports of the object. If not, it may
// have exports that Exports does not return.
func (t *Table) KnowsExports(object string) bool { return t.coverage.objects[object] }

// ListsModules reports whether a source lists the exports of all modules that were built
// with the kernel, as its Module.symvers does. It does not list modules that were built
// elsewhere.
func (t *Table) ListsModules() bool { return t.coverage.listed }

// KnowsNamespace reports whether a source has an export in the namespace, asked for or
// not.
func (t *Table) KnowsNamespace(name string) bool { return t.coverage.spaces[name] }

// visitExports visits the exports of a module whose symbols __ksymtab_* were stripped. An
// entry of __ksymtab or __ksymtab_gpl has relocations for the exported symbol, for its
// name and, since 5.4, for its namespace, in this order; the strings are in
// __ksymtab_strings (include/linux/export.h, since 6.4 include/linux/export-internal.h).
// So the name is the string after a relocation to another section.
func (f *elfFile) visitExports(object string, visit func(*Entry)) error {
	strings := f.find("__ksymtab_strings")
	if strings < 0 || f.in.size < 0 {
		return nil
	}
	var text []byte
	for i := range f.sections {
		target := int(f.sections[i].info)
		if elf.SectionType(f.sections[i].etype) != elf.SHT_RELA || target <= 0 ||
			target >= len(f.sections) || !f.is64 {
			continue
		}
		if name := f.name(target); name != "__ksymtab" && name != "__ksymtab_gpl" {
			continue
		}
		var err error
		if text == nil {
			if text, err = f.contents(strings, "names of exports"); err != nil {
				return err
			}
		}
		b, err := f.contents(i, "exports")
		if err != nil {
			return err
		}
		f.visitExportRelocs(b, strings, text, object, visit)
	}
	return nil
}

// visitExportRelocs visits the exports whose entries the relocations in b make. strings is
// the number of __ksymtab_strings, text its contents.
func (f *elfFile) visitExportRelocs(b []byte, strings int, text []byte, object string,
	visit func(*Entry)) {
	const size, symbolSize = 24, 24
	type pointer struct {
		at   uint64
		text []byte // nil: it is not to a string
	}
	var all []pointer
	for ; len(b) >= size; b = b[size:] {
		p := pointer{at: f.order.Uint64(b)}
		y := f.order.Uint64(b[8:]) >> 32
		if y < uint64(len(f.symtab)/symbolSize) {
			s := f.symtab[y*symbolSize:]
			at := f.order.Uint64(s[8:]) + f.order.Uint64(b[16:])
			if int(f.order.Uint16(s[6:])) == strings && at < uint64(len(text)) {
				p.text = cString(text[at:], 0)
				if p.text == nil {
					p.text = []byte{}
				}
			}
		}
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b pointer) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	for i, p := range all {
		if len(p.text) == 0 || len(p.text) > maxName || i == 0 || all[i-1].text != nil {
			continue
		}
		e := Entry{Object: object, Name: p.text, Export: true}
		if i+1 < len(all) && len(all[i+1].text) > 0 && len(all[i+1].text) <= maxName {
			e.Namespace = all[i+1].text
		}
		visit(&e)
	}
}
