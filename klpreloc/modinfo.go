// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"bytes"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
)

// Modinfo is the contents of .modinfo: "key=value" strings, each ended by NUL,
// in their order. Keys may repeat.
type Modinfo []string

func readModinfo(f *elfrw.File) Modinfo {
	s := f.Section(".modinfo")
	if s == nil {
		return nil
	}
	var m Modinfo
	for _, entry := range bytes.Split(s.Data, []byte{0}) {
		if len(entry) > 0 { // the kernel skips padding (next_string)
			m = append(m, string(entry))
		}
	}
	return m
}

// Value returns the first value of key, and whether there is one. The kernel
// looks for the key at the start of an entry (kernel/module/main.c,
// get_modinfo).
func (m Modinfo) Value(key string) (string, bool) {
	for _, e := range m {
		if k, v, ok := strings.Cut(e, "="); ok && k == key {
			return v, true
		}
	}
	return "", false
}

// Livepatch reports whether the module calls itself a livepatch: any value of
// the key will do (kernel/module/main.c, check_modinfo_livepatch).
func (m Modinfo) Livepatch() bool {
	_, ok := m.Value("livepatch")
	return ok
}

// Release returns the kernel release that the module was built for, as uname -r
// says it, or "".
func (m Modinfo) Release() string {
	magic, _ := m.Value("vermagic")
	release, _, _ := strings.Cut(magic, " ")
	return release
}

// Kernel returns the version that the module was built for, the zero Version
// when it does not say.
func (m Modinfo) Kernel() Version {
	magic, _ := m.Value("vermagic")
	v, _ := ParseVersion(magic)
	return v
}

// A Checksum is what a module says of an export that it uses.
type Checksum struct {
	Name  string
	CRC   uint64
	Known bool // CRC is there; a table may be cut short
}

// ReadChecksums returns the exports that modpost resolved, in the order of the tables, and
// whether the module has such a table (CONFIG_MODVERSIONS). Two formats: 64 bytes of
// {unsigned long crc; char name[]} in __versions, and since 6.13 NUL ended names in
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
			list = append(list, Checksum{string(name), crc, true})
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
		c := Checksum{Name: string(name)}
		if len(rest) >= 4 {
			c.CRC, c.Known, rest = uint64(f.Uint32(rest)), true, rest[4:]
		}
		list = append(list, c)
	}
	return list, true
}

// versioned returns the names of ReadChecksums, sorted.
func versioned(f *elfrw.File) (names []string, has bool) {
	list, has := ReadChecksums(f)
	for _, c := range list {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names, has
}
