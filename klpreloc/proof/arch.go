// SPDX-License-Identifier: GPL-2.0-or-later

package proof

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strings"

	"github.com/klp-convert/klp-convert/elfrw"
)

// What the .klp.arch sections have to hold: the entries that left special tables for an object,
// byte by byte, in the order of the tables. Their relocations are compared with all others.

// archKey names a .klp.arch section: the kernel looks it up by both (arch/x86/kernel/livepatch.c,
// arch_klp_init_object_loaded, 4.9 to 5.7).
type archKey struct{ object, table string }

// archSection is what a .klp.arch section has to be.
type archSection struct {
	data                  []byte
	align, flags, entsize uint64
	at                    map[archEntry]uint64 // where the entries are in data
	relocs                *relocReader         // of after
}

// archEntry is an entry of a table of before.
type archEntry struct {
	table  *elfrw.Section
	offset uint64
}

// compareArchSections compares the .klp.arch sections with the entries that left the tables
// for them, and returns them, each with its relocations still to be read.
func compareArchSections(before *elfrw.File, edits map[*elfrw.Section]*tableEdit,
	added addedSections) (map[archKey]*archSection, error) {
	archs := map[archKey]*archSection{}
	for _, s := range before.Sections { // in header order
		if edits[s] == nil {
			continue
		}
		for _, e := range edits[s].entries {
			if e.object != "" {
				k := archKey{e.object, s.Name}
				if archs[k] == nil {
					archs[k] = newArchSection(s)
				}
				archs[k].add(s, e)
			}
		}
	}
	contents, relocs := map[archKey]bool{}, map[archKey]bool{}
	for _, t := range added.arch {
		name, isRelocs := strings.CutPrefix(t.Name, ".rela")
		object, table, err := parseSectionName(name, archPrefix)
		if err != nil {
			return nil, err
		}
		k := archKey{object, table}
		a := archs[k]
		switch {
		case a == nil, isRelocs && relocs[k], !isRelocs && contents[k]:
			return nil, fmt.Errorf("section %s came from nowhere", t)
		case isRelocs:
			if t.Type != elf.SHT_RELA || t.Flags != flagInfoLink || t.Addr != 0 || !t.HasRelocs() ||
				t.Target == nil || t.Target.Name != name {
				return nil, fmt.Errorf("header of %s is not that of relocations for %s", t, name)
			}
			a.relocs, relocs[k] = readerOf(t), true
		default:
			if !a.is(t) {
				return nil, fmt.Errorf("%s does not hold what left the tables for it", t)
			}
			contents[k] = true
		}
	}
	for k := range archs {
		if !contents[k] || !relocs[k] {
			return nil, fmt.Errorf("section %s%s.%s or its relocations are missing",
				archPrefix, k.object, k.table)
		}
	}
	return archs, nil
}

// newArchSection returns an empty one for entries of the table s.
func newArchSection(s *elfrw.Section) *archSection {
	return &archSection{
		flags: s.Flags &^ flagGroup, entsize: s.EntSize, at: map[archEntry]uint64{},
	}
}

// is reports whether t, of after, is the section.
func (a *archSection) is(t *elfrw.Section) bool {
	return t.Type == elf.SHT_PROGBITS && t.Flags == a.flags && t.EntSize == a.entsize &&
		t.Align == a.align && t.Addr == 0 && t.Info == 0 && t.Link == nil && t.Target == nil &&
		bytes.Equal(t.Data, a.data)
}

// add puts an entry of s at the end, at a place where an array of whole entries has one: the
// last entry of paravirt sites is cut.
func (a *archSection) add(s *elfrw.Section, e lostEntry) {
	if rest := uint64(len(a.data)) % e.stride; rest != 0 {
		a.data = append(a.data, make([]byte, e.stride-rest)...)
	}
	a.at[archEntry{s, e.offset}] = uint64(len(a.data))
	a.data = append(a.data, s.Data[e.offset:e.offset+e.size]...)
	a.align = max(a.align, s.Align)
}
