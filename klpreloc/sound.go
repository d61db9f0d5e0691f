// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"debug/elf"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// sound: what is edited has to be in order and in a form that is understood to
// the last symbol number. What breaks a rule of elfrw would come out broken and
// not pass Prove.
func (p *planner) sound() {
	if err := p.Editable(); err != nil {
		p.Add(diag.Errorf(diag.Irregular, diag.Nowhere, "", "%v", diag.CauseOf(err)).
			Hint("link the module once more (ld -r -o out.o in.o), then convert it"))
	}
	if err := p.Verify(); err != nil {
		p.broken = true
		all := []error{err}
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			all = joined.Unwrap()
		}
		for _, err := range all {
			p.Add(diag.OfFile(err))
		}
	}
	for _, s := range p.File.Sections {
		switch {
		case IsCompact(p.File, s):
			p.unreadable = true
			reportCompact(&p.Reporter, s)
		case (s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA) && !s.HasRelocs() && s.Size() > 0:
			p.unreadable = true
			if !p.Repeats(diag.Irregular, "linked to "+diag.SectionName(s.Link), diag.In(s), "") {
				p.AddFor("linked to "+diag.SectionName(s.Link), diag.Errorf(diag.Irregular, diag.In(s), "", "relocations are linked to %s, not to the symbol table; the kernel would apply them all the same", diag.SectionName(s.Link)))
			}
		case s.HasRelocs() && rewritten(s.Target):
			p.Add(diag.Errorf(diag.Irregular, diag.In(s), "", "relocations apply to %s, whose contents change", diag.SectionName(s.Target)))
		}
	}
}

// reportCompact reports a section of compact relocations.
func reportCompact(r *diag.Reporter, s *elfrw.Section) {
	if !r.Repeats(diag.Irregular, "crel", diag.In(s), "") {
		r.AddFor("crel", diag.Errorf(diag.Irregular, diag.In(s), "", "compact relocations (SHT_CREL), which no kernel reads").
			Hint("build with the kernel's own flags (Kbuild), without --crel"))
	}
}

// withoutCompact puts compact relocations in the place of what only follows from them.
func withoutCompact(f *elfrw.File, found diag.List) diag.List {
	var r diag.Reporter
	for _, s := range f.Sections {
		if IsCompact(f, s) {
			reportCompact(&r, s)
		}
	}
	if len(r.List()) > 0 {
		found = slices.DeleteFunc(found, func(d diag.Diagnostic) bool { return slices.Contains(ofRelocations, d.ID) })
	}
	return append(found, r.List()...)
}

// IsCompact reports whether a section has compact relocations of the module's symbols.
func IsCompact(f *elfrw.File, s *elfrw.Section) bool { return s.Type == shtCREL && s.Link == f.Symtab }

// ofRelocations are diagnostics that follow where relocations are missing: nothing can
// be said of what they would be about.
var ofRelocations = []diag.ID{diag.NoRecords, diag.StrayBytes, diag.BadRecord, diag.UnknownStride, diag.AnnotationReferred, diag.Unused, diag.PatchUnreadable, diag.NeverApplied, diag.StrangeTable, diag.SpecialSection}

// withoutConsequences returns what does not only follow from something that is reported.
func (p *planner) withoutConsequences(found diag.List) diag.List {
	return slices.DeleteFunc(found, func(d diag.Diagnostic) bool {
		switch {
		case p.unreadable && slices.Contains(ofRelocations, d.ID):
			return true
		case d.ID == diag.Unused && p.Input.Converted(): // what was converted may have used it
			return true
		}
		return false
	})
}

// rewritten reports whether the contents of s are made anew: relocations and
// symbols.
func rewritten(s *elfrw.Section) bool {
	if s == nil {
		return false
	}
	switch s.Type {
	case elf.SHT_REL, elf.SHT_RELA, elf.SHT_SYMTAB, elf.SHT_SYMTAB_SHNDX, elf.SHT_GROUP:
		return true
	}
	return false
}

const shtCREL = elf.SectionType(0x40000014) // LLVM: compact relocations
