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
	if scheme, _, ok = schemeBySymbols(v, t); ok {
		return scheme, true
	}
	return v.Scheme()
}

// schemeBySymbols returns the scheme of a kernel that its symbols tell, and by which;
// those of newer schemes first. The hook for .klp.arch came with 4.9, so it says
// nothing of 4.7 and 4.8.
func schemeBySymbols(v Version, t *sympos.Table) (scheme Scheme, name string, ok bool) {
	own, known := v.Scheme()
	bare := known && own == SchemeLateBare
	for _, want := range []Scheme{SchemeEarly, SchemeLate} {
		for _, name := range SchemeSymbols() {
			if schemeSymbols[name] == want && len(t.Lookup(vmlinux, name)) > 0 && (want == SchemeEarly || !bare) {
				return want, name, true
			}
		}
	}
	return 0, "", false
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
