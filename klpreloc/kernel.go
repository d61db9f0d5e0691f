// SPDX-License-Identifier: GPL-2.0-or-later

package klpreloc

import (
	"fmt"
	"strconv"
	"strings"
)

// Every rule that depends on the kernel's version is a method in this file;
// nowhere else is a version compared.

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

func (v Version) atLeast(major, minor int) bool {
	return v == Version{} || v.Major > major || v.Major == major && v.Minor >= minor
}

// EarlyVmlinux reports whether the module loader itself applies
// .klp.rela.vmlinux.* and refuses vmlinux symbols anywhere else: since 5.8
// (commits 7c8e2bdd5f0d and ca376a937486).
func (v Version) EarlyVmlinux() bool { return v.atLeast(5, 8) }

// NameLimit returns how many bytes of a symbol's name in a klp symbol the
// kernel reads: 127, and 511 since 6.1, where KSYM_NAME_LEN grew
// (kernel/livepatch/core.c, klp_resolve_symbols; commit b8a94bfb3395).
func (v Version) NameLimit() int {
	if v.atLeast(6, 1) {
		return 511
	}
	return 127
}
