// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"cmp"
	"debug/elf"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/annotation"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/special"
)

// A klp relocation that waits for its object is late: since 5.8 those of modules'
// symbols, before that all. By then the kernel has read the tables of instructions
// that it patches, copied alternatives into place and turned calls into direct ones
// (module_finalize of the architectures, the notifiers of MODULE_STATE_COMING). What
// a late relocation writes into any of these is not seen, or overwrites what the
// kernel has made of it. Nothing is printed; the module loads and oopses.
//
// Kernels 4.9 to 5.7 know a way out on x86: entries of .altinstructions and
// .parainstructions in .klp.arch.<object>.* are patched again when the object's klp
// relocations have been applied (arch/x86/kernel/livepatch.c,
// arch_klp_init_object_loaded; archsec.go). Since 5.8 such sections are read by nobody.

// touched finds the special entries that late relocations concern. Planning and
// proof each have their own.
type touched struct {
	gates     *gates
	nameOf    func(*elfrw.Symbol) string // what an annotated symbol is called in the kernel
	keepInert bool
}

// late reports whether a klp relocation for the gate waits for its object.
func (g *gates) late(gate string) bool { return !g.scheme.Early() || gate != vmlinux }

// archable reports whether e can be patched again by a .klp.arch section.
func (g *gates) archable(e *special.Entry) bool {
	return g.scheme == kernel.SchemeLate && g.file.Header.Machine == elf.EM_X86_64 && (e.Kind == special.Alternative || e.Kind == special.Paravirt)
}

// lateness is what a late relocation has to do with special sections.
type lateness struct {
	gone   bool             // it goes with the entry that holds it
	cuts   []Cut            // entries that leave their tables
	within *special.Entry   // that it is in, and can't be
	copied *special.Entry   // whose replacement its symbol is
	around []*special.Entry // that it is in the site or replacement of, and can't be
	table  bool             // it is in a section that is read as a whole
}

func (l *lateness) fine() bool {
	return l.within == nil && l.copied == nil && len(l.around) == 0 && !l.table
}

// copies returns the alternative that has the symbol of a relocation of s as its
// replacement, nil when none does: the kernel copies bytes from there, whenever that
// relocation is applied. Of a symbol that the loader resolves they are what objtool
// meant (special.Entry.Outside); of a klp symbol nothing says that they can be copied.
func (t *touched) copies(s *elfrw.Section, r *elfrw.Rela) *special.Entry {
	if !special.HasReplacements(s.Name) {
		return nil
	}
	if e := t.gates.special().In(s, r.Offset); e != nil && e.Outside != nil && e.Outside == r.Sym {
		return e
	}
	return nil
}

// judge finds out what a klp relocation of s for the gate has to do with special
// sections.
func (t *touched) judge(m *arch.Machine, s *elfrw.Section, r *elfrw.Rela, gate string) (l lateness) {
	if l.copied = t.copies(s, r); l.copied != nil || !t.gates.late(gate) {
		return l
	}
	width := uint64(4)
	if m != nil {
		if n, _ := m.Width(r.Type); n > 0 {
			width = uint64(n)
		}
	}
	tables := t.gates.special()
	if e := tables.In(s, r.Offset); e != nil {
		if l.gone = t.inert(e) || !t.keepInert && special.InertKey(e.Kind, t.nameOf(r.Sym)); l.gone {
			l.cuts = []Cut{{e, ""}}
		} else {
			l.within = e
		}
		return l
	}
	sites, replacements := tables.Sites(s, r.Offset, width), tables.Replacements(s, r.Offset, width)
	if len(sites)+len(replacements) == 0 {
		// A replacement that no entry uses is nothing to old kernels.
		l.table = special.ReadEarly(s.Name) && (t.gates.scheme.Early() || s.Name != ".altinstr_replacement")
		return l
	}
	for _, list := range [][]*special.Entry{sites, replacements} {
		for _, e := range list {
			switch {
			case t.gates.archable(e):
				l.cuts = append(l.cuts, Cut{e, gate})
			case t.inert(e):
				l.cuts = append(l.cuts, Cut{e, ""})
			default:
				l.around = append(l.around, e)
			}
		}
	}
	return l
}

// inert reports whether e is to be dropped where it stands in the way. Its key may
// be annotated, and so be called otherwise in the module.
func (t *touched) inert(e *special.Entry) bool {
	return !t.keepInert && (t.gates.special().Inert(e) || e.Key.Symbol != nil && special.InertKey(e.Kind, t.nameOf(e.Key.Symbol)))
}

// kernelName is what y is called in the kernel, as far as it is annotated.
func (p *planner) kernelName(y *elfrw.Symbol) string {
	if t := p.bySymbol[y]; t != nil {
		return t.notes[0].Name
	}
	return ""
}

// late checks a klp relocation against the special sections, and notes what becomes
// of the entries that it concerns. It reports whether the relocation stands; gone
// says that it goes with an entry that is dropped.
func (p *planner) late(s *elfrw.Section, r elfrw.Rela, c *choice) (ok, gone bool) {
	where, l := diag.At(s, r.Offset), p.special.judge(p.machine, s.Target, &r, c.gate)
	for _, cut := range l.cuts {
		if !p.leaves(where, r, cut) {
			return false, false
		}
	}
	switch {
	case l.copied != nil:
		e := l.copied
		return p.tooLate(where, r, c, "copied "+c.note.Name, fmt.Sprintf("as the replacement of the alternative at %s (%s): the kernel copies instructions from a symbol that it exports, and nothing tells whether those of a klp symbol can be copied",
			p.function(e.Site.Section, e.Site.Offset), e), "leave "+c.note.Name+" an import: build against a kernel that exports it, and do not annotate it"), false
	case l.within != nil:
		e := l.within
		return p.tooLate(where, r, c, p.causeOf(e, c), fmt.Sprintf("in the %s for %s (%s): the kernel has read %s before %s, and would use the address 0",
			e.Kind, p.function(e.Site.Section, e.Site.Offset), e, s.Target, comes(c.gate)), p.edit(e)), false
	case l.table && p.gates.strange[s.Target]:
		return true, false // StrangeTable says it
	case l.table:
		return p.tooLate(where, r, c, s.Target.Name+" "+c.note.Name, fmt.Sprintf("in %s: the kernel has read that table before %s, and would use the address 0", s.Target, comes(c.gate)),
			"use static_key_enabled(), an indirect call, or a helper function outside of the alternative"), false
	}
	ok = true
	for _, e := range l.around {
		part := "site of the "
		if e.Kind == special.Paravirt {
			part = "" // which is one
		}
		if e.Replacement.Section == s.Target && r.Offset >= e.Replacement.Offset && r.Offset-e.Replacement.Offset < e.Replacement.Size {
			part = "replacement of the "
		}
		ok = p.tooLate(where, r, c, p.causeOf(e, c), fmt.Sprintf("in the %s%s at %s%s (%s), which the kernel has patched before %s",
			part, e.Kind, p.function(e.Site.Section, e.Site.Offset), p.key(e), e, comes(c.gate)), p.edit(e)) && ok
	}
	return ok, l.gone
}

// leaves notes that an entry leaves its table.
func (p *planner) leaves(where diag.Place, r elfrw.Rela, c Cut) bool {
	e := c.Entry
	first, taken := p.cuts[e]
	switch {
	case taken && first != c.Object:
		p.Add(diag.Errorf(diag.SpecialSection, where, diag.SymbolName(r.Sym), "the %s at %s (%s) holds klp relocations for %s and for %s; a .klp.arch section is for one object",
			e.Kind, p.function(e.Site.Section, e.Site.Offset), e, first, c.Object).
			Hint("%s", p.edit(e)))
		return false
	case !taken && c.Object == "":
		p.Add(diag.Warnf(diag.InertDropped, where, "", "the %s at %s%s (%s) is dropped: a tracepoint or debug message of a module that may come later can't be switched on in the patched function",
			e.Kind, p.function(e.Site.Section, e.Site.Offset), p.key(e), e))
	}
	p.cuts[e] = c.Object
	return true
}

func (p *planner) key(e *special.Entry) string {
	if name := p.keyName(e); name != "" {
		return ", key " + diag.Clip(name)
	}
	return ""
}

func (p *planner) keyName(e *special.Entry) string {
	if name := p.kernelName(e.Key.Symbol); name != "" {
		return name
	}
	return p.gates.special().KeyName(e)
}

// edit says what an author can do instead, in the words of the source where the file
// has them: a key that is a variable of its own, and the name behind a static call's.
func (p *planner) edit(e *special.Entry) string {
	name := p.keyName(e)
	switch e.Kind {
	case special.JumpLabel:
		if !annotation.IsIdentifier(name) || e.Key.Addend != 0 {
			return "if (static_key_enabled(KEY)) … instead of static_branch_likely(KEY) and static_branch_unlikely(KEY), KEY as it stands in the source"
		}
		return fmt.Sprintf("if (static_key_enabled(&%s)) … instead of static_branch_likely(&%[1]s) and static_branch_unlikely(&%[1]s)", name)
	case special.StaticCall:
		call, ok := strings.CutPrefix(name, "__SCK__")
		if !ok || !annotation.IsIdentifier(call) {
			return "((typeof(&STATIC_CALL_TRAMP(NAME)))STATIC_CALL_KEY(NAME).func)(…) instead of static_call(NAME)(…), NAME as it stands in the source"
		}
		return fmt.Sprintf("((typeof(&STATIC_CALL_TRAMP(%s)))STATIC_CALL_KEY(%[1]s).func)(…) instead of static_call(%[1]s)(…)", call)
	}
	return edits[e.Kind]
}

// edits are for kinds without a key.
var edits = map[special.Kind]string{
	special.Alternative: "call it from a noinline helper function, outside of the alternative",
	special.Paravirt:    "call it from a noinline helper function, outside of the paravirt call",
	special.Retpoline:   "call it directly, from a noinline helper function",
	special.Return:      "take its address in a noinline helper function",
	special.Feature:     "call it from a noinline helper function, outside of the feature section",
}

// causeOf is what is refused about an entry, at all of its places: the key of a branch
// or call, of which the code and the table each have a relocation, or else the symbol.
func (p *planner) causeOf(e *special.Entry, c *choice) string {
	name, _ := strings.CutPrefix(p.keyName(e), "__SCK__")
	if name == "" {
		name = c.note.Name
	}
	return e.Kind.String() + " " + name
}

// tooLate refuses a late relocation, or says what it will break where that was asked
// for. It reports whether the relocation stands.
func (p *planner) tooLate(where diag.Place, r elfrw.Rela, c *choice, cause, why, edit string) bool {
	of := "of " + diag.ObjectName(c.note.Object)
	if p.Repeats(diag.SpecialSection, cause, where, c.note.Name) {
		return p.Options.Unsafe
	}
	if p.Options.Unsafe {
		p.AddFor(cause, diag.Warnf(diag.SpecialSection, where, c.note.Name, "%s %s %s; converted all the same (--unsafe)", c.note.Name, of, why))
		return true
	}
	d := diag.Errorf(diag.SpecialSection, where, c.note.Name, "%s %s %s", c.note.Name, of, why)
	if edit != "" {
		d = d.Hint("%s", edit)
	}
	p.AddFor(cause, d)
	return false
}

// strange refuses what looks like a special section and is none: nothing could be
// said about the code that it is about, and the kernel would patch something else.
func (p *planner) strange() {
	if len(p.targets) == 0 {
		return
	}
	p.gates.special()
	for _, x := range p.gates.problems {
		where := diag.In(x.Section)
		if x.Offset >= 0 {
			where = diag.At(x.Section, uint64(x.Offset))
		}
		if p.Options.Unsafe {
			p.Add(diag.Warnf(diag.StrangeTable, where, "", "%s: not what the kernel reads there; converted all the same (--unsafe)", x.Message))
			continue
		}
		p.Add(diag.Errorf(diag.StrangeTable, where, "", "%s: not what the kernel reads there, so it is not known which code it patches", x.Message))
	}
}

// cut plans the edits of the tables that lose entries.
func (p *planner) cut() {
	if len(p.cuts) == 0 {
		return
	}
	p.Tables = tableEdits(p.gates.special(), p.cuts)
	p.referred()
	if archs := p.archSections(); len(archs) > 0 {
		p.Add(diag.Notef(diag.ArchSection, diag.Nowhere, "", "alternatives and paravirt sites with klp relocations, for the kernel to patch with their objects: %s", strings.Join(archs, ", ")))
	}
}

// tableEdits sorts cuts by their tables, in header order.
func tableEdits(tables *special.Tables, cuts map[*special.Entry]string) []TableEdit {
	byTable := map[*special.Table][]Cut{}
	for e, object := range cuts {
		byTable[e.Table] = append(byTable[e.Table], Cut{e, object})
	}
	var edits []TableEdit
	for _, t := range tables.All {
		if list := byTable[t]; len(list) > 0 {
			slices.SortFunc(list, func(a, b Cut) int { return cmp.Compare(a.Entry.Offset, b.Entry.Offset) })
			edits = append(edits, TableEdit{t, list})
		}
	}
	return edits
}

// referred refuses to move entries that something refers to by their place.
func (p *planner) referred() {
	edited := map[*elfrw.Section]bool{}
	for _, t := range p.Tables {
		edited[t.Table.Section] = true
	}
	p.Refers(func(y *elfrw.Symbol) bool { return edited[y.Section] }, func(ref elfrw.Reference) bool {
		if t := ref.Section.Target; t != nil && t.Alloc() {
			p.Add(diag.Errorf(diag.StrangeTable, diag.At(ref.Section, ref.Rela.Offset), diag.SymbolName(ref.Rela.Sym), "%s refers to a place in %s, whose entries have to move", diag.SectionName(t), diag.SectionName(ref.Rela.Sym.Section)))
			return false
		}
		return true
	})
}
