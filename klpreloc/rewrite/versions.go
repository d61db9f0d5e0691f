// SPDX-License-Identifier: GPL-2.0-or-later

package rewrite

import (
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/gate"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// What modpost wrote about a symbol that it resolved to an export, and that becomes a
// klp symbol: its checksum in the version table, and the module that exports
// it in depends=. The kernel would not look at the checksum, but tools that check
// a release do. Because of depends=, modprobe loads the module that the livepatch patches
// before it, and cannot unload that module while the livepatch is loaded.
// klpabi has the formats of the table.

// rewriteVersions plans what the tables of versions lose: what is converted.
func (p *Plan) rewriteVersions(r *diag.Reporter, targets []*gate.Target) {
	if len(targets) == 0 {
		return
	}
	converted := gate.SymbolNames(targets)
	names, _ := klpabi.VersionedNames(p.file)
	left := slices.DeleteFunc(names, func(name string) bool { return !converted[name] })
	if len(left) == 0 {
		return
	}
	r.Add(diag.Notef(diag.Unversioned, diag.Nowhere, "",
		"no longer imported; removed from the version table: %s", diag.ClipList(left)))
	for _, s := range p.file.Sections {
		if b, ok := klpabi.WithoutVersions(p.file, s, converted); ok && len(b) != len(s.Data) {
			p.Rewrites = append(p.Rewrites, Rewrite{s, b, wholeSymbols(p.file, s)})
		}
	}
}

// wholeSymbols returns the symbols that span s.
func wholeSymbols(f *elfrw.File, s *elfrw.Section) []*elfrw.Symbol {
	var all []*elfrw.Symbol
	for _, y := range f.Symbols {
		if y.Section == s && y.Value == 0 && y.Size == s.Size() && y.Size > 0 {
			all = append(all, y)
		}
	}
	return all
}
