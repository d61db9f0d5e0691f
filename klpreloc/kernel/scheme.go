// SPDX-License-Identifier: GPL-2.0-or-later

package kernel

import (
	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos"
)

// Scheme is how a kernel applies klp relocations.
type Scheme int

// The schemes. The zero Scheme is that of today's kernels.
const (
	// SchemeEarly, since 5.8: the module loader applies .klp.rela.vmlinux.*
	// before anything looks at the module, and vmlinux's symbols are taken there
	// only (commits 7c8e2bdd5f0d, ca376a937486).
	SchemeEarly Scheme = iota
	// SchemeLate, 4.9 to 5.7: all are applied with their objects, after the
	// kernel has patched alternatives; what they touch of those has to be in
	// .klp.arch sections (commits 255e732c61db, d4c3e6e1b193).
	SchemeLate
	// SchemeLateBare, 4.7 and 4.8: the same without .klp.arch.
	SchemeLateBare
)

func (s Scheme) String() string {
	switch s {
	case SchemeLate:
		return "4.9 to 5.7"
	case SchemeLateBare:
		return "4.7 and 4.8"
	}
	return "5.8 and later"
}

// Early reports whether the module loader applies vmlinux's.
func (s Scheme) Early() bool { return s == SchemeEarly }

// Scheme returns the scheme of mainline kernels of that version, and false when
// they know no klp relocations (before 4.7).
func (v Version) Scheme() (Scheme, bool) {
	switch {
	case v.atLeast(5, 8):
		return SchemeEarly, true
	case v.atLeast(4, 9):
		return SchemeLate, true
	}
	return SchemeLateBare, v.atLeast(4, 7)
}

// schemeSymbols are functions by which a kernel tells its scheme, whatever its
// version says: vendors carry newer livepatching under older numbers
// (kernel/livepatch/core.c, arch/x86/kernel/livepatch.c).
var schemeSymbols = map[string]Scheme{
	"arch_klp_init_object_loaded": SchemeLate,
	"klp_apply_section_relocs":    SchemeEarly,
	"klp_write_section_relocs":    SchemeEarly,
	"clear_relocate_add":          SchemeEarly,
}

// SchemeSymbols returns the names that SchemeOf looks up in a kernel's symbols.
func SchemeSymbols() []string {
	var names []string
	for name := range schemeSymbols {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// SchemeOf returns the scheme of a kernel of that version and with these symbols,
// which take precedence. ok is false when it knows no klp relocations.
func SchemeOf(v Version, t *sympos.Table) (scheme Scheme, ok bool) {
	if scheme, _, ok = SchemeBySymbols(v, t); ok {
		return scheme, true
	}
	return v.Scheme()
}

// SchemeBySymbols returns the scheme of a kernel that its symbols tell, and by which;
// those of newer schemes first. The hook for .klp.arch is in 4.9 first, so it does
// not distinguish 4.7 and 4.8.
func SchemeBySymbols(v Version, t *sympos.Table) (scheme Scheme, name string, ok bool) {
	own, known := v.Scheme()
	bare := known && own == SchemeLateBare
	for _, want := range []Scheme{SchemeEarly, SchemeLate} {
		for _, name := range SchemeSymbols() {
			if schemeSymbols[name] == want && len(t.Lookup(sympos.Vmlinux, name)) > 0 && (want == SchemeEarly || !bare) {
				return want, name, true
			}
		}
	}
	return 0, "", false
}
