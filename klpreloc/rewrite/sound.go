// SPDX-License-Identifier: GPL-2.0-or-later

package rewrite

import (
	"debug/elf"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/diag"
)

// Soundness is what CheckSound found out about a file.
type Soundness struct {
	// Unreadable says that some relocations are in a form that is not read, so that what is
	// reported about uses means nothing.
	Unreadable bool
	// Broken says that the file is not sound.
	Broken bool
}

// CheckSound checks that f is in order and in a form that is understood to the last symbol
// number, as what is edited has to be. A file that breaks a rule of elfrw would be
// written broken and not pass the proof.
func CheckSound(f *elfrw.File) (Soundness, diag.List) {
	var is Soundness
	var r diag.Reporter
	if err := f.Editable(); err != nil {
		r.Add(diag.Errorf(diag.Irregular, diag.Nowhere, "", "%v", diag.CauseOf(err)).
			Hint("link the module once more (ld -r -o out.o in.o), then convert it"))
	}
	if err := f.Verify(); err != nil {
		is.Broken = true
		all := []error{err}
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			all = joined.Unwrap()
		}
		for _, err := range all {
			r.Add(diag.OfFile(err))
		}
	}
	for _, s := range f.Sections {
		switch {
		case IsCompact(f, s):
			is.Unreadable = true
			reportCompact(&r, s)
		case (s.Type == elf.SHT_REL || s.Type == elf.SHT_RELA) && !s.HasRelocs() && s.Size() > 0:
			is.Unreadable = true
			if !r.AddPlace(diag.Irregular, "linked to "+diag.SectionName(s.Link), diag.In(s), "") {
				r.AddFor("linked to "+diag.SectionName(s.Link), diag.Errorf(diag.Irregular, diag.In(s), "",
					"relocations are linked to %s, not to the symbol table; the kernel would apply them anyway",
					diag.SectionName(s.Link)))
			}
		case s.HasRelocs() && isEncoded(s.Target):
			r.Add(diag.Errorf(diag.Irregular, diag.In(s), "",
				"relocations apply to %s, whose contents change", diag.SectionName(s.Target)))
		}
	}
	return is, r.List()
}

// reportCompact reports a section of compact relocations.
func reportCompact(r *diag.Reporter, s *elfrw.Section) {
	if !r.AddPlace(diag.Irregular, "crel", diag.In(s), "") {
		r.AddFor("crel", diag.Errorf(diag.Irregular, diag.In(s), "",
			"compact relocations (SHT_CREL), which no kernel reads").
			Hint("build with the kernel's own flags (Kbuild), without --crel"))
	}
}

// WithoutCompact replaces the diagnostics that only follow from compact relocations by one
// about these.
func WithoutCompact(f *elfrw.File, found diag.List) diag.List {
	var r diag.Reporter
	for _, s := range f.Sections {
		if IsCompact(f, s) {
			reportCompact(&r, s)
		}
	}
	if len(r.List()) > 0 {
		found = slices.DeleteFunc(slices.Clone(found), func(d diag.Diagnostic) bool {
			return slices.Contains(ofRelocations, d.ID)
		})
	}
	return append(found, r.List()...)
}

// WithoutConsequences returns the diagnostics that do not only follow from another one.
// converted says that the module holds klp relocations already, which may have used what
// nothing uses now.
func WithoutConsequences(found diag.List, is Soundness, converted bool) diag.List {
	return slices.DeleteFunc(slices.Clone(found), func(d diag.Diagnostic) bool {
		return is.Unreadable && slices.Contains(ofRelocations, d.ID) || converted && d.ID == diag.Unused
	})
}

// IsCompact reports whether a section has compact relocations of the module's symbols.
func IsCompact(f *elfrw.File, s *elfrw.Section) bool {
	return s.Type == shtCREL && s.Link == f.Symtab
}

// ofRelocations are diagnostics that may only follow from relocations that are not read.
var ofRelocations = []diag.ID{diag.NoRecords, diag.StrayBytes, diag.BadRecord, diag.UnknownStride,
	diag.AnnotationReferred, diag.Unused, diag.PatchUnreadable, diag.NeverApplied, diag.StrangeTable,
	diag.SpecialSection}

// isEncoded reports whether elfrw writes the contents of s itself: relocations and symbols.
func isEncoded(s *elfrw.Section) bool {
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
