// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"cmp"

	"golang.org/x/exp/slices"
)

// EXPORT_SYMBOL(f) makes three things, in all versions since 4.19
// (include/linux/export.h, since 6.4 include/linux/export-internal.h):
//
//	__ksymtab           an entry for the loader, with the symbol __ksymtab_f
//	__ksymtab_strings   the name, at __kstrtab_f, and from 5.4 on the namespace,
//	                    at __kstrtabns_f, empty for those without
//	Module.symvers      a line (symvers.go)
//
// So every source of symbols has exports, as far as it has data symbols; files with
// contents have namespaces as well.
const (
	exportPrefix    = "__ksymtab_"
	namespacePrefix = "__kstrtabns_"
)

// An Export is a symbol that an object offers to modules (EXPORT_SYMBOL).
type Export struct {
	Object string
	Name   string
	// Namespace is what importers must name (EXPORT_SYMBOL_NS); "module:a,b"
	// offers the symbol to those modules only (EXPORT_SYMBOL_FOR_MODULES,
	// since 6.16). "" when it has none or no source has it.
	Namespace string
	Source    string // name of the source
	// Listed is set for an export in Module.symvers, the only source of the fields below.
	Listed  bool
	CRC     uint32 // checksum of the interface (CONFIG_MODVERSIONS); 0: none
	GPLOnly bool   // for modules under the GPL (EXPORT_SYMBOL_GPL)
}

// Exports returns the exports of that name, sorted by object.
func (t *Table) Exports(name string) []Export { return t.exports[name] }

// addExport adds an export. Of two of one object, the one with a namespace counts.
func (t *Table) addExport(e Export) {
	list := t.exports[e.Name]
	i, found := slices.BinarySearchFunc(list, e,
		func(a, b Export) int { return cmp.Compare(a.Object, b.Object) })
	switch {
	case !found:
		t.exports[e.Name] = slices.Insert(list, i, e)
	case e.Listed && !list[i].Listed:
		if e.Namespace == "" {
			e.Namespace = list[i].Namespace
		}
		list[i] = e
	case list[i].Namespace == "" && e.Namespace != "":
		list[i].Namespace, list[i].Source = e.Namespace, e.Source
	}
}

// exportOf returns the name of the export whose entry the symbol called name is, or nil.
func exportOf(name []byte) []byte {
	if !hasPrefix(name, exportPrefix) || len(name) == len(exportPrefix) {
		return nil
	}
	of := name[len(exportPrefix):]
	switch string(of) {
	// Linkers may make symbols of these names, which are those of sections. An export of
	// one of these names is known from Module.symvers only.
	case "strings", "gpl", "gpl_future", "unused", "unused_gpl":
		return nil
	}
	return of
}

// namespaceReader visits the exports of an ELF file that are in a namespace.
type namespaceReader struct {
	f        *elfFile
	contents map[int][]byte // of the sections looked into
}

// visit calls visit for the export if the symbol y of the object is a namespace.
func (n *namespaceReader) visit(y *elfSymbol, object string, visit func(*Entry)) {
	if !hasPrefix(y.name, namespacePrefix) || y.section == nil {
		return
	}
	b, known := n.contents[y.index]
	if !known {
		// Without contents the namespace is not known; that is no error.
		b, _ = n.f.contents(y.index, "namespaces of exports")
		if n.contents == nil {
			n.contents = map[int][]byte{}
		}
		n.contents[y.index] = b
	}
	// In a module the value is an offset in the section, whose address is 0.
	at := y.value - y.section.addr
	if at >= uint64(len(b)) || b[at] == 0 {
		return
	}
	end := bytes.IndexByte(b[at:], 0)
	if end < 0 || end > maxName {
		return
	}
	visit(&Entry{Object: object, Name: y.name[len(namespacePrefix):],
		Namespace: b[at : at+uint64(end)], Export: true})
}
