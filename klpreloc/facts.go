// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"debug/elf"

	"github.com/klp-convert/klp-convert/elfrw"
	"github.com/klp-convert/klp-convert/sympos"
)

// What package loader needs to know as well.

// AtLeast reports whether v is that version or a later one; the zero Version is.
// For tables of what changed when, as loader's.
func (v Version) AtLeast(major, minor int) bool { return v.atLeast(major, minor) }

// SchemeSymbols returns the names by which SchemeOf knows a kernel, to be read.
func SchemeSymbols() []string {
	var names []string
	for name := range schemeSymbols {
		names = append(names, name)
	}
	return sorted(names)
}

// SchemeOf returns the scheme of a kernel of that version and with these symbols,
// which count for more. ok is false when it knows no klp relocations.
func SchemeOf(v Version, t *sympos.Table) (scheme Scheme, ok bool) {
	scheme, ok = v.Scheme()
	for _, name := range SchemeSymbols() {
		if s := schemeSymbols[name]; s == SchemeEarly && len(t.Lookup(vmlinux, name)) > 0 {
			return s, true
		}
	}
	if scheme != SchemeLateBare && len(t.Lookup(vmlinux, "arch_klp_init_object_loaded")) > 0 {
		return SchemeLate, true
	}
	return scheme, ok
}

// RelocWidth returns how many bytes a relocation of type t writes, 0 where that is
// not known, and false when the module loader of f's machine does not apply it to
// klp symbols.
func RelocWidth(f *elfrw.File, t uint32) (int, bool) {
	if m := machines[f.Header.Machine]; m != nil {
		return m.width(t)
	}
	return 0, false
}

// AllowedUndefined reports whether the loader lets a symbol of that name be
// undefined (include/linux/module_symbol.h, ignore_undef_symbol).
func AllowedUndefined(m elf.Machine, name string) bool {
	return name != "__this_module" && allowedUndefined(m, name)
}

// SymbolPrefix and SectionPrefix begin the names of klp symbols and klp sections.
const (
	SymbolPrefix  = symbolPrefix
	SectionPrefix = sectionPrefix
)

// Values of the klp format (include/uapi/linux/elf.h).
const (
	FlagLivepatch  = flagRelaLivepatch // SHF_RELA_LIVEPATCH
	IndexLivepatch = indexLivepatch    // SHN_LIVEPATCH
)

// ScanUnsigned reads %lu as the kernel's sscanf does.
func ScanUnsigned(s string) (n uint64, ok bool) { return scanUnsigned(s) }

// ReadModinfo returns the contents of f's .modinfo.
func ReadModinfo(f *elfrw.File) Modinfo { return readModinfo(f) }

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
