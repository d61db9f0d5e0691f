// SPDX-License-Identifier: GPL-2.0-or-later

package proof

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// compareContents compares the contents of all sections that have no form of their own.
func compareContents(before, after *elfrw.File, m *meanings, sections sectionPairs,
	symbols symbolPairs, edits map[*elfrw.Section]*tableEdit, done func([]byte)) error {
	expected, err := rewritten(before, m)
	if err != nil {
		return err
	}
	for s, e := range edits {
		expected[s] = e.left(s)
	}
	for _, s := range before.Sections {
		t := sections.after[s]
		if t == nil {
			continue
		}
		var same bool
		if want, changes := expected[s]; changes {
			same = bytes.Equal(want, t.Data)
		} else {
			same = sameContents(before, after, s, t, symbols, done)
		}
		if !same {
			return fmt.Errorf("contents of %s changed", s)
		}
	}
	return nil
}

// Types of sections that hold symbol numbers (LLVM's "Extensions" page). Both are read only by
// linkers.
const (
	typeAddrsig   = 0x6fff4c03 // SHT_LLVM_ADDRSIG: ULEB128 numbers
	typeCallGraph = 0x6fff4c02 // SHT_LLVM_CALL_GRAPH_PROFILE up to LLVM 12: {u32, u32, u64}
)

// sameContents compares what no conversion changes, and of string tables what was there.
// What has a form of its own is compared elsewhere, by what it means.
func sameContents(before, after *elfrw.File, s, t *elfrw.Section, symbols symbolPairs,
	done func([]byte)) bool {
	switch s.Type {
	case elf.SHT_SYMTAB, elf.SHT_SYMTAB_SHNDX, elf.SHT_GROUP:
		return true
	case elf.SHT_STRTAB:
		return bytes.HasPrefix(t.Data, s.Data)
	case typeAddrsig, typeCallGraph:
		if s.Link != nil && s.Link == before.Symtab {
			return sameNumbers(before, after, s, t, symbols)
		}
	}
	if s.HasRelocs() {
		return true
	}
	if s.Size() != t.Size() || len(s.Data) != len(t.Data) {
		return false
	}
	if s.Flags&flagAlloc == 0 && len(s.Data) > 2*stretch {
		// Handed through as they are, so what can go wrong is their place; half a
		// gigabyte of debug information need not be read a second time for that.
		n := len(s.Data) - stretch
		return bytes.Equal(s.Data[:stretch], t.Data[:stretch]) &&
			bytes.Equal(s.Data[n:], t.Data[n:])
	}
	for a, b := s.Data, t.Data; len(a) > 0; {
		n := min(len(a), stretch)
		if !bytes.Equal(a[:n], b[:n]) {
			return false
		}
		if done != nil && n == stretch {
			done(b[:n])
		}
		a, b = a[n:], b[n:]
	}
	return true
}

// stretch is how many bytes of contents are compared at a time.
const stretch = 1 << 20

// sameNumbers compares contents that are symbol numbers: those of symbols that are gone are
// gone too, or the entry that has one. Other contents under such a type have to be the same.
func sameNumbers(before, after *elfrw.File, s, t *elfrw.Section, symbols symbolPairs) bool {
	a, ok := readNumbers(before, s)
	if !ok {
		return bytes.Equal(s.Data, t.Data)
	}
	b, ok := readNumbers(after, t)
	if !ok {
		return false
	}
	for _, x := range a {
		want, stays := x, true
		for i, n := range x.symbols[:x.count] {
			z, ok := renumbered(before, symbols, n)
			want.symbols[i], stays = z, stays && ok
		}
		if !stays {
			continue
		}
		if len(b) == 0 || b[0] != want {
			return false
		}
		b = b[1:]
	}
	return len(b) == 0
}

// numbers is an entry of a section of symbol numbers.
type numbers struct {
	count   int
	symbols [2]uint64
	weight  uint64
}

// readNumbers reads a section of symbol numbers, and returns false when it is not one.
func readNumbers(f *elfrw.File, s *elfrw.Section) (list []numbers, ok bool) {
	b := s.Data
	most := uint64(len(f.Symbols))
	if s.Type == typeCallGraph {
		for ; len(b) >= 16; b = b[16:] {
			from, to := uint64(f.Uint32(b)), uint64(f.Uint32(b[4:]))
			if max(from, to) > most {
				return nil, false
			}
			list = append(list, numbers{2, [2]uint64{from, to}, f.Uint64(b[8:])})
		}
		return list, len(b) == 0
	}
	for len(b) > 0 {
		n, width := binary.Uvarint(b)
		if width <= 0 || n > most {
			return nil, false
		}
		list, b = append(list, numbers{count: 1, symbols: [2]uint64{n}}), b[width:]
	}
	return list, true
}

// renumbered returns the number in after of before's symbol n, and false when it is gone.
func renumbered(before *elfrw.File, symbols symbolPairs, n uint64) (uint64, bool) {
	if n == 0 {
		return 0, true
	}
	y := before.Symbols[n-1]
	z := symbols.after[y]
	if z == nil || isKlpSymbol(z) && !isKlpSymbol(y) && !symbols.first[y] {
		return 0, false
	}
	return uint64(z.Num()), true
}

// The tables that modpost writes about imports (include/linux/module.h, struct
// modversion_info; kernel/module/version.c, check_version and, since 6.14,
// modversion_ext_start). The kernel takes the first section of each name
// (kernel/module/main.c, find_sec).
//
//	__versions            entries of 64 bytes: unsigned long crc, then a name that ends by NUL
//	__version_ext_crcs    one u32 for each of
//	__version_ext_names   names, each ended by NUL
const (
	versionsName  = "__versions"
	extCRCsName   = "__version_ext_crcs"
	extNamesName  = "__version_ext_names"
	modinfoName   = ".modinfo"
	versionsEntry = 64
)

// isVersionTable reports whether a section of that name is part of a version table.
func isVersionTable(name string) bool {
	return name == versionsName || name == extCRCsName || name == extNamesName
}

// rewritten returns the contents that modpost's tables have to have in a converted module.
// Tables that are not in there stay as they are: what can't be read, and what relocations
// have a place in.
func rewritten(before *elfrw.File, m *meanings) (map[*elfrw.Section][]byte, error) {
	expected := map[*elfrw.Section][]byte{}
	if len(m.notes) == 0 && len(m.claims.Depends) == 0 && len(m.claims.Targets) == 0 {
		return expected, nil
	}
	first, fixed := map[string]*elfrw.Section{}, map[*elfrw.Section]bool{}
	for _, s := range before.Sections {
		if s.HasRelocs() && s.Target != nil {
			fixed[s.Target] = true
		}
		if (isVersionTable(s.Name) || s.Name == modinfoName) && first[s.Name] == nil {
			first[s.Name] = s
		}
	}
	if s := first[versionsName]; s != nil && !fixed[s] && len(s.Data)%versionsEntry == 0 {
		var left []byte
		for at := 0; at < len(s.Data); at += versionsEntry {
			entry := s.Data[at : at+versionsEntry]
			if !m.names[untilNUL(entry[before.PointerSize():])] {
				left = append(left, entry...)
			}
		}
		expected[s] = left
	}
	crcs, names := first[extCRCsName], first[extNamesName]
	if crcs != nil && names != nil && !fixed[crcs] && !fixed[names] {
		if left, ok := withoutImports(extended{crcs.Data, names.Data}, m.names); ok {
			expected[crcs], expected[names] = left.crcs, left.names
		}
	}
	if len(m.claims.Depends) > 0 || len(m.claims.Targets) > 0 {
		s := first[modinfoName]
		if s == nil {
			return nil, fmt.Errorf(".modinfo changes, but the module has no such section")
		}
		left := s.Data
		if len(m.claims.Depends) > 0 {
			var err error
			if left, err = withoutModules(left, m.claims.Depends); err != nil {
				return nil, err
			}
		}
		expected[s] = withTargets(left, m.claims.Targets)
	}
	return expected, nil
}

// withTargets returns .modinfo with an entry of each build after all others, each ended by NUL.
func withTargets(modinfo []byte, builds []string) []byte {
	for _, build := range builds {
		if n := len(modinfo); n > 0 && modinfo[n-1] != 0 {
			modinfo = append(slices.Clip(modinfo), 0)
		}
		modinfo = append(slices.Clip(modinfo), "klp_target="+build+"\x00"...)
	}
	return modinfo
}

// extended is the contents of both parts of an extended version table.
type extended struct{ crcs, names []byte }

// withoutImports returns what an extended version table keeps, and false where it is not one:
// a name for each checksum.
func withoutImports(t extended, gone map[string]bool) (left extended, ok bool) {
	if len(t.names) == 0 {
		return left, false
	}
	for len(t.names) > 0 {
		end := bytes.IndexByte(t.names, 0)
		if end < 0 || len(t.crcs) < 4 {
			return left, false
		}
		if !gone[string(t.names[:end])] {
			left.crcs = append(left.crcs, t.crcs[:4]...)
			left.names = append(left.names, t.names[:end+1]...)
		}
		t = extended{t.crcs[4:], t.names[end+1:]}
	}
	return left, len(t.crcs) == 0
}

// withoutModules returns .modinfo without these modules in depends=. Nothing moves: the bytes
// after a shorter list are NUL, which readers skip (kernel/module/main.c, next_string).
func withoutModules(modinfo []byte, gone []string) ([]byte, error) {
	const key = "depends="
	for at := 0; at < len(modinfo); {
		n := bytes.IndexByte(modinfo[at:], 0)
		if n < 0 {
			break
		}
		entry := string(modinfo[at : at+n])
		if !strings.HasPrefix(entry, key) {
			at += n + 1
			continue
		}
		var stay []string
		lost := 0
		for _, module := range strings.Split(entry[len(key):], ",") {
			if slices.Contains(gone, module) {
				lost++
			} else {
				stay = append(stay, module)
			}
		}
		if lost < len(gone) {
			return nil, fmt.Errorf("depends= does not name all of %s", strings.Join(gone, ", "))
		}
		left := bytes.Clone(modinfo)
		clear(left[at : at+n])
		copy(left[at:], key+strings.Join(stay, ","))
		return left, nil
	}
	return nil, fmt.Errorf("%s leaves depends=, and .modinfo has none", gone[0])
}

// untilNUL returns the string in front of the first NUL of b, or all of b.
func untilNUL(b []byte) string {
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	return string(b)
}
