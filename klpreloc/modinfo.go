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

// versioned returns the names that modpost resolved to exports, sorted, and
// whether the module has such a table (CONFIG_MODVERSIONS). Two formats: 64
// bytes of {unsigned long crc; char name[]} in __versions, and since 6.13 NUL
// ended names in __version_ext_names (include/linux/module.h, modversion_info;
// scripts/mod/modpost.c, add_versions and add_extended_versions).
func versioned(f *elfrw.File) ([]string, bool) {
	const entry = 64
	var names []string
	table, ext := f.Section("__versions"), f.Section("__version_ext_names")
	if table != nil {
		for b := table.Data; len(b) >= entry; b = b[entry:] {
			name, _, _ := bytes.Cut(b[f.PointerSize():entry], []byte{0})
			names = append(names, string(name))
		}
	}
	if ext != nil {
		for _, name := range bytes.Split(ext.Data, []byte{0}) {
			names = append(names, string(name))
		}
	}
	slices.Sort(names)
	return names, table != nil || ext != nil
}
