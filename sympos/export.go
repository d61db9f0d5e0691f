// SPDX-License-Identifier: GPL-2.0-or-later

package sympos

// An Export is a symbol that an object offers to modules (EXPORT_SYMBOL).
type Export struct {
	Object string
	Name   string
	// Namespace is what importers must name (EXPORT_SYMBOL_NS); "module:a,b"
	// offers the symbol to those modules only (EXPORT_SYMBOL_FOR_MODULES,
	// since 6.16). "" when there is none or when no source tells.
	Namespace string
	Source    string // name of the source that tells
}

// exportPrefix begins the name of the table entry that EXPORT_SYMBOL makes, in
// the symbol tables of all versions (include/linux/export.h, and since 6.4
// include/linux/export-internal.h).
const exportPrefix = "__ksymtab_"

// Exports returns who exports the name, sorted by object.
func (t *Table) Exports(name string) []Export { return t.exports[name] }
