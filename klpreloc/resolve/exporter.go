// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/sympos"
)

// Who exports what a module imports? Conversion, annotate and check ask here.
//
// No list of exports is complete. Module.symvers of a kernel has the modules of its
// build, a module's file has its own exports, and of a module that was built elsewhere
// nothing may tell. That a name is in no list does not make it a hidden symbol. What
// modpost left in the module counts first, because modpost saw the lists of the build
// (scripts/mod/modpost.c, check_exports, add_versions and add_depends; read in 6.1, 7.3):
//
//	__versions            names that modpost resolved to an export with a checksum:
//	__version_ext_names   none without CONFIG_MODVERSIONS
//	depends=              the modules that it resolved names to, each for one at least
//	import_ns=            namespaces that the author names
//
// From these and from what the sources tell (sympos.Table.KnowsExports) follows, in this
// order:
//
//	vmlinux exports it                    vmlinux: the loader looks there first
//	a module in depends= exports it       that module
//	modpost resolved it, and depends=     OfUnknown: an import of one of these
//	 names modules that no source knows
//	modpost resolved it, and vmlinux's    OfUnknown: an import; of whom, nothing tells
//	 exports are not known
//	some other module exports it          that module
//	modpost resolved it                   Lost: an import that nothing exports now
//	depends= or import_ns= names what     Open: it may be an export of that
//	 none of the resolved names explains
//	otherwise                             Nobody: it can be a hidden symbol
//
// Only Nobody lets a conversion look for hidden symbols.

// Origin says how an undefined symbol relates to exports.
type Origin int

// The origins.
const (
	Nobody    Origin = iota // no object exports it
	Exported                // an object does, which is known
	OfUnknown               // it is an import, but nothing tells of which object
	Lost                    // it was an import, and no object exports it
	Open                    // a module whose exports are not known may export it
)

// Exporters knows who exports what one module imports from one kernel.
type Exporters struct {
	// Unknown are the modules in depends= whose exports no source tells.
	Unknown []string
	// Unused are those whose exports are known, and none is undefined in the module.
	Unused []string
	// spaces are the namespaces that the module imports and no known export is in.
	spaces []string

	table    *sympos.Table
	prefer   func(object string) bool
	resolved map[string]bool // names that modpost resolved, as far as it has checksums
	depends  map[string]bool
	unknown  map[string]bool // Unknown
	open     bool
	suspects string // what Suspects returns
}

// NewExporters reads what modpost left in f. Of several modules that export a name, and
// are not in depends=, one that is preferred counts. presence says what the kernel has.
func NewExporters(f *elfrw.File, t *sympos.Table,
	presence func(object string) sympos.Presence, prefer func(object string) bool,
) *Exporters {
	x := &Exporters{
		table: t, prefer: prefer,
		resolved: map[string]bool{}, depends: map[string]bool{}, unknown: map[string]bool{},
	}
	names, versioned := klpabi.VersionedNames(f)
	for _, name := range names {
		x.resolved[name] = true
	}
	info := klpabi.ReadModinfo(f)
	used := map[string]bool{}
	for _, y := range f.Symbols {
		if y.Undefined() {
			for _, e := range t.Exports(y.Name) {
				used[e.Object] = true
			}
		}
	}
	for _, name := range klpabi.DependsOf(info) {
		switch {
		case x.depends[name] || name == vmlinux:
		case t.KnowsExports(name) && !used[name]:
			x.Unused = append(x.Unused, name)
		case t.KnowsExports(name) || presence(name) == sympos.BuiltIn:
		default:
			x.Unknown = append(x.Unknown, name)
			x.unknown[name] = true
		}
		x.depends[name] = true
	}
	if t.ListsModules() {
		for _, ns := range slices.Compact(sorted(info.Values("import_ns"))) {
			_, only := (sympos.Export{Namespace: ns}).ForModules()
			if ns != "" && !only && !t.KnowsNamespace(ns) {
				x.spaces = append(x.spaces, ns)
			}
		}
	}
	x.open = x.unexplained(f, versioned)
	return x
}

// unexplained reports whether there are more modules that must export something to the
// module than names that it can be.
func (x *Exporters) unexplained(f *elfrw.File, versioned bool) bool {
	needed := len(x.Unknown)
	if !versioned {
		needed += len(x.Unused)
	}
	if len(x.spaces) > 0 {
		needed = max(needed, 1)
	}
	counted := map[string]bool{}
	for _, y := range f.Symbols {
		if len(counted) >= needed {
			return false
		}
		if !y.Undefined() || !x.resolved[y.Name] {
			continue
		}
		if _, origin := x.Of(y.Name); origin == OfUnknown {
			counted[y.Name] = true
		}
	}
	return len(counted) < needed
}

// Of returns who exports the name; the export counts when it is Exported.
func (x *Exporters) Of(name string) (sympos.Export, Origin) {
	var other, ours *sympos.Export
	list := x.table.Exports(name)
	for i := range list {
		switch e := &list[i]; {
		case e.Object == vmlinux:
			return *e, Exported
		case x.depends[e.Object]:
			if ours == nil {
				ours = e
			}
		case other == nil || x.prefer(e.Object) && !x.prefer(other.Object):
			other = e
		}
	}
	switch {
	case ours != nil:
		return *ours, Exported
	case x.resolved[name] && (len(x.Unknown) > 0 || !x.table.KnowsExports(vmlinux)):
		return sympos.Export{}, OfUnknown
	case other != nil:
		return *other, Exported
	case x.resolved[name]:
		return sympos.Export{}, Lost
	case x.open:
		return sympos.Export{}, Open
	}
	return sympos.Export{}, Nobody
}

// isUnknown reports whether depends= names the module, and no source tells its exports.
func (x *Exporters) isUnknown(module string) bool { return x.unknown[module] }

// MayExport reports whether there is a module, or a namespace, whose exports are not known.
func (x *Exporters) MayExport() bool { return len(x.Unknown)+len(x.spaces) > 0 }

// hasResolved reports whether modpost resolved the name to an export with a checksum.
func (x *Exporters) hasResolved(name string) bool { return x.resolved[name] }

// sawExports reports whether modpost had a list of exports at all when it wrote the module. If it
// had none, that it resolved nothing means nothing.
func (x *Exporters) sawExports() bool {
	for name := range x.resolved {
		if name != "module_layout" {
			return true
		}
	}
	return len(x.depends) > 0
}

// Suspects are the modules and namespaces that an Open name may be of.
func (x *Exporters) Suspects() string {
	if x.suspects == "" {
		x.suspects = x.listSuspects()
	}
	return x.suspects
}

func (x *Exporters) listSuspects() string {
	list := slices.Clone(x.Unknown)
	for _, ns := range x.spaces {
		list = append(list, "a module with exports in namespace "+diag.Clip(ns))
	}
	if len(list) == 0 {
		list = slices.Clone(x.Unused)
	}
	return diag.ClipEither(list)
}
