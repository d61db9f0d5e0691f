// SPDX-License-Identifier: GPL-2.0-or-later

package latereloc

import (
	"debug/elf"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/arch"
	"github.com/klp-convert/klp-convert/klpreloc/gate"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
	"github.com/klp-convert/klp-convert/klpreloc/special"
)

// A klp relocation that waits for its object is late: since 5.8 those of modules' symbols, before
// that all. When it is applied, the kernel has already read the tables of instructions that it
// patches, copied alternatives into place and turned calls into direct ones (module_finalize of
// the architectures, the notifiers of MODULE_STATE_COMING). What a late relocation writes into any
// of these is not seen, or overwrites the kernel's changes. Nothing is printed; the module loads
// and oopses.
//
// Kernels 4.9 to 5.7 know a way out on x86: entries of .altinstructions and
// .parainstructions in .klp.arch.<object>.* are patched again when the object's klp
// relocations have been applied (arch/x86/kernel/livepatch.c,
// arch_klp_init_object_loaded; rewrite/tables.go). Since 5.8 no kernel reads such sections.

// Rules find the special entries that late relocations concern. The conversion and
// the proof each make their own.
type Rules struct {
	file      *elfrw.File
	gates     *gate.Rules
	nameOf    func(*elfrw.Symbol) string
	keepInert bool
}

// NewRules returns the rules for f; gates are the rules of gates for the same file. nameOf returns
// what an annotated symbol is called in the kernel, "" for any other. keepInert says that no entry
// may be dropped although it can't work.
func NewRules(f *elfrw.File, gates *gate.Rules, nameOf func(*elfrw.Symbol) string, keepInert bool,
) *Rules {
	return &Rules{f, gates, nameOf, keepInert}
}

// Cut is an entry that leaves its table.
type Cut struct {
	Entry  *special.Entry
	Object string // whose .klp.arch section it goes to; "": to none
}

// canMoveToArch reports whether e can be patched again by a .klp.arch section.
func (t *Rules) canMoveToArch(e *special.Entry) bool {
	return t.gates.Scheme() == kernel.SchemeLate && t.file.Header.Machine == elf.EM_X86_64 &&
		(e.Kind == special.Alternative || e.Kind == special.Paravirt)
}

// Verdict is what a late relocation has to do with special sections.
type Verdict struct {
	Gone   bool             // it is in an entry that is dropped
	Cuts   []Cut            // entries that leave their tables
	within *special.Entry   // that it is in, and can't be
	copied *special.Entry   // whose replacement its symbol is
	around []*special.Entry // that it is in the site or replacement of, and can't be
	table  bool             // it is in a section that is read as a whole
}

// Works reports whether the relocation can work at all.
func (l *Verdict) Works() bool {
	return l.within == nil && l.copied == nil && len(l.around) == 0 && !l.table
}

// findCopied returns the alternative that has the symbol of a relocation of s as its
// replacement, nil when none does: the kernel copies bytes from there, whenever that
// relocation is applied. Of a symbol that the loader resolves they are what objtool
// meant (special.Entry.Outside); of a klp symbol nothing says that they can be copied.
func (t *Rules) findCopied(s *elfrw.Section, r *elfrw.Rela) *special.Entry {
	if !special.HasReplacements(s.Name) {
		return nil
	}
	if e := t.gates.Special().In(s, r.Offset); e != nil && e.Outside != nil && e.Outside == r.Sym {
		return e
	}
	return nil
}

// Judge finds out what a klp relocation of s for the gate has to do with special
// sections.
func (t *Rules) Judge(s *elfrw.Section, r *elfrw.Rela, gate string) (l Verdict) {
	if l.copied = t.findCopied(s, r); l.copied != nil || !t.gates.Late(gate) {
		return l
	}
	width := uint64(4)
	if n, _ := arch.RelocWidth(t.file, r.Type); n > 0 {
		width = uint64(n)
	}
	tables := t.gates.Special()
	if e := tables.In(s, r.Offset); e != nil {
		if l.Gone = t.isInert(e) || !t.keepInert && special.InertKey(e.Kind, t.nameOf(r.Sym)); l.Gone {
			l.Cuts = []Cut{{e, ""}}
		} else {
			l.within = e
		}
		return l
	}
	sites, replacements := tables.Sites(s, r.Offset, width), tables.Replacements(s, r.Offset, width)
	if len(sites)+len(replacements) == 0 {
		// A replacement that no entry uses is nothing to old kernels.
		l.table = special.ReadEarly(s.Name) && (t.gates.Scheme().
			Early() || s.Name != ".altinstr_replacement")
		return l
	}
	for _, list := range [][]*special.Entry{sites, replacements} {
		for _, e := range list {
			switch {
			case t.canMoveToArch(e):
				l.Cuts = append(l.Cuts, Cut{e, gate})
			case t.isInert(e):
				l.Cuts = append(l.Cuts, Cut{e, ""})
			default:
				l.around = append(l.around, e)
			}
		}
	}
	return l
}

// isInert reports whether e may be dropped where it cannot work. Its key may be annotated, and
// then has another name in the module.
func (t *Rules) isInert(e *special.Entry) bool {
	return !t.keepInert && (t.gates.Special().
		Inert(e) || e.Key.Symbol != nil && special.InertKey(e.Kind, t.nameOf(e.Key.Symbol)))
}
