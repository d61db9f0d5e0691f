// SPDX-License-Identifier: GPL-2.0-or-later

package klpabi

import (
	"bytes"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/klpreloc/kernel"
)

// Modinfo is the contents of .modinfo: "key=value" strings, each ended by NUL,
// in their order. Keys may repeat.
type Modinfo []string

// ReadModinfo returns the contents of f's .modinfo, nil when it has none.
func ReadModinfo(f *elfrw.File) Modinfo {
	s := f.Section(modinfoName)
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

// Values returns all values of key.
func (m Modinfo) Values(key string) []string {
	var all []string
	for _, e := range m {
		if len(e) > len(key) && e[len(key)] == '=' && e[:len(key)] == key {
			all = append(all, e[len(key)+1:])
		}
	}
	return all
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
func (m Modinfo) Kernel() kernel.Version {
	magic, _ := m.Value("vermagic")
	v, _ := kernel.ParseVersion(magic)
	return v
}

const (
	modinfoName = ".modinfo"
	dependsKey  = "depends="
)

// FindDepends returns the modules in depends=, the section that has it and where
// in it the list begins.
func FindDepends(f *elfrw.File) (list []string, s *elfrw.Section, at int, ok bool) {
	s = f.Section(modinfoName)
	if s == nil {
		return nil, nil, 0, false
	}
	for b := s.Data; len(b) > 0; {
		entry, rest, more := bytes.Cut(b, []byte{0})
		if value, found := bytes.CutPrefix(entry, []byte(dependsKey)); found && more {
			at = len(s.Data) - len(b) + len(dependsKey)
			if len(value) > 0 {
				list = strings.Split(string(value), ",")
			}
			return list, s, at, true
		}
		b = rest
	}
	return nil, s, 0, false
}

// EditModinfo returns .modinfo, and its contents without these modules in depends= and with
// entries of these targets after all others. Nothing that was there moves: what is left of the
// list is filled up with zeros, which readers skip (kernel/module/main.c, next_string).
func EditModinfo(f *elfrw.File, gone []string, targets []Target) (s *elfrw.Section, b []byte) {
	if s = f.Section(modinfoName); s == nil {
		return nil, nil
	}
	b = slices.Clone(s.Data)
	if list, _, at, ok := FindDepends(f); ok && len(gone) > 0 {
		old := len(strings.Join(list, ","))
		left := strings.Join(slices.DeleteFunc(list, func(m string) bool {
			return slices.Contains(gone, m)
		}), ",")
		copy(b[at:at+old], left+strings.Repeat("\x00", old-len(left)))
	}
	for _, t := range targets {
		if n := len(b); n > 0 && b[n-1] != 0 {
			b = append(b, 0)
		}
		b = append(append(b, targetKey+"="+t.String()...), 0)
	}
	return s, b
}

// DependsOf returns the modules in depends=, by their names in the kernel.
func DependsOf(m Modinfo) []string {
	value, _ := m.Value("depends")
	var list []string
	for _, name := range strings.Split(value, ",") {
		if name != "" {
			list = append(list, ModuleName(name))
		}
	}
	return list
}
