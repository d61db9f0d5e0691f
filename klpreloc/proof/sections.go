// SPDX-License-Identifier: GPL-2.0-or-later

package proof

import (
	"debug/elf"
	"fmt"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
)

// sectionPairs say what became of before's sections.
type sectionPairs struct {
	after map[*elfrw.Section]*elfrw.Section // of before → of after; nil → nil
	added []*elfrw.Section                  // of after, with no counterpart in before
}

// pairSections pairs the sections up, in header order, and compares their headers.
func pairSections(before, after *elfrw.File, m *meanings) (sectionPairs, error) {
	p := sectionPairs{after: make(map[*elfrw.Section]*elfrw.Section, len(before.Sections))}
	rest := after.Sections
	for _, s := range before.Sections {
		if m.removed[s] {
			continue
		}
		if len(rest) == 0 {
			return p, fmt.Errorf("section %s is lost", s)
		}
		t := rest[0]
		rest = rest[1:]
		p.after[s] = t
		if !sameHeader(s, t) {
			return p, fmt.Errorf("section %s became %s, or its header changed", s, t)
		}
	}
	p.added = rest
	for _, s := range before.Sections {
		t := p.after[s]
		if t != nil && (p.after[s.Link] != t.Link || p.after[s.Target] != t.Target) {
			return p, fmt.Errorf("links of section %s changed", s)
		}
	}
	return p, nil
}

// sameHeader compares what a section header holds beside links, place and size. sh_info of a
// symbol table is the number of its local symbols, which Verify compares with them.
func sameHeader(s, t *elfrw.Section) bool {
	return s.Name == t.Name && s.Type == t.Type && s.Flags == t.Flags && s.Addr == t.Addr &&
		s.Align == t.Align && s.EntSize == t.EntSize &&
		(s.Info == t.Info || s.Type == elf.SHT_SYMTAB)
}

// klpKey names the klp relocations of one section for one object.
type klpKey struct {
	target *elfrw.Section // of after
	object string
}

// addedSections are the sections that a conversion adds, by what they are.
type addedSections struct {
	klp  map[klpKey][]*elfrw.Section // in header order
	arch []*elfrw.Section            // .klp.arch sections and their relocations
}

// sortAdded checks the headers of the klp relocation sections, and that no two loaded klp
// sections have one name: the kernel makes a file in sysfs of each (kernel/module/sysfs.c,
// add_sect_attrs).
func sortAdded(after *elfrw.File, pairs sectionPairs) (addedSections, error) {
	added := addedSections{klp: map[klpKey][]*elfrw.Section{}}
	names := map[string]bool{}
	for _, s := range after.Sections[:len(after.Sections)-len(pairs.added)] {
		if strings.HasPrefix(s.Name, relocPrefix) {
			names[s.Name] = true
		}
	}
	for _, t := range pairs.added {
		switch {
		case t.Type == elf.SHT_SYMTAB_SHNDX:
			continue // Verify has compared it with the symbol table
		case strings.HasPrefix(strings.TrimPrefix(t.Name, ".rela"), archPrefix):
			added.arch = append(added.arch, t)
			continue
		}
		object, rest, err := parseSectionName(t.Name, relocPrefix)
		if err != nil {
			return added, fmt.Errorf("section %s came from nowhere: %w", t, err)
		}
		if names[t.Name] {
			return added, fmt.Errorf("two sections are called %s", t)
		}
		names[t.Name] = true
		if t.Type != elf.SHT_RELA || t.Flags != klpFlags || t.Addr != 0 || t.Info != 0 ||
			t.Align != uint64(after.PointerSize()) || !t.HasRelocs() ||
			t.Target == nil || t.Target.Flags&flagAlloc == 0 {
			return added, fmt.Errorf("header of %s is not that of a klp relocation section", t)
		}
		if !namedFor(rest, t.Target.Name) {
			return added, fmt.Errorf("section %s is for %s", t, t.Target)
		}
		k := klpKey{t.Target, object}
		added.klp[k] = append(added.klp[k], t)
	}
	return added, nil
}

// namedFor reports whether the end of a klp section's name is that of the section that it is
// for, as far as a name of reasonable length goes. No kernel looks at it, but readers do.
func namedFor(rest, target string) bool {
	const most = 512
	return strings.HasPrefix(rest, target[:min(len(target), most)])
}

// compareGroups compares the section groups.
func compareGroups(before *elfrw.File, m *meanings, sections sectionPairs,
	symbols symbolPairs) error {
	for _, s := range before.Sections {
		t := sections.after[s]
		if t == nil || s.Type != elf.SHT_GROUP {
			continue
		}
		rest := t.Members
		for _, member := range s.Members {
			if m.removed[member] {
				continue
			}
			if len(rest) == 0 || sections.after[member] != rest[0] {
				return fmt.Errorf("members of section group %s changed", s)
			}
			rest = rest[1:]
		}
		if len(rest) > 0 || symbols.after[s.Signature] != t.Signature ||
			groupFlags(before, s) != groupFlags(before, t) {
			return fmt.Errorf("section group %s changed", s)
		}
	}
	return nil
}

// groupFlags returns the first word of a section group (GRP_COMDAT).
func groupFlags(f *elfrw.File, s *elfrw.Section) uint32 {
	if len(s.Data) < 4 {
		return 0
	}
	return f.Uint32(s.Data)
}
