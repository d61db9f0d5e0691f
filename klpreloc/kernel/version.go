// SPDX-License-Identifier: GPL-2.0-or-later

package kernel

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/exp/slices"

	"github.com/klp-convert/klp-convert/sympos"
)

// Every rule of the conversion that depends on the kernel's version is a method in
// this file, what package loader predicts by version is in its contract, and since when
// a message exists is next to it in package explain; nowhere else is a version
// compared.

// Version is a kernel's version. The zero Version stands for a kernel that is
// not known and is taken to be the newest.
type Version struct{ Major, Minor int }

// ParseVersion reads a release or a vermagic string ("6.1.0-56-amd64 SMP …"),
// and returns false when it begins with no version.
func ParseVersion(s string) (Version, bool) {
	major, rest, ok := strings.Cut(s, ".")
	if !ok {
		return Version{}, false
	}
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	a, err1 := strconv.ParseUint(major, 10, 16)
	b, err2 := strconv.ParseUint(rest[:end], 10, 16)
	if err1 != nil || err2 != nil || a == 0 {
		return Version{}, false
	}
	return Version{int(a), int(b)}, true
}

func (v Version) String() string {
	if v == (Version{}) {
		return "unknown"
	}
	return fmt.Sprintf("%d.%d", v.Major, v.Minor)
}

// AtLeast reports whether v is that version or a later one; the zero Version is.
func (v Version) AtLeast(major, minor int) bool {
	return v == Version{} || v.Major > major || v.Major == major && v.Minor >= minor
}

// EarlyVmlinux reports whether the module loader itself applies
// .klp.rela.vmlinux.* and refuses vmlinux symbols anywhere else: since 5.8
// (commits 7c8e2bdd5f0d and ca376a937486).
func (v Version) EarlyVmlinux() bool { return v.AtLeast(5, 8) }

// NameLimit returns how many bytes of a symbol's name in a klp symbol the
// kernel reads: 127, and 511 since 6.1, where KSYM_NAME_LEN grew
// (kernel/livepatch/core.c, klp_resolve_symbols; commit b8a94bfb3395).
func (v Version) NameLimit() int {
	if v.AtLeast(6, 1) {
		return 511
	}
	return 127
}

// StoredLimit returns how many bytes of a klp symbol's whole name, .klp.sym.<object>.<name>,<n>,
// a kernel of that version and scheme stores for the klp relocations that it applies late, 0
// where there is no such limit. Before 5.19 the symbols of a livepatch module are copied by
// strlcpy of KSYM_NAME_LEN, which leaves 127 and cuts the position off (kernel/module.c,
// add_kallsyms; 35adf9a4e55e is the first to give the size of the whole table; seen in 4.19.78,
// 5.10.262). What the module loader applies itself it reads from the file.
func (v Version) StoredLimit(s Scheme) int {
	if s.Early() && v.AtLeast(5, 19) {
		return 0
	}
	return 127
}

// FirstIsOnly are the kernels that treat old_sympos 0 and 1 of a klp_func as the same when one
// livepatch replaces another (.replace, since 5.1; kernel/livepatch/core.c, klp_find_func,
// 139560e8b973 of 6.19; read in 5.10.262, 6.1.192, 6.12.118 and 7.3.4). Others do not find the
// function in the new livepatch, and add it a second time, with the same name in sysfs.
const FirstIsOnly = "6.19 (5.10.248, 5.15.198, 6.1.160, 6.6.120, 6.12.64, 6.18.3)"

// ImportNS returns the format of the line by which source imports a namespace: a string
// since 6.13 (cdd30ebb1b9f), an identifier before.
func (v Version) ImportNS() string {
	if v.AtLeast(6, 13) {
		return "MODULE_IMPORT_NS(%q);"
	}
	return "MODULE_IMPORT_NS(%s);"
}

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
	case v.AtLeast(5, 8):
		return SchemeEarly, true
	case v.AtLeast(4, 9):
		return SchemeLate, true
	}
	return SchemeLateBare, v.AtLeast(4, 7)
}

// VendorEarly reports whether a release is one of those that vendors gave the scheme of
// 5.8: RHEL 8 from 4.18.0-284.el8 on, SLE and openSUSE since August 2020 (4.12.14 and
// 5.3.18), whose releases don't tell from when they are.
func VendorEarly(release string) bool {
	// 4.18.0-553.8.1.el8_10.x86_64, but not 5.4.277-1.el8.elrepo.x86_64, which is mainline's.
	if rest, ok := strings.CutPrefix(release, "4.18.0-"); ok {
		end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if end <= 0 || !slices.ContainsFunc(strings.Split(rest, "."), func(part string) bool {
			return part == "el8" || strings.HasPrefix(part, "el8_")
		}) {
			return false
		}
		build, err := strconv.ParseUint(rest[:end], 10, 32)
		return err == nil && build >= 284
	}
	return strings.HasPrefix(release, "4.12.14-") || strings.HasPrefix(release, "5.3.18-")
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
// those of newer schemes first. The hook for .klp.arch came with 4.9, so it says
// nothing of 4.7 and 4.8.
func SchemeBySymbols(v Version, t *sympos.Table) (scheme Scheme, name string, ok bool) {
	own, known := v.Scheme()
	bare := known && own == SchemeLateBare
	for _, want := range []Scheme{SchemeEarly, SchemeLate} {
		for _, name := range SchemeSymbols() {
			if schemeSymbols[name] == want && len(t.Lookup(sympos.Vmlinux, name)) > 0 &&
				(want == SchemeEarly || !bare) {
				return want, name, true
			}
		}
	}
	return 0, "", false
}
