// SPDX-License-Identifier: GPL-2.0-or-later

package kernel

import (
	"fmt"
	"strconv"
	"strings"
)

// Version is a kernel's version. The zero Version is that of a kernel that is
// not known and is treated as the newest.
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

// atLeast reports whether v is that version or a later one; the zero Version is.
func (v Version) atLeast(major, minor int) bool {
	return v == Version{} || v.Major > major || v.Major == major && v.Minor >= minor
}

// NameLimit returns how many bytes of a symbol's name in a klp symbol the
// kernel reads: 127, and 511 since 6.1, where KSYM_NAME_LEN grew
// (kernel/livepatch/core.c, klp_resolve_symbols; commit b8a94bfb3395).
func (v Version) NameLimit() int {
	if v.atLeast(6, 1) {
		return 511
	}
	return 127
}

// validatesELF reports whether a kernel of that version and release has elf_validity_check.
func (v Version) validatesELF(release string) bool {
	return v.backported(release, map[Version]int{{5, 4}: 109, {5, 10}: 27, {5, 11}: 11}) ||
		v.atLeast(5, 12)
}

// ignoresGOT reports whether a kernel of that version and release has ignore_undef_symbol.
func (v Version) ignoresGOT(release string) bool {
	return v.backported(release, map[Version]int{{4, 14}: 222, {4, 19}: 177, {5, 4}: 100,
		{5, 10}: 18}) || v.atLeast(5, 11)
}

// backported reports whether a release is one of a stable kernel that took a change, where
// stable has the first sublevel that did. Releases of distributions do not tell which stable
// release they contain: the last is assumed.
func (v Version) backported(release string, stable map[Version]int) bool {
	first, has := stable[v]
	n, known := sublevel(release)
	return has && (!known || n >= first)
}

// sublevel returns the third number of a release, 286 of 5.4.286, and whether it is that of
// mainline's or a stable release: 5.10.0-46-amd64 does not tell.
func sublevel(release string) (n int, known bool) {
	numbers, _, flavour := strings.Cut(release, "-")
	part := strings.Split(numbers, ".")
	if len(part) != 3 || !isNumber(part[0]) || !isNumber(part[1]) || !isNumber(part[2]) {
		return 0, false
	}
	n, err := strconv.Atoi(part[2])
	return n, err == nil && (n > 0 || !flavour)
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// StoredLimit returns how many bytes of a klp symbol's whole name, .klp.sym.<object>.<name>,<n>,
// a kernel of that version and scheme stores for the klp relocations that it applies late, 0
// where there is no such limit. Before 5.19 the symbols of a livepatch module are copied by
// strlcpy of KSYM_NAME_LEN, which leaves 127 and cuts the position off (kernel/module.c,
// add_kallsyms; 35adf9a4e55e is the first to give the size of the whole table; seen in 4.19.78,
// 5.10.262). What the module loader applies itself it reads from the file.
func (v Version) StoredLimit(s Scheme) int {
	if s.Early() && v.atLeast(5, 19) {
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
	if v.atLeast(6, 13) {
		return "MODULE_IMPORT_NS(%q);"
	}
	return "MODULE_IMPORT_NS(%s);"
}
