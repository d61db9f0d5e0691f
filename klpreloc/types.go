// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/klppatch"
	"github.com/klp-convert/klp-convert/klpreloc/resolve"
	"github.com/klp-convert/klp-convert/klpreloc/typecheck"
)

// TypeCheck says how what the module declares is compared with the kernel's types. The zero
// value compares nothing.
type TypeCheck struct {
	// Contents are the bytes that the module was parsed from; nil: nothing is compared.
	Contents []byte
	// Strict makes errors of what the kernel's types contradict, and of a comparison that can't
	// be made at all.
	Strict bool
}

// typeIDs are the ids of what package typecheck finds, by kind.
var typeIDs = map[typecheck.Kind]diag.ID{
	typecheck.Declaration: diag.OtherDeclaration, typecheck.Replacement: diag.OtherSignature,
	typecheck.Layout: diag.OtherLayout,
}

// checkTypes compares the declarations of what the module borrows and replaces with the types of
// the kernel that was given.
func checkTypes(f *elfrw.File, set *annotation.Set, view *resolve.View, bindings *resolve.Bindings,
	patches *klppatch.Declaration, o TypeCheck,
) diag.List {
	table := view.Table()
	if table == nil || o.Contents == nil || len(table.Objects()) == 0 || patches.None() {
		return nil
	}
	var borrowed []typecheck.Borrowed
	var symbols []string
	bound := map[*elfrw.Symbol]bool{}
	for _, list := range [][]*annotation.Annotation{bindings.Annotated, bindings.Inferred} {
		for _, a := range list {
			bound[a.Symbol] = true
			symbol := strings.Trim(a.Symbol.Name, `"`) // as clang leaves labels
			symbols = append(symbols, symbol)
			borrowed = append(borrowed, typecheck.Borrowed{Symbol: symbol, Object: a.Object,
				Name: a.Name, Position: uint64(a.Pos)})
		}
	}
	for _, y := range f.Symbols {
		if !y.Undefined() || y.Name == "" || bound[y] {
			continue
		}
		symbols = append(symbols, y.Name)
		for _, object := range view.ExportersOf(y.Name) {
			borrowed = append(borrowed,
				typecheck.Borrowed{Symbol: y.Name, Object: object, Name: y.Name})
		}
	}
	livepatch := typecheck.Read(f, o.Contents, set.Modinfo.Release(), patches.Patches(), symbols)
	return typeDiagnostics(typecheck.Check(livepatch, borrowed, view.Kernel(), table), view.Title(),
		o.Strict)
}

// typeDiagnostics makes diagnostics of what was found.
func typeDiagnostics(a *typecheck.Answer, kernel string, strict bool) diag.List {
	var r diag.Reporter
	severity := diag.Warning
	if strict {
		severity = diag.Error
	}
	for _, x := range a.Findings {
		d := diag.Warnf(typeIDs[x.Kind], diag.Nowhere, x.Symbol, "%s", x.Message)
		d.Severity, d.Differences, d.Places, d.Hints = severity, x.Differences, x.Places, x.Hints
		if x.Note {
			d.Severity = diag.Note
		}
		r.Add(d)
	}
	if a.Nothing != "" {
		d := diag.Notef(diag.NotCompared, diag.Nowhere, "",
			"declarations are not compared with the types of kernel %s: %s", kernel, a.Nothing)
		switch {
		case strict:
			d.Severity = diag.Error
		case a.Damaged:
			d.Severity = diag.Warning
		}
		if a.Hint != "" {
			d = d.Hint("%s", a.Hint)
		}
		r.Add(d)
	}
	for _, u := range a.Unjudged {
		d := diag.Notef(diag.NotCompared, diag.Nowhere, "", "not compared with the kernel's types: "+
			"%s: %s", u.What(), u.Why)
		r.Add(d)
	}
	return r.List()
}
