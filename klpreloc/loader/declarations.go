// SPDX-License-Identifier: GPL-2.0-or-later

package loader

import (
	"debug/elf"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/typecheck"
	"github.com/klp-convert/klp-convert/sympos"
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
	for _, n := range m.klpNames() {
		symbols = append(symbols, m.nameInC(n))
	}
	return typecheck.Read(m.file, m.raw, m.modinfo.Release(), m.patches, symbols)
}

// nameInC returns what C calls a klp symbol in the livepatch. A list may give a symbol of C another
// name, and the first one is gone after conversion. Debug information still has it for calls.
func (m *Module) nameInC(klp *klpName) string {
	if name := m.calls()[klp]; name != "" {
		return name
	}
	return klp.name
}

// readCalls returns the names in C of the klp symbols that the code calls. One that is called by
// two names has none.
func (m *Module) readCalls() map[*klpName]string {
	calls, err := sympos.ReadCalls("", m.raw)
	if err != nil {
		return nil // typecheck says that nothing can be compared
	}
	numbers := map[*elfrw.Section]int{}
	for i, s := range m.file.Sections {
		numbers[s] = i + 1
	}
	names := map[*klpName]string{}
	for _, s := range m.klp {
		if s.target == nil || s.target.Flags&uint64(elf.SHF_EXECINSTR) == 0 {
			continue
		}
		for _, r := range s.relocs {
			// On all machines a relocation for a call is in the last 4 bytes of the instruction.
			called := calls.Before(numbers[s.target], r.Offset+4)
			if called == "" {
				continue
			}
			if known, ok := names[r.klp]; ok && known != called {
				called = ""
			}
			names[r.klp] = called
		}
	}
	return names
}

// borrowed returns what the module refers to: klp symbols, and imports.
func (m *view) borrowed(k *facts) (list []typecheck.Borrowed) {
	for _, n := range m.klpNames() {
		list = append(list, typecheck.Borrowed{Symbol: m.nameInC(n), Object: n.object,
			Name: n.name, Position: n.position})
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
	if m.isForAnother(k) {
		// It has the types of that one. Each that differs would be one more finding of one cause.
		out.notChecked("declarations, with the kernel's types", "the module was built for another "+
			"kernel, which its vermagic tells")
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
