// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// What modpost wrote about a symbol that it took for an import, and that is a
// klp symbol now: its checksum in the version table, and the module that exports
// it in depends=. The kernel would not look at the first, but gates on a release
// do; by the second, modprobe loads the module that the livepatch patches before
// it, and can't unload that any more.
//
// Two formats of the table (include/linux/module.h, modversion_info;
// scripts/mod/modpost.c, add_versions and, since 6.13, add_extended_versions):
//
//	__versions            {unsigned long crc; char name[64 - sizeof crc]}
//	__version_ext_crcs    u32, and at the same place in
//	__version_ext_names   names, each ended by NUL

// Rewrite gives a section other contents.
type Rewrite struct {
	Section *elfrw.Section
	Data    []byte
	// Symbols are those that are the whole section; their size goes with it.
	Symbols []*elfrw.Symbol
}

// versions plans what modpost's tables lose.
func (p *planner) versions() {
	if len(p.bySymbol) == 0 {
		return
	}
	converted := map[string]bool{}
	for y := range p.bySymbol {
		converted[y.Name] = true
	}
	var left []string
	for _, name := range p.versionNames() {
		if converted[name] {
			left = append(left, name)
		}
	}
	if len(left) > 0 {
		p.Add(diag.Notef(diag.Unversioned, diag.Nowhere, "", "no import any more, and out of the version table: %s", diag.ClipList(left)))
		for _, s := range p.File.Sections {
			if b, ok := klpabi.WithoutVersions(p.File, s, converted); ok && len(b) != len(s.Data) {
				p.Rewrites = append(p.Rewrites, Rewrite{s, b, wholeSymbols(p.File, s)})
			}
		}
	}
	p.depends(converted)
}

func (p *planner) versionNames() []string {
	names, _ := klpabi.VersionedNames(p.File)
	return names
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

// depends plans which modules leave depends=.
func (p *planner) depends(converted map[string]bool) {
	list, s, _, ok := klpabi.FindDepends(p.File)
	if !ok {
		return
	}
	if p.table == nil {
		for _, m := range list {
			if slices.ContainsFunc(p.Moves, func(move Move) bool { return move.Object == klpabi.ModuleName(m) }) {
				p.Add(diag.Warnf(diag.DependsOnPatched, diag.In(s), "", "depends= names %s, which the livepatch patches: it can't be loaded before that module", m).
					Hint("--kernel tells whether anything needs it"))
			}
		}
		return
	}
	freed, needed := map[string]bool{}, map[string]bool{}
	for _, y := range p.File.Symbols {
		if !y.Undefined() {
			continue
		}
		to := needed
		if converted[y.Name] {
			to = freed
		}
		for _, e := range p.exports(y.Name) {
			to[e.Object] = true
		}
	}
	if p.exporters == nil {
		p.exporters = NewExporters(p.File, p.table, p.Kernel.Presence, p.patches)
	}
	took, keeps := p.ofUnknown(converted)
	var gone []string
	for _, m := range list {
		switch name := klpabi.ModuleName(m); {
		case freed[name] && !needed[name]:
			gone = append(gone, m)
		case needed[name] && p.patches(name) && freed[name]:
			p.Add(diag.Warnf(diag.DependsOnPatched, diag.In(s), "", "depends= still names %s, which the livepatch patches: it can't be loaded before that module", m))
		case !p.exporters.IsUnknown(name) || freed[name] || needed[name]:
		case p.patches(name):
			p.Add(diag.Warnf(diag.DependsOnPatched, diag.In(s), "", "depends= names %s, which the livepatch patches: it can't be loaded before that module", m).
				Hint("--module %s.ko tells whether the livepatch needs it", name))
		case took && !keeps:
			p.Add(diag.Warnf(diag.UnusedDepends, diag.In(s), "", "depends= still names %s, and no import is left that it can export", m).
				Hint("--module %s.ko tells whether the livepatch needs it", name))
		}
	}
	if len(gone) == 0 {
		return
	}
	p.Add(diag.Notef(diag.Unversioned, diag.In(s), "", "needed by nothing any more, and out of depends=: %s", diag.ClipList(gone)))
	p.Depends = gone
	p.Rewrites = append(p.Rewrites, Rewrite{Section: s, Data: klpabi.WithoutDepends(p.File, gone)})
}

// ofUnknown reports whether imports of modules whose exports are not known are converted,
// and whether such imports are left.
func (p *planner) ofUnknown(converted map[string]bool) (took, keeps bool) {
	for _, y := range p.File.Symbols {
		if !y.Undefined() {
			continue
		}
		if _, origin := p.exporters.Of(y.Name); origin == OfUnknown {
			took, keeps = took || converted[y.Name], keeps || !converted[y.Name]
		}
	}
	return took, keeps
}
