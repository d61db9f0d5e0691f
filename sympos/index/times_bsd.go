// SPDX-License-Identifier: GPL-2.0-or-later

//go:build darwin || freebsd || netbsd

package index

import "syscall"

// times returns when a file was modified and changed, in ns.
func times(st *syscall.Stat_t) (modified, changed int64) {
	return st.Mtimespec.Nano(), st.Ctimespec.Nano()
}
