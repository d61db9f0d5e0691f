// SPDX-License-Identifier: GPL-2.0-or-later

package klpabi

import (
	"bytes"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Two formats of the table of versions (include/linux/module.h, modversion_info;
// scripts/mod/modpost.c, add_versions and, since 6.14, add_extended_versions):
//
//	__versions            {unsigned long crc; char name[64 - sizeof crc]}
//	__version_ext_crcs    u32, and at the same place in
//	__version_ext_names   names, each ended by NUL

const versionEntry = 64 // bytes of a modversion_info

// A Checksum is what a module says of an export that it uses.
type Checksum struct {
	Name  string
	CRC   uint64
	Known bool // CRC is there; a table may be cut short

	// Extended says that it is of the tables of 6.14, which hold names of any length.
	Extended bool
}

// ReadChecksums returns the exports that modpost resolved, in the order of the tables, and
// whether the module has such a table (CONFIG_MODVERSIONS). Two formats: 64 bytes of
// {unsigned long crc; char name[]} in __versions, and since 6.14 NUL ended names in
// __version_ext_names with a u32 each in __version_ext_crcs (include/linux/module.h,
// modversion_info; scripts/mod/modpost.c, add_versions and add_extended_versions).
func ReadChecksums(f *elfrw.File) (list []Checksum, has bool) {
	if s := f.Section("__versions"); s != nil {
		has = true
		for b := s.Data; len(b) >= versionEntry; b = b[versionEntry:] {
			crc := uint64(f.Uint32(b))
			if f.PointerSize() == 8 {
				crc = f.Uint64(b)
			}
			name, _, _ := bytes.Cut(b[f.PointerSize():versionEntry], []byte{0})
			list = append(list, Checksum{Name: string(name), CRC: crc, Known: true})
		}
	}
	names, crcs := f.Section("__version_ext_names"), f.Section("__version_ext_crcs")
	if names == nil {
		return list, has
	}
	var rest []byte
	if crcs != nil {
		rest = crcs.Data
	}
	for _, name := range bytes.Split(names.Data, []byte{0}) {
		c := Checksum{Name: string(name), Extended: true}
		if len(rest) >= 4 {
			c.CRC, c.Known, rest = uint64(f.Uint32(rest)), true, rest[4:]
		}
		list = append(list, c)
	}
	return list, true
}

// VersionedNames returns the names of ReadChecksums, sorted.
func VersionedNames(f *elfrw.File) (names []string, has bool) {
	list, has := ReadChecksums(f)
	for _, c := range list {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names, has
}

// isVersionTable reports whether a section of that name is part of a version table.
func isVersionTable(name string) bool {
	switch name {
	case "__versions", "__version_ext_names", "__version_ext_crcs":
		return true
	}
	return false
}

// WithoutVersions returns the contents that s has without these symbols, and
// whether s is part of a version table at all that can be cut: nothing is at a
// fixed place in it. Of several sections of one name the kernel takes the first
// (kernel/module/main.c, find_sec).
func WithoutVersions(f *elfrw.File, s *elfrw.Section, names map[string]bool) ([]byte, bool) {
	if !isVersionTable(s.Name) || s != f.Section(s.Name) {
		return nil, false
	}
	table := []*elfrw.Section{s}
	if s.Name != "__versions" { // checksums and names are one table: both can be cut, or neither
		table = []*elfrw.Section{f.Section("__version_ext_names"), f.Section("__version_ext_crcs")}
	}
	for _, r := range f.Sections {
		if r.HasRelocs() && r.Target != nil && slices.Contains(table, r.Target) {
			return nil, false
		}
	}
	if len(s.Data)%versionEntry != 0 && s.Name == "__versions" {
		return nil, false
	}
	var out []byte
	if s.Name == "__versions" {
		for b := s.Data; len(b) >= versionEntry; b = b[versionEntry:] {
			name, _, _ := bytes.Cut(b[f.PointerSize():versionEntry], []byte{0})
			if !names[string(name)] {
				out = append(out, b[:versionEntry]...)
			}
		}
		return out, true
	}
	list, crcs := f.Section("__version_ext_names"), f.Section("__version_ext_crcs")
	if list == nil || crcs == nil || len(list.Data) == 0 || list.Data[len(list.Data)-1] != 0 {
		return nil, false
	}
	all := bytes.Split(list.Data[:len(list.Data)-1], []byte{0})
	if len(all)*4 != len(crcs.Data) {
		return nil, false
	}
	for i, name := range all {
		switch {
		case names[string(name)]:
		case s == crcs:
			out = append(out, crcs.Data[i*4:i*4+4]...)
		default:
			out = append(append(out, name...), 0)
		}
	}
	return out, true
}
