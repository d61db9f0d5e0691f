// SPDX-License-Identifier: GPL-2.0-or-later

package rewrite

import (
	"strconv"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/gate"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/latereloc"
)

// Plan is what a conversion does, decided in full before anything is changed.
// It refers to the file it was made for, which must not be edited in between.
type Plan struct {
	Moves   []Move
	Symbols []SymbolChange
	Detach  []Detach

	// Drop are the annotation sections; their relocations and symbols go
	// with them.
	Drop []*elfrw.Section
	// DropSymbols are undefined symbols that nothing needs after the conversion: those
	// of unused records, and second symbols for one klp symbol.
	DropSymbols []*elfrw.Symbol
	// DropTrailer says that a module signature is appended, which is invalid after the
	// conversion.
	DropTrailer bool

	// Tables are special sections that lose entries.
	Tables []latereloc.TableEdit
	// Targets are the builds of livepatched modules that .modinfo gets an entry of.
	Targets []klpabi.Target
	// Rewrites are modpost's tables without the symbols that are no longer imported, and .modinfo.
	Rewrites []Rewrite

	file *elfrw.File
}

// SymbolChange makes a klp symbol of an undefined one.
type SymbolChange struct {
	Symbol *elfrw.Symbol
	Name   string          // .klp.sym.<object>.<name>,<pos>
	Others []*elfrw.Symbol // further symbols that mean the same; relocations against them go to Symbol
	Relocs int             // that use it, in all

	// Like is set when Symbol is added by the plan, beside this one: a name that is
	// annotated for several objects.
	Like *elfrw.Symbol
}

// Detach takes the symbol out of relocations of a section that is not loaded. Debug
// information's relocations are not applied by the kernel, and readers of it (gdb, libdw)
// know nothing of klp symbols: some refuse all relocations of a file over one of them. An
// undefined symbol had the value 0 for them, and so has symbol 0, so a relocation keeps
// place, type and addend and loses the name, which the variable's or function's own entry
// still tells. Relocations that point at an annotation go with it: their place keeps the
// value 0.
type Detach struct {
	From   *elfrw.Section
	Relocs []int // indices of those that keep their place and lose their symbol
	Drop   []int // indices of those that go with an annotation section
}

// Rewrite gives a section other contents.
type Rewrite struct {
	Section *elfrw.Section
	Data    []byte
	// Symbols are those that span the whole section; their size changes with it.
	Symbols []*elfrw.Symbol
}

// Empty reports whether the plan changes nothing.
func (p *Plan) Empty() bool { return !p.converts() && len(p.Targets) == 0 }

// converts reports whether the plan changes more than .modinfo.
func (p *Plan) converts() bool {
	return len(p.Drop) > 0 || len(p.Symbols) > 0 || len(p.DropSymbols) > 0
}

// New makes the plan for f, in which set are the annotations: what targets become, where the
// relocations of edits go, which modules leave depends=, and which builds .modinfo gets entries
// of. refused says that a relocation can't be moved, which is reported: the plan is of no use
// then, and a symbol that it drops may be used.
func New(f *elfrw.File, set *annotation.Set, targets []*gate.Target, unloaded []gate.Unloaded,
	edits *latereloc.Edits, depends []string, builds []klpabi.Target, refused bool,
) (*Plan, diag.List) {
	var r diag.Reporter
	symbols := newKlpSymbols(targets)
	p := &Plan{file: f, Drop: set.Sections, Tables: edits.Tables}
	p.Moves = planMoves(&r, f, edits.Sections, symbols)
	p.Symbols, p.DropSymbols = symbols.plan(targets)
	for _, u := range unloaded {
		p.Detach = append(p.Detach, Detach(u))
		r.Add(diag.Notef(diag.NotAllocated, diag.In(u.From), "",
			"not loaded by the kernel: of its relocations %s", describeUnloaded(u)))
	}
	p.rewriteVersions(&r, targets)
	p.editModinfo(&r, set, depends, builds, refused)
	if set.Signed && (!p.Empty() || refused) {
		p.DropTrailer = true
		r.Add(diag.Warnf(diag.SignatureDropped, diag.Nowhere, "",
			"the appended module signature can't be valid after conversion and is dropped: sign last, after klp-convert"))
	}
	p.checkRemoval(&r, refused)
	return p, r.List()
}

// editModinfo plans the new .modinfo. A signature is worth more than an entry of a build: what
// is signed and not converted stays as it is.
func (p *Plan) editModinfo(r *diag.Reporter, set *annotation.Set, depends []string,
	builds []klpabi.Target, refused bool,
) {
	if set.Signed && !p.converts() && !refused {
		builds = nil
	}
	s, data := klpabi.EditModinfo(p.file, depends, builds)
	for _, t := range builds {
		r.Add(diag.Notef(diag.TargetBuild, diag.In(s), t.Module, "recorded: klp_target=%s", t))
	}
	if p.Targets = builds; len(depends) > 0 || len(builds) > 0 {
		p.Rewrites = append(p.Rewrites, Rewrite{Section: s, Data: data})
	}
}

// describeUnloaded says what becomes of relocations that are not loaded.
func describeUnloaded(u gate.Unloaded) string {
	var what []string
	if n := len(u.Relocs); n > 0 {
		what = append(what, strconv.Itoa(n)+" against annotated symbols lose the symbol")
	}
	if n := len(u.Drop); n > 0 {
		what = append(what, strconv.Itoa(n)+" against annotations are dropped")
	}
	return strings.Join(what, ", ")
}

// checkRemoval finds header fields that refer to an annotation section, or to a symbol that is
// dropped: elfrw.File.Remove would fail. Relocations have been taken care of.
func (p *Plan) checkRemoval(r *diag.Reporter, refused bool) {
	gone, lost := p.file.GoesWith(p.Drop), map[*elfrw.Symbol]bool{}
	if !refused { // else they may be used
		for _, y := range p.DropSymbols {
			lost[y] = true
		}
	}
	if len(gone) == 0 && len(lost) == 0 {
		return
	}
	for _, s := range p.file.Sections {
		switch {
		case gone[s]:
		case gone[s.Link]:
			r.Add(diag.Errorf(diag.AnnotationReferred, diag.In(s), "",
				"the section is linked to annotation section %s (sh_link)", diag.SectionName(s.Link)))
		case gone[s.Target]:
			r.Add(diag.Errorf(diag.AnnotationReferred, diag.In(s), "",
				"the section is about annotation section %s (sh_info)", diag.SectionName(s.Target)))
		case s.Signature != nil && (lost[s.Signature] || gone[s.Signature.Section]):
			r.Add(diag.Errorf(diag.AnnotationReferred, diag.In(s), diag.SymbolName(s.Signature),
				"%s, which goes with the annotations, is the signature of a section group that stays",
				diag.SymbolName(s.Signature)))
		}
	}
}
