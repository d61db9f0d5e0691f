// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
)

// Depends decides which modules leave depends=: those that only the converted symbols needed.
// gates are the objects that klp relocations are for.
func Depends(v *View, converted map[string]bool, gates []string) (gone []string, found diag.List) {
	list, s, _, ok := klpabi.FindDepends(v.file)
	if !ok || len(converted) == 0 {
		return nil, nil
	}
	var r diag.Reporter
	if v.table == nil {
		for _, m := range list {
			if slices.Contains(gates, klpabi.ModuleName(m)) {
				r.Add(diag.Warnf(diag.DependsOnPatched, diag.In(s), "",
					"depends= names %s, which the livepatch patches: it can't be loaded before that module", m).
					Hint("--kernel tells whether anything needs it"))
			}
		}
		return nil, r.List()
	}
	freed, needed := map[string]bool{}, map[string]bool{}
	for _, y := range v.file.Symbols {
		if !y.Undefined() {
			continue
		}
		to := needed
		if converted[y.Name] {
			to = freed
		}
		for _, e := range v.exports(y.Name) {
			to[e.Object] = true
		}
	}
	if v.exporters == nil {
		v = v.exportersIn(v.table)
	}
	took, keeps := v.findUnknownImports(converted)
	for _, m := range list {
		switch name := klpabi.ModuleName(m); {
		case freed[name] && !needed[name]:
			gone = append(gone, m)
		case needed[name] && v.patches(name) && freed[name]:
			r.Add(diag.Warnf(diag.DependsOnPatched, diag.In(s), "",
				"depends= still names %s, which the livepatch patches: it can't be loaded before that module",
				m))
		case !v.exporters.isUnknown(name) || freed[name] || needed[name]:
		case v.patches(name):
			r.Add(diag.Warnf(diag.DependsOnPatched, diag.In(s), "",
				"depends= names %s, which the livepatch patches: it can't be loaded before that module", m).
				Hint("--module %s.ko tells whether the livepatch needs it", name))
		case took && !keeps:
			r.Add(diag.Warnf(diag.UnusedDepends, diag.In(s), "",
				"depends= still names %s, and no import is left that it can export", m).
				Hint("--module %s.ko tells whether the livepatch needs it", name))
		}
	}
	if len(gone) == 0 {
		return nil, r.List()
	}
	r.Add(diag.Notef(diag.Unversioned, diag.In(s), "",
		"no longer needed; removed from depends=: %s", diag.ClipList(gone)))
	return gone, r.List()
}

// findUnknownImports reports whether imports of modules whose exports are not known are converted,
// and whether such imports are left.
func (v *View) findUnknownImports(converted map[string]bool) (took, keeps bool) {
	for _, y := range v.file.Symbols {
		if !y.Undefined() {
			continue
		}
		if _, origin := v.exporters.Of(y.Name); origin == OfUnknown {
			took, keeps = took || converted[y.Name], keeps || !converted[y.Name]
		}
	}
	return took, keeps
}
