// SPDX-License-Identifier: GPL-2.0-or-later

package resolve

import (
	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// Bindings say which symbol of which kernel each undefined symbol is. From here on no symbol
// gets another meaning.
type Bindings struct {
	// Annotated are the annotations that hold, with their objects' names as the kernel has
	// them and their positions; Inferred are those that the author did not write.
	Annotated, Inferred []*annotation.Annotation
	// Absent are annotations that hold of symbols that the module does not have.
	Absent []*annotation.Annotation
	// Looked are the symbols whose meaning, or whose position, the kernel's symbols told.
	Looked []Lookup
}

// Lookup says what an undefined symbol is that carries no annotation, or one without a
// position.
type Lookup struct {
	Num      int // of the symbol (elfrw.Symbol.Num)
	LPObject string
	Object   string
	Name     string
	Pos      uint32
}

// collector holds what a stage has found so far: diagnostics and bindings.
type collector struct {
	diag.Reporter
	Bindings
	annotated       map[*elfrw.Symbol]bool // symbols that carry an annotation, or were inferred
	absent          []absence
	unknown         map[string]bool // objects that no source knows, reported already
	lookedUp        bool            // undefined symbols without annotations were looked up
	keptImports     []string        // imports of modules whose exports no source tells
	doubtfulImports []string        // the same, where the livepatch patches such modules
}

func (v *View) newCollector() *collector {
	out := &collector{annotated: make(map[*elfrw.Symbol]bool, len(v.notes)),
		unknown: map[string]bool{}}
	for i := range v.notes {
		out.annotated[v.notes[i].Symbol] = true
	}
	return out
}

// Bind decides which symbol each undefined symbol of the module is. Annotations are checked
// against the kernel's symbols, where there are any, and undefined symbols without annotation
// are looked up. What stays undefined is checked as modpost would.
func Bind(v *View) (*Bindings, *View, diag.List) {
	out := v.newCollector()
	v.bindAnnotations(out)
	v = v.resolveUnannotated(out)
	v = v.checkRemaining(out)
	v.checkNamespaces(out)
	v.addNearMisses(out)
	return &out.Bindings, v, out.List()
}

// bindAnnotations checks what each annotation says.
func (v *View) bindAnnotations(out *collector) {
	records := map[*elfrw.Symbol][]*annotation.Annotation{}
	for i := range v.notes {
		if !v.notes[i].readable {
			continue
		}
		a := v.notes[i].Annotation
		if !a.Dialect.IsLabel() {
			if first := v.findConflict(records[a.Symbol], &a); first != nil {
				reportConflict(out, &a, first)
				continue
			}
			records[a.Symbol] = append(records[a.Symbol], &a)
		}
		switch holds := v.locateByFile(out, &a) && v.checkAgainstKernel(out, &a); {
		case holds && v.notes[i].absent:
			out.Absent = append(out.Absent, &a)
		case holds:
			out.Annotated = append(out.Annotated, &a)
		}
	}
}

// findConflict returns the note about the same symbol that cannot be distinguished from a, nil
// where there is none: uses of one name are distinguished by the object that they are for,
// where the patch has both objects.
func (v *View) findConflict(notes []*annotation.Annotation, a *annotation.Annotation,
) *annotation.Annotation {
	for _, b := range notes {
		if a.Object == b.Object || !v.declared.Has(a.Object) || !v.declared.Has(b.Object) {
			return b
		}
	}
	return nil
}

// reportConflict reports a record whose symbol another record names already. The
// records share one undefined symbol, and nothing distinguishes their relocations.
func reportConflict(out *collector, a, first *annotation.Annotation) {
	var why string
	switch {
	case a.Name != first.Name:
		why = "as " + diag.Clip(first.Name) + " and as " + diag.Clip(a.Name)
	case a.Object != first.Object:
		why = "in object " + first.Object + " and in object " + a.Object
	case a.Pos != first.Pos || a.File != first.File:
		why = first.Which() + " and " + a.Which()
	default:
		return // the same annotation twice
	}
	name := diag.SymbolName(a.Symbol)
	out.Add(diag.Errorf(diag.Conflict, a.Place(), name,
		"symbol %s is annotated %s, but the module has one symbol of that name", name, why).
		WithHints(a.DeclareAlias()...))
}
