// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"debug/elf"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// sound: what is edited has to be in order and in a form that is understood to
// the last symbol number. What breaks a rule of elfrw would come out broken and
// not pass Prove.
func (p *planner) sound() {
	if err := p.Editable(); err != nil {
		p.errorf(Irregular, nowhere, "", "%v", cause(err)).
			hint("link the module once more (ld -r -o out.o in.o), then convert it")
	}
	if err := p.Verify(); err != nil {
		p.broken = true
		all := []error{err}
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			all = joined.Unwrap()
		}
		for _, err := range all {
			p.found = append(p.found, FileDiagnostic(err))
		}
	}
	for _, s := range p.File.Sections {
		switch {
		case IsCompact(p.File, s):
			p.unreadable = true
			p.compact(s)
		case (s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA) && !s.HasRelocs() && s.Size() > 0:
			p.unreadable = true
			if _, again := p.again(Irregular, "linked to "+secName(s.Link), in(s), ""); !again {
				p.errorf(Irregular, in(s), "", "relocations are linked to %s, not to the symbol table; the kernel would apply them all the same", secName(s.Link))
			}
		case s.HasRelocs() && rewritten(s.Target):
			p.errorf(Irregular, in(s), "", "relocations apply to %s, whose contents change", secName(s.Target))
		}
	}
}

// compact reports a section of compact relocations.
func (r *reporter) compact(s *elfrw.Section) {
	if _, again := r.again(Irregular, "crel", in(s), ""); !again {
		r.errorf(Irregular, in(s), "", "compact relocations (SHT_CREL), which no kernel reads").
			hint("build with the kernel's own flags (Kbuild), without --crel")
	}
}

// withoutCompact puts compact relocations in the place of what only follows from them.
func withoutCompact(f *elfrw.File, found Diagnostics) Diagnostics {
	var r reporter
	for _, s := range f.Sections {
		if IsCompact(f, s) {
			r.compact(s)
		}
	}
	if len(r.found) > 0 {
		found = slices.DeleteFunc(found, func(d Diagnostic) bool { return slices.Contains(ofRelocations, d.ID) })
	}
	return append(found, r.found...)
}

// IsCompact reports whether a section has compact relocations of the module's symbols.
func IsCompact(f *elfrw.File, s *elfrw.Section) bool { return s.Type == shtCREL && s.Link == f.Symtab }

// ofRelocations are diagnostics that follow where relocations are missing: nothing can
// be said of what they would be about.
var ofRelocations = []ID{NoRecords, StrayBytes, BadRecord, UnknownStride, AnnotationReferred, Unused, PatchUnreadable, NeverApplied, StrangeTable, SpecialSection}

// consequences takes away what only follows from something that is reported.
func (p *planner) consequences() {
	p.found = slices.DeleteFunc(p.found, func(d Diagnostic) bool {
		switch {
		case p.unreadable && slices.Contains(ofRelocations, d.ID):
			return true
		case d.ID == Unused && p.Input.Converted(): // what was converted may have used it
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
