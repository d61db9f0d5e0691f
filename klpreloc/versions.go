// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"bytes"
	"strconv"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
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

const versionEntry = 64

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
		p.notef(Unversioned, nowhere, "", "no import any more, and out of the version table: %s", clipList(left))
		for _, s := range p.File.Sections {
			if b, ok := withoutVersions(p.File, s, converted); ok && len(b) != len(s.Data) {
				p.Rewrites = append(p.Rewrites, Rewrite{s, b, wholeSymbols(p.File, s)})
			}
		}
	}
	p.depends(converted)
}

func (p *planner) versionNames() []string {
	names, _ := versioned(p.File)
	return names
}

// clipList joins names for a message.
func clipList(names []string) string {
	const most = 10
	more := len(names) - most
	short := make([]string, 0, most)
	for _, n := range names[:min(len(names), most)] {
		short = append(short, clip(n))
	}
	if more > 0 {
		return strings.Join(short, ", ") + " and " + strconv.Itoa(more) + " more"
	}
	return strings.Join(short, ", ")
}

// isVersionTable reports whether a section of that name is part of a version table.
func isVersionTable(name string) bool {
	switch name {
	case "__versions", "__version_ext_names", "__version_ext_crcs":
		return true
	}
	return false
}

// withoutVersions returns the contents that s has without these symbols, and
// whether s is part of a version table at all that can be cut: nothing is at a
// fixed place in it.
func withoutVersions(f *elfrw.File, s *elfrw.Section, names map[string]bool) ([]byte, bool) {
	if !isVersionTable(s.Name) {
		return nil, false
	}
	for _, r := range f.Sections {
		if r.HasRelocs() && r.Target == s {
			return nil, false
		}
	}
	if len(s.Data)%versionEntry != 0 && s.Name == "__versions" {
		return nil, false
	}
	var out []byte
	if s.Name == "__versions" {
		for b := s.Data; len(b) >= versionEntry; b = b[versionEntry:] {
			name, _, _ := bytes.Cut(b[f.PointerSize():versionEntry], []byte{0})
			if !names[string(name)] {
				out = append(out, b[:versionEntry]...)
			}
		}
		return out, true
	}
	list, crcs := f.Section("__version_ext_names"), f.Section("__version_ext_crcs")
	if list == nil || crcs == nil || len(list.Data) == 0 || list.Data[len(list.Data)-1] != 0 {
		return nil, false
	}
	all := bytes.Split(list.Data[:len(list.Data)-1], []byte{0})
	if len(all)*4 != len(crcs.Data) {
		return nil, false
	}
	for i, name := range all {
		switch {
		case names[string(name)]:
		case s == crcs:
			out = append(out, crcs.Data[i*4:i*4+4]...)
		default:
			out = append(append(out, name...), 0)
		}
	}
	return out, true
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
	list, s, _, ok := dependsOf(p.File)
	if !ok {
		return
	}
	if p.table == nil {
		for _, m := range list {
			if slices.ContainsFunc(p.Moves, func(move Move) bool { return move.Object == moduleName(m) }) {
				p.warnf(DependsOnPatched, in(s), "", "depends= names %s, which the livepatch patches: it can't be loaded before that module", m).
					hint("--kernel tells whether anything needs it")
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
		switch name := moduleName(m); {
		case freed[name] && !needed[name]:
			gone = append(gone, m)
		case needed[name] && p.patches(name) && freed[name]:
			p.warnf(DependsOnPatched, in(s), "", "depends= still names %s, which the livepatch patches: it can't be loaded before that module", m)
		case !p.exporters.IsUnknown(name) || freed[name] || needed[name]:
		case p.patches(name):
			p.warnf(DependsOnPatched, in(s), "", "depends= names %s, which the livepatch patches: it can't be loaded before that module", m).
				hint("--module %s.ko tells whether the livepatch needs it", name)
		case took && !keeps:
			p.warnf(UnusedDepends, in(s), "", "depends= still names %s, and no import is left that it can export", m).
				hint("--module %s.ko tells whether the livepatch needs it", name)
		}
	}
	if len(gone) == 0 {
		return
	}
	p.notef(Unversioned, in(s), "", "needed by nothing any more, and out of depends=: %s", clipList(gone))
	p.Depends = gone
	p.Rewrites = append(p.Rewrites, Rewrite{Section: s, Data: withoutDepends(p.File, gone)})
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

const dependsKey = "depends="

// dependsOf returns the modules in depends=, the section that has it and where
// in it the list begins.
func dependsOf(f *elfrw.File) (list []string, s *elfrw.Section, at int, ok bool) {
	s = f.Section(".modinfo")
	if s == nil {
		return nil, nil, 0, false
	}
	for b := s.Data; len(b) > 0; {
		entry, rest, more := bytes.Cut(b, []byte{0})
		if value, found := bytes.CutPrefix(entry, []byte(dependsKey)); found && more {
			at = len(s.Data) - len(b) + len(dependsKey)
			if len(value) > 0 {
				list = strings.Split(string(value), ",")
			}
			return list, s, at, true
		}
		b = rest
	}
	return nil, s, 0, false
}

// withoutDepends returns .modinfo without these modules in depends=. Nothing
// moves: what is left of the list is filled up with zeros, which readers skip
// (kernel/module/main.c, next_string).
func withoutDepends(f *elfrw.File, gone []string) []byte {
	list, s, at, ok := dependsOf(f)
	if !ok {
		return nil
	}
	old := len(strings.Join(list, ","))
	left := strings.Join(slices.DeleteFunc(list, func(m string) bool { return slices.Contains(gone, m) }), ",")
	b := slices.Clone(s.Data)
	copy(b[at:at+old], left+strings.Repeat("\x00", old-len(left)))
	return b
}
