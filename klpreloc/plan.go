// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"strconv"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/special"
	"github.com/klp-convert/klp-convert/sympos"
)

// Plan is what a conversion does, decided in full before anything is changed.
// It refers to the file it was made for, which must not be edited in between.
type Plan struct {
	Input   *annotation.Set
	Moves   []Move
	Symbols []SymbolChange
	Detach  []Detach

	// Drop are the annotation sections; their relocations and symbols go
	// with them.
	Drop []*elfrw.Section
	// DropSymbols are undefined symbols that nothing needs any more: those
	// of unused records, and second symbols for one klp symbol.
	DropSymbols []*elfrw.Symbol
	// DropTrailer says that a module signature is appended, which can't be
	// valid any more.
	DropTrailer bool

	// Tables are special sections that lose entries.
	Tables []TableEdit
	// Rewrites are modpost's tables, without what is no import any more.
	Rewrites []Rewrite
	// Answers are what the plan rests on beside the module.
	Answers

	file *elfrw.File
}

// Move takes relocations of one section to a klp relocation section.
type Move struct {
	From   *elfrw.Section // relocation section of a loaded section
	Object string         // livepatched object that gates them
	Name   string         // of the new section
	Relocs []int          // indices into From.Relocs(), ascending

	// other are the klp symbols of relocations whose symbol is several: one name
	// that is annotated for several objects.
	other map[int]*klpSymbol
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

// Detach takes the symbol out of relocations of a section that is not loaded
// (debug information). See detach.
type Detach struct {
	From   *elfrw.Section
	Relocs []int // indices of those that keep their place and lose their symbol
	Drop   []int // indices of those that go with an annotation section
}

// Empty reports whether the plan changes nothing.
func (p *Plan) Empty() bool { return len(p.Drop) == 0 && len(p.Symbols) == 0 }

// NewPlan decides what becomes of f. It reads f and, when one is given, what it
// needs of a kernel's symbols. When an error is among the diagnostics there is no
// plan, and nothing should be written.
func NewPlan(f *elfrw.File, o Options) (*Plan, diag.List) {
	p := newPlanner(f, o)
	for _, step := range []func(){
		p.preconditions,
		p.aim,
		p.survey,
		p.chooseScheme,
		p.annotations,
		p.triage,
		p.inferences,
		p.editable,
		p.relocations,
		p.strange,
		p.cut,
		p.symbols,
		p.unused,
		p.gated,
		p.removal,
		p.versions,
		p.leftovers,
		p.namespaces,
		p.nearMisses,
		p.trailer,
	} {
		step()
	}
	found := p.withoutConsequences(p.List())
	if !found.Failed() && p.Empty() {
		found = append(found, diag.Notef(diag.NothingToConvert, diag.Nowhere, "", "nothing to convert"))
	}
	found.Sort()
	if found.Failed() {
		return nil, found
	}
	return p.Plan, found
}

// newPlanner starts a plan.
func newPlanner(f *elfrw.File, o Options) *planner {
	input, found := annotation.Read(f)
	p := &planner{
		Options: o, Plan: &Plan{Input: input, file: f}, File: f,
		bySymbol: map[*elfrw.Symbol]*target{}, klp: map[string]*klpSymbol{},
		annotated: make(map[*elfrw.Symbol]bool, len(input.Annotations)),
	}
	p.Add(found...)
	p.said, p.cuts, p.unknown = map[saying]bool{}, map[*special.Entry]string{}, map[string]bool{}
	for i := range input.Annotations {
		p.annotated[input.Annotations[i].Symbol] = true
	}
	return p
}

type planner struct {
	Options
	*Plan
	*elfrw.File
	diag.Reporter
	machine    *arch.Machine
	gates      *gates
	target     kernel.Version         // that the module is for
	annotated  map[*elfrw.Symbol]bool // by the author or, later, by inference
	klp        map[string]*klpSymbol  // by name
	said       map[saying]bool
	special    *touched
	unreadable bool                      // some relocations are in a form that is not read
	broken     bool                      // the file is not sound
	cuts       map[*special.Entry]string // entries that leave their tables, and for which object
	bySymbol   map[*elfrw.Symbol]*target
	targets    []*target

	table    *sympos.Table   // of the kernel; nil when there is none
	modules  *sympos.Table   // of all modules, where their exports had to be read
	objects  []string        // that the livepatch names, and vmlinux; sorted
	unknown  map[string]bool // objects that nothing tells of, said already
	triaged  bool            // undefined symbols without annotations were looked up
	inferred []*annotation.Annotation
	absent   []absence

	exporters *Exporters // who exports what is undefined; nil before findExporters
	kept      []string   // imports of modules whose exports nothing tells
	doubtful  []string   // the same, where the livepatch patches such modules
	patched   []string   // modules that the livepatch patches and whose exports nothing tells
}

// target is what an annotated symbol becomes.
type target struct {
	symbol   *elfrw.Symbol
	notes    []*annotation.Annotation // one, or one for each of several objects
	klp      []*klpSymbol             // of each
	relocs   []int                    // of loaded sections, by note
	constant *choice                  // that holds wherever the symbol is used
	gone     bool                     // some use went with what held it
}

// of returns which of the target's annotations a is.
func (t *target) of(a *annotation.Annotation) int { return slices.Index(t.notes, a) }

// klpSymbol is a klp symbol to be; several undefined symbols may become one.
type klpSymbol struct {
	name   string
	object string
	users  []*elfrw.Symbol // in symbol table order
	labels bool            // some annotation of it is a label
	relocs int
	symbol *elfrw.Symbol // that it is made of; nil while that is open
}

// preconditions: what must hold of the file as a whole.
func (p *planner) preconditions() {
	in := p.Input
	if len(in.Objtool) > 0 {
		p.Add(diag.Notef(diag.ObjtoolInput, inFirst(in.Objtool), "", "holds the records of objtool klp diff, which objtool klp post-link converts; left as it is"))
	}
	if !in.Annotated() {
		return
	}
	if !in.Modinfo.Livepatch() {
		p.Add(diag.Errorf(diag.NotLivepatch, diag.Nowhere, "", "the module is annotated, but .modinfo does not say livepatch=Y: the kernel would not apply a klp relocation").
			Hint(`MODULE_INFO(livepatch, "Y");`))
	}
	if in.Converted() {
		where, what := diag.Nowhere, "klp symbols"
		if len(in.KlpSections) > 0 {
			where, what = inFirst(in.KlpSections), "klp relocations"
		}
		p.Add(diag.Errorf(diag.HalfConverted, where, "", "the module holds finished %s beside annotations that are not converted", what).
			Hint("convert the module as it came out of modpost, once"))
	}
}

// editable: what must hold of a file that is changed.
func (p *planner) editable() {
	if !p.Input.Annotated() && len(p.targets) == 0 {
		return
	}
	p.sound()
	m, err := arch.Of(p.File)
	if err != nil {
		p.Add(diag.Errorf(diag.UnknownMachine, diag.Nowhere, "", "%v", err))
	}
	p.machine = m
}

func inFirst(s []*elfrw.Section) diag.Place { return diag.In(s[0]) }

// annotations checks what each annotation says and decides what its symbol
// becomes.
func (p *planner) annotations() {
	records := map[*elfrw.Symbol][]*annotation.Annotation{}
	for i := range p.Input.Annotations {
		a := &p.Input.Annotations[i]
		if !p.readable(a) {
			continue
		}
		if !a.Dialect.IsLabel() {
			if first := p.clash(records[a.Symbol], a); first != nil {
				p.second(a, first)
				continue
			}
			records[a.Symbol] = append(records[a.Symbol], a)
		}
		if p.locate(a) && p.validate(a) {
			p.take(a)
		}
	}
}

// clash returns the one among notes about the same symbol that a can't be told from.
func (p *planner) clash(notes []*annotation.Annotation, a *annotation.Annotation) *annotation.Annotation {
	for _, b := range notes {
		if a.Object == b.Object || !p.gates.apart(a.Object, b.Object) {
			return b
		}
	}
	return nil
}

// inferences decides what unannotated symbols become.
func (p *planner) inferences() {
	for _, a := range p.inferred {
		p.take(a)
	}
}

// take makes a klp symbol of a's.
func (p *planner) take(a *annotation.Annotation) {
	p.lawful(a)
	name := a.KlpName()
	k := p.klp[name]
	if k == nil {
		k = &klpSymbol{name: name, object: a.Object}
		p.klp[name] = k
	}
	k.users = append(k.users, a.Symbol)
	k.labels = k.labels || a.Dialect.IsLabel() && a.IsWritten()
	t := p.bySymbol[a.Symbol]
	if t == nil {
		t = &target{symbol: a.Symbol}
		p.bySymbol[a.Symbol] = t
		p.targets = append(p.targets, t)
	}
	t.notes, t.klp, t.relocs = append(t.notes, a), append(t.klp, k), append(t.relocs, 0)
	t.constant = nil
	if c, ok := p.gates.constant(t.notes); ok {
		t.constant = &c
	}
}

// symbols plans the klp symbols, in the order of the symbol table and, for those
// that are added, of their names.
func (p *planner) symbols() {
	byNum := func(a, b *elfrw.Symbol) int { return a.Num() - b.Num() }
	// A symbol becomes the first of its klp symbols that is used; a label's is its
	// only one.
	first := map[*elfrw.Symbol]*klpSymbol{}
	for _, t := range p.targets {
		first[t.symbol] = t.klp[0]
		for _, k := range t.klp {
			if k.relocs > 0 {
				first[t.symbol] = k
				break
			}
		}
	}
	var added []*klpSymbol
	for _, k := range p.klp {
		slices.SortFunc(k.users, byNum)
		mine := slices.DeleteFunc(slices.Clone(k.users), func(y *elfrw.Symbol) bool { return first[y] != k })
		if len(mine) == 0 {
			if k.relocs > 0 {
				added = append(added, k)
			}
			continue
		}
		k.symbol = mine[0]
		p.Plan.Symbols = append(p.Plan.Symbols, SymbolChange{Symbol: mine[0], Name: k.name, Others: mine[1:], Relocs: k.relocs})
	}
	slices.SortFunc(p.Plan.Symbols, func(a, b SymbolChange) int { return byNum(a.Symbol, b.Symbol) })
	slices.SortFunc(added, func(a, b *klpSymbol) int { return strings.Compare(a.name, b.name) })
	for _, k := range added {
		like := k.users[0]
		k.symbol = &elfrw.Symbol{Name: k.name, Size: like.Size, Info: like.Info, Other: like.Other, Index: klpabi.IndexLivepatch}
		p.Plan.Symbols = append(p.Plan.Symbols, SymbolChange{Symbol: k.symbol, Name: k.name, Relocs: k.relocs, Like: like})
	}
}

// readable checks an annotation's names, mending what can be mended.
func (p *planner) readable(a *annotation.Annotation) bool {
	same := a.LPObject == a.Object // of records, and of most labels
	ok := p.object(a, &a.LPObject)
	if same {
		a.Object = a.LPObject
	} else {
		ok = p.object(a, &a.Object) && ok
	}
	if a.Name == ".TOC." {
		p.Add(diag.Errorf(diag.BadName, a.Place(), a.Name, ".TOC. is each module's own and can't be annotated"))
		return false
	}
	if err := klpabi.CheckName(a.Name, p.target); err != nil {
		p.Add(diag.Errorf(diag.BadName, a.Place(), diag.Clip(a.Name), "%s: %v", diag.SymbolName(a.Symbol), err))
		return false
	}
	return ok
}

// object checks and mends the name of an object.
func (p *planner) object(a *annotation.Annotation, object *string) bool {
	if err := klpabi.CheckObject(*object); err != nil {
		if *object != "" && p.Repeats(diag.BadObject, *object, a.Place(), diag.SymbolName(a.Symbol)) {
			return false // an empty one is a slip of its own
		}
		d := diag.Errorf(diag.BadObject, a.Place(), diag.SymbolName(a.Symbol), "%s: %v", diag.SymbolName(a.Symbol), err)
		if base, _, cut := strings.Cut((*object)[:min(len(*object), klpabi.ObjectLimit+1)], "."); cut && base != "" {
			d = d.Hint("the object is called %s", klpabi.ModuleName(base))
		}
		p.AddFor(*object, d)
		return false
	}
	if mended := klpabi.ModuleName(*object); mended != *object {
		if !p.Repeats(diag.ObjectDash, *object, a.Place(), diag.SymbolName(a.Symbol)) {
			p.AddFor(*object, diag.Notef(diag.ObjectDash, a.Place(), diag.SymbolName(a.Symbol), "object %q is called %q in the kernel", *object, mended))
		}
		*object = mended
	}
	return true
}

// second reports a record whose symbol another record names already. The
// records share one undefined symbol, and nothing tells their relocations apart.
func (p *planner) second(a, first *annotation.Annotation) {
	var why string
	switch {
	case a.Object != first.Object:
		why = "in object " + first.Object + " and in object " + a.Object
	case a.Pos != first.Pos || a.File != first.File:
		why = first.Which() + " and " + a.Which()
	default:
		return // said twice
	}
	p.Add(diag.Errorf(diag.Conflict, a.Place(), a.Name, "symbol %s is annotated %s, but the module has one symbol of that name", a.Name, why).
		WithHints(a.DeclareAlias()...))
}

// relocations decides what becomes of every relocation that refers to an
// annotated symbol or to an annotation.
func (p *planner) relocations() {
	gone := p.GoesWith(p.Input.Sections)
	p.Drop = p.Input.Sections
	if len(p.bySymbol) == 0 && len(gone) == 0 {
		return
	}
	var affected []affectedSection
	p.Refers(func(y *elfrw.Symbol) bool {
		return p.bySymbol[y] != nil || y.Section != nil && gone[y.Section]
	}, func(ref elfrw.Reference) bool {
		if n := len(affected); n == 0 || affected[n-1].Section != ref.Section {
			affected = append(affected, affectedSection{Section: ref.Section})
		}
		s := &affected[len(affected)-1]
		s.which = append(s.which, ref.Index)
		return true
	})
	for _, s := range affected {
		switch {
		case s.Target != nil && gone[s.Target]:
		case s.Target != nil && s.Target.Alloc():
			p.loaded(s, gone)
		default:
			p.detach(s, gone)
		}
	}
	p.nameSections()
	p.longNames()
}

// longNames finds the klp symbols whose names the kernel cuts before it reads them.
func (p *planner) longNames() {
	limit := p.target.StoredLimit(p.Scheme)
	if limit == 0 {
		return
	}
	report := diag.Errorf
	if p.Options.Unsafe {
		report = diag.Warnf
	}
	said := map[*klpSymbol]bool{}
	for i := range p.Moves {
		m := &p.Moves[i]
		if p.Scheme.Early() && m.Object == vmlinux {
			continue
		}
		for _, r := range m.Relocs {
			x := m.From.Reloc(r)
			k := m.other[r]
			if k == nil {
				k = p.bySymbol[x.Sym].klp[0]
			}
			if len(k.name) <= limit || said[k] {
				continue
			}
			said[k] = true
			p.Add(report(diag.LongKlpSymbol, diag.At(m.From, x.Offset), diag.SymbolName(x.Sym), "klp symbol %s has %d bytes, of which kernels before 5.19 store %d for relocations that are applied with %s: the position is cut off", diag.Clip(k.name), len(k.name), limit, m.Object).
				Hint("reach it by a symbol whose name is shorter; from 5.19 on there is no such limit"))
		}
	}
}

// affectedSection is a relocation section some of whose relocations refer to
// an annotated symbol or to an annotation.
type affectedSection struct {
	*elfrw.Section
	which []int // their indices
}

// loaded plans the moves out of the relocations of a loaded section.
func (p *planner) loaded(s affectedSection, gone map[*elfrw.Section]bool) {
	byGate := map[string]int{} // index into p.Moves
	first := len(p.Moves)
	var t *target // of sym
	var sym *elfrw.Symbol
	for _, i := range s.which {
		r := s.Reloc(i)
		if r.Sym.Section != nil && gone[r.Sym.Section] {
			if p.Repeats(diag.AnnotationReferred, diag.SymbolName(r.Sym), diag.At(s.Section, r.Offset), diag.SymbolName(r.Sym)) {
				continue
			}
			p.AddFor(diag.SymbolName(r.Sym), diag.Errorf(diag.AnnotationReferred, diag.At(s.Section, r.Offset), diag.SymbolName(r.Sym), "the code refers to the annotation %s itself, which the kernel never gets to see", diag.SymbolName(r.Sym)).
				Hint("nothing but klp-convert may use a KLP_MODULE_RELOC array"))
			continue
		}
		if r.Sym != sym {
			t, sym = p.bySymbol[r.Sym], r.Sym
		}
		c := t.constant
		if c == nil {
			here := p.gates.choose(t.notes, s.Target, r.Offset)
			c = &here
			if !p.remarks(s.Section, r, c) {
				t.gone = true // so that it is not said to be unused
				continue
			}
		}
		n := 0
		if len(t.notes) > 1 {
			n = t.of(c.note)
		}
		t.relocs[n]++
		t.klp[n].relocs++
		ok, gone := p.movable(s.Section, r, c)
		if gone {
			t.relocs[n]--
			t.klp[n].relocs--
			t.gone = true
		}
		if !ok || gone {
			continue
		}
		m, ok := byGate[c.gate]
		if !ok {
			m = len(p.Moves)
			byGate[c.gate] = m
			p.Moves = append(p.Moves, Move{From: s.Section, Object: c.gate})
		}
		p.Moves[m].Relocs = append(p.Moves[m].Relocs, i)
		if len(t.notes) > 1 {
			if p.Moves[m].other == nil {
				p.Moves[m].other = map[int]*klpSymbol{}
			}
			p.Moves[m].other[i] = t.klp[n]
		}
	}
	if p.machine != nil && p.machine.Pairs {
		p.together(s.Section, p.Moves[first:])
	}
}

// detach plans what becomes of debug information. Its relocations are not
// applied by the kernel, and readers of it (gdb, libdw) know nothing of klp
// symbols: some refuse all relocations of a file over one of them. An
// undefined symbol had the value 0 for them, and so has symbol 0, so a
// relocation keeps place, type and addend and loses the name, which the
// variable's or function's own entry still tells. Relocations that point at an
// annotation go with it: their place keeps the value 0.
func (p *planner) detach(s affectedSection, gone map[*elfrw.Section]bool) {
	d := Detach{From: s.Section}
	for _, i := range s.which {
		if y := s.Reloc(i).Sym; y.Section != nil && gone[y.Section] {
			d.Drop = append(d.Drop, i)
		} else {
			d.Relocs = append(d.Relocs, i)
		}
	}
	p.Detach = append(p.Detach, d)
	var what []string
	if n := len(d.Relocs); n > 0 {
		what = append(what, strconv.Itoa(n)+" against annotated symbols lose the symbol")
	}
	if n := len(d.Drop); n > 0 {
		what = append(what, strconv.Itoa(n)+" against annotations go")
	}
	p.Add(diag.Notef(diag.NotAllocated, diag.In(s.Section), "", "not loaded by the kernel: of its relocations %s", strings.Join(what, ", ")))
}

// nameSections gives each move its section name. Names of loaded sections must
// be unique (the kernel makes a sysfs file of each; since 6.12 a second one is
// refused with EEXIST), but two base sections may share theirs. What is not
// converted yet has no other section with such a name (HalfConverted).
func (p *planner) nameSections() {
	used := map[string]bool{}
	last := map[string]int{} // number given last, by name without it
	for i := range p.Moves {
		m := &p.Moves[i]
		base := klpabi.SectionName(m.Object, m.From.Target.Name)
		m.Name = base
		for used[m.Name] {
			last[base] = max(last[base], 1) + 1
			m.Name = base + "." + strconv.Itoa(last[base])
		}
		used[m.Name] = true
	}
}

// unused warns of annotations that no loaded section's relocation uses. A
// record's symbol goes; a label's becomes a klp symbol all the same, since its
// name is what it is.
func (p *planner) unused() {
	keep := p.Plan.Symbols[:0]
	for _, c := range p.Plan.Symbols {
		if c.Relocs > 0 || p.klp[c.Name].labels {
			keep = append(keep, c)
			p.DropSymbols = append(p.DropSymbols, c.Others...)
			continue
		}
		p.DropSymbols = append(p.DropSymbols, c.Symbol)
		p.DropSymbols = append(p.DropSymbols, c.Others...)
	}
	p.Plan.Symbols = keep
	for i := range p.Input.Annotations {
		a := &p.Input.Annotations[i]
		if t := p.bySymbol[a.Symbol]; t != nil && t.of(a) >= 0 && t.relocs[t.of(a)] == 0 && !t.gone {
			p.Add(diag.Warnf(diag.Unused, a.Place(), a.Name, "%s %s is annotated, but nothing uses it", a.Object, a.Name))
		}
	}
}

// removal finds what would not let go of an annotation, or of a symbol that
// nothing else needs (elfrw.File.Remove): relocations are taken care of, which
// leaves header fields.
func (p *planner) removal() {
	gone, lost := p.GoesWith(p.Drop), map[*elfrw.Symbol]bool{}
	for _, y := range p.DropSymbols {
		lost[y] = true
	}
	if len(gone) == 0 && len(lost) == 0 {
		return
	}
	for _, s := range p.File.Sections {
		switch {
		case gone[s]:
		case gone[s.Link]:
			p.Add(diag.Errorf(diag.AnnotationReferred, diag.In(s), "", "the section is linked to annotation section %s (sh_link)", diag.SectionName(s.Link)))
		case gone[s.Target]:
			p.Add(diag.Errorf(diag.AnnotationReferred, diag.In(s), "", "the section is about annotation section %s (sh_info)", diag.SectionName(s.Target)))
		case s.Signature != nil && (lost[s.Signature] || gone[s.Signature.Section]):
			p.Add(diag.Errorf(diag.AnnotationReferred, diag.In(s), diag.SymbolName(s.Signature), "%s, which goes with the annotations, is the signature of a section group that stays", diag.SymbolName(s.Signature)))
		}
	}
}

// trailer: a signature is over bytes that change.
func (p *planner) trailer() {
	if p.Input.Signed && !p.Empty() {
		p.DropTrailer = true
		p.Add(diag.Warnf(diag.SignatureDropped, diag.Nowhere, "", "the appended module signature can't be valid after conversion and is dropped: sign last, after klp-convert"))
	}
}

// ProofDiagnostic makes a diagnostic of what Prove found.
func ProofDiagnostic(err error) diag.Diagnostic {
	d := diag.Diagnostic{ID: diag.ProofFailed, Severity: diag.Error, Message: "the result is not what it should be: " + err.Error()}
	d = d.Hint("this is a defect of klp-convert; nothing was written; please report it with the module")
	return d
}
