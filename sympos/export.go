// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

import (
	"bytes"
	"cmp"

	"golang.org/x/exp/slices"
)

// EXPORT_SYMBOL(f) leaves three things behind, in all versions since 4.19
// (include/linux/export.h, since 6.4 include/linux/export-internal.h):
//
//	__ksymtab           an entry for the loader, with the symbol __ksymtab_f
//	__ksymtab_strings   the name, at __kstrtab_f, and from 5.4 on the namespace,
//	                    at __kstrtabns_f, empty for those without
//	Module.symvers      a line (symvers.go)
//
// So whatever knows symbols knows exports, as far as it has data symbols; files with
// contents know namespaces as well.
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
	// since 6.16). "" when there is none or when no source tells.
	Namespace string
	Source    string // name of the source that tells
	// Listed is set by Module.symvers, which alone knows the rest.
	Listed  bool
	CRC     uint32 // checksum of the interface (CONFIG_MODVERSIONS); 0: none
	GPLOnly bool   // for modules under the GPL (EXPORT_SYMBOL_GPL)
}

// Exports returns who exports the name, sorted by object.
func (t *Table) Exports(name string) []Export { return t.exports[name] }

// addExport adds what a source says. Of two that say the same, the one that
// knows a namespace counts.
func (t *Table) addExport(e Export) {
	list := t.exports[e.Name]
	i, found := slices.BinarySearchFunc(list, e, func(a, b Export) int { return cmp.Compare(a.Object, b.Object) })
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

// exportOf returns the name that the symbol called name stands for as an export,
// or nil.
func exportOf(name []byte) []byte {
	if !hasPrefix(name, exportPrefix) || len(name) == len(exportPrefix) {
		return nil
	}
	of := name[len(exportPrefix):]
	switch string(of) {
	// Sections, which a linker may give symbols of their names. Were one of these
	// words exported, Module.symvers would tell.
	case "strings", "gpl", "gpl_future", "unused", "unused_gpl":
		return nil
	}
	return of
}

// namespaces visits the exports of an ELF file that are in a namespace.
type namespaces struct {
	f        *elfFile
	contents map[int][]byte // of the sections looked into
}

// visit looks at one symbol. object is whose it is.
func (n *namespaces) visit(y *elfSymbol, object string, visit func(*Entry)) {
	if !hasPrefix(y.name, namespacePrefix) || y.section == nil {
		return
	}
	b, known := n.contents[y.index]
	if !known {
		// Only the file's own word is wanted: without it there is none.
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
	visit(&Entry{Object: object, Name: y.name[len(namespacePrefix):], Namespace: b[at : at+uint64(end)], Export: true})
}
