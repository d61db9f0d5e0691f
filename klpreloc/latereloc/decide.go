// SPDX-License-Identifier: GPL-2.0-or-later

package latereloc

import (
	"cmp"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
	"github.com/klp-convert/klp-convert/klpreloc/gate"
	"github.com/klp-convert/klp-convert/klpreloc/klpabi"
	"github.com/klp-convert/klp-convert/klpreloc/special"
	"github.com/klp-convert/klp-convert/sympos/ctypes"
)

// Edits are what late relocations do to special sections, and which relocations are left to
// become klp relocations.
type Edits struct {
	Sections []gate.Section // relocations that become klp relocations
	Tables   []TableEdit    // sections that lose entries, in header order
	// Gone are the targets with a relocation in an entry that is dropped.
	Gone map[*gate.Target]bool
	// Refused says that a relocation can't be a klp relocation, which is reported.
	Refused bool
}

// TableEdit takes entries out of one special section.
type TableEdit struct {
	Table *special.Table
	Cuts  []Cut // by offset
}

// ArchName is what the section for an object's entries of a table is called.
func ArchName(object string, t *special.Table) string {
	return klpabi.ArchPrefix + object + "." + t.Section.Name
}

// Decide judges the relocations that can be klp relocations. unsafe converts what can't work
// as well, with a warning.
func (t *Rules) Decide(sections []gate.Section, unsafe bool) (*Edits, diag.List) {
	w := &reporter{rules: t, unsafe: unsafe, cuts: map[*special.Entry]string{}}
	e := &Edits{Gone: map[*gate.Target]bool{}}
	for _, s := range sections {
		stay := gate.Section{Section: s.Section, Relocs: make([]gate.Decision, 0, len(s.Relocs))}
		for _, d := range s.Relocs {
			ok, gone := w.checkReloc(s.Section, s.Reloc(d.Index), d.Choice)
			switch {
			case gone:
				e.Gone[d.Target] = true
			case ok:
				stay.Relocs = append(stay.Relocs, d)
			default:
				e.Refused = true
			}
		}
		e.Sections = append(e.Sections, stay)
	}
	if len(w.cuts) > 0 {
		e.Tables = tableEdits(t.gates.Special(), w.cuts)
		w.checkReferred(e.Tables)
		if names := archNames(e.Tables); len(names) > 0 {
			w.Add(diag.Notef(diag.ArchSection, diag.Nowhere, "",
				"alternatives and paravirt sites with klp relocations, for the kernel to patch with their objects: %s",

				strings.Join(names, ", ")))
		}
	}
	return e, w.List()
}

// archNames returns the names of the sections that entries go to, in order.
func archNames(edits []TableEdit) []string {
	var names []string
	known := map[string]bool{}
	for _, t := range edits {
		for _, c := range t.Cuts {
			if name := ArchName(c.Object, t.Table); c.Object != "" && !known[name] {
				names, known[name] = append(names, name), true
			}
		}
	}
	return names
}

// reporter reports what is wrong with late relocations.
type reporter struct {
	diag.Reporter
	rules  *Rules
	unsafe bool
	cuts   map[*special.Entry]string // entries that leave their tables, and for which object
}

// checkReloc checks a klp relocation of s against the special sections, and notes which entries
// leave. ok reports whether the relocation can be one; gone says that it is in an entry that is
// dropped.
func (w *reporter) checkReloc(s *elfrw.Section, r elfrw.Rela, c *gate.Choice) (ok, gone bool) {
	where, l := diag.At(s, r.Offset), w.rules.Judge(s.Target, &r, c.Gate)
	for _, cut := range l.Cuts {
		if !w.recordCut(where, r, cut) {
			return false, false
		}
	}
	switch {
	case l.copied != nil:
		e := l.copied
		return w.reportTooLate(where, c, "copied "+c.Note.Name,
			fmt.Sprintf("as the replacement of the alternative at %s (%s): the kernel copies instructions "+
				"from a symbol that it exports, and nothing tells whether those of a klp symbol can be copied",
				w.function(e), e),
			"leave "+c.Note.Name+
				" an import: build against a kernel that exports it, and do not annotate it"), false
	case l.within != nil:
		e := l.within
		return w.reportTooLate(where, c, w.causeOf(e, c),
			fmt.Sprintf("in the %s for %s (%s): the kernel has read %s before %s, and would use the address 0",
				e.Kind, w.function(e), e, s.Target, gate.LoadEvent(c.Gate)), w.suggestEdit(e)), false
	case l.table && w.rules.gates.IsProblem(s.Target):
		return true, false // StrangeTable says it
	case l.table:
		return w.reportTooLate(where, c, s.Target.Name+" "+c.Note.Name,
			fmt.Sprintf("in %s: the kernel has read that table before %s, and would use the address 0",
				s.Target, gate.LoadEvent(c.Gate)),
			"use static_key_enabled(), an indirect call, or a helper function outside of the alternative"), false
	}
	ok = true
	for _, e := range l.around {
		part := "site of the "
		if e.Kind == special.Paravirt {
			part = "" // which is one
		}
		if e.Replacement.Section == s.Target && r.Offset >= e.Replacement.Offset &&
			r.Offset-e.Replacement.Offset < e.Replacement.Size {
			part = "replacement of the "
		}
		ok = w.reportTooLate(where, c, w.causeOf(e, c),
			fmt.Sprintf("in the %s%s at %s%s (%s), which the kernel has patched before %s",
				part, e.Kind, w.function(e), w.keyPhrase(e), e, gate.LoadEvent(c.Gate)),
			w.suggestEdit(e)) && ok
	}
	return ok, l.Gone
}

// recordCut notes that an entry leaves its table, and reports whether it can.
func (w *reporter) recordCut(where diag.Place, r elfrw.Rela, c Cut) bool {
	e := c.Entry
	first, taken := w.cuts[e]
	switch {
	case taken && first != c.Object:
		w.Add(diag.Errorf(diag.SpecialSection, where, diag.SymbolName(r.Sym),
			"the %s at %s (%s) holds klp relocations for %s and for %s; a .klp.arch section is for one object",

			e.Kind, w.function(e), e, first, c.Object).
			Hint("%s", w.suggestEdit(e)))
		return false
	case !taken && c.Object == "":
		w.Add(diag.Warnf(diag.InertDropped, where, "",
			"the %s at %s%s (%s) is dropped: a tracepoint or debug message of a module that may be loaded "+
				"later can't be switched on in the patched function",
			e.Kind, w.function(e), w.keyPhrase(e), e))
	}
	w.cuts[e] = c.Object
	return true
}

// function names the place of the code that an entry is about.
func (w *reporter) function(e *special.Entry) string {
	return w.rules.gates.Function(e.Site.Section, e.Site.Offset)
}

// keyPhrase returns ", key NAME" for an entry with a key, and "" for others.
func (w *reporter) keyPhrase(e *special.Entry) string {
	if name := w.keyName(e); name != "" {
		return ", key " + diag.Clip(name)
	}
	return ""
}

// keyName returns what to call the key of an entry, "" where it has none.
func (w *reporter) keyName(e *special.Entry) string {
	if name := w.rules.nameOf(e.Key.Symbol); name != "" {
		return name
	}
	return w.rules.gates.Special().KeyName(e)
}

// suggestEdit says what an author can do instead, in the words of the source where the file
// has them: a key that is a variable of its own, and the name after the prefix of a static call's.
func (w *reporter) suggestEdit(e *special.Entry) string {
	name := w.keyName(e)
	switch e.Kind {
	case special.JumpLabel:
		if !ctypes.IsIdentifier(name) || e.Key.Addend != 0 {
			return "if (static_key_enabled(KEY)) … instead of static_branch_likely(KEY) and " +
				"static_branch_unlikely(KEY), KEY as it is written in the source"
		}
		return fmt.Sprintf(
			"if (static_key_enabled(&%s)) … instead of static_branch_likely(&%[1]s) and static_branch_unlikely(&%[1]s)",

			name)
	case special.StaticCall:
		call, ok := strings.CutPrefix(name, "__SCK__")
		if !ok || !ctypes.IsIdentifier(call) {
			return "((typeof(&STATIC_CALL_TRAMP(NAME)))STATIC_CALL_KEY(NAME).func)(…) instead of " +
				"static_call(NAME)(…), NAME as it is written in the source"
		}
		return fmt.Sprintf(
			"((typeof(&STATIC_CALL_TRAMP(%s)))STATIC_CALL_KEY(%[1]s).func)(…) instead of static_call(%[1]s)(…)",

			call)
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

// causeOf returns what is refused about an entry, at all of its places: the key of a branch
// or call, of which the code and the table each have a relocation, or else the symbol.
func (w *reporter) causeOf(e *special.Entry, c *gate.Choice) string {
	name, _ := strings.CutPrefix(w.keyName(e), "__SCK__")
	if name == "" {
		name = c.Note.Name
	}
	return e.Kind.String() + " " + name
}

// reportTooLate refuses a late relocation, or says what it will break where that was asked
// for. It reports whether the relocation is kept.
func (w *reporter) reportTooLate(where diag.Place, c *gate.Choice,
	cause, why, edit string,
) bool {
	of := "of " + diag.ObjectName(c.Note.Object)
	if w.AddPlace(diag.SpecialSection, cause, where, c.Note.Name) {
		return w.unsafe
	}
	if w.unsafe {
		w.AddFor(cause, diag.Warnf(diag.SpecialSection, where, c.Note.Name,
			"%s %s %s; converted anyway (--unsafe)", c.Note.Name, of, why))
		return true
	}
	d := diag.Errorf(diag.SpecialSection, where, c.Note.Name, "%s %s %s", c.Note.Name, of, why)
	if edit != "" {
		d = d.Hint("%s", edit)
	}
	w.AddFor(cause, d)
	return false
}

// tableEdits groups cuts by their tables, in header order.
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

// checkReferred refuses to move entries that something refers to by their place.
func (w *reporter) checkReferred(tables []TableEdit) {
	edited := map[*elfrw.Section]bool{}
	for _, t := range tables {
		edited[t.Table.Section] = true
	}
	w.rules.file.Refers(func(y *elfrw.Symbol) bool {
		return edited[y.Section]
	}, func(ref elfrw.Reference) bool {
		if t := ref.Section.Target; t != nil && t.Alloc() {
			y := ref.Rela.Sym
			w.Add(diag.Errorf(diag.StrangeTable, diag.At(ref.Section, ref.Rela.Offset),
				diag.SymbolName(y), "%s refers to a place in %s, whose entries have to move",
				diag.SectionName(t), diag.SectionName(y.Section)))
			return false
		}
		return true
	})
}

// Gates returns the objects that the relocations are for, each once, sorted.
func (e *Edits) Gates() []string {
	used := map[string]bool{}
	var last *gate.Choice
	for _, s := range e.Sections {
		for _, d := range s.Relocs {
			if d.Choice != last { // mostly one choice for all uses
				last = d.Choice
				used[d.Gate] = true
			}
		}
	}
	var all []string
	for object := range used {
		all = append(all, object)
	}
	slices.Sort(all)
	return all
}
