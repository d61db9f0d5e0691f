// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/typecheck"
)

// typeIDs are the ids of what package typecheck finds, by kind.
var typeIDs = map[typecheck.Kind]diag.ID{
	typecheck.Declaration: diag.CheckDeclaration, typecheck.Replacement: diag.CheckSignature,
	typecheck.Layout: diag.CheckLayout,
}

// readTypes reads what the module declares of the kernel.
func (m *Module) readTypes() *typecheck.Livepatch {
	var symbols []string
	for _, y := range m.file.Symbols {
		if y.Undefined() && m.isUsed(y) {
			symbols = append(symbols, y.Name)
		}
	}
	for _, s := range m.klp {
		for _, r := range s.relocs {
			if r.klp.err == nil {
				symbols = append(symbols, r.klp.name)
			}
		}
	}
	return typecheck.Read(m.file, m.raw, m.modinfo.Release(), m.patches, symbols)
}

// borrowed returns what the module refers to: klp symbols, and imports.
func (m *view) borrowed(k *facts) (list []typecheck.Borrowed) {
	for _, s := range m.klp {
		for _, r := range s.relocs {
			if r.klp.err == nil {
				list = append(list, typecheck.Borrowed{Symbol: r.klp.name, Object: r.klp.object,
					Name: r.klp.name, Position: r.klp.position})
			}
		}
	}
	for _, y := range m.file.Symbols {
		if !y.Undefined() || !m.isUsed(y) {
			continue
		}
		for _, e := range k.table.Exports(y.Name) {
			list = append(list,
				typecheck.Borrowed{Symbol: y.Name, Object: e.Object, Name: y.Name})
		}
	}
	return list
}

// checkDeclarations: no kernel compares the types of what a livepatch borrows and replaces with its
// own. Code that was compiled with other ones reads, writes and passes something else.
func checkDeclarations(m *view, k *facts) (out result) {
	if k.noTypes || m.broken != nil || !m.declares() {
		return out
	}
	a := typecheck.Check(m.types(), m.borrowed(k), k.Kernel, k.table)
	for _, x := range a.Findings {
		f := problem(typeIDs[x.Kind], x.Message)
		if x.Note {
			f = note(typeIDs[x.Kind], x.Message)
		}
		f = f.of(x.Symbol).when(diag.Calling, "", "")
		f.Differences, f.Places = x.Differences, x.Places
		for _, h := range x.Hints {
			f = f.fix("%s", h)
		}
		out.add(f)
	}
	if a.Nothing != "" {
		why := a.Nothing
		if a.Hint != "" {
			why += "; " + a.Hint
		}
		out.notChecked("declarations, with the kernel's types", why)
	}
	for _, u := range a.Unjudged {
		out.notChecked("types of "+u.What(), u.Why)
	}
	return out
}
