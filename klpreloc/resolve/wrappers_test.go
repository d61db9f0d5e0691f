// SPDX-License-Identifier: GPL-2.0-or-later

package resolve_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/klp-convert/klp-convert/klpreloc/resolve"
)

// What may call a function, by its name: entries of system calls of all machines, and names
// without the marks of inner functions.
func TestWrappers(t *testing.T) {
	for name, want := range map[string][]string{
		"__do_sys_getpid": {"__x64_sys_getpid", "__arm64_sys_getpid", "__s390x_sys_getpid",
			"__riscv_sys_getpid", "__ia32_sys_getpid", "__s390_sys_getpid", "SyS_getpid",
			"sys_getpid"},
		"__se_compat_sys_open": {"__ia32_compat_sys_open", "__arm64_compat_sys_open",
			"__s390_compat_sys_open", "__riscv_compat_sys_open", "compat_sys_open",
			"compat_SyS_open"},
		"__x64_sys_getpid": nil, // the entry
		"__read_it":        {"read_it"},
		"do_it":            {"it"},
		"__do_it_inner":    {"do_it", "do_it_inner", "it_inner"},
		"plain":            nil,
		"___":              nil,
	} {
		assert.Equal(t, want, resolve.Wrappers(name), name)
	}
}
